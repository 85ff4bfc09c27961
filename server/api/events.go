package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Event is what a gate reported, with what the server thinks of it.
type Event struct {
	ID         string   `json:"id" doc:"agent-epoch-seq"`
	Agent      uint32   `json:"agent"`
	Epoch      uint32   `json:"epoch"`
	Seq        uint64   `json:"seq"`
	Type       string   `json:"type" doc:"scan, grant (an owner's answer to another gate), annul, entry (without a code), register, shift, alarm (a lockdown or emergency opening began or ended); of a till charge, void or batch"`
	At         int64    `json:"at" doc:"the agent's corrected clock"`
	ReceivedAt int64    `json:"received_at"`
	Offline    bool     `json:"offline"`
	Gate       uint16   `json:"gate"`
	Lane       string   `json:"lane,omitempty"`
	PassID     string   `json:"pass_id" doc:"empty when no pass could be read"`
	Reason     string   `json:"reason" doc:"the gate's decision"`
	Repeat     bool     `json:"repeat" doc:"an earlier verdict shown again"`
	Claim      string   `json:"claim,omitempty"`
	Documents  []string `json:"documents,omitempty" doc:"kinds that were shown"`
	Rule       string   `json:"rule,omitempty" doc:"of the guideline, by which documents admitted"`
	Guard      string   `json:"guard,omitempty" doc:"number of the guard who decided or was on shift"`
	Note       string   `json:"note,omitempty" doc:"the guard's own words to an entry"`
	Shift      string   `json:"shift,omitempty" enum:"begins,ends" doc:"of type shift"`
	Alarm      string   `json:"alarm,omitempty" enum:"lockdown,open,normal" doc:"of type alarm: what holds at the gate from then on"`
	Source     string   `json:"source,omitempty" doc:"of type alarm: server, guard or input"`
	Mark       string   `json:"mark,omitempty" doc:"what the reason is about, where it has several meanings"`
	AmountFen  int64    `json:"amount_fen,omitempty" doc:"of a charge or void"`
	Opinion    string   `json:"opinion" doc:"the server's, from the same facts and what it knows better; empty until it has looked"`
	JudgedAt   int64    `json:"judged_at,omitempty"`
	Hash       string   `json:"hash" doc:"link of the agent's journal, SHA-256 in hex"`
}

// Quarantined is a record that did not fit the journal it came from.
type Quarantined struct {
	ID         int64  `json:"id"`
	Event      string `json:"event"`
	Problem    string `json:"problem"`
	Body       []byte `json:"body" doc:"as it came, base64"`
	ReceivedAt int64  `json:"received_at"`
}

// Page is a place in a list and how much of it to give.
type Page struct {
	After int64 `query:"after" minimum:"0" default:"0" doc:"the next of the page before; 0 = from the beginning"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type eventsInput struct {
	Page
	Disputed bool `query:"disputed" doc:"only those on which the server differs"`
}

type eventsOutput struct {
	Body struct {
		Events []Event `json:"events"`
		Next   int64   `json:"next" doc:"after, for the next page; the same again when there is none yet"`
	}
}

type quarantineOutput struct {
	Body struct {
		Records []Quarantined `json:"records"`
		Next    int64         `json:"next"`
	}
}

func (a *API) eventRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/events", scope: auth.EventsRead, id: "list-events",
		text: "通行记录,按到达先后 What gates reported, in order of arrival",
	}, a.listEvents)
	a.conflictRoutes()
	add(a, route{
		method: http.MethodGet, path: prefix + "/quarantine", scope: auth.EventsRead, id: "list-quarantine",
		text: "被隔离的记录 Records that did not fit the journal they came from",
	}, a.listQuarantine)
}

func (a *API) listEvents(ctx context.Context, in *eventsInput) (*eventsOutput, error) {
	read := a.Store.Events
	if in.Disputed {
		read = a.Store.Disputed
	}
	events, err := read(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eventsOutput{}
	out.Body.Events, out.Body.Next = mapped(events, eventBody), in.After
	if n := len(events); n > 0 {
		out.Body.Next = events[n-1].Position
	}
	return out, nil
}

func eventBody(e store.Event) Event {
	out := Event{
		ID: e.ID.String(), Agent: e.ID.Agent, Epoch: e.ID.Epoch, Seq: e.ID.Seq, Type: string(e.Type), At: e.At,
		ReceivedAt: e.ReceivedAt, Offline: e.Offline, Gate: e.Gate, Claim: e.Claim, JudgedAt: e.JudgedAt,
		Hash: e.Hash.String(),
	}
	if !e.Pass.IsZero() {
		out.PassID = e.Pass.String()
	}
	if e.Reason != 0 {
		out.Reason = e.Reason.String()
	}
	if e.Opinion != 0 {
		out.Opinion = e.Opinion.String()
	}
	var rest wire.Event
	if json.Unmarshal(e.Body, &rest) == nil { // it was read before it was stored
		out.Lane, out.Repeat = rest.Lane, rest.Verdict.Repeat
		if rest.Charge != nil {
			out.AmountFen = rest.Charge.AmountFen
		}
		if m := rest.Alarm; m != nil {
			out.Alarm, out.Source, out.Note = cmp.Or(string(m.State), "normal"), string(m.Source), m.Reason
		}
		out.Mark = string(rest.Verdict.Mark)
		out.Documents, out.Rule, out.Guard, out.Shift = rest.Documents, rest.Verdict.Rule, rest.Guard, string(rest.Shift)
		out.Note = cmp.Or(rest.Note, out.Note)
	}
	return out
}

func (a *API) listQuarantine(ctx context.Context, in *Page) (*quarantineOutput, error) {
	found, err := a.Store.Quarantine(ctx, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &quarantineOutput{}
	out.Body.Next = in.After
	out.Body.Records = mapped(found, func(q store.Quarantined) Quarantined {
		return Quarantined{ID: q.ID, Event: q.Event.String(), Problem: q.Problem, Body: q.Body, ReceivedAt: q.ReceivedAt}
	})
	if n := len(found); n > 0 {
		out.Body.Next = found[n-1].ID
	}
	return out, nil
}
