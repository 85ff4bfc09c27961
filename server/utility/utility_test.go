package utility_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/server/utility"
	"campusgate/signing/wire"
)

const lin = "20260001"

var campus = time.FixedZone("CST", 8*3600)

type fatal interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t fatal, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// one is the only card.
type one struct{ recharge.Card }

func (o *one) OfPerson(_ context.Context, _ store.Source, person string) (recharge.Card, error) {
	if person != lin {
		return recharge.Card{}, recharge.ErrNoCard
	}
	return o.Card, nil
}

func (o *one) Find(context.Context, store.Source, uint64) (recharge.Card, error) { return o.Card, nil }

func (o *one) Named(context.Context, store.Source, string) (recharge.Card, error) { return o.Card, nil }

type world struct {
	*utility.Service
	db    *store.Store
	money *ledger.Ledger
	card  *one
	power *utility.TestMeters
	now   time.Time
	meter utility.Meter
	fault func() (bool, error) // of commits
}

func newWorld(t testing.TB, fen int64) *world {
	t.Helper()
	w := open(t, t.TempDir(), fen)
	t.Cleanup(func() { ok(t, w.db.Close()) })
	return w
}

func open(t fatal, dir string, fen int64) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 21, 12, 0, 0, 0, campus), card: &one{recharge.Card{Account: 1, Number: "10000017", State: wire.CardActive}}}
	w.db, _ = storetest.Found(t, dir, store.Options{Now: w.clock, Fault: func() (bool, error) {
		if w.fault == nil {
			return true, nil
		}
		return w.fault()
	}})
	w.money = ledger.New(ledger.Config{Store: w.db, Now: w.clock, Location: campus})
	kinds := utility.TestKinds(w.db)
	w.power = kinds[0].Adapter.(*utility.TestMeters)
	w.Service = utility.New(utility.Config{
		Store: w.db, Ledger: w.money, Cards: w.card, Kinds: kinds, Now: w.clock, Location: campus, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Amounts: recharge.DefaultAmounts(), Max: recharge.DefaultMax,
	})
	if fen > 0 {
		ok(t, w.db.Change(context.Background(), func(tx *store.Tx) error {
			_, err := w.money.Post(tx, ledger.Transfer{ID: "opening/1", Kind: ledger.KindAdjust, At: tx.Now(), Day: "2026-11-21", Card: 1, Entries: []ledger.Entry{
				{Account: ledger.Opening, Fen: -fen}, {Account: ledger.Main(1), Fen: fen},
			}})
			return err
		}))
	}
	meters, err := w.power.Meters(context.Background(), lin)
	ok(t, err)
	w.meter = meters[0]
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) paying(key string, fen int64) utility.Paying {
	return utility.Paying{Person: lin, Key: key, Kind: utility.Electricity, Meter: w.meter.ID, Fen: fen}
}

// has requires what the card, the ledger's account of the kind and the meter
// have.
func (w *world) has(t fatal, card, paid, meter int64) {
	t.Helper()
	b, err := w.money.Balance(context.Background(), w.db.Reader(), 1)
	ok(t, err)
	got, err := w.money.BalanceOf(context.Background(), w.db.Reader(), ledger.Utility(utility.Electricity))
	ok(t, err)
	m, err := w.power.Read(context.Background(), w.meter.ID)
	ok(t, err)
	if b.Total() != card || got != paid || m.Fen != meter {
		t.Fatalf("card %d, paid %d, meter %d; want %d, %d, %d", b.Total(), got, m.Fen, card, paid, meter)
	}
}

func TestUtility_CM086_CM087_ElectricityAndHotWaterAreLedgerEntriesAndCreditsOfAMeter(t *testing.T) {
	w := newWorld(t, 10000)
	for i, kind := range []string{utility.Electricity, utility.HotWater} {
		offer := w.Offers(t.Context(), lin)[i]
		p, err := w.Pay(t.Context(), utility.Paying{Person: lin, Key: "key-00000001" + fmt.Sprint(i), Kind: kind, Meter: offer.Meters[0].ID, Fen: 3000})
		if err != nil || offer.Kind.ID != kind || p.State() != utility.Done || p.Room != offer.Meters[0].Room {
			t.Fatalf("%s: %+v %v", kind, p, err)
		}
		m, err := offer.Kind.Adapter.Read(t.Context(), offer.Meters[0].ID)
		ok(t, err)
		fen, err := w.money.BalanceOf(t.Context(), w.db.Reader(), ledger.Utility(kind))
		if err != nil || m.Fen != 3000 || fen != 3000 {
			t.Errorf("%s: meter %d, ledger %d, %v", kind, m.Fen, fen, err)
		}
		lines, err := w.money.Lines(t.Context(), w.db.Reader(), 1, 0, 1)
		if err != nil || lines[0].Kind != ledger.KindUtility || lines[0].AmountFen != -3000 || lines[0].Place != offer.Kind.Name.ZH+" "+p.Room {
			t.Errorf("statement %+v %v", lines, err)
		}
	}
	w.has(t, 4000, 3000, 3000)
}

