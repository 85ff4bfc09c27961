package store_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"

	"pgregory.net/rapid"
)

// phonePoints are two points of P-256, compressed: G and 2G (SEC 2).
var phonePoints = [][]byte{
	unhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"),
	unhex("037cf27b188d034f7e8a52380304b51ac3c08969e277f21b35a60b48fc47669978"),
}

func unhex(s string) (b []byte) {
	_, err := fmt.Sscanf(s, "%x", &b)
	if err != nil {
		panic(err)
	}
	return b
}

func TestFeed_SnapshotGoesByKind(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s, l.add(t, admit(passID(3), 1, c.seconds()+60)))
	addPass(t, s, c, passID(1), 0)
	ok(t, s.RevokePass(t.Context(), "test", passID(1), "x"))
	for _, limit := range []int{1, 2, 3, 100} {
		var f feedMap
		f.pull(t, s, limit)
		want := []wire.ItemKind{wire.ItemKeyring, wire.ItemRevocation, wire.ItemGate, wire.ItemUse, wire.ItemPeer}
		if fmt.Sprint(f.order) != fmt.Sprint(want) || f.resets != 1 {
			t.Errorf("limit %d: order %v, %d resets", limit, f.order, f.resets)
		}
		if f.cursor != (wire.Cursor{Lineage: s.Site().Lineage, Revision: must(s.Revision(t.Context()))(t)}) {
			t.Errorf("limit %d: cursor %+v", limit, f.cursor)
		}
		before := f.cursor
		if f.pull(t, s, limit); f.cursor != before || f.resets != 1 {
			t.Errorf("limit %d: an up-to-date cursor got %+v", limit, f.cursor)
		}
	}
}

// Only a key that takes another's place is news for the gates.
func TestFeed_SaysWhichPhoneStands(t *testing.T) {
	s, c := newStore(t)
	p := addPass(t, s, c, passID(1), 0)
	var f feedMap
	n := 0
	enrol := func(key, minutes int) (said wire.Phone) {
		t.Helper()
		n++
		nonce := fmt.Append(nil, "nonce ", n)
		ok(t, s.AddNonce(t.Context(), p.ID, nonce, c.at()+1000))
		k := must(signing.ParsePhoneKey(phonePoints[key]))(t)
		ok(t, s.PutPhone(t.Context(), "test", p.ID, nonce, p.Key, store.Phone{ID: k.ID(), Key: k, Expires: c.seconds() + int64(minutes)*60}))
		f.pull(t, s, 10)
		if body := f.items["phone "+p.ID.String()]; body != nil {
			ok(t, json.Unmarshal(body, &said))
		}
		return said
	}
	id := func(key int) signing.PhoneID { return must(signing.ParsePhoneKey(phonePoints[key]))(t).ID() }
	ends := func(minutes int) int64 { return c.seconds() + int64(minutes)*60 }

	enrol(0, 10)
	if said := enrol(0, 20); said != (wire.Phone{}) {
		t.Fatalf("a renewal is in the feed: %+v", said)
	}
	if said := enrol(1, 30); said != (wire.Phone{Phone: id(1), Expires: ends(20)}) {
		t.Fatalf("the second phone: %+v", said)
	}
	before := f.cursor
	if enrol(1, 40); f.cursor != before {
		t.Fatal("the second phone's renewal is in the feed")
	}
	if said := enrol(0, 50); said != (wire.Phone{Phone: id(0), Expires: ends(40)}) {
		t.Fatalf("back to the first: %+v", said)
	}
	ok(t, s.PruneFeed(t.Context(), c.at()+40*60_000))
	var g feedMap
	if g.pull(t, s, 10); g.items["phone "+p.ID.String()] == nil {
		t.Fatal("forgotten while a replaced key's credential lives")
	}
	ok(t, s.PruneFeed(t.Context(), c.at()+40*60_000+1))
	var h feedMap
	if h.pull(t, s, 10); h.items["phone "+p.ID.String()] != nil {
		t.Fatal("still there")
	}
}

