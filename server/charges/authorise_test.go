package charges_test

import (
	"errors"
	"sync"
	"testing"

	"campusgate/server/canteen"
	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func (w *world) asks(t testing.TB, c wire.Claim) wire.Answer {
	t.Helper()
	a, err := w.Authorise(t.Context(), c)
	ok(t, err)
	if err := a.Check(); err != nil {
		t.Fatalf("%+v: %v", a, err)
	}
	return a
}

func TestAuthorise_HoldsUntilTheRecordComes(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 200)
	k := w.till(t)
	claim := k.ask(sale{account: a, ctr: 1, fen: 700})
	got := w.asks(t, claim)
	if got.State != verdict.ClaimGranted || *got.Charge.BalanceFen != 500 || got.Charge.Holder != "*晓" {
		t.Fatalf("%+v", got.Charge)
	}
	second := w.asks(t, k.ask(sale{account: a, ctr: 2, fen: 501}))
	if second.Charge.Reason != verdict.InsufficientBalance || *second.Charge.BalanceFen != 500 {
		t.Fatalf("%+v", second.Charge)
	}
	k.charge(t, sale{account: a, ctr: 1, fen: 700, claim: claim.ID})
	k.post(t)
	if b := w.balance(t, a); b.Total() != 500 || b.HeldFen != 0 {
		t.Fatalf("%+v", b)
	}
	w.give(t, a, 5_000, 0)
	for range 2 { // for ever, whatever has changed
		if again := w.asks(t, claim); again.State != verdict.ClaimGranted || *again.Charge.BalanceFen != 500 {
			t.Fatalf("%+v", again.Charge)
		}
	}
}

func TestAuthorise_GivesTheReasonsInTheOrderOfTheTable(t *testing.T) {
	w := newWorld(t)
	k := w.till(t, func(r *wire.Till) { r.PinAboveFen, r.PerTxFen = 600, 900 })
	shut := w.till(t)
	active := false
	_, err := w.canteen.ChangeMerchant(t.Context(), "test", shut.merchant, canteen.MerchantChange{Active: &active})
	ok(t, err)
	card := func(change func(*charges.Card)) uint64 {
		a := w.account(t, 800, 0)
		c := w.cards.cards[a]
		if change != nil {
			change(&c)
		}
		w.cards.put(a, c)
		return a
	}
	plain := card(nil)
	k.charge(t, sale{account: plain, ctr: 1, fen: 100})
	ate := card(func(c *charges.Card) { c.PerDayFen = 500 })
	k.charge(t, sale{account: ate, ctr: 1, fen: 450})
	meal := card(func(c *charges.Card) { c.PerMealFen, c.PerDayFen = 500, 1_000 })
	k.charge(t, sale{account: meal, ctr: 1, fen: 450})
	k.post(t)
	held := card(nil)
	w.asks(t, k.ask(sale{account: held, ctr: 5, fen: 100}))
	lost := func(c *charges.Card) { c.State = wire.CardLost }
	for name, c := range map[string]struct {
		sale   sale
		change func(*wire.Claim)
		want   verdict.Reason
		rule   string
		till   *till
	}{
		"in order":                  {sale: sale{account: plain, ctr: 2, fen: 100}, want: verdict.Granted},
		"nobody's card":             {sale: sale{account: 77, ctr: 2, fen: 100}, want: verdict.Revoked},
		"an old credential":         {sale: sale{account: card(func(c *charges.Card) { c.Epoch = 2; lost(c) }), ctr: 2, fen: 100}, want: verdict.Revoked},
		"a closed card":             {sale: sale{account: card(func(c *charges.Card) { c.State = wire.CardClosed }), ctr: 2, fen: 100}, want: verdict.Revoked},
		"an expired credential":     {sale: sale{account: card(lost), ctr: 2, fen: 100}, change: func(c *wire.Claim) { c.Expires = noon / 1000 }, want: verdict.Expired},
		"a proof that was used":     {sale: sale{account: plain, ctr: 1, fen: 5_000}, want: verdict.Replayed},
		"a proof that is held":      {sale: sale{account: held, ctr: 5, fen: 100}, want: verdict.Replayed},
		"a lost card":               {sale: sale{account: card(lost), ctr: 2, fen: 5_000}, want: verdict.CardLost},
		"a frozen card":             {sale: sale{account: card(func(c *charges.Card) { c.State = wire.CardFrozen }), ctr: 2, fen: 5_000}, want: verdict.CardFrozen},
		"over the till's limit":     {sale: sale{account: plain, ctr: 3, fen: 901}, want: verdict.LimitSingle},
		"over the card's limit":     {sale: sale{account: card(func(c *charges.Card) { c.PerTxFen = 99 }), ctr: 3, fen: 100}, want: verdict.LimitSingle},
		"over the day's limit":      {sale: sale{account: ate, ctr: 3, fen: 51}, want: verdict.LimitDay},
		"at the day's limit":        {sale: sale{account: ate, ctr: 4, fen: 50}, want: verdict.Granted},
		"over the meal's limit":     {sale: sale{account: meal, ctr: 3, fen: 51}, want: verdict.LimitDay, rule: verdict.RuleMeal},
		"another meal":              {sale: sale{account: meal, ctr: 4, fen: 51}, change: func(c *wire.Claim) { c.Charge.Period = "dinner" }, want: verdict.Granted},
		"a PIN is asked for":        {sale: sale{account: plain, ctr: 5, fen: 601}, want: verdict.PinRequired},
		"a PIN was given":           {sale: sale{account: card(nil), ctr: 5, fen: 601}, change: func(c *wire.Claim) { c.Charge.Context = 3 }, want: verdict.Granted},
		"not enough money":          {sale: sale{account: card(nil), ctr: 5, fen: 801}, change: func(c *wire.Claim) { c.Charge.Context = 3 }, want: verdict.InsufficientBalance},
		"a merchant that is closed": {sale: sale{account: card(nil), ctr: 5, fen: 100}, want: verdict.TerminalClosed, till: shut},
		"closed, and no money":      {sale: sale{account: card(nil), ctr: 5, fen: 801}, want: verdict.InsufficientBalance, till: shut},
	} {
		at := k
		if c.till != nil {
			at = c.till
		}
		claim := at.ask(c.sale)
		if c.change != nil {
			c.change(&claim)
		}
		if got := w.asks(t, claim); got.Charge == nil || got.Charge.Reason != c.want || got.Charge.Rule != c.rule {
			t.Errorf("%s: %+v, want %v", name, got.Charge, c.want)
		}
	}
}

