package campus_test

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
)

// A hundred of each take a minute (make kills); the suite plays these.
var (
	tillKills       = flag.Int("till-kills", 30, "how often TestKill_Till kills a till's agent")
	tillServerKills = flag.Int("till-server-kills", 20, "how often TestKill_ServerOfTills kills the server")
)

// drainLimit is how long the last record may take to arrive.
const drainLimit = 60 * time.Second

// moneyWorld is a campus with some tills, and cashiers and holders.
func moneyWorld(t *testing.T, random *rand.Rand, tills ...string) (*campus.Campus, []*cashier, []*payer) {
	t.Helper()
	c, _ := populated(t)
	if err := c.OpenCanteen(t.Context(), tills...); err != nil {
		t.Fatal(err)
	}
	people := payers(t, c)
	var all []*cashier
	for _, till := range c.Tills {
		all = append(all, newCashier(till, people, random))
	}
	return c, all, people
}

// TestKill_Till kills a till at random moments while it takes money, with the
// network and, now and then, without. Whatever the moment: who was shown that
// they have paid has paid, once, and nobody else has.
func TestKill_Till(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c, all, people := moneyWorld(t, random, "一号窗口 Till 1")
	till := c.Tills[0]
	began := time.Now()
	for i := range *tillKills {
		c.Network.Cut(i%4 == 3)
		if !c.Network.IsCut() {
			reached(t, c)
		}
		served := serveAll(t, all, nil)
		pause(t, time.Duration(random.Int64N(int64(80*time.Millisecond))))
		till.Agent.Kill()
		if err := <-served; err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if random.IntN(2) == 0 {
			c.Network.Cut(false)
		}
		if err := till.Start(t.Context()); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		all[0].list(t)
	}
	t.Logf("%d kills in %v", *tillKills, time.Since(began).Round(time.Second))
	if lost := all[0].lost; 10*lost < *tillKills {
		t.Errorf("only %d of %d kills cut an answer off", lost, *tillKills)
	}
	accounted(t, c, all, people)
}

// TestKill_ServerOfTills kills the server at random moments while two tills take
// money from the same holders.
func TestKill_ServerOfTills(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c, all, people := moneyWorld(t, random, "一号窗口 Till 1", "二号窗口 Till 2")
	began := time.Now()
	for i := range *tillServerKills {
		c.Network.Cut(i%8 == 7)
		if !c.Network.IsCut() {
			reached(t, c)
		}
		stop := make(chan struct{})
		served := serveAll(t, all, stop)
		pause(t, time.Duration(random.Int64N(int64(80*time.Millisecond))))
		c.Server.Kill()
		pause(t, time.Duration(random.Int64N(int64(50*time.Millisecond))))
		close(stop)
		if err := <-served; err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		if err := c.StartServer(t.Context()); err != nil {
			t.Fatalf("kill %d: %v", i, err)
		}
		c.Network.Cut(false)
		for _, k := range all {
			if i%3 == 2 { // else a till waits longer after each broken connection
				k.till.Agent.Stop()
				if err := k.till.Start(t.Context()); err != nil {
					t.Fatalf("kill %d: %v", i, err)
				}
			}
			k.list(t)
		}
	}
	t.Logf("%d kills in %v", *tillServerKills, time.Since(began).Round(time.Second))
	for _, k := range all {
		if k.lost > 0 {
			t.Errorf("a till did not answer %d times, and it was not the one that was killed", k.lost)
		}
	}
	accounted(t, c, all, people)
}

// reached waits until the tills have the server.
func reached(t *testing.T, c *campus.Campus) {
	t.Helper()
	awaitTills(t, c, func(v campus.TillView) bool { return !v.Offline })
}

func awaitTills(t *testing.T, c *campus.Campus, ready func(campus.TillView) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	for _, till := range c.Tills {
		var v campus.TillView
		err := campus.Until(ctx, func() (_ bool, err error) {
			v, err = till.View(ctx)
			return err == nil && ready(v), err
		})
		if err != nil {
			t.Fatalf("till %q: %+v: %v", till.Name, v, err)
		}
	}
}

