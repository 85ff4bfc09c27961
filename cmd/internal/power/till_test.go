//go:build linux

package power_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// counter is a till, those who pay at it, and what they were shown.
type counter struct {
	*campus.Till
	diners []campus.Diner
	had    map[string]int64 // fen on the cards of these, by account
	random *rand.Rand

	shown   map[string]int64 // fen of each charge that somebody was shown as paid, by event
	refused map[string]int   // of new codes, by reason
	offline int              // of shown: without the server
	later   int              // of shown: when the same code was read once more
	unsure  *order           // was read, and nobody saw what became of it
	unseen  int              // of such: nobody ever saw the charge, which may have been made
}

// order is a code that is held before the till for an amount.
type order struct {
	code string
	fen  int64
}

// openCounter gives the campus a canteen with a till, and people with phones that
// pay.
func openCounter(t *testing.T, c *campus.Campus, random *rand.Rand) *counter {
	t.Helper()
	check(t, c.Populate(t.Context()))
	check(t, c.OpenCanteen(t.Context(), "一号窗口 Till 1"))
	diners, err := c.Diners(t.Context())
	check(t, err)
	k := &counter{Till: c.Tills[0], diners: diners, random: rand.New(rand.NewPCG(random.Uint64(), 0)), shown: map[string]int64{}, refused: map[string]int{}}
	k.had = k.balances(t)
	return k
}

// balances are what is on the cards of those who pay, by account.
func (k *counter) balances(t *testing.T) map[string]int64 {
	t.Helper()
	fen := map[string]int64{}
	for _, who := range k.diners {
		var card struct {
			Account    string `json:"account"`
			BalanceFen int64  `json:"balance_fen"`
		}
		check(t, who.Do(t.Context(), http.MethodGet, "/api/v1/cards/me", nil, &card))
		fen[card.Account] = card.BalanceFen
	}
	return fen
}

// status asks the agent how it is.
func (k *counter) status(ctx context.Context) (s console.Status, err error) {
	err = k.Client().Do(ctx, http.MethodGet, "/api/v1/status", nil, &s)
	return s, err
}

// serve takes money until it is told to stop or the till can no more. A code whose
// answer nobody saw is held before the till again, as people do.
func (k *counter) serve(ctx context.Context, stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		o, again := k.unsure, k.unsure != nil
		if !again {
			code, err := k.diners[k.random.IntN(len(k.diners))].Phone.Code(time.Now())
			if err != nil {
				return err
			}
			o = &order{code, 1 + k.random.Int64N(9)}
		}
		if working, err := k.take(ctx, o, again); !working || err != nil {
			return err
		}
	}
}

// take has one code read. The error is an answer that no till may give.
func (k *counter) take(ctx context.Context, o *order, again bool) (working bool, err error) {
	if k.Client().Do(ctx, http.MethodPut, "/api/v1/till/sale", map[string]any{"entry": wire.EntryAmount, "amount_fen": o.fen}, nil) != nil {
		return false, nil
	}
	var r struct {
		Reason string `json:"reason"`
		Repeat bool   `json:"repeat"`
		Charge *struct {
			AmountFen int64  `json:"amount_fen"`
			Offline   bool   `json:"offline"`
			Event     string `json:"event"`
		} `json:"charge"`
	}
	k.unsure = o
	err = k.Client().Do(ctx, http.MethodPost, "/api/v1/scans", map[string]string{"text": o.code, "source": "api", "lane": "收款台"}, &r)
	if err != nil || r.Reason == verdict.Internal.String() {
		return false, nil // the power is gone
	}
	k.unsure = nil
	switch {
	case r.Reason == verdict.Granted.String() && r.Charge != nil:
		if _, twice := k.shown[r.Charge.Event]; twice || r.Charge.AmountFen != o.fen || r.Repeat && !again {
			return false, fmt.Errorf("%d fen, read before %t, shown before %t: %+v %+v", o.fen, again, twice, r, *r.Charge)
		}
		k.shown[r.Charge.Event] = o.fen
		if r.Charge.Offline {
			k.offline++
		}
		if again {
			k.later++
		}
	case again: // paid before, too old by now, or more than is allowed without the server
		k.unseen++
	case r.Reason == verdict.Granted.String() || r.Reason == verdict.Replayed.String():
		return false, fmt.Errorf("a new code of %d fen: %+v", o.fen, r)
	default:
		k.refused[r.Reason]++
	}
	return true, nil
}