// A journal's part holds what it counted itself, its grants included; what the
// server decided is in the count only.
func TestFeed_SaysWhatEachJournalCounted(t *testing.T) {
	s, c := newStore(t)
	east, west := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	exp := c.seconds() + 3600
	key := func(l *agentLog) string { return wire.JournalKey(l.agent, l.epoch) }
	admitted := func() wire.Event { return admit(passID(1), 5, exp) }
	var after feedMap // goes along; another begins anew each time
	says := func(count uint32, by map[string]uint32) {
		t.Helper()
		var anew feedMap
		anew.pull(t, s, 10)
		after.pull(t, s, 10)
		for name, f := range map[string]*feedMap{"snapshot": &anew, "delta": &after} {
			if u, there := f.use(t, passID(1)); !there || u.Count != count || !maps.Equal(u.By, by) {
				t.Fatalf("%s: %+v, want %d by %v", name, u, count, by)
			}
		}
	}
	east.send(t, s, east.add(t, admitted()), east.add(t, admitted()))
	says(2, map[string]uint32{key(east): 2})
	west.send(t, s, west.add(t, admitted()))
	says(3, map[string]uint32{key(east): 2, key(west): 1})
	asked := claim(c, fmt.Sprintf("%d-%d-1", west.agent, west.epoch), passID(1), west.gate)
	asked.Uses = 5
	decide(t, s, asked)
	says(4, map[string]uint32{key(east): 2, key(west): 1})
	grant := wire.Event{
		Type: wire.EventGrant, Pass: passID(1), Counts: true, For: west.gate,
		Claim: fmt.Sprintf("%d-%d-2", west.agent, west.epoch),
	}
	east.send(t, s, east.add(t, grant))
	says(5, map[string]uint32{key(east): 3, key(west): 1})
	annul := wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: west.id(1), Counts: true}
	west.send(t, s, west.add(t, annul))
	says(4, map[string]uint32{key(east): 3})
}

func TestFeed_ForeignFutureAndOldCursorsGetASnapshot(t *testing.T) {
	s, c := newStore(t)
	addPass(t, s, c, passID(1), 0)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s, l.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(2), Claim: "1-1-1"}))
	lineage := s.Site().Lineage
	old := wire.Cursor{Lineage: lineage, Revision: 1}
	for name, cursor := range map[string]wire.Cursor{
		"foreign": {Lineage: "other", Revision: 1},
		"none":    {},
		"future":  {Lineage: lineage, Revision: 1 << 40},
		"huge":    {Lineage: lineage + "/2/x", Revision: 1<<64 - 1},
		"broken":  {Lineage: lineage + "/99/x", Revision: 1},
	} {
		if d := must(s.Feed(t.Context(), cursor, 10))(t); !d.Reset {
			t.Errorf("%s: no snapshot: %+v", name, d)
		}
	}
	if d := must(s.Feed(t.Context(), old, 10))(t); d.Reset {
		t.Errorf("a good cursor got a snapshot")
	}
	ok(t, s.NewLineage(t.Context(), "test"))
	if d := must(s.Feed(t.Context(), old, 10))(t); !d.Reset {
		t.Errorf("no snapshot after the data were replaced")
	}
}

func TestFeed_PruningMovesTheHorizon(t *testing.T) {
	s, c := newStore(t)
	addPass(t, s, c, passID(1), 0)
	ok(t, s.RevokePass(t.Context(), "test", passID(1), "x"))
	addGate(t, s, "east", verdict.Owner)
	ok(t, s.Exec("UPDATE feed SET gone = 1 WHERE kind = 2")) // as when it was taken away
	var f feedMap
	f.pull(t, s, 10)
	c.add(24 * time.Hour)
	addGate(t, s, "west", verdict.Owner)
	ok(t, s.PruneFeed(t.Context(), c.at()-1))
	old := wire.Cursor{Lineage: s.Site().Lineage, Revision: 1} // before the mark
	if d := must(s.Feed(t.Context(), old, 10))(t); !d.Reset {
		t.Fatal("a cursor from before the horizon got a delta")
	}
	if f.pull(t, s, 10); f.resets != 1 || len(f.items) != 3 {
		t.Fatalf("%d resets, items %v", f.resets, f.items)
	}
}

