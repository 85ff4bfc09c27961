package lane_test

import (
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// How often a pass of several uses was used: what the server says of others,
// and what this gate's journal knows of itself.

// mine is the journal of the gate home; formerly is one of another epoch of the
// same agent.
const (
	mine     = "13-1"
	formerly = "13-11"
)

// several is a pass for a number of uses that the gate home decides.
func several(n uint64, uses uint32) pass.Pass {
	p := single(n)
	p.Uses = uses
	return p
}

// counted is what the server says of a pass.
func counted(tb testing.TB, p pass.Pass, count uint32, by map[string]uint32) wire.Item {
	tb.Helper()
	return item(tb, wire.ItemUse, p.ID.String(), wire.Use{
		First: verdict.Use{At: noonMS - 3_600_000, Gate: home}, Count: count, Expires: p.Expires, By: by,
	})
}

func (b *bench) counted(p pass.Pass, count uint32, by map[string]uint32) {
	b.tb.Helper()
	b.apply(wire.Delta{Items: []wire.Item{counted(b.tb, p, count, by)}})
}

func (b *bench) ack() {
	b.tb.Helper()
	check(b.tb, b.j.Ack(b.j.Last()))
}

func (b *bench) uses(p pass.Pass, want uint32) {
	b.tb.Helper()
	var s lane.Standing
	check(b.tb, b.j.Update(func(book lane.Book) (err error) {
		s, err = book.Standing(p.ID, signing.PhoneID{})
		return err
	}))
	if s.Record.Uses != want {
		b.tb.Fatalf("%d uses, want %d", s.Record.Uses, want)
	}
}

func TestCount_UsesBeforeThisJournalLeaveOnlyTheRest(t *testing.T) {
	for name, by := range map[string]map[string]uint32{
		"counted by the journal before": {formerly: 4},
		"decided by the server":         nil,
		"both, and another gate":        {formerly: 1, "15-1": 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, nil)
			p := several(1, 5)
			b.counted(p, 4, by)
			text := b.c.static(t, p)
			b.admit("a", text)
			b.uses(p, 5)
			b.pass(20_000)
			b.refuse("a", text, verdict.AlreadyUsed)
			b.reopen()
			b.restart()
			b.pass(20_000)
			r := b.refuse("b", text, verdict.AlreadyUsed)
			if r.FirstUse == nil || r.FirstUse.At != noonMS-3_600_000 {
				t.Fatalf("first use %+v, want the server's", r.FirstUse)
			}
		})
	}
}

func TestCount_OwnUsesReportedBackAreCountedOnce(t *testing.T) {
	b := newBench(t, nil)
	p := several(1, 5)
	text := b.c.static(t, p)
	b.counted(p, 2, map[string]uint32{formerly: 2})
	b.admit("a", text)
	b.pass(20_000)
	b.admit("a", text)
	b.uses(p, 4)
	b.ack()
	b.uses(p, 4)
	b.counted(p, 3, map[string]uint32{formerly: 2, mine: 1}) // on the way while the second was sent
	b.uses(p, 4)
	for range 2 { // and delivered again
		b.counted(p, 4, map[string]uint32{formerly: 2, mine: 2})
		b.uses(p, 4)
	}
	b.pass(20_000)
	b.admit("a", text)
	b.pass(20_000)
	b.refuse("a", text, verdict.AlreadyUsed)
}

func TestCount_AnnulOfAnOwnUseFreesExactlyOne(t *testing.T) {
	told := func(b *bench, p pass.Pass) { b.counted(p, 4, map[string]uint32{formerly: 3, mine: 1}) }
	for name, before := range map[string]func(*bench, pass.Pass){
		"not reported": func(*bench, pass.Pass) {},
		"acknowledged": func(b *bench, _ pass.Pass) { b.ack() },
		"counted":      func(b *bench, p pass.Pass) { b.ack(); told(b, p) },
	} {
		for after, late := range map[string]func(*bench, pass.Pass){
			"offline":         func(*bench, pass.Pass) {},
			"told once more":  told,
			"annul came home": func(b *bench, p pass.Pass) { b.ack(); b.counted(p, 3, map[string]uint32{formerly: 3}) },
		} {
			t.Run(name+", "+after, func(t *testing.T) {
				b := newBench(t, nil)
				p := several(1, 4)
				text := b.c.static(t, p)
				b.counted(p, 3, map[string]uint32{formerly: 3})
				r := b.admit("a", text)
				before(b, p)
				b.uses(p, 4)
				b.annul(r.ID)
				b.uses(p, 3)
				late(b, p)
				b.uses(p, 3)
				b.pass(20_000)
				b.admit("a", text)
				b.pass(20_000)
				b.refuse("a", text, verdict.AlreadyUsed)
			})
		}
	}
}

// What was annulled is nobody's first use, whatever the server has yet to hear.
func TestCount_AnnulledFirstUseIsNotTheFirst(t *testing.T) {
	b := newBench(t, nil)
	p := single(1)
	text := b.c.static(t, p)
	r := b.admit("a", text)
	b.ack()
	b.counted(p, 1, map[string]uint32{mine: 1})
	b.annul(r.ID)
	b.pass(20_000)
	b.admit("a", text)
	b.pass(20_000)
	if r := b.refuse("a", text, verdict.AlreadyUsed); r.FirstUse == nil || r.FirstUse.At != noonMS+20_000 {
		t.Fatalf("first use %+v, want the second admission", r.FirstUse)
	}
}

func TestCount_ClaimedUse(t *testing.T) {
	b := newBench(t, nil)
	p := elsewhere(1)
	p.Uses = 3
	text := b.c.static(t, p)
	open := func() desk.Result {
		t.Helper()
		q := b.question("a", text)
		effects := b.reply(q.ID, verdict.ClaimGranted, nil)
		if opened(effects) != 1 {
			t.Fatalf("effects %+v", effects)
		}
		return shown(t, effects)
	}
	owner := map[string]uint32{"15-1": 3}
	b.counted(p, 2, map[string]uint32{"15-1": 2})
	r := open()
	b.uses(p, 2) // the owner's use may be among the two: the owner has the last word
	b.ack()
	b.counted(p, 3, owner)
	b.uses(p, 3)
	b.annul(r.ID)
	b.uses(p, 2)
	b.pass(20_000)
	r = open()
	b.ack()
	b.counted(p, 3, owner)
	b.annul(r.ID)
	b.uses(p, 2)
	b.counted(p, 3, owner) // delivered again, before the server heard of the annul
	b.uses(p, 3)
}

// The server's item of a pass outlives a phone's short credential.
func TestCount_StaysAsLongAsTheServerTellsOfIt(t *testing.T) {
	b := newBench(t, nil)
	p := several(1, 3)
	b.admit("a", b.c.static(t, p))
	b.ack()
	b.counted(p, 2, map[string]uint32{formerly: 1, mine: 1})
	b.uses(p, 2)
	_, err := b.j.Prune(time.UnixMilli(noonMS), journal.Keep{Uses: -48 * time.Hour})
	check(t, err)
	b.uses(p, 2)
	b.pass(20_000)
	b.admit("a", b.c.static(t, p))
	b.pass(20_000)
	b.refuse("a", b.c.static(t, p), verdict.AlreadyUsed)
}
