//go:build !race

// One goroutine does all of this: the race detector would find nothing, and take
// five times as long. make sweeps plays it.

package till_test

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// use is a code as it pays: of a phone, by its counter.
type use struct {
	account uint64
	counter uint64
}

// machine runs a core through random inputs, restarts, wrong clocks and failing
// commits, next to a model that knows only what was shown.
type machine struct {
	*bench
	rt      *rapid.T
	holders []*holder
	codes   map[string]use
	texts   []string
	paid    map[use]wire.EventID // shown as paid, no repeat
	shown   map[wire.EventID]int64
	waiting string
	asked   []wire.Claim
	fault   int // 0 none, 1 failed, 2 failed but done
}

func newMachine(tb testing.TB, rt *rapid.T) *machine {
	rules := func(r *wire.Till) {
		r.Entry = wire.EntryFixed
		r.Offline = wire.OfflineCaps{PerTxFen: 800, PerAccountFen: 2_000, MaxRecords: 40}
	}
	m := &machine{rt: rt, bench: newBench(tb, rules), codes: map[string]use{}, paid: map[use]wire.EventID{}, shown: map[wire.EventID]int64{}}
	for n := range uint64(3) {
		m.holders = append(m.holders, m.c.holder(tb, n+1, nil))
	}
	return m
}

func (m *machine) do(in desk.Input) {
	update := func(do func(till.Book) error) error {
		err := m.book().Update(func(book till.Book) error {
			if err := do(book); err != nil || m.fault != 1 {
				return err
			}
			return errDisk
		})
		if err == nil && m.fault == 2 {
			err = errDisk
		}
		return err
	}
	effects, err := desk.Settle(update, m.core, []desk.Input{in})
	if err != nil && !errors.Is(err, errDisk) {
		m.rt.Fatal(err)
	}
	for _, e := range effects[0] {
		m.see(e)
	}
}

func (m *machine) see(e desk.Effect) {
	switch e := e.(type) {
	case desk.Ask:
		if m.fault != 0 {
			m.rt.Fatal("a question left after a failed commit")
		}
		m.asked = append(m.asked, e.Claim)
	case desk.Show:
		m.result(&e.Result)
	}
}

func (m *machine) result(r *desk.Result) {
	if m.waiting == r.ID {
		m.waiting = ""
	}
	switch {
	case r.Need == verdict.NeedConfirm:
		m.waiting = r.ID
	case r.Reason == verdict.Granted && !r.Repeat && !r.Annulled:
		if m.fault != 0 {
			m.rt.Fatal("shown as paid after a failed commit")
		}
		if _, twice := m.shown[*r.Event]; twice {
			m.rt.Fatalf("event %v was shown as paid twice", *r.Event)
		}
		m.shown[*r.Event] = r.Charge.AmountFen
	}
}