func TestAuthorise_SilentWhereNobodyMayAskOrIsTooLate(t *testing.T) {
	w := newWorld(t)
	a := w.account(t, 1_000, 0)
	g, err := w.db.AddGate(t.Context(), "test", store.Gate{Name: "东门", Zone: 1, Mode: verdict.Owner})
	ok(t, err)
	k := w.till(t)
	atGate := k.ask(sale{account: a, ctr: 1, fen: 100})
	atGate.Gate = g.ID
	if got := w.asks(t, atGate); got.State != verdict.ClaimSilent || got.Charge != nil {
		t.Errorf("at a gate: %+v", got)
	}
	// The till decided without the answer, and the question comes afterwards.
	late := k.ask(sale{account: a, ctr: 2, fen: 100})
	k.charge(t, sale{account: a, ctr: 2, fen: 100, claim: late.ID, offline: true})
	// It asked, heard nothing, and had the sale given up.
	given := k.ask(sale{account: a, ctr: 3, fen: 100})
	w.asks(t, given)
	if b := w.balance(t, a); b.HeldFen != 100 {
		t.Fatalf("%+v", b)
	}
	k.write(t, wire.Event{Type: wire.EventVoid, At: noon, Claim: given.ID, Verdict: verdict.Verdict{Reason: verdict.Annulled}})
	k.post(t)
	if got := w.asks(t, late); got.State != verdict.ClaimSilent {
		t.Errorf("after the record: %+v", got)
	}
	if b := w.balance(t, a); b.HeldFen != 0 || b.Total() != 900 {
		t.Errorf("%+v", b)
	}

	other := given
	q := *given.Charge
	q.AmountFen = 101
	other.Charge = &q
	if _, err := w.Authorise(t.Context(), other); !errors.Is(err, store.ErrState) {
		t.Errorf("another question under the same id: %v", err)
	}
	for _, fen := range []int64{0, -1, 1 << 62} {
		if _, err := w.Authorise(t.Context(), k.ask(sale{account: a, ctr: 9, fen: fen})); !errors.Is(err, store.ErrState) {
			t.Errorf("%d fen: %v", fen, err)
		}
	}
}

// Many tills ask for the same few cards at once, while their records come in any
// order and some answers are lost: no card ever goes below zero.
func TestAuthorise_I4_NeverMakesABalanceNegative(t *testing.T) {
	w := newWorld(t)
	var accounts []uint64
	for range 3 {
		accounts = append(accounts, w.account(t, 1_000, 500))
	}
	var tills []*till
	for range 8 {
		tills = append(tills, w.till(t))
	}
	var wg sync.WaitGroup
	for n, k := range tills {
		wg.Go(func() {
			for i := range 25 {
				s := sale{account: accounts[(n+i)%len(accounts)], ctr: uint64(100*n + i + 1), fen: int64(37 + 11*((n*7+i)%9))}
				claim := k.ask(s)
				answer, err := w.Authorise(t.Context(), claim)
				if err != nil {
					t.Error(err)
					return
				}
				if s.claim = claim.ID; answer.State != verdict.ClaimGranted {
					continue
				}
				k.charge(t, s)
				if i%3 == 0 {
					k.upload(t, 0, i%2)
				}
			}
			k.upload(t, 0, 3)
		})
	}
	posting := make(chan struct{})
	go func() {
		defer close(posting)
		for range 40 {
			if err := w.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}()
	wg.Wait()
	<-posting
	ok(t, w.CatchUp(t.Context()))
	var spent int64
	for _, a := range accounts {
		b := w.balance(t, a)
		if b.Total() < 0 || b.DebtFen != 0 || b.HeldFen != 0 {
			t.Errorf("%+v", b)
		}
		spent += 1_500 - b.Total()
	}
	for _, k := range tills {
		spent -= w.has(t, ledger.Merchant(k.merchant))
	}
	if spent != 0 || len(w.problems(t)) != 0 {
		t.Errorf("%d fen are missing; problems %q", spent, w.problems(t))
	}
}