// drained holds a code whose answer nobody saw before the till once more, and waits
// until the server has all that the till has.
func (k *counter) drained(t *testing.T) {
	t.Helper()
	if k.unsure != nil {
		if working, err := k.take(t.Context(), k.unsure, true); !working || err != nil {
			t.Fatalf("the till does not work: %v", err)
		}
	}
	k.until(t, "everything is sent", func(s console.Status) bool { return s.Online && s.Queue == 0 })
}

func (k *counter) until(t *testing.T, what string, holds func(console.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		s, err := k.status(ctx)
		return err == nil && holds(s), err
	})
	if err != nil {
		t.Fatalf("the till, %s: %v", what, err)
	}
}

// account checks the money: what people were shown, the journal, what the server has
// posted, what is left on the cards, and the ledger.
func (k *counter) account(t *testing.T, c *campus.Campus, journal []campustest.Event) {
	t.Helper()
	recorded := map[string]int64{}
	for _, e := range journal {
		if e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted {
			recorded[e.ID.String()] = e.Charge.AmountFen
		}
	}
	for event, fen := range k.shown {
		if recorded[event] != fen {
			t.Errorf("charge %s of %d fen was shown as paid, the journal has %d", event, fen, recorded[event])
		}
	}
	if hidden := len(recorded) - len(k.shown); hidden > k.unseen {
		t.Errorf("%d charges were shown and %d were made; %d may not have been seen", len(k.shown), len(recorded), k.unseen)
	}
	posted := k.posted(t, c, len(recorded))
	for event, fen := range recorded {
		if posted[event] != fen {
			t.Errorf("charge %s of %d fen is posted with %d", event, fen, posted[event])
		}
	}
	if len(posted) != len(recorded) {
		t.Errorf("%d charges are posted, %d were made", len(posted), len(recorded))
	}
	var proof struct {
		Sound  bool  `json:"sound"`
		SumFen int64 `json:"sum_fen"`
		Faults []any `json:"faults"`
	}
	check(t, c.Client.Do(t.Context(), http.MethodPost, "/api/v1/ledger/proof", map[string]any{}, &proof))
	if !proof.Sound || proof.SumFen != 0 {
		t.Errorf("the ledger: %+v", proof)
	}
}

// posted reads the server's charges when there are so many, each posted once, and
// checks the cards that paid them.
func (k *counter) posted(t *testing.T, c *campus.Campus, want int) (fen map[string]int64) {
	t.Helper()
	var paid map[string]int64 // by account
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := campus.Until(ctx, func() (bool, error) {
		fen, paid = map[string]int64{}, map[string]int64{}
		for after := int64(0); ; {
			var page struct {
				Charges []struct {
					Event, Kind, Account, Transfer string
					AmountFen                      int64 `json:"amount_fen"`
				}
				Next int64
			}
			if err := c.Client.Do(ctx, http.MethodGet, fmt.Sprintf("/api/v1/charges?limit=500&after=%d", after), nil, &page); err != nil {
				return false, err
			}
			for _, r := range page.Charges {
				if r.Kind == "declined" {
					continue
				}
				if _, twice := fen[r.Event]; twice || r.Kind != "charge" || r.Transfer != "charge/"+r.Event {
					t.Errorf("twice %t: %+v", twice, r)
				}
				fen[r.Event] = r.AmountFen
				paid[r.Account] += r.AmountFen
			}
			if after = page.Next; after == 0 {
				return len(fen) >= want, nil
			}
		}
	})
	if err != nil {
		t.Fatalf("%d charges are posted, want %d: %v", len(fen), want, err)
	}
	for account, left := range k.balances(t) {
		if left+paid[account] != k.had[account] {
			t.Errorf("account %s has %d fen left of %d, and paid %d", account, left, k.had[account], paid[account])
		}
	}
	return fen
}
