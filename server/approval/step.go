package approval

import (
	"fmt"
	"time"
)

// Verb is something that somebody does to a matter.
type Verb string

// The verbs. Decide ends a task with an outcome of its step; agree, reject,
// return and complete are outcomes.
const (
	Save      Verb = "save"      // starter: a draft, a returned or withdrawn matter; handler: what was typed so far
	Submit    Verb = "submit"    // starter: first or again
	Decide    Verb = "decide"    // candidate; Act.Outcome
	TakeUp    Verb = "claim"     // candidate: nobody else will
	Withdraw  Verb = "withdraw"  // starter, before any decision
	Terminate Verb = "terminate" // starter or administrator
	Void      Verb = "void"      // administrator, with a reason
	Transfer  Verb = "transfer"  // candidate, To: one person
	Reassign  Verb = "reassign"  // administrator, To: one person
	AddSign   Verb = "add_sign"  // candidate, To and At
	SendCopy  Verb = "cc"        // starter or candidate, To
	Urge      Verb = "urge"      // starter
	Say       Verb = "comment"   // all who see it
	Rate      Verb = "rate"      // starter, after the end
	MarkRead  Verb = "read"      // candidate or cc'd; says nothing in the trail
	Discard   Verb = "discard"   // starter: a draft; whoever keeps it deletes it
	Print     Verb = "print"     // only says that it is offered
	Trace     Verb = "trace"     // only says that it is offered
	Remind    Verb = "remind"    // system: a reminder's time has come
	HandOver  Verb = "hand_over" // system: the seat of a task is another's now
)

// Act is one thing that is done. Which of its fields count depends on Verb.
type Act struct {
	Verb        Verb
	Actor       Person
	Admin       bool // the actor is an administrator, or owns the service
	Task        string
	Outcome     string
	Form        map[string]any // of the matter (save, submit) or of the step (decide)
	Opinion     string         // also a reason, a comment's text, what a rating says
	Next        string         // chosen next step
	Handler     string         // and who is to handle it
	To          []string       // people
	At          string         // of add_sign: before, after, parallel; "" = the flow's default
	Mode        Mode           // of add_sign, all or any; "" = all
	Target      string         // of rate
	Stars       int
	Attachments []string
}

// World is what Step must know of the moment.
type World struct {
	Now       time.Time // in campus time
	Settings  Settings
	Household Household                   // found for the form; zero = none
	Paper     bool                        // the starter holds a paper pass
	Options   func(field string) []string // what a select field offers whose flow lists nothing; nil = any text
	People    Directory
	Serial    func() (string, error) // called at most once, at a first submit of a flow with a serial
}

// Settings are those of the campus that rules may read.
type Settings struct {
	AheadDays    int `json:"ahead_days"`     // how far ahead a resident may apply
	QuotaDays    int `json:"quota_days"`     // least days between two pass dates of a household
	MultiDaysMax int `json:"multi_days_max"` // longest multiple-entry pass
}

// Household is what rules may read of a household.
type Household struct {
	ID       string
	Verified bool
	Paper    bool
	Dates    []string // pass dates that count, "2026-05-01"
}

// Directory knows who is who. Persons come by id; a list is sorted by id.
type Directory interface {
	// Person gives somebody active, or ok = false.
	Person(id string) (p Person, ok bool, err error)
	// Holders gives who holds a post now, in any unit.
	Holders(role string) ([]Person, error)
	// HoldersAt gives who holds a post now in a unit, or else in the nearest
	// unit above it where somebody does.
	HoldersAt(role, unit string) ([]Person, error)
	// Head gives the head of a unit; ok = false when it has none.
	Head(unit string) (p Person, ok bool, err error)
	// Above gives the unit above; "" at the top.
	Above(unit string) (string, error)
	// Members gives everybody in a unit.
	Members(unit string) ([]Person, error)
	// UnitName gives a unit's name, "" when there is none.
	UnitName(unit string) (string, error)
	// Admins gives the administrators.
	Admins() ([]Person, error)
}

// Change is what a step makes of an instance and asks of the world, all to be
// kept in one transaction.
type Change struct {
	Instance Instance
	Effects  []Effect // in this order
	Notices  []Notice
}

// Notice is a message to people. Event is a key of File.Messages.
type Notice struct {
	Event   string
	To      []string // person ids
	Text    string   // filled in, Chinese
	Actor   string   // name; "" = the system
	Opinion string
	Task    string
}

// Refusal says why something is not done. Nothing has changed. It is a result:
// the codes are permanent and listed in FLOW.md.
type Refusal struct {
	Code    string         `json:"code"` // UPPER_SNAKE: a rule's id or one of those below
	Field   string         `json:"field,omitempty"`
	Say     string         `json:"say"` // Chinese
	En      string         `json:"en,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

func (r *Refusal) String() string { return fmt.Sprintf("%s %s: %s", r.Code, r.Field, r.Say) }

// Codes of refusals that every flow shares.
const (
	NotAStarter     = "NOT_A_STARTER"    // this kind of person may not apply
	NotYours        = "NOT_YOURS"        // only the starter, or an administrator, may
	FieldRequired   = "REQUIRED"         // Field is missing, or a rule needs it
	FieldInvalid    = "INVALID"          // Field does not fit its type, is too long, or is unknown
	OpinionRequired = "OPINION_REQUIRED" // or a reason
	NextStep        = "NEXT_STEP"        // the next step or its handler must be chosen, or cannot be
	NoSuchPerson    = "NO_SUCH_PERSON"
	AlreadyReviewed = "ALREADY_REVIEWED" // withdraw after a decision
	AlreadyHolds    = "ALREADY_HOLDS"    // transfer or add to somebody who has a task of this step
	TooSoon         = "TOO_SOON"         // urged less than Urge ago
	TaskClosed      = "TASK_CLOSED"
	NoTask          = "NO_TASK"
	NoHandler       = "NO_HANDLER"  // nobody holds the post, and the step says refuse
	WrongState      = "WRONG_STATE" // the matter is not in a state for this
	NotOffered      = "NOT_OFFERED" // the flow or step does not offer the action
	RecordFirst     = "RECORD_FIRST"
)