func TestPay_TheSameIDPaysOnce(t *testing.T) {
	w := newWorld(t, 10000)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := w.Pay(context.Background(), w.paying("key-00000001", 3000)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	w.has(t, 7000, 3000, 3000)
	if _, err := w.Pay(t.Context(), w.paying("key-00000001", 3001)); !errors.Is(err, recharge.ErrKey) {
		t.Errorf("another amount: %v", err)
	}
}

func TestPay_RefusesAndTakesNothing(t *testing.T) {
	w := newWorld(t, 2000)
	for name, c := range map[string]struct {
		spoil func(*utility.Paying)
		want  error
	}{
		"too much":         {func(p *utility.Paying) { p.Fen = 2001 }, utility.ErrBalance},
		"nothing":          {func(p *utility.Paying) { p.Fen = 0 }, recharge.ErrInvalid},
		"minus":            {func(p *utility.Paying) { p.Fen = -1 }, recharge.ErrInvalid},
		"no key":           {func(p *utility.Paying) { p.Key = "x" }, recharge.ErrInvalid},
		"another's meter":  {func(p *utility.Paying) { p.Meter = "T00000000" }, store.ErrNotFound},
		"a hostile meter":  {func(p *utility.Paying) { p.Meter = "' OR 1=1 --" }, store.ErrNotFound},
		"no such service":  {func(p *utility.Paying) { p.Kind = "gas" }, store.ErrNotFound},
		"nobody's account": {func(p *utility.Paying) { p.Person = "x" }, recharge.ErrNoCard},
	} {
		p := w.paying("key-00000001", 1000)
		c.spoil(&p)
		if _, err := w.Pay(t.Context(), p); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, state := range []wire.CardState{wire.CardLost, wire.CardFrozen, wire.CardClosed} {
		w.card.State = state
		if _, err := w.Pay(t.Context(), w.paying("key-00000001", 1000)); !errors.Is(err, utility.ErrCard) {
			t.Errorf("%s: %v", state, err)
		}
	}
	w.card.State = wire.CardActive
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error { // promised to a till
		_, _, err := w.money.Hold(tx, ledger.Hold{ID: "h", Card: 1, Fen: 1500, Expires: tx.Now() + 60000})
		return err
	}))
	if _, err := w.Pay(t.Context(), w.paying("key-00000001", 1000)); !errors.Is(err, utility.ErrBalance) {
		t.Errorf("money that is promised: %v", err)
	}
	w.has(t, 2000, 0, 0)
}

func TestPay_AMeterThatDoesNotAnswerIsAskedAgainWithTheSameID(t *testing.T) {
	for _, done := range []bool{false, true} {
		w := newWorld(t, 10000)
		w.power.Fault = func() (bool, error) { return done, errors.New("no answer") }
		p, err := w.Pay(t.Context(), w.paying("key-00000001", 3000))
		if err != nil || p.State() != utility.Pending {
			t.Fatalf("%+v %v", p, err)
		}
		w.now = w.now.Add(time.Minute)
		ok(t, w.Tick(t.Context()))
		w.power.Fault = nil
		ok(t, w.Tick(t.Context())) // not yet
		w.now = w.now.Add(time.Hour)
		ok(t, w.Tick(t.Context()))
		w.has(t, 7000, 3000, 3000)
		if p, err = w.Pay(t.Context(), w.paying("key-00000001", 3000)); err != nil || p.State() != utility.Done {
			t.Errorf("%+v %v", p, err)
		}
	}
}

