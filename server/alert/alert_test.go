package alert_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/alert"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var secret = []byte("a secret of the campus")

func ok(t interface{ Fatal(...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// world is a site with two gates whose journals make conflicts.
type world struct {
	dir  string
	db   *store.Store
	at   time.Time
	logs []*journal
	next uint16
}

type journal struct {
	agent store.Agent
	head  wire.Hash
	seq   uint64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), at: time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)}
	w.db, _ = storetest.Found(t, w.dir, store.Options{Now: w.now})
	t.Cleanup(func() { _ = w.db.Close() })
	for i, name := range []string{"东门", "西门"} {
		g, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: name, Zone: 1, Mode: verdict.FirstSeen})
		ok(t, err)
		once := sha256.Sum256([]byte{byte(i)})
		ok(t, w.db.NewEnrolment(t.Context(), "test", g.ID, once[:], w.at.UnixMilli()+60_000))
		a, err := w.db.Enrol(t.Context(), once[:], ed25519.NewKeyFromSeed(once[:]).Public().(ed25519.PublicKey), "gate-pc")
		ok(t, err)
		w.logs = append(w.logs, &journal{agent: a})
	}
	return w
}

func (w *world) now() time.Time { return w.at }

// reopen is a restart of the server.
func (w *world) reopen(t testing.TB) {
	t.Helper()
	ok(t, w.db.Close())
	var err error
	w.db, err = store.Open(t.Context(), filepath.Join(w.dir, storetest.Database), store.Options{Now: w.now})
	ok(t, err)
}

// conflict has both gates admit a fresh pass; the second journal drains last.
func (w *world) conflict(t testing.TB) string {
	t.Helper()
	w.next++
	pass := signing.PassID{7, byte(w.next >> 8), byte(w.next)}
	for _, l := range w.logs {
		l.seq++
		e := wire.Event{
			ID: wire.EventID{Agent: l.agent.ID, Epoch: l.agent.Epoch, Seq: l.seq}, Type: wire.EventScan, Gate: l.agent.Gate,
			At: w.at.UnixMilli(), Pass: pass, Offline: true, Counts: true, Guard: "2013044", Verdict: verdict.Verdict{Reason: verdict.Granted},
			Case: &verdict.Case{Code: verdict.Code{Kind: signing.ResidentSingle, ID: pass, Uses: 1, Owner: l.agent.Gate, Expires: w.at.Unix() + 86400}},
		}
		e.Case.Policy.Mode = verdict.FirstSeen
		r, err := wire.Seal(l.head, &e)
		ok(t, err)
		l.head = r.Hash
		_, err = w.db.Ingest(t.Context(), l.agent.ID, l.agent.Epoch, []wire.Record{r})
		ok(t, err)
	}
	return pass.String()
}