// check reads the disk: everything shown is there (I5), the chain and the sums
// hold (I6), and no code paid twice (I10).
func (m *machine) check(*rapid.T) {
	paid := map[use]wire.EventID{}
	voided := map[wire.EventID]bool{}
	have := map[wire.EventID]*wire.Event{}
	events := m.events()
	batches := map[uint32]*till.Batch{}
	for i := range events {
		e := &events[i]
		have[e.ID] = e
		switch {
		case e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted:
			p := e.Case.Code.Proof
			u := use{e.Case.Code.Pay.Account, p.Counter}
			if before, twice := paid[u]; twice {
				m.rt.Fatalf("%v paid by %v and %v", u, before, e.ID)
			}
			paid[u] = e.ID
			if v := verdict.Judge(e.Case); v != e.Verdict {
				m.rt.Fatalf("event %v judged again: %+v", e.ID, v)
			}
			batches[e.Charge.Batch].Charges++
			batches[e.Charge.Batch].TotalFen += e.Charge.AmountFen
		case e.Type == wire.EventVoid && e.Annuls != nil:
			was := have[*e.Annuls]
			if was == nil || voided[*e.Annuls] || was.Charge.Batch != e.Charge.Batch || was.Charge.AmountFen != e.Charge.AmountFen {
				m.rt.Fatalf("void %+v of %+v", e, was)
			}
			voided[*e.Annuls] = true
			batches[e.Charge.Batch].Voids++
			batches[e.Charge.Batch].TotalFen -= e.Charge.AmountFen
		case e.Type == wire.EventBatch && e.Batch.Move == wire.BatchOpens:
			if batches[e.Batch.Number] != nil || int(e.Batch.Number) != len(batches)+1 {
				m.rt.Fatalf("batch %+v", e.Batch)
			}
			batches[e.Batch.Number] = &till.Batch{}
		case e.Type == wire.EventBatch:
			if b := batches[e.Batch.Number]; b.Charges != e.Batch.Charges || b.Voids != e.Batch.Voids || b.TotalFen != e.Batch.TotalFen {
				m.rt.Fatalf("closed %+v, the events come to %+v", e.Batch, b)
			}
		}
	}
	for id, fen := range m.shown {
		if e := have[id]; e == nil || e.Charge.AmountFen != fen {
			m.rt.Fatalf("shown as paid, and not on the disk: %v", id)
		}
	}
	m.exposed(events, voided)
}

// exposed checks the bound of what an account can owe through this till while
// it is dark (I12).
func (m *machine) exposed(events []wire.Event, voided map[wire.EventID]bool) {
	acked := m.j.Last() - m.j.Queue()
	fen, n := map[uint64]int64{}, map[uint64]uint32{}
	for i := range events {
		e := &events[i]
		if e.Type != wire.EventCharge || e.Verdict.Reason != verdict.Granted || !e.Offline || voided[e.ID] || e.ID.Seq <= acked {
			continue
		}
		account := e.Case.Code.Pay.Account
		fen[account] += e.Charge.AmountFen
		n[account]++
		if e.Charge.AmountFen > 800 || fen[account] > 2_000 || n[account] > e.Case.Code.Pay.MaxOfflineTx {
			m.rt.Fatalf("account %d: %d fen in %d payments without the server", account, fen[account], n[account])
		}
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	pick := func(t *rapid.T, n int) int { return rapid.IntRange(0, n-1).Draw(t, "which") }
	return map[string]func(*rapid.T){
		"": m.check,
		"new code": func(t *rapid.T) {
			h := m.holders[pick(t, len(m.holders))]
			m.texts = append(m.texts, h.show(m.tb, noonMS+m.mono))
			m.do(m.input(m.texts[len(m.texts)-1]))
		},
		"old code": func(t *rapid.T) {
			if n := len(m.texts); n > 0 {
				m.do(m.input(m.texts[n-1-pick(t, min(n, 4))]))
			}
		},
		"arm": func(t *rapid.T) {
			fen := rapid.SampledFrom([]int64{1, 400, 800, 801}).Draw(t, "fen")
			o := till.Order{Entry: wire.EntryAmount, AmountFen: fen, Sticky: rapid.Bool().Draw(t, "sticky")}
			m.do(till.Arm{Stamp: m.stamp(), Order: o, Till: m.snap.Till()})
		},
		"disarm": func(*rapid.T) { m.do(till.Disarm{Stamp: m.stamp()}) },
		"confirm": func(t *rapid.T) {
			if m.waiting != "" {
				m.do(till.Confirm{Stamp: m.stamp(), ID: m.waiting, Refuse: rapid.Bool().Draw(t, "refuse")})
			}
		},
		"reply": func(t *rapid.T) {
			if len(m.asked) == 0 {
				return
			}
			q := m.asked[len(m.asked)-1-pick(t, min(len(m.asked), 2))]
			a := wire.Answer{ID: q.ID, State: rapid.SampledFrom([]verdict.ClaimState{
				verdict.ClaimGranted, verdict.ClaimRefused, verdict.ClaimSilent,
			}).Draw(t, "state")}
			switch a.State {
			case verdict.ClaimGranted:
				a.Charge = &wire.ChargeAnswer{Reason: verdict.Granted}
			case verdict.ClaimRefused:
				a.Charge = &wire.ChargeAnswer{Reason: verdict.InsufficientBalance}
			default:
			}
			m.do(desk.ClaimReply{Stamp: m.stamp(), Answer: a})
		},
		"void": func(t *rapid.T) {
			if last := m.j.Last(); last > 0 {
				back := rapid.Uint64Range(0, min(last-1, 6)).Draw(t, "back")
				m.do(till.Void{Stamp: m.stamp(), Event: wire.EventID{Agent: 17, Epoch: 1, Seq: last - back}, By: "S01"})
			}
		},
		"batch": func(t *rapid.T) {
			move := rapid.SampledFrom([]wire.BatchMove{wire.BatchOpens, wire.BatchOpens, wire.BatchCloses}).Draw(t, "move")
			m.do(till.MoveBatch{Stamp: m.stamp(), Move: move, By: "C01"})
		},
		"link": func(t *rapid.T) { m.offline = rapid.Bool().Draw(t, "offline") },
		"ack": func(t *rapid.T) {
			check(m.tb, m.j.Ack(m.j.Last()-rapid.Uint64Range(0, min(m.j.Last(), 5)).Draw(t, "behind")))
		},
		"time": func(t *rapid.T) {
			m.pass(rapid.SampledFrom([]int64{1, 300, 5_000, 11_000, 61_000}).Draw(t, "ms"))
			m.do(desk.Tick{Stamp: m.stamp()})
		},
		"clock": func(t *rapid.T) {
			m.wall += rapid.SampledFrom([]int64{-3_600_000, -1_000, 1_000, 90_000}).Draw(t, "ms")
		},
		"sync": func(*rapid.T) {
			m.do(desk.Synced{Stamp: m.stamp(), OffsetMS: noonMS + m.mono - m.wall})
		},
		"restart": func(*rapid.T) {
			m.reopen()
			m.restart()
			m.waiting, m.asked, m.fault = "", nil, 0
		},
		"fault": func(t *rapid.T) { m.fault = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "form") },
	}
}