// accounted checks all accounts of what was paid against each other: what people
// saw, the tills' own lists, the server's, the holders', the day's and the
// ledger.
func accounted(t *testing.T, c *campus.Campus, all []*cashier, people []*payer) {
	t.Helper()
	c.Network.Cut(false)
	reached(t, c)
	shown, listed, lost, again, unseen, offline := map[string]paid{}, map[string]int64{}, 0, 0, 0, 0
	for _, k := range all {
		if k.unsure != nil {
			if err := k.take(t.Context(), k.unsure, true); err != nil {
				t.Fatal(err)
			}
		}
		k.list(t)
		if err := k.till.Open(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		maps.Copy(shown, k.shown)
		maps.Copy(listed, k.listed)
		lost, again, unseen, offline = lost+k.lost, again+k.again, unseen+k.unseen, offline+k.offline
		for reason, n := range k.refused {
			t.Logf("till %q refused %d: %s", k.till.Name, n, reason)
		}
	}
	t.Logf("%d charges shown (%d offline), %d answers lost, %d of them shown later and %d known as paid, %d charges in the tills' lists",
		len(shown), offline, lost, again, unseen, len(listed))
	if offline == 0 || offline == len(shown) {
		t.Error("there should be charges with the server and without")
	}
	if len(listed)-len(shown) != unseen {
		t.Errorf("%d charges were shown, %d are in the lists of the tills; %d are known as paid", len(shown), len(listed), unseen)
	}
	for event, p := range shown {
		if fen, ok := listed[event]; !ok || fen != p.fen {
			t.Errorf("charge %s of %d fen was shown; its till has %d (%v)", event, p.fen, fen, ok)
		}
	}
	awaitTills(t, c, func(v campus.TillView) bool { return v.Backlog.Records == 0 && !v.Offline })
	posted, days := postedCharges(t, c, len(listed))
	for event, p := range shown {
		if posted[event] != p {
			t.Errorf("charge %s was shown as %+v, posted as %+v", event, p, posted[event])
		}
	}
	for event, p := range posted {
		if fen, ok := listed[event]; !ok || fen != p.fen {
			t.Errorf("charge %s of %d fen was posted; the till says %d (%v)", event, p.fen, fen, ok)
		}
	}
	for _, p := range people {
		entries(t, p, posted)
	}
	for day, fen := range days {
		even(t, c, day, fen)
	}
	sound(t, c)
}

// postedCharges reads what the server has posted, when it has so many, and what
// it comes to by business day.
func postedCharges(t *testing.T, c *campus.Campus, want int) (posted map[string]paid, days map[string]int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		posted, days = map[string]paid{}, map[string]int64{}
		for after := int64(-1); after != 0; {
			var page struct {
				Charges []struct {
					Event, Kind, Account, Transfer, Day string
					AmountFen                           int64 `json:"amount_fen"`
					Flags                               []string
				}
				Next int64
			}
			if err := c.Client.Do(ctx, http.MethodGet, fmt.Sprintf("/api/v1/charges?limit=500&after=%d", max(after, 0)), nil, &page); err != nil {
				return false, err
			}
			for _, r := range page.Charges {
				if r.Kind == "declined" {
					continue
				}
				marks := strings.Join(r.Flags, " ")
				_, twice := posted[r.Event]
				if twice || r.Kind != "charge" || r.Transfer != "charge/"+r.Event || marks != "" && marks != "offline" {
					t.Fatalf("twice %v: %+v", twice, r)
				}
				posted[r.Event] = paid{r.Account, r.AmountFen}
				days[r.Day] += r.AmountFen
			}
			after = page.Next
		}
		return len(posted) >= want, nil
	})
	if err != nil || len(posted) != want {
		t.Fatalf("%d charges are posted, want %d: %v", len(posted), want, err)
	}
	return posted, days
}

