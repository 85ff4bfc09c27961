package store_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// gateLog is a gate with its agent's journal.
func gateLog(t testing.TB, s *store.Store, c *clock, name string, seed byte) *agentLog {
	t.Helper()
	return journalOf(enrol(t, s, c, addGate(t, s, name, verdict.Owner).ID, seed), c)
}

func TestIngest_StoresInOrderAndAcks(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	exp := c.seconds() + 3600
	l.send(t, s, l.add(t, admit(passID(1), 1, exp)), l.add(t, admit(passID(2), 0, exp)))
	l.send(t, s, l.add(t, wire.Event{Type: wire.EventScan, Verdict: verdict.Verdict{Reason: verdict.Malformed}, Offline: true}))

	events := must(s.Events(t.Context(), 0, 10))(t)
	if len(events) != 3 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e.Position != int64(i+1) || e.ID != *l.id(uint64(i + 1)) || e.Gate != l.gate || e.ReceivedAt != c.at() {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if e := events[2]; e.Reason != verdict.Malformed || !e.Offline || !e.Pass.IsZero() || e.Type != wire.EventScan {
		t.Errorf("third event: %+v", e)
	}
	if n := must(s.Acked(t.Context(), l.agent, l.epoch))(t); n != 3 {
		t.Errorf("acked %d", n)
	}
	if page := must(s.Events(t.Context(), 1, 1))(t); len(page) != 1 || page[0].Position != 2 {
		t.Errorf("page after 1: %+v", page)
	}
}

func TestIngest_CountsUsesIntoTheFeedOnce(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	exp := c.seconds() + 3600
	single, unlimited := l.add(t, admit(passID(1), 1, exp)), l.add(t, admit(passID(2), 0, exp))
	l.send(t, s, single, unlimited)
	l.send(t, s, single, unlimited) // again
	var f feedMap
	f.pull(t, s, 100)
	u, there := f.use(t, passID(1))
	want := wire.Use{
		First: verdict.Use{At: c.at(), Gate: l.gate}, Count: 1, Expires: exp,
		By: map[string]uint32{wire.JournalKey(l.agent, l.epoch): 1},
	}
	if !there || !reflect.DeepEqual(u, want) {
		t.Errorf("use of the single pass: %+v, %t", u, there)
	}
	if _, there := f.use(t, passID(2)); there {
		t.Error("a pass without limit is in the feed")
	}
}

func TestIngest_GapStoresNothing(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	first := l.add(t, admit(passID(1), 1, 1))
	second, third := l.add(t, admit(passID(2), 1, 1)), l.add(t, admit(passID(3), 1, 1))
	for name, records := range map[string][]wire.Record{
		"among": {first, third}, "order": {first, third, second}, "zero": {{Seq: 0}},
	} {
		_, err := s.Ingest(t.Context(), l.agent, l.epoch, records)
		if !errors.Is(err, store.ErrGap) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if acked := must(s.Ingest(t.Context(), l.agent, l.epoch, []wire.Record{second, third}))(t); acked != 0 {
		t.Errorf("acked %d without the first", acked)
	}
	if n := len(must(s.Events(t.Context(), 0, 10))(t)); n != 0 {
		t.Fatalf("%d events were stored", n)
	}
	l.send(t, s, first, second, third)
}

func TestIngest_ErrNotFound(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	for _, who := range [][2]uint32{{l.agent + 1, 1}, {l.agent, 0}, {l.agent, 2}} {
		_, err := s.Ingest(t.Context(), who[0], who[1], []wire.Record{{Seq: 1, Body: []byte("{}")}})
		wants(t, err, store.ErrNotFound)
	}
}

func TestIngest_Quarantine(t *testing.T) {
	for _, c := range []struct {
		name    string
		tamper  func(t *testing.T, l *agentLog, r wire.Record) wire.Record
		problem string
	}{
		{"BrokenChain", func(_ *testing.T, _ *agentLog, r wire.Record) wire.Record {
			r.Hash[0] ^= 1
			return r
		}, "hash does not follow the one before"},
		{"ChangedBody", func(t *testing.T, _ *agentLog, r wire.Record) wire.Record {
			r.Body = append([]byte(" "), r.Body...)
			return r
		}, "hash does not follow the one before"},
		{"NotAnEvent", func(_ *testing.T, l *agentLog, r wire.Record) wire.Record {
			r.Body = []byte(`{"id":7}`)
			r.Hash = wire.Chain(wire.Hash{}, r.Body)
			return r
		}, "body is not an event"},
		{"UnknownReason", func(_ *testing.T, l *agentLog, r wire.Record) wire.Record {
			r.Body = []byte(`{"id":"1-1-1","verdict":{"reason":"because"}}`)
			r.Hash = wire.Chain(wire.Hash{}, r.Body)
			return r
		}, "body is not an event"},
		{"AnotherID", func(_ *testing.T, l *agentLog, r wire.Record) wire.Record {
			r.Body = []byte(`{"id":"1-1-2"}`)
			r.Hash = wire.Chain(wire.Hash{}, r.Body)
			return r
		}, "body names another event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, clk := newStore(t)
			l := gateLog(t, s, clk, "east", 2)
			bad := c.tamper(t, l, l.add(t, admit(passID(1), 1, clk.seconds()+60)))
			l.head = bad.Hash
			l.send(t, s, bad)
			l.send(t, s, bad, l.add(t, admit(passID(2), 1, clk.seconds()+60))) // the rest goes on

			q := must(s.Quarantine(t.Context(), 0, 10))(t)
			if len(q) != 1 || q[0].Problem != c.problem || q[0].Event != *l.id(1) || string(q[0].Body) != string(bad.Body) {
				t.Fatalf("quarantine: %+v", q)
			}
			events := must(s.Events(t.Context(), 0, 10))(t)
			if len(events) != 1 || events[0].ID.Seq != 2 {
				t.Errorf("events: %+v", events)
			}
			var f feedMap
			f.pull(t, s, 100)
			if _, there := f.use(t, passID(1)); there {
				t.Error("a use from quarantine was counted")
			}
			if s.Stats().Alarms != 1 {
				t.Errorf("%d alarms", s.Stats().Alarms)
			}
			must(s.VerifyTrail(t.Context()))(t)
		})
	}
}

func TestIngest_OtherContentUnderTheSameID(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	restored := *l // as from a copy of the agent's disk
	l.send(t, s, l.add(t, admit(passID(1), 1, c.seconds()+60)), l.add(t, admit(passID(2), 1, c.seconds()+60)))
	other := restored.add(t, admit(passID(3), 1, c.seconds()+60))
	for range 2 {
		if acked := must(s.Ingest(t.Context(), l.agent, l.epoch, []wire.Record{other}))(t); acked != 2 {
			t.Fatalf("acked %d", acked)
		}
	}
	q := must(s.Quarantine(t.Context(), 0, 10))(t)
	if len(q) != 1 || q[0].Problem != "other content under the same id" {
		t.Fatalf("quarantine: %+v", q)
	}
	if e := must(s.Events(t.Context(), 0, 10))(t); len(e) != 2 || e[0].Pass != passID(1) {
		t.Fatalf("the first content does not hold: %+v", e)
	}
}

func TestIngest_RepeatedAfterPruningIsNoAlarm(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	old := l.add(t, admit(passID(1), 1, c.seconds()+60))
	l.send(t, s, old)
	ok(t, s.SaveOpinions(t.Context(), nil, 1))
	c.add(time.Hour)
	l.send(t, s, l.add(t, admit(passID(2), 1, c.seconds()+60)))
	must(s.PruneEvents(t.Context(), c.at(), c.at()))(t)
	if e := must(s.Events(t.Context(), 0, 10))(t); len(e) != 1 || e[0].ID.Seq != 2 {
		t.Fatalf("events: %+v", e)
	}
	must(s.Ingest(t.Context(), l.agent, l.epoch, []wire.Record{old}))(t)
	if n := s.Stats().Alarms; n != 0 {
		t.Fatalf("%d alarms", n)
	}
}

func TestIngest_AnnulTakesTheUseBack(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s,
		l.add(t, admit(passID(1), 1, c.seconds()+60)),
		l.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: l.id(1), Counts: true}),
		l.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: l.id(1), Counts: true}))
	f := feedMap{cursor: wire.Cursor{Lineage: s.Site().Lineage}}
	f.items = map[string]json.RawMessage{}
	f.pull(t, s, 100)
	if u, there := f.use(t, passID(1)); there {
		t.Fatalf("still used: %+v", u)
	}
}

