package store_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestKnownPasses_TellsUsesInOrderOfArrival(t *testing.T) {
	s, c := newStore(t)
	a, b := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	exp := c.seconds() + 3600
	used, lent, unknown := passID(1), passID(2), passID(3)
	claim := "2-1-1"
	b.send(t, s, b.add(t, admit(used, 1, exp)))
	c.add(60_000_000_000)
	a.send(t, s, a.add(t, admit(used, 1, exp)), a.add(t, wire.Event{
		Type: wire.EventGrant, Pass: lent, Claim: claim, For: b.gate, Counts: true, Verdict: verdict.Verdict{Reason: verdict.Granted},
	}))
	// More passes than one question lists.
	ids := []signing.PassID{used, lent, unknown}
	for i := range 2500 {
		ids = append(ids, passID(10+i))
	}
	known := must(s.KnownPasses(t.Context(), ids))(t)
	if len(known) != 2 {
		t.Fatalf("%d passes known", len(known))
	}
	uses := known[used].Uses
	if known[used].Issued || len(uses) != 2 || uses[0].Gate != b.gate || uses[1].Ref != a.id(1).String() || uses[1].Allowed != 1 {
		t.Errorf("known of the used pass: %+v", known[used])
	}
	if u := known[lent].Uses; len(u) != 1 || u[0].Gate != b.gate || u[0].Claim != claim || u[0].Ref != a.id(2).String() {
		t.Errorf("known of the lent pass: %+v", known[lent])
	}
}

func TestEventsOfUse_FindsTheScansThatAUseStandsFor(t *testing.T) {
	s, c := newStore(t)
	a, b := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
	exp := c.seconds() + 3600
	asked := func(reason verdict.Reason) wire.Event {
		e := admit(passID(2), 1, exp)
		e.Claim, e.Counts, e.Verdict.Reason = "2-1-1", false, reason
		return e
	}
	a.send(t, s, a.add(t, admit(passID(1), 1, exp)), a.add(t, wire.Event{
		Type: wire.EventGrant, Pass: passID(2), Claim: "2-1-1", For: b.gate, Counts: true, Verdict: verdict.Verdict{Reason: verdict.Granted},
	}))
	b.send(t, s, b.add(t, asked(verdict.OfflineNotAllowed)), b.add(t, asked(verdict.Granted)))
	for name, tc := range map[string]struct {
		use  store.CountedUse
		want []wire.EventID
	}{
		"its own event":   {store.CountedUse{Ref: a.id(1).String()}, []wire.EventID{*a.id(1)}},
		"a claim's scans": {store.CountedUse{Ref: a.id(2).String(), Claim: "2-1-1"}, []wire.EventID{*b.id(1), *b.id(2)}},
		"a grant alone":   {store.CountedUse{Ref: a.id(2).String()}, nil},
		"not yet here":    {store.CountedUse{Ref: "9-1-1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []wire.EventID
			for _, e := range must(s.EventsOfUse(t.Context(), tc.use))(t) {
				got = append(got, e.ID)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("events %v, want %v", got, tc.want)
			}
		})
	}
	if _, err := s.EventsOfUse(t.Context(), store.CountedUse{Ref: "nonsense"}); err == nil {
		t.Error("a use without a name was found")
	}
}

func TestDisputed_AreTheEventsWithAnotherOpinion(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	exp := c.seconds() + 3600
	var records []wire.Record
	for i := range 6 {
		records = append(records, l.add(t, admit(passID(i/2), 9, exp)))
	}
	l.send(t, s, records...)
	ok(t, s.SaveOpinions(t.Context(), []store.Opinion{
		{Position: 1, Reason: verdict.Granted},
		{Position: 2, Reason: verdict.Conflict},
		{Position: 3, Reason: verdict.Conflict},
		{Position: 5, Reason: verdict.Revoked},
	}, 5)) // on 4 and 6 there is none
	positions := func(events []store.Event) (list []int64) {
		for _, e := range events {
			list = append(list, e.Position)
		}
		return list
	}
	all := []signing.PassID{passID(2), passID(0), passID(1)}
	for _, tc := range []struct {
		got  []store.Event
		want []int64
	}{
		{must(s.Disputed(t.Context(), 0, 10))(t), []int64{2, 3, 5}},
		{must(s.Disputed(t.Context(), 2, 1))(t), []int64{3}},
		{must(s.DisputedOf(t.Context(), all, 0, 10))(t), []int64{2, 3, 5}},
		{must(s.DisputedOf(t.Context(), all, 2, 1))(t), []int64{3}},
		{must(s.DisputedOf(t.Context(), all[:1], 0, 10))(t), []int64{5}},
		{must(s.DisputedOf(t.Context(), nil, 0, 10))(t), nil},
	} {
		if got := positions(tc.got); !slices.Equal(got, tc.want) {
			t.Errorf("positions %v, want %v", got, tc.want)
		}
	}
	counts := must(s.Disagreements(t.Context()))(t)
	if want := []store.Disagreement{
		{Reason: verdict.Granted, Opinion: verdict.Revoked, Events: 1}, {Reason: verdict.Granted, Opinion: verdict.Conflict, Events: 2},
	}; !slices.Equal(counts, want) {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
	if _, err := s.DisputedOf(t.Context(), make([]signing.PassID, 1001), 0, 1); err == nil {
		t.Error("any number of passes at once")
	}
}

// There are few disputed events among millions: nothing may walk through all.
func TestDisputed_IsAnsweredFromItsIndex(t *testing.T) {
	s, _, path := newStoreAt(t)
	ok(t, s.Close())
	db := must(sql.Open(store.DriverName, store.DataSource(path, false)))(t)
	defer func() { _ = db.Close() }()
	for _, query := range store.DisputedQueries() {
		var plan strings.Builder
		rows := must(db.Query("EXPLAIN QUERY PLAN "+query, 1, 2, 3, 4))(t)
		for rows.Next() {
			var id, parent, unused int
			var detail string
			ok(t, rows.Scan(&id, &parent, &unused, &detail))
			plan.WriteString(detail + "\n")
		}
		ok(t, rows.Err())
		if !strings.Contains(plan.String(), "events_disputed") {
			t.Errorf("%s\nis answered by\n%s", query, plan.String())
		}
	}
}
