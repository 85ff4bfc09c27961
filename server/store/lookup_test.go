package store_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// issue adds a pass that begins and ends so many hours from now.
func issue(t testing.TB, s *store.Store, c *clock, n, from, until int) {
	t.Helper()
	ok(t, s.AddPass(t.Context(), store.Pass{
		ID: passID(n), Kind: signing.Work, Name: fmt.Sprintf("林%d", n), From: c.seconds() + int64(from)*3600,
		Until: c.seconds() + int64(until)*3600, Uses: 2, Zones: 5, Key: activeKey(t, s), IssuedAt: c.at(), IssuedBy: "test",
	}))
}

// lookup gives the passes that a gate which pulls everything anew knows.
func lookup(t testing.TB, s *store.Store) map[string]wire.Pass {
	t.Helper()
	var f feedMap
	f.pull(t, s, 7)
	return f.passes(t)
}

func (f *feedMap) passes(t testing.TB) map[string]wire.Pass {
	t.Helper()
	found := map[string]wire.Pass{}
	for key, body := range f.items {
		var id string
		if n, _ := fmt.Sscanf(key, "pass %s", &id); n == 1 {
			var p wire.Pass
			ok(t, json.Unmarshal(body, &p))
			found[id] = p
		}
	}
	return found
}

func TestFeedPasses_TellsOfThoseOfNowAndSoon(t *testing.T) {
	s, c := newStore(t)
	issue(t, s, c, 1, -2, 5)   // is valid
	issue(t, s, c, 2, 71, 90)  // begins within three days
	issue(t, s, c, 3, 73, 90)  // does not
	issue(t, s, c, 4, -9, -1)  // has ended
	issue(t, s, c, 5, -2, 500) // is valid, and revoked
	ok(t, s.RevokePass(t.Context(), "test", passID(5), "lost"))
	if got := lookup(t, s); len(got) != 0 {
		t.Fatalf("told before anybody asked: %v", got)
	}
	ok(t, s.FeedPasses(t.Context()))
	got := lookup(t, s)
	want := wire.Pass{Kind: signing.Work, Name: "林1", From: c.seconds() - 7200, Expires: c.seconds() + 5*3600, Uses: 2, Zones: 5}
	if len(got) != 2 || got[passID(1).String()] != want || got[passID(2).String()].Name != "林2" {
		t.Fatalf("told %v", got)
	}

	// From now on at once, where it is soon.
	issue(t, s, c, 6, -1, 9)
	issue(t, s, c, 7, 80, 90)
	if got := lookup(t, s); len(got) != 3 || got[passID(6).String()].Name != "林6" {
		t.Fatalf("told %v", got)
	}
	before := must(s.Revision(t.Context()))(t)
	ok(t, s.FeedPasses(t.Context()))
	if after := must(s.Revision(t.Context()))(t); after != before {
		t.Fatalf("%d items were told again", after-before)
	}

	// An hour later two more are soon; a day after its end one is dropped.
	c.add(10 * time.Hour)
	ok(t, s.FeedPasses(t.Context()))
	if got := lookup(t, s); len(got) != 5 {
		t.Fatalf("told %v", got)
	}
	c.add(20 * time.Hour)
	ok(t, s.FeedPasses(t.Context()))
	if got := lookup(t, s); len(got) != 4 || got[passID(1).String()].Name != "" {
		t.Fatalf("told %v", got)
	}
}

// Whenever passes are issued and however often the walk is cut short, every
// pass that is valid is told of once the walk has been to its end.
func TestFeedPasses_NothingFallsBetween(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, c := newStore(t)
		defer func() { ok(t, s.Close()) }()
		n := 0
		add := func() {
			for range rapid.IntRange(0, 4).Draw(rt, "passes") {
				n++
				issue(t, s, c, n, rapid.IntRange(-1, 80).Draw(rt, "from"), 400)
			}
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			add()
			if rapid.Bool().Draw(rt, "cut short") {
				calls := 0
				stop := rapid.IntRange(1, 3).Draw(rt, "at")
				s.SetCommitFault(func() (bool, error) {
					calls++
					return calls != stop, map[bool]error{true: store.ErrClosed}[calls == stop]
				})
				_ = s.FeedPasses(t.Context())
				s.SetCommitFault(nil)
			}
			add()
			c.add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "hours")) * time.Hour)
		}
		ok(t, s.FeedPasses(t.Context()))
		got := lookup(t, s)
		for i := 1; i <= n; i++ {
			p := must(s.Pass(t.Context(), passID(i)))(t)
			if _, told := got[passID(i).String()]; told != (p.From <= c.seconds()+store.PassesAhead) {
				rt.Fatalf("pass %d begins %d h from now: told %v", i, (p.From-c.seconds())/3600, told)
			}
		}
	})
}

func TestFeed_GuidelineAndGuardsReplaceAndGo(t *testing.T) {
	s, _ := newStore(t)
	change := func(fn func(*store.Tx) error) {
		t.Helper()
		ok(t, s.Change(t.Context(), fn))
	}
	change(func(x *store.Tx) error {
		return x.PutGuideline(&verdict.Guideline{Rules: []verdict.DocumentRule{{ID: "one"}}})
	})
	change(func(x *store.Tx) error {
		return x.PutGuard("G1", wire.Guard{Name: "秦砚书", Hash: "h", Gates: []uint16{1}})
	})
	change(func(x *store.Tx) error { return x.PutGuard("G2", wire.Guard{Name: "沈未央", Hash: "h"}) })
	var f feedMap
	f.pull(t, s, 2)
	if len(f.items) != 3 || string(f.items["guard G1"]) != `{"name":"秦砚书","hash":"h","gates":[1]}` {
		t.Fatalf("items %s", text(f))
	}
	change(func(x *store.Tx) error { return x.RemoveGuard("G1") })
	change(func(x *store.Tx) error { return x.RemoveGuard("G9") })
	f.pull(t, s, 2)
	var fresh feedMap
	fresh.pull(t, s, 2)
	for name, m := range map[string]feedMap{"after": f, "anew": fresh} {
		if len(m.items) != 2 || m.items["guard G1"] != nil {
			t.Errorf("%s: %s", name, text(m))
		}
	}
}

// BenchmarkSnapshotOfPasses reads a snapshot with 10,000 passes in it, page by
// page, as the hub does for an agent.
func BenchmarkSnapshotOfPasses(b *testing.B) {
	s, c := newStore(b)
	for n := range 10_000 {
		issue(b, s, c, n, -1, 24)
	}
	start := time.Now()
	ok(b, s.FeedPasses(b.Context()))
	walk := time.Since(start)
	bytes := 0
	for b.Loop() {
		bytes = 0
		for cursor, more := (wire.Cursor{}), true; more; {
			d := must(s.Feed(b.Context(), cursor, wire.MaxBatch))(b)
			for _, frame := range must(wire.DeltaFrames(d))(b) {
				bytes += len(frame)
			}
			cursor, more = d.Cursor, d.More
		}
	}
	b.ReportMetric(walk.Seconds()*1000, "first-walk-ms")
	b.ReportMetric(float64(bytes)/1e6, "MB/snapshot")
}
