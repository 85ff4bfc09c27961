package auth_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

var founder = auth.Founder{Number: number, Name: "林晓岚", Password: phrase}

func (c *campus) link(t testing.TB, key string) {
	t.Helper()
	sum := sha256.Sum256([]byte(key))
	ok(t, c.db.AddLink(t.Context(), "init", auth.LinkPurpose, sum[:], c.time().Add(day).UnixMilli()))
}

func TestLink_MakesTheAdministratorOnce(t *testing.T) {
	c := newCampus(t)
	c.link(t, "key")
	e, err := c.Redeem(t.Context(), "key", founder, auth.Client{})
	ok(t, err)
	if e.Caller.Person != number || !e.Caller.May(auth.TokensWrite) || e.Caller.MustChange {
		t.Fatalf("caller %+v", e.Caller)
	}
	c.byPassword(t, number, phrase)
	_, err = c.Redeem(t.Context(), "key", auth.Founder{Number: "666", Name: "x", Password: phrase}, auth.Client{})
	refused(t, err, store.ErrUsed)
	if _, err := c.people.Find(t.Context(), c.db.Reader(), "666"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a second one was made: %v", err)
	}
}

func TestLink_RefusedChangesNothing(t *testing.T) {
	c := newCampus(t)
	c.link(t, "key")
	before := c.dump(t)
	_, err := c.Redeem(t.Context(), "another", founder, auth.Client{})
	refused(t, err, auth.ErrLink)
	for _, f := range []auth.Founder{
		{Number: number, Name: "林晓岚", Password: "12345678"},
		{Number: number, Name: "", Password: phrase},
		{Number: "", Name: "林晓岚", Password: phrase},
		{Number: "r12", Name: "林晓岚", Password: phrase},
		{Number: "=1+1", Name: "林晓岚", Password: phrase},
		{Number: number, Name: "\u202egro", Password: phrase},
		{Number: number, Name: "\xff", Password: phrase},
		{Number: number, Name: strings.Repeat("长", 10_000), Password: phrase},
	} {
		_, err := c.Redeem(t.Context(), "key", f, auth.Client{})
		refused(t, err, people.ErrInvalid)
	}
	if c.dump(t) != before {
		t.Fatal("something was kept")
	}
	c.pass(day)
	_, err = c.Redeem(t.Context(), "key", founder, auth.Client{})
	refused(t, err, store.ErrEnded)
}

func TestLink_TwoAtOnceMakeOne(t *testing.T) {
	c := newCampus(t)
	c.link(t, "key")
	var made atomic.Int32
	var all sync.WaitGroup
	for _, n := range []string{"1", "2", "3", "4"} {
		all.Go(func() {
			_, err := c.Redeem(t.Context(), "key", auth.Founder{Number: n, Name: "林晓岚", Password: phrase}, auth.Client{})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, store.ErrUsed) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d administrators of one link", made.Load())
	}
}

func TestLink_SomebodyKnownBecomesAdministrator(t *testing.T) {
	c := newCampus(t)
	c.add(t, number, mobile)
	c.link(t, "key")
	c.pass(time.Hour)
	e, err := c.Redeem(t.Context(), "key", founder, auth.Client{})
	ok(t, err)
	p, err := c.people.Details(t.Context(), c.db.Reader(), number)
	ok(t, err)
	if p.Phone != mobile || !e.Caller.May(auth.Admin) {
		t.Errorf("%+v %s", p, e.Caller.Scopes)
	}
}