func TestIngest_ForeignAnnulDoesNothing(t *testing.T) {
	s, c := newStore(t)
	east, west := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	east.send(t, s, east.add(t, admit(passID(1), 1, c.seconds()+60)))
	west.send(t, s,
		west.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: east.id(1), Counts: true}),
		west.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Claim: "1-1-9"}))
	var f feedMap
	f.pull(t, s, 100)
	if _, there := f.use(t, passID(1)); !there {
		t.Fatal("another agent took the use back")
	}
	if n := s.Stats().Alarms; n != 2 {
		t.Fatalf("%d alarms", n)
	}
}

func TestIngest_GrantCountsWhereThePersonWentThrough(t *testing.T) {
	s, c := newStore(t)
	owner, asking := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	owner.send(t, s, owner.add(t, wire.Event{
		Type: wire.EventGrant, Pass: passID(1), Claim: "2-1-1", For: asking.gate, Counts: true,
	}))
	asking.send(t, s, asking.add(t, wire.Event{
		Type: wire.EventScan, Pass: passID(1), Claim: "2-1-1", Verdict: verdict.Verdict{Reason: verdict.Granted},
	}))
	var f feedMap
	f.pull(t, s, 100)
	if u, _ := f.use(t, passID(1)); u.Count != 1 || u.First.Gate != asking.gate {
		t.Fatalf("use: %+v", u)
	}
	if n := len(must(s.Conflicts(t.Context(), 10))(t)); n != 0 {
		t.Fatalf("%d conflicts", n)
	}
}

