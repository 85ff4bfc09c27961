package desk

import (
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Result is an attempt as the guard's page sees it. Name and Doc4 come from the
// code that was just read and are kept in memory only. Times are unix
// milliseconds unless they say seconds.
type Result struct {
	ID         string            `json:"id"`
	Event      *wire.EventID     `json:"event,omitempty"` // nil while it waits, or when nothing could be written
	At         int64             `json:"at"`
	Lane       string            `json:"lane"`
	Direction  verdict.Direction `json:"direction"`
	Source     string            `json:"source"`
	Reason     verdict.Reason    `json:"reason"`
	Mark       verdict.Mark      `json:"mark,omitempty"` // what the reason is about, where it has several meanings
	Repeat     bool              `json:"repeat,omitempty"`
	Opens      bool              `json:"opens"`
	Need       verdict.Need      `json:"need,omitempty"`
	Pass       signing.PassID    `json:"pass,omitzero"`
	Kind       signing.Kind      `json:"kind,omitzero"`
	Name       string            `json:"name,omitempty"`
	Doc4       string            `json:"doc4,omitempty"`
	ValidFrom  int64             `json:"valid_from,omitempty"`  // unix s
	ValidUntil int64             `json:"valid_until,omitempty"` // unix s
	FirstUse   *FirstUse         `json:"first_use,omitempty"`   // with already_used; of whoever is inside already, when they came in
	Owner      *Owner            `json:"owner,omitempty"`       // who decides, where it did not answer
	Vouched    bool              `json:"vouched,omitempty"`     // without a code
	Rule       string            `json:"rule,omitempty"`        // of the guideline, that admitted, bars, or was chosen
	Documents  []string          `json:"documents,omitempty"`   // shown
	Missing    []string          `json:"missing,omitempty"`     // with document_incomplete
	Barred     bool              `json:"barred,omitempty"`      // nobody of this sort is let in
	Guard      string            `json:"guard,omitempty"`       // number of who was on duty
	Offline    bool              `json:"offline,omitempty"`
	Annulled   bool              `json:"annulled,omitempty"`
	Passage    Passage           `json:"passage,omitempty"` // in memory only
	Charge     *Charge           `json:"charge,omitempty"`  // at a till
}

// Passage is what a lane's sensor saw of somebody it was opened for.
type Passage string

// The passages. Whatever is not certain is unknown: an admission that is taken
// back by mistake lets two people in with one pass.
const (
	WentUnknown Passage = ""
	WentThrough Passage = "passed"
	WentNowhere Passage = "nobody"
)

// Charge is the money of an attempt at a till. Money is fen, Day a business day
// as 2006-01-02.
type Charge struct {
	AmountFen  int64             `json:"amount_fen"`
	Entry      wire.EntryMode    `json:"entry,omitempty"`
	Items      []wire.ChargeItem `json:"items,omitempty"`
	BalanceFen *int64            `json:"balance_fen,omitempty"` // after it; unknown offline
	Holder     string            `json:"holder,omitempty"`      // masked; in memory only
	Period     string            `json:"period"`
	Day        string            `json:"day"`
	Batch      uint32            `json:"batch"`
	Flow       uint64            `json:"flow"`
	Offline    bool              `json:"offline"` // decided without the server
	Voided     bool              `json:"voided,omitempty"`
	Event      *wire.EventID     `json:"event,omitempty"`
}

// FirstUse is where and when a pass was used up.
type FirstUse struct {
	At       int64  `json:"at"`
	Gate     uint16 `json:"gate"`
	GateName string `json:"gate_name"`
}

// Owner is the gate that decides a pass; gate 0 is the server.
type Owner struct {
	Gate uint16 `json:"gate"`
	Name string `json:"name"`
}

// Past is an event of the journal, and whether it was taken back since.
type Past struct {
	Event    wire.Event
	Annulled bool
}

// ResultOf shows an event of the journal, without the holder's name. It reports
// false for events that are no attempts.
func ResultOf(e *wire.Event, annulled bool) (Result, bool) {
	if !e.Type.Judged() || e.Case == nil {
		return Result{}, false
	}
	r := Result{ID: e.Scan, Lane: e.Lane, Source: e.Source, Direction: e.Case.Lane.Direction, Annulled: annulled}
	r.fill(e)
	return r, true
}

// fill adds what the event says.
func (r *Result) fill(e *wire.Event) {
	id := e.ID
	r.Event, r.Offline, r.Documents, r.Guard = &id, e.Offline, e.Documents, e.Guard
	r.Judged(e.At, e.Case, e.Verdict)
}

// Judged adds a verdict and the part of the case that may be shown.
func (r *Result) Judged(at int64, c *verdict.Case, v verdict.Verdict) {
	r.At, r.Reason, r.Mark, r.Repeat, r.Opens, r.Need = at, v.Reason, v.Mark, v.Repeat, v.Opens(), v.Need
	if k := c.Code; k.Kind != 0 {
		r.Pass, r.Kind, r.ValidFrom, r.ValidUntil = k.ID, k.Kind, k.NotBefore, k.Expires
	}
	r.Vouched, r.Rule, r.Barred = c.Vouched, v.Rule, c.Document.Barred && v.Reason == verdict.DocumentNotAccepted
	if v.Reason == verdict.DocumentIncomplete {
		r.Missing = c.Document.Missing()
	}
	if v.First != nil {
		r.FirstUse = &FirstUse{At: v.First.At, Gate: v.First.Gate}
	}
	if v.Reason == verdict.OfflineNotAllowed {
		r.Owner = &Owner{Gate: v.Owner}
	}
}

// Named adds what only the code says.
func (r *Result) Named(c *code.Code) {
	if c.Pass != nil {
		r.Name, r.Doc4 = c.Pass.Name, c.Pass.Doc4
	}
}
