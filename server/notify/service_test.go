package notify_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/server/notify"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

func newStore(t *testing.T) *store.Store {
	t.Helper()
	db, _ := storetest.Found(t, t.TempDir(), store.Options{Now: time.Now, Random: rand.Reader})
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func newService(t *testing.T, channels ...notify.Channel) (*notify.Service, *store.Store) {
	t.Helper()
	db := newStore(t)
	return notify.New(notify.Config{
		Store: db, Channels: channels, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Recipient: func(_ context.Context, person string) (notify.Recipient, error) {
			return notify.Recipient{Person: person, Name: "李青"}, nil
		},
	}), db
}

func post(t *testing.T, s *notify.Service, db *store.Store, messages ...notify.Message) {
	t.Helper()
	if err := db.Change(t.Context(), func(tx *store.Tx) error { return s.Post(tx, messages) }); err != nil {
		t.Fatal(err)
	}
}

func assigned(person, subject string) notify.Message {
	return notify.Message{Person: person, Kind: "assigned", Subject: subject, Text: "请及时办理。", Link: "/applications/0a"}
}

func TestMessages_ListCountRead(t *testing.T) {
	s, db := newService(t)
	post(t, s, db, assigned("T1", "甲"), assigned("T1", "乙"), assigned("T2", "丙"))
	found, total, err := s.List(t.Context(), "T1", notify.Filter{Limit: 1})
	if err != nil || total != 2 || len(found) != 1 || found[0].Subject != "乙" {
		t.Fatalf("%+v, %d, %v", found, total, err)
	}
	if err := s.Read(t.Context(), "T2", found[0].ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else's message was read: %v", err)
	}
	for range 2 { // again changes nothing
		if err := s.Read(t.Context(), "T1", found[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Unread(t.Context(), "T1"); n != 1 || err != nil {
		t.Errorf("%d unread, %v", n, err)
	}
	if err := s.Read(t.Context(), "T1", 0); err != nil {
		t.Fatal(err)
	}
	if found, total, err := s.List(t.Context(), "T1", notify.Filter{Unread: true, Limit: 10}); err != nil || total != 0 || len(found) != 0 {
		t.Errorf("unread after all were read: %+v, %d, %v", found, total, err)
	}
	if n, err := s.Unread(t.Context(), "T2"); n != 1 || err != nil {
		t.Errorf("of the other: %d unread, %v", n, err)
	}
}

func TestPost_NothingStaysOfAChangeThatFailed(t *testing.T) {
	s, db := newService(t)
	fault := errors.New("on purpose")
	err := db.Change(t.Context(), func(tx *store.Tx) error {
		return errors.Join(s.Post(tx, []notify.Message{assigned("T1", "甲")}), fault)
	})
	if n, _ := s.Unread(t.Context(), "T1"); !errors.Is(err, fault) || n != 0 {
		t.Errorf("%d messages, %v", n, err)
	}
}

func TestPost_LongTextIsCutBetweenCharacters(t *testing.T) {
	s, db := newService(t)
	m := assigned("T1", "甲")
	m.Text = strings.Repeat("好", 10_000)
	post(t, s, db, m)
	found, _, err := s.List(t.Context(), "T1", notify.Filter{Limit: 1})
	if err != nil || len([]rune(found[0].Text)) != 500 || !strings.HasSuffix(found[0].Text, "好…") {
		t.Errorf("%d characters, %v", len([]rune(found[0].Text)), err)
	}
}

// channel is one whose faults a test chooses.
type channel struct {
	name string

	mu    sync.Mutex
	sent  []int64
	fault func(n int) error // of the n-th attempt, from 0
	tries int
}

func (c *channel) Name() string { return c.name }

func (c *channel) Send(_ context.Context, _ notify.Recipient, m notify.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.tries
	c.tries++
	if c.fault != nil {
		if err := c.fault(n); err != nil {
			return err
		}
	}
	c.sent = append(c.sent, m.ID)
	return nil
}

func (c *channel) seen() (tries, sent int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries, len(c.sent)
}

func TestRun_ADownChannelIsTriedForADayAndHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &channel{name: "down", fault: func(int) error { return errors.New("no answer") }}
		up := &channel{name: "up"}
		s, db := newService(t, down, up)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = s.Run(ctx) })
		post(t, s, db, assigned("T1", "甲"))
		synctest.Wait()
		if tries, sent := up.seen(); tries != 1 || sent != 1 {
			t.Errorf("the other channel: %d tries, %d sent", tries, sent)
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		tries, _ := down.seen()
		if tries < 24 || tries > 32 {
			t.Errorf("%d tries in a day", tries)
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		if again, _ := down.seen(); again != tries {
			t.Errorf("%d more tries after the message was given up", again-tries)
		}
		cancel()
		group.Wait()
		_ = db.Close()
	})
}

func TestRun_ArrivesAfterFaultsAndOnlyOnceThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := &channel{name: "flaky", fault: func(n int) error {
			if n < 3 {
				return errors.New("no answer")
			}
			return nil
		}}
		s, db := newService(t, ch)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = s.Run(ctx) })
		post(t, s, db, assigned("T1", "甲"))
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		if tries, sent := ch.seen(); tries != 4 || sent != 1 {
			t.Errorf("%d tries, %d sent", tries, sent)
		}
		cancel()
		group.Wait()
		_ = db.Close()
	})
}

func TestRun_UnreachableIsNotTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := &channel{name: "sms", fault: func(int) error { return notify.ErrUnreachable }}
		s, db := newService(t, ch)
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = s.Run(ctx) })
		post(t, s, db, assigned("T1", "甲"))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if tries, _ := ch.seen(); tries != 1 {
			t.Errorf("%d tries", tries)
		}
		cancel()
		group.Wait()
		_ = db.Close()
	})
}

func TestWebhook_SignsAndReadsTheAnswer(t *testing.T) {
	secret := []byte("shared with the portal")
	status := http.StatusNoContent
	var got map[string]any
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Campusgate-Signature") != notify.Sign(secret, 1_788_000_000, body) || r.Header.Get("Campusgate-Time") != "1788000000" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Error(err)
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	hook := notify.Webhook{URL: srv.URL, Secret: secret, Client: srv.Client(), Now: func() time.Time { return time.Unix(1_788_000_000, 0) }}
	to := notify.Recipient{Person: "T1", Name: "李青", Phone: "13800138000"}
	if err := hook.Send(t.Context(), to, assigned("T1", "甲")); err != nil || got["subject"] != "甲" || got["name"] != "李青" {
		t.Errorf("%v, %v", got, err)
	}
	if _, leaked := got["phone"]; leaked {
		t.Error("the phone number left the house")
	}
	for code, want := range map[int]error{http.StatusGone: notify.ErrUnreachable, http.StatusBadGateway: nil} {
		status = code
		if err := hook.Send(t.Context(), to, assigned("T1", "甲")); err == nil || want != nil && !errors.Is(err, want) {
			t.Errorf("status %d: %v", code, err)
		}
	}
	hook.Secret = []byte("another")
	if err := hook.Send(t.Context(), to, assigned("T1", "甲")); err == nil {
		t.Error("a wrong signature was taken")
	}
}