func (w *world) service(t testing.TB, url string, through http.RoundTripper) *alert.Service {
	t.Helper()
	s, err := alert.New(alert.Config{
		Store: w.db, URL: url, Secret: secret, Transport: through, Now: w.now,
		Random: rand.NewChaCha8([32]byte{1}), Log: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	return s
}

// receiver is a program of the campus. It drops ids that it has had.
type receiver struct {
	mu    sync.Mutex
	calls []string       // ids, in order
	took  map[string]int // by pass: deliveries that were not dropped
	ids   map[string]bool
	last  []byte
	fault func() int // 0 = takes and says so; -1 = takes, and the answer is lost; else a status without taking it
	bad   []string
}

func (r *receiver) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	at, _ := strconv.ParseInt(req.Header.Get("X-Campusgate-Timestamp"), 10, 64)
	var d struct{ ID, Pass string }
	if json.Unmarshal(body, &d) != nil || req.Method != http.MethodPost || d.ID != req.Header.Get("X-Campusgate-Id") ||
		req.Header.Get("X-Campusgate-Signature") != alert.Sign(secret, at, body) {
		r.bad = append(r.bad, string(body))
	}
	r.calls, r.last = append(r.calls, d.ID), body
	status := 0
	if r.fault != nil {
		status = r.fault()
	}
	if status <= 0 && !r.ids[d.ID] {
		if r.ids == nil {
			r.ids, r.took = map[string]bool{}, map[string]int{}
		}
		r.ids[d.ID] = true
		r.took[d.Pass]++
	}
	switch {
	case status < 0:
		panic(http.ErrAbortHandler)
	case status > 0:
		rw.Header().Set("Location", "/elsewhere")
		rw.WriteHeader(status)
	}
}

// tell has the service make its calls, of which nothing is under way then.
func (r *receiver) tell(t testing.TB, s *alert.Service) {
	t.Helper()
	r.with(func() {})
	ok(t, s.Tell(t.Context()))
	r.with(func() {})
}

// with runs while no call is taken: what it or the test changed the next call sees.
func (r *receiver) with(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

func TestTell_ADeliveryIsSignedAndNamesNobody(t *testing.T) {
	w, r := newWorld(t), &receiver{}
	pass := w.conflict(t)
	s := w.service(t, serve(t, r), nil)
	for range 2 {
		r.tell(t, s)
	}
	if len(r.bad) > 0 || len(r.calls) != 1 || r.calls[0] != pass+"/2-1-1" {
		t.Fatalf("calls %v, not in order %v", r.calls, r.bad)
	}
	want := fmt.Sprintf(`{"id":"%s/2-1-1","kind":"conflict","pass":"%s","allowed":1,"detected_at":%d,"admissions":[`+
		`{"ref":"1-1-1","gate":1,"gate_name":"东门","at":%[3]d,"mode":"first_seen","offline":true,"guard":"2013044"},`+
		`{"ref":"2-1-1","gate":2,"gate_name":"西门","at":%[3]d,"mode":"first_seen","offline":true,"guard":"2013044"}]}`, pass, pass, w.at.UnixMilli())
	if string(r.last) != want {
		t.Errorf("body\n%s\nwant\n%s", r.last, want)
	}
	for _, other := range []string{alert.Sign(secret, 1, r.last), alert.Sign([]byte("another"), 0, r.last), alert.Sign(secret, 0, r.last[1:])} {
		if other == alert.Sign(secret, 0, r.last) {
			t.Error("the signature does not cover time, secret and body")
		}
	}
}

func TestTell_FailedOrFailedButDone_SameIDUntilItIsTakenAlsoAfterARestart(t *testing.T) {
	for name, status := range map[string]int{"failed": 503, "failed but done": -1, "refused": 400} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := &receiver{fault: func() int { return status }}
			url := serve(t, r)
			pass := w.conflict(t)
			s := w.service(t, url, nil)
			r.tell(t, s)
			r.tell(t, s) // it is not due yet
			if len(r.calls) != 1 {
				t.Fatalf("calls %v", r.calls)
			}
			standing, err := s.Standing(t.Context())
			ok(t, err)
			if !standing.On || standing.Untold != 1 || standing.Failure == "" || strings.Contains(standing.Failure, url) {
				t.Fatalf("standing %+v", standing)
			}
			w.reopen(t)
			w.at = w.at.Add(2 * time.Second)
			r.fault = nil
			s = w.service(t, url, nil)
			r.tell(t, s)
			r.tell(t, s)
			if len(r.calls) != 2 || r.calls[0] != r.calls[1] || r.took[pass] != 1 {
				t.Fatalf("calls %v, taken %v", r.calls, r.took)
			}
			w.reopen(t)
			s = w.service(t, url, nil)
			w.at = w.at.Add(time.Hour)
			r.tell(t, s)
			if standing, err = s.Standing(t.Context()); err != nil || len(r.calls) != 2 || standing != (alert.Deliveries{On: true}) {
				t.Fatalf("calls %v, %+v, %v", r.calls, standing, err)
			}
		})
	}
}

