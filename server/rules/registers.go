package rules

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Entry is a line of a register: somebody who left and came back, or who came
// and left.
type Entry struct {
	Kind      verdict.RegisterKind
	Person    string
	Number    string
	Relation  string
	Staff     string
	Began     *Moment // nil = not on record: the events of then are gone
	Ended     *Moment // nil = not yet
	Collected bool    // the paper
}

// Moment is when and where an entry began or ended.
type Moment struct {
	Event wire.EventID
	At    int64 // unix ms, the gate's corrected clock
	Gate  uint16
	Guard string
}

// Open reports whether somebody is still out, or in.
func (e *Entry) Open() bool { return e.Ended == nil }

// latest is when something happened to the entry last.
func (e *Entry) latest() int64 {
	if e.Ended != nil {
		return e.Ended.At
	}
	return e.Began.At
}

// Query says which entries to list. Empty fields do not matter.
type Query struct {
	Kind verdict.RegisterKind
	Open *bool
	Text string // part of a name or number
}

func (q *Query) wants(e *Entry) bool {
	if q.Kind != "" && e.Kind != q.Kind || q.Open != nil && e.Open() != *q.Open {
		return false
	}
	return slices.ContainsFunc([]string{e.Person, e.Number, e.Staff}, func(s string) bool { return strings.Contains(s, q.Text) })
}

// Registers lists the entries that the gates' events come to, the latest first.
// It goes by when things happened, whatever the order in which the gates told
// of them.
func (s *Service) Registers(ctx context.Context, q Query) ([]Entry, error) {
	events, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (e wire.Event, err error) {
		var body []byte
		if err = rows.Scan(&body); err == nil {
			err = json.Unmarshal(body, &e)
		}
		return e, err
	}, "SELECT body FROM events WHERE type IN ('register', 'annul') ORDER BY position")
	if err != nil {
		return nil, err
	}
	all := fold(events)
	found := all[:0]
	for _, e := range all {
		if q.wants(e) {
			found = append(found, e)
		}
	}
	slices.SortStableFunc(found, func(a, b *Entry) int { return cmp.Compare(b.latest(), a.latest()) })
	list := make([]Entry, len(found))
	for i, e := range found {
		list[i] = *e
	}
	return list, nil
}

// fold makes entries of events.
func fold(events []wire.Event) (all []*Entry) {
	annulled := map[wire.EventID]bool{}
	for i := range events {
		if e := &events[i]; e.Type == wire.EventAnnul && e.Annuls != nil {
			annulled[*e.Annuls] = true
		}
	}
	var ends []*wire.Event
	began := map[wire.EventID]*Entry{}
	for i := range events {
		e := &events[i]
		switch r := e.Register; {
		case e.Type != wire.EventRegister || r == nil || e.Case == nil || !e.Verdict.Opens() || annulled[e.ID]:
		case e.Case.Lane.Direction == r.Kind.Begins():
			began[e.ID] = newEntry(r)
			began[e.ID].Began = moment(e)
			all = append(all, began[e.ID])
		default:
			ends = append(ends, e)
		}
	}
	slices.SortFunc(ends, func(a, b *wire.Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID.String(), b.ID.String()))
	})
	for _, e := range ends {
		var of *Entry
		if e.Register.Ends != nil {
			of = began[*e.Register.Ends]
		} else {
			of = latestOpen(all, e)
		}
		if of == nil || of.Ended != nil {
			of = newEntry(e.Register)
			all = append(all, of)
		}
		of.Ended, of.Collected = moment(e), e.Register.Collected
	}
	return all
}

// latestOpen finds what an end at another gate is the end of: the latest entry
// of the same person, known by number or, without one, by name.
func latestOpen(all []*Entry, e *wire.Event) (found *Entry) {
	r := e.Register
	for _, o := range all {
		same := o.Person == r.Person
		if o.Number != "" && r.Number != "" {
			same = o.Number == r.Number
		}
		if o.Kind != r.Kind || !same || o.Ended != nil || o.Began.At > e.At+verdict.ClockSlackMS {
			continue
		}
		if found == nil || o.Began.At > found.Began.At {
			found = o
		}
	}
	return found
}

func newEntry(r *wire.Register) *Entry {
	return &Entry{Kind: r.Kind, Person: r.Person, Number: r.Number, Relation: r.Relation, Staff: r.Staff}
}

func moment(e *wire.Event) *Moment {
	return &Moment{Event: e.ID, At: e.At, Gate: e.Gate, Guard: e.Guard}
}