// entries checks that a holder sees each of their charges once, and no other,
// and has what is left. What is held for a question that died with its till is
// given back a minute later, and is no matter here.
func entries(t *testing.T, p *payer, posted map[string]paid) {
	t.Helper()
	left, seen := p.had, map[string]int64{}
	for before := int64(-1); before != 0; {
		var page struct {
			Entries []struct {
				ID, Kind  string
				AmountFen int64 `json:"amount_fen"`
			}
			Next int64
		}
		if err := p.Do(t.Context(), http.MethodGet, fmt.Sprintf("/api/v1/cards/me/entries?limit=200&before=%d", max(before, 0)), nil, &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			if event, is := strings.CutPrefix(e.ID, "charge/"); is {
				if _, twice := seen[event]; twice {
					t.Errorf("account %s has charge %s twice", p.account, event)
				}
				seen[event] = -e.AmountFen
			}
		}
		before = page.Next
	}
	for event, c := range posted {
		if c.account != p.account {
			continue
		}
		left -= c.fen
		if seen[event] != c.fen {
			t.Errorf("charge %s of %d fen: its holder sees %d", event, c.fen, seen[event])
		}
		delete(seen, event)
	}
	if len(seen) > 0 {
		t.Errorf("account %s has charges that were not posted: %v", p.account, seen)
	}
	if m := balance(t, p.Client); m.BalanceFen != left {
		t.Errorf("account %s has %d fen, want %d", p.account, m.BalanceFen, left)
	}
}

// even checks a business day: the three sums are one, and nothing is missing.
func even(t *testing.T, c *campus.Campus, day string, fen int64) {
	t.Helper()
	type batch struct {
		Charges       int   `json:"charges"`
		Fen           int64 `json:"fen"`
		ClosedAt      int64 `json:"closed_at"`
		ServerCharges int   `json:"server_charges"`
		ServerFen     int64 `json:"server_fen"`
	}
	var r struct {
		Gaps, Differences []map[string]any
		Batches           []batch
		Checks            struct {
			TillFen     int64 `json:"till_fen"`
			ServerFen   int64 `json:"server_fen"`
			MerchantFen int64 `json:"merchant_fen"`
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	// The tills closed their batches; that comes after the money.
	err := campus.Until(ctx, func() (bool, error) {
		r.Batches = nil
		err := c.Client.Do(ctx, http.MethodGet, "/api/v1/days/"+day, nil, &r)
		open := slices.ContainsFunc(r.Batches, func(b batch) bool { return b.ClosedAt == 0 })
		return err == nil && !open, err
	})
	if err != nil {
		t.Fatalf("%s: %+v: %v", day, r.Batches, err)
	}
	if k := r.Checks; k.TillFen != fen || k.ServerFen != fen || k.MerchantFen != fen {
		t.Errorf("%s: %+v, want %d fen thrice", day, k, fen)
	}
	if len(r.Gaps)+len(r.Differences) > 0 || len(r.Batches) < len(c.Tills) {
		t.Errorf("%s: gaps %v, differences %v, %d batches", day, r.Gaps, r.Differences, len(r.Batches))
	}
	for _, b := range r.Batches {
		if b.Charges != b.ServerCharges || b.Fen != b.ServerFen {
			t.Errorf("%s: batch %+v", day, b)
		}
	}
}

// sound proves the ledger, which holds every fen that there is.
func sound(t *testing.T, c *campus.Campus) {
	t.Helper()
	var proof struct {
		Sound  bool  `json:"sound"`
		SumFen int64 `json:"sum_fen"`
		Faults []any `json:"faults"`
	}
	if err := c.Client.Do(t.Context(), http.MethodPost, "/api/v1/ledger/proof", map[string]any{}, &proof); err != nil {
		t.Fatal(err)
	}
	if !proof.Sound || proof.SumFen != 0 {
		t.Errorf("the ledger: %+v", proof)
	}
}