func TestIngest_GivenBackClaimReachesItsOwner(t *testing.T) {
	s, c := newStore(t)
	owner, asking := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	silent := admit(passID(1), 1, c.seconds()+60)
	silent.Counts, silent.Claim, silent.Verdict.Reason = false, "2-1-1", verdict.OfflineNotAllowed
	silent.Case.Code.Owner, silent.Case.Policy.Mode = owner.gate, verdict.Owner
	asking.send(t, s, asking.add(t, silent))
	asking.send(t, s, asking.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Claim: "2-1-1"}))
	var f feedMap
	f.pull(t, s, 100)
	if got := string(f.items["release 2-1-1"]); got != `{"owner":1,"pass":"`+passID(1).String()+`"}` {
		t.Fatalf("release: %s", got)
	}
	// The owner had granted it; its annul of the grant frees the pass.
	owner.send(t, s,
		owner.add(t, wire.Event{Type: wire.EventGrant, Pass: passID(1), Claim: "2-1-1", For: asking.gate, Counts: true}),
		owner.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: owner.id(1), Claim: "2-1-1", Counts: true}))
	f.pull(t, s, 100)
	if u, there := f.use(t, passID(1)); there {
		t.Fatalf("still used: %+v", u)
	}
}

func TestConflicts_NameBothGatesUntilOneIsAnnulled(t *testing.T) {
	s, c := newStore(t)
	east, west := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	first := c.at()
	east.send(t, s, east.add(t, admit(passID(1), 1, c.seconds()+60)))
	c.add(time.Second)
	west.send(t, s, west.add(t, admit(passID(1), 1, c.seconds()+60)))
	got := must(s.Conflicts(t.Context(), 10))(t)
	if len(got) != 1 || got[0].Pass != passID(1) || got[0].Allowed != 1 || len(got[0].Admissions) != 2 {
		t.Fatalf("conflicts: %+v", got)
	}
	if a := got[0].Admissions; a[0] != (store.Admission{Ref: "1-1-1", Gate: 1, GateName: "east", At: first, Event: *east.id(1)}) ||
		a[1] != (store.Admission{Ref: "2-1-1", Gate: 2, GateName: "west", At: first + 1000, Event: *west.id(1)}) {
		t.Fatalf("admissions: %+v", a)
	}
	west.send(t, s, west.add(t, wire.Event{Type: wire.EventAnnul, Pass: passID(1), Annuls: west.id(1), Counts: true}))
	if got := must(s.Conflicts(t.Context(), 10))(t); len(got) != 0 {
		t.Fatalf("conflict stays: %+v", got)
	}
}

// Every fault comes in two forms: not done, and done though reported as
// failed. Both must end in the same state when the hub tries again.
func TestIngest_FaultsThenRetry(t *testing.T) {
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			s, c := newStore(t)
			l := gateLog(t, s, c, "east", 2)
			exp := c.seconds() + 60
			records := []wire.Record{l.add(t, admit(passID(1), 1, exp)), l.add(t, admit(passID(2), 1, exp))}
			s.SetCommitFault(f.once())
			_, err := s.Ingest(t.Context(), l.agent, l.epoch, records)
			wants(t, err, errDisk)
			s.SetCommitFault(nil)
			if n := len(must(s.Events(t.Context(), 0, 10))(t)); n != f.kept(2) {
				t.Fatalf("%d events after the fault", n)
			}
			l.send(t, s, records...)
			if n := len(must(s.Events(t.Context(), 0, 10))(t)); n != 2 {
				t.Fatalf("%d events after the retry", n)
			}
			var m feedMap
			m.pull(t, s, 100)
			for n := 1; n <= 2; n++ {
				if u, _ := m.use(t, passID(n)); u.Count != 1 {
					t.Fatalf("pass %d: %+v", n, u)
				}
			}
			if s.Stats().Alarms != 0 {
				t.Fatal("a retry raised an alarm")
			}
		})
	}
}

var errDisk = errors.New("disk fault")

type fault struct {
	name  string
	apply bool
}

var faults = []fault{{"NotDone", false}, {"DoneButReportedFailed", true}}

// once fails the first commit.
func (f fault) once() func() (bool, error) {
	failed := false
	return func() (bool, error) {
		if failed {
			return true, nil
		}
		failed = true
		return f.apply, errDisk
	}
}

func (f fault) kept(n int) int {
	if f.apply {
		return n
	}
	return 0
}