func TestTell_FollowsNoRedirect(t *testing.T) {
	w, r := newWorld(t), &receiver{fault: func() int { return http.StatusTemporaryRedirect }}
	w.conflict(t)
	s := w.service(t, serve(t, r), nil)
	r.tell(t, s)
	if standing, err := s.Standing(t.Context()); err != nil || len(r.calls) != 1 || standing.Failure != "webhook: status 307" {
		t.Fatalf("calls %v, %+v, %v", r.calls, standing, err)
	}
}

func TestTell_OneThatIsRefusedHoldsUpNoOther(t *testing.T) {
	w := newWorld(t)
	r := &receiver{fault: func() int { return http.StatusBadRequest }}
	s := w.service(t, serve(t, r), nil)
	w.conflict(t)
	r.tell(t, s)
	w.at = w.at.Add(time.Hour)
	second := w.conflict(t)
	r.tell(t, s)
	if len(r.calls) != 3 || !strings.HasPrefix(r.calls[1], second) {
		t.Fatalf("calls %v", r.calls)
	}
}

func TestNew_ErrReceiverOnAShortSecret(t *testing.T) {
	if _, err := alert.New(alert.Config{URL: "https://x.example/", Secret: []byte("short")}); !errors.Is(err, alert.ErrReceiver) {
		t.Fatal(err)
	}
	s, err := alert.New(alert.Config{})
	ok(t, err)
	if standing, err := s.Standing(t.Context()); err != nil || standing.On || s.Run(t.Context()) != nil {
		t.Fatal(standing, err)
	}
}

// Whatever the receiver does, and whenever the server starts anew, a receiver
// that drops repeated ids has every conflict exactly once in the end.
func TestTell_EveryConflictExactlyOnceToAReceiverThatDropsRepeats(t *testing.T) {
	w := newWorld(t)
	var faults []int // of the next calls; then there are none
	r := &receiver{fault: func() (status int) {
		if len(faults) > 0 {
			status, faults = faults[0], faults[1:]
		}
		return status
	}}
	url := serve(t, r)
	rapid.Check(t, func(rt *rapid.T) {
		faults = rapid.SliceOfN(rapid.SampledFrom([]int{0, -1, 302, 404, 500}), 0, 12).Draw(rt, "faults")
		var passes []string
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0:
				passes = append(passes, w.conflict(t))
			case 1:
				w.reopen(t)
			default:
				w.at = w.at.Add(time.Duration(rapid.IntRange(0, 10).Draw(rt, "s")) * time.Second)
			}
			r.tell(t, w.service(t, url, nil))
		}
		faults = nil
		w.at = w.at.Add(time.Hour)
		r.tell(t, w.service(t, url, nil))
		for _, pass := range passes {
			if r.took[pass] != 1 {
				rt.Fatalf("%s was taken %d times", pass, r.took[pass])
			}
		}
		if untold, _, err := w.db.Telling(t.Context()); err != nil || untold != 0 || len(r.bad) > 0 {
			rt.Fatalf("%d untold, %v, unsigned: %v", untold, err, r.bad)
		}
	})
}

// handler is a network without sockets: time stands still while it is used.
type handler struct{ http.Handler }

func (h handler) RoundTrip(req *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Result(), nil
}

func TestRun_TellsWithinFiveSecondsOfTheSecondJournal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r := &receiver{}
		s, err := alert.New(alert.Config{
			Store: w.db, URL: "https://alarm.example/", Secret: secret, Transport: handler{r}, Now: time.Now,
			Random: bytes.NewReader(nil), Log: slog.New(slog.DiscardHandler),
		})
		ok(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		time.Sleep(time.Minute + 300*time.Millisecond)
		pass := w.conflict(t)
		begun := time.Now()
		for {
			r.mu.Lock()
			n := r.took[pass]
			r.mu.Unlock()
			if n > 0 {
				break
			}
			if time.Since(begun) > 5*time.Second {
				t.Fatal("nobody was told")
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		ok(t, <-ended)
	})
}