func TestMachine_WhatIsShownIsOnTheDisk_OnceEach(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt)
		defer m.close()
		rt.Repeat(m.actions())
	})
}

// While a till is dark an account can owe no more through it than the caps
// allow, however long that lasts and whatever is voided (I12).
func TestExposure_StaysBoundedInTheDark(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := newMachine(t, rt)
		defer m.close()
		m.cfg.PolicyMaxAge, m.cfg.ClockMaxAge = 0, 0
		m.restart()
		for _, h := range m.holders {
			h.pay.Expires = noon + 100*24*3600
		}
		for range rapid.IntRange(8, 16).Draw(rt, "n") {
			switch rapid.SampledFrom([]string{"pay", "pay", "pay", "pay", "day", "ack", "void"}).Draw(rt, "what") {
			case "pay":
				h := m.holders[rapid.IntRange(0, 1).Draw(rt, "who")]
				m.amount(rapid.SampledFrom([]int64{100, 500, 800}).Draw(rt, "fen"))
				m.pass(1_000)
				if r := m.scan(h.show(t, m.wall)); r.Reason != verdict.Granted && r.Reason != verdict.LimitOffline {
					rt.Fatalf("%+v", r)
				}
			case "day":
				m.pass(24 * 3600_000)
			case "ack":
				check(t, m.j.Ack(m.j.Last()))
			case "void":
				if list := must[[]desk.Past](t)(m.book().Charges(t.Context(), 1)); len(list) > 0 {
					m.void(list[0].Event.ID)
				}
			}
			m.check(rt)
		}
	})
}
