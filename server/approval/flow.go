package approval

import "time"

// File is a checked file of flows.
type File struct {
	Roles    map[string]string           // key → Chinese name of the post
	Messages map[string]string           // event → text with {starter} {title} {unit} {actor} {opinion}
	Status   map[State]map[string]string // state → source ("zh" for all) → the word it shows
	Urge     time.Duration               // least time between two reminders of one task
	Flows    []*Flow                     // in the order of the file; templates are merged in and not listed
}

// Flow is one definition. It does not change after Load and may be shared.
type Flow struct {
	ID       string
	Version  int // given when it is published, from 1; 0 = not yet
	Name     string
	Seed     string // number of the source system
	Office   string // department that owns it
	Serial   string // pattern, "" = none; see FormatSerial
	Title    string // pattern of {serial} and {form.F}; "" = the name
	Starters []Starter
	Form     []*Field
	Rules    []*Rule
	Steps    []*Node
	On       map[State][]Effect // when an instance comes into the state
	CC       []CopyRule
	Rate     []string // service, process, score
	Stats    *Stats
	Actions  []Verb // of the matter as a whole: save withdraw terminate urge void cc print trace

	Assumed bool // some step or field is not in the source

	Roles    map[string]string // of its file
	Messages map[string]string // of its file
	Urge     time.Duration     // of its file
	AddSign  AddSignRule       // of its file
}

// AddSignRule says how people are added where whoever adds them does not.
type AddSignRule struct {
	At   string // before, after, parallel
	Mode Mode   // all or any
}

// Starter is who may apply: one of the two is set.
type Starter struct {
	Kind string `json:"kind,omitempty"` // of person; "staff" is every kind of staff
	Role string `json:"role,omitempty"` // a post
}

// FieldType says what a field holds.
type FieldType string

// The types and the JSON of their values. Many makes a list of it.
const (
	Text     FieldType = "text"     // string
	Textarea FieldType = "textarea" // string
	Richtext FieldType = "richtext" // string: plain text with line breaks; never markup
	Number   FieldType = "number"   // number
	Money    FieldType = "money"    // whole fen
	Date     FieldType = "date"     // "2026-05-01"
	Datetime FieldType = "datetime" // "2026-05-01 08:00:00", campus time
	Select   FieldType = "select"   // string, one of the options where there are any
	Unit     FieldType = "unit"     // id of a unit
	User     FieldType = "user"     // id of a person
	Phone    FieldType = "phone"    // string of digits, + - and spaces
	FileRef  FieldType = "file"     // id of an attachment
	Image    FieldType = "image"    // id of an attachment
	Note     FieldType = "note"     // string that is only shown
)

// Field is one field of a form.
type Field struct {
	ID         string
	Name       string
	Type       FieldType
	Required   bool
	RequiredIf *Expr
	Readonly   bool // the server fills it; what a client sends is ignored
	Value      *Expr
	Max        int // characters; 0 = MaxText
	Options    []string
	From       string // role:R, of a user field: whom one may choose
	Many       bool
	Assumed    bool
}

// Limits on what a form may hold.
const (
	MaxText  = 1000 // characters, where a field says nothing
	MaxItems = 50   // of a field with many
)

// Rule refuses a submit when Deny is true. The first true one counts.
type Rule struct {
	ID   string // UPPER_SNAKE, the refusal's code
	Deny *Expr
	Say  string
	Line int
}

// NodeKind says what is done at a step.
type NodeKind string

// The kinds.
const (
	Approve NodeKind = "approve" // agree or not
	Handle  NodeKind = "handle"  // do something and say that it is done
	Claim   NodeKind = "claim"   // one of several takes it
	Archive NodeKind = "archive" // the system files the matter
)

// Mode says how several who are asked count together.
type Mode string

// The modes.
const (
	Any Mode = "any" // one task for all; the first decision decides
	All Mode = "all" // a task for each seat; every one must agree
	Seq Mode = "seq" // like all, one after the other
)

// Node is one step of a flow. (Step is what the engine does.)
type Node struct {
	ID       string
	Name     string
	Kind     NodeKind
	Mode     Mode
	Who      []Seat
	From     string // with the seat pick: role:R, among whom the handler before chooses
	When     *Expr  // nil = always; false = the step is skipped
	Auto     *Expr  // true = the system agrees
	Form     []*Field
	Opinion  string // none, optional, required
	Actions  []Verb
	Outcomes []*Outcome // agree and reject, or complete, or what the file names; in its order
	Next     *Next
	Self     string // allow, up, skip: starter and approver are one person
	Empty    string // admin, skip, refuse: nobody holds the seat
	Resubmit string // restart, to_returner
	Todo     string // what a list of tasks calls it
	Repeat   bool
	Remind   *Expr // a datetime
	Assumed  bool
}

// SeatKind says how a seat finds its people.
type SeatKind string

// The kinds of seats.
const (
	RoleSeat      SeatKind = "role"         // Ref: role
	RoleAtStarter SeatKind = "role@starter" // Ref: role, held in the starter's unit or the next above it
	HeadOfStarter SeatKind = "head:starter"
	HeadOfForm    SeatKind = "head:form" // Ref: field of type unit
	UnitOfForm    SeatKind = "unit:form" // Ref: field of type unit; everybody in it
	FormSeat      SeatKind = "form"      // Ref: field of type user
	PickSeat      SeatKind = "pick"      // chosen by the handler before
	SameSeat      SeatKind = "same"      // Ref: step; whoever decided it
	StarterSeat   SeatKind = "starter"
	PersonSeat    SeatKind = "user" // Ref: person id
)

// Seat is one that is asked.
type Seat struct {
	Kind SeatKind
	Ref  string
	When *Expr  // nil = always
	Text string // as written, "role:finance"
}

// Outcome is one way to end a task.
type Outcome struct {
	ID   string // agree, reject, return, complete, or a word of the flow's own
	Name string
	To   string // next, end, rejected, start, stay, or a step
	Form []*Field
	Do   []Effect
}

// Next lets a handler choose the next step and its handler.
type Next struct {
	Choose  []Choice
	Note    string
	Handler string // required, optional, "" = not asked
}

// Choice is one next step.
type Choice struct {
	To   string
	Name string
	When *Expr
}

// Effect is something that must happen outside. Do is one of pass.issue,
// pass.revoke, notice.publish, flow.start, archive.file.
type Effect struct {
	Do   string         `json:"do"`
	With map[string]any `json:"with,omitempty"`
}

// CopyRule sends copies by itself.
type CopyRule struct {
	At  string // submitted, completed, rejected …
	Who []Seat
}

// Stats says who may read the statistics of a flow.
type Stats struct {
	Who    []Seat
	Export bool
}