func TestPay_WhatTheMeterRefusesIsGivenBack(t *testing.T) {
	w := newWorld(t, 10000)
	w.power.Fault = func() (bool, error) { return false, fmt.Errorf("%w: out of order", utility.ErrRefused) }
	p, err := w.Pay(t.Context(), w.paying("key-00000001", 3000))
	if err != nil || p.State() != utility.Failed {
		t.Fatalf("%+v %v", p, err)
	}
	w.now = w.now.Add(time.Hour)
	ok(t, w.Tick(t.Context()))
	w.has(t, 10000, 0, 0)
	list, err := w.List(t.Context(), lin, 0, 10)
	if err != nil || len(list) != 1 || list[0].State() != utility.Failed {
		t.Errorf("%+v %v", list, err)
	}
	lines, err := w.money.Lines(t.Context(), w.db.Reader(), 1, 0, 2)
	if err != nil || lines[0].AmountFen != 3000 || lines[0].Reverses != lines[1].Transfer {
		t.Errorf("statement %+v %v", lines, err)
	}
}

func TestPay_NoMoneyIsLostWhateverFails(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp("", "utility")
		ok(t, err)
		defer func() { _ = os.RemoveAll(dir) }()
		w := open(t, dir, 10000)
		defer func() { _ = w.db.Close() }()
		keys := map[string]int64{}
		outcomes := rapid.SampledFrom([]string{"well", "failed", "done", "refused"})
		t.Repeat(map[string]func(*rapid.T){
			"pay": func(t *rapid.T) {
				key := fmt.Sprintf("key-%08d", rapid.IntRange(0, 5).Draw(t, "key"))
				if keys[key] == 0 {
					keys[key] = rapid.Int64Range(1, 3000).Draw(t, "fen")
				}
				_, _ = w.Pay(context.Background(), w.paying(key, keys[key]))
			},
			"tick": func(*rapid.T) { _ = w.Tick(context.Background()) },
			"hour": func(*rapid.T) { w.now = w.now.Add(time.Hour) },
			"meter": func(t *rapid.T) {
				switch outcomes.Draw(t, "meter") {
				case "well":
					w.power.Fault = nil
				case "failed":
					w.power.Fault = func() (bool, error) { return false, errors.New("lost") }
				case "done":
					w.power.Fault = func() (bool, error) { return true, errors.New("lost") }
				case "refused":
					// A real meter's no is for ever: so only where no payment waits.
					if n := pending(t, w); n == 0 {
						w.power.Fault = func() (bool, error) { return false, utility.ErrRefused }
					}
				}
			},
			"disk": func(t *rapid.T) {
				switch outcomes.Draw(t, "disk") {
				case "failed":
					w.fault = func() (bool, error) { return false, errors.New("disk") }
				case "done":
					w.fault = func() (bool, error) { return true, errors.New("disk") }
				default:
					w.fault = nil
				}
			},
		})
		w.fault, w.power.Fault = nil, nil
		for range 3 {
			w.now = w.now.Add(2 * time.Hour)
			ok(t, w.Tick(context.Background()))
		}
		var paid int64
		list, err := w.List(context.Background(), lin, 0, 100)
		ok(t, err)
		for _, p := range list {
			switch p.State() {
			case utility.Done:
				paid += p.Fen
			case utility.Failed:
			case utility.Pending:
				t.Fatalf("%s waits still", p.ID)
			}
		}
		w.has(t, 10000-paid, paid, paid)
		r, err := w.money.Verify(context.Background(), nil)
		if err != nil || r.FaultsAll > 0 {
			t.Fatalf("ledger: %+v %v", r, err)
		}
	})
}

func pending(t fatal, w *world) (n int) {
	list, err := w.List(context.Background(), lin, 0, 100)
	ok(t, err)
	for _, p := range list {
		if p.State() == utility.Pending {
			n++
		}
	}
	return n
}

func TestOffers_OneSystemThatIsDownDoesNotHideTheOther(t *testing.T) {
	w := newWorld(t, 0)
	w.Kinds[0].Adapter = down{}
	all := w.Offers(t.Context(), lin)
	if len(all) != 2 || all[0].Meters != nil || len(all[1].Meters) != 1 {
		t.Errorf("%+v", all)
	}
	if _, err := w.Pay(t.Context(), w.paying("key-00000001", 1000)); !errors.Is(err, recharge.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// down is a system that does not answer.
type down struct{}

func (down) Meters(context.Context, string) ([]utility.Meter, error) { return nil, errors.New("down") }

func (down) Read(context.Context, string) (utility.Meter, error) {
	return utility.Meter{}, errors.New("down")
}

func (down) Credit(context.Context, string, string, int64) error { return errors.New("down") }