func TestFeed_ExpiredFactsAreForgotten(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s, l.add(t, admit(passID(3), 1, c.seconds()+60)))
	addPass(t, s, c, passID(1), 0)
	ok(t, s.RevokePass(t.Context(), "test", passID(1), "x"))
	ok(t, s.PruneFeed(t.Context(), c.at()))
	var f feedMap
	if f.pull(t, s, 10); len(f.items) != 5 {
		t.Fatalf("pruned too early: %v", f.items)
	}
	ok(t, s.PruneFeed(t.Context(), c.at()+2*3600_000))
	var g feedMap
	if g.pull(t, s, 10); len(g.items) != 3 {
		t.Fatalf("still there: %v", g.items)
	}
	if f.pull(t, s, 10); f.resets != 1 {
		t.Fatal("forgetting what expired by itself cost a snapshot")
	}
}

func TestChanged_WakesEveryWaiterOnce(t *testing.T) {
	s, c := newStore(t)
	a, b := s.Changed(), s.Changed()
	addGate(t, s, "east", verdict.Owner)
	<-a
	<-b
	next := s.Changed()
	ok(t, s.Seen(t.Context(), 1, []byte("{}"))) // nothing for the feed
	select {
	case <-next:
		t.Fatal("woken for nothing")
	default:
	}
	l := gateLog(t, s, c, "west", 2)
	<-next
	next = s.Changed()
	l.send(t, s, l.add(t, admit(passID(1), 1, c.seconds()+60)))
	<-next
}

// An agent that pulls in pages of any size, while changes go on between the
// pages, ends with the same facts as one that takes a snapshot afterwards.
func TestFeed_PagesConverge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, c := newStore(t)
		defer func() { ok(t, s.Close()) }()
		l := gateLog(t, s, c, "east", 2)
		activeKey(t, s)
		var issued, admitted []int
		change := func() {
			n := rapid.IntRange(1, 12).Draw(rt, "pass")
			switch rapid.IntRange(0, 3).Draw(rt, "what") {
			case 0:
				l.send(t, s, l.add(t, admit(passID(n), 1, c.seconds()+60)))
				admitted = append(admitted, int(l.seq))
			case 1:
				if len(admitted) > 0 {
					i := rapid.IntRange(0, len(admitted)-1).Draw(rt, "annul")
					e := must(s.Events(t.Context(), int64(admitted[i]-1), 1))(t)[0]
					l.send(t, s, l.add(t, wire.Event{Type: wire.EventAnnul, Pass: e.Pass, Annuls: l.id(e.ID.Seq), Counts: true}))
				}
			case 2:
				issued = append(issued, 100+len(issued))
				addPass(t, s, c, passID(issued[len(issued)-1]), 0)
				ok(t, s.RevokePass(t.Context(), "test", passID(issued[len(issued)-1]), "x"))
			case 3:
				must(s.ChangeGate(t.Context(), "test", l.gate, func(g *store.Gate) error {
					g.Documents = !g.Documents
					return nil
				}))(t)
			}
		}
		slow := feedMap{items: nil}
		for range rapid.IntRange(1, 25).Draw(rt, "changes") {
			change()
			if rapid.Bool().Draw(rt, "page") {
				d := must(s.Feed(t.Context(), slow.cursor, rapid.IntRange(1, 4).Draw(rt, "limit")))(t)
				slow.apply(d)
			}
		}
		slow.pull(t, s, rapid.IntRange(1, 5).Draw(rt, "last limit"))
		var fresh feedMap
		fresh.pull(t, s, 1000)
		if !maps.EqualFunc(slow.items, fresh.items, func(a, b json.RawMessage) bool { return string(a) == string(b) }) {
			rt.Fatalf("pages gave %s\nsnapshot gave %s", text(slow), text(fresh))
		}
	})
}

func text(f feedMap) string {
	var b strings.Builder
	for k, v := range f.items {
		fmt.Fprintf(&b, "%s=%s ", k, v)
	}
	return b.String()
}
