package apply

import "campusgate/server/approval"

// What people see of applications, as it goes out in JSON. Times are unix ms,
// 0 or absent = not yet.

// Who is somebody in a list.
type Who struct {
	Number string `json:"number"`
	Name   string `json:"name"`
	Unit   string `json:"unit"`
}

// Option is one value of a choice.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label"`
	EN    string `json:"en"`
}

// FormField is one field of a form, with what is in it.
type FormField struct {
	ID           string             `json:"id"`
	Name         string             `json:"name"`
	EN           string             `json:"en"`
	Type         approval.FieldType `json:"type"`
	Required     bool               `json:"required"`
	RequiredIf   bool               `json:"required_if" doc:"required as the form stands"`
	RequiredWhen string             `json:"required_when,omitempty" doc:"the condition, as the flow words it"`
	Readonly     bool               `json:"readonly"`
	Value        any                `json:"value"`
	Text         string             `json:"text" doc:"the value as people read it"`
	Max          int                `json:"max" doc:"characters"`
	Options      []Option           `json:"options" nullable:"true"`
	Many         bool               `json:"many"`
	From         string             `json:"from,omitempty" doc:"role:R, of a user field"`
}

// Filled is a field that was filled in on the way.
type Filled struct {
	Name  string             `json:"name"`
	Text  string             `json:"text"`
	Value any                `json:"value"`
	Type  approval.FieldType `json:"type"`
}

// Pair is one line of a summary.
type Pair struct {
	Name    string `json:"name"`
	EN      string `json:"en"`
	Value   string `json:"value"`
	ValueEN string `json:"value_en"`
}

// Stop is one step of the picture of a flow.
type Stop struct {
	approval.ChartNode
	EN string `json:"en"`
}

// PassOf is the pass that came of a matter.
type PassOf struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	State string `json:"state" enum:"issued,used,expired,revoked"`
	From  string `json:"from" doc:"first moment, campus time"`
	Until string `json:"until" doc:"first moment after"`
	Bound bool   `json:"bound"`
	Mine  bool   `json:"mine" doc:"who asks may put it on a phone"`
}

// TaskOf is the task by which a matter is in somebody's list.
type TaskOf struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	OpenedAt int64  `json:"opened_at"`
}

// Row is a matter in a list.
type Row struct {
	ID          string         `json:"id"`
	Flow        string         `json:"flow"`
	FlowName    string         `json:"flow_name"`
	FlowEN      string         `json:"flow_en"`
	Group       string         `json:"group"`
	Title       string         `json:"title"`
	Serial      string         `json:"serial"`
	State       approval.State `json:"state"`
	StateName   string         `json:"state_name"`
	StateEN     string         `json:"state_en"`
	Starter     Who            `json:"starter"`
	CreatedAt   int64          `json:"created_at"`
	SubmittedAt int64          `json:"submitted_at"`
	EndedAt     int64          `json:"ended_at"`
	Step        string         `json:"step"`
	StepName    string         `json:"step_name"`
	StepEN      string         `json:"step_en"`
	Waiting     []string       `json:"waiting" doc:"names of those who have not acted"`
	Task        *TaskOf        `json:"task" required:"false" doc:"null = none"`
	Pass        *PassOf        `json:"pass" required:"false" doc:"null = none"`
	Summary     []Pair         `json:"summary"`
}

// StepForm is what was filled in at a step.
type StepForm struct {
	Step   string   `json:"step"`
	Name   string   `json:"name"`
	By     Who      `json:"by"`
	At     int64    `json:"at"`
	Fields []Filled `json:"fields"`
}

// FileOf is an attachment as it is shown.
type FileOf struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Size int64  `json:"size"`
	Type string `json:"type"`
}

// Line is one line of the timeline.
type Line struct {
	At          int64    `json:"at"`
	StepName    string   `json:"step_name"`
	StepEN      string   `json:"step_en"`
	Actor       Who      `json:"actor"`
	Verb        string   `json:"verb"`
	Name        string   `json:"name"`
	EN          string   `json:"en"`
	Opinion     string   `json:"opinion"`
	To          []string `json:"to"`
	Attachments []FileOf `json:"attachments"`
}

// CopyOf is one cc.
type CopyOf struct {
	Person Who   `json:"person"`
	At     int64 `json:"at"`
	ReadAt int64 `json:"read_at"`
}

// CommentOf is one message about the matter.
type CommentOf struct {
	From Who    `json:"from"`
	To   *Who   `json:"to,omitempty"`
	Text string `json:"text"`
	At   int64  `json:"at"`
}

// RatingOf is what somebody thinks of how it went.
type RatingOf struct {
	By     Who    `json:"by"`
	Target string `json:"target"`
	Stars  int    `json:"stars"`
	Text   string `json:"text"`
	At     int64  `json:"at"`
}

// Duty is a task as everybody who sees the matter sees it.
type Duty struct {
	ID       string   `json:"id"`
	Step     string   `json:"step"`
	StepName string   `json:"step_name"`
	Round    int      `json:"round"`
	Seats    []string `json:"seats" doc:"names of the posts"`
	People   []string `json:"people"`
	State    string   `json:"state"`
	Outcome  string   `json:"outcome"`
	Opinion  string   `json:"opinion"`
	OpenedAt int64    `json:"opened_at"`
	ClosedAt int64    `json:"closed_at"`
	Mine     bool     `json:"mine"`
}

// OutcomeOf is one way to end a task.
type OutcomeOf struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	EN       string      `json:"en"`
	To       string      `json:"to"`
	Form     []FormField `json:"form"`
	StepForm bool        `json:"step_form" doc:"takes the step's form too"`
	Next     bool        `json:"next" doc:"takes the next step and its handler"`
}

// ChoiceOf is one next step.
type ChoiceOf struct {
	To     string `json:"to"`
	Name   string `json:"name"`
	People []Who  `json:"people"`
}

// NextOf is what a handler chooses among.
type NextOf struct {
	Choose  []ChoiceOf `json:"choose"`
	Note    string     `json:"note"`
	Handler string     `json:"handler"`
}

// MyTask is what who asks may do with a task of theirs.
type MyTask struct {
	Task     string      `json:"task"`
	StepName string      `json:"step_name"`
	Kind     string      `json:"kind"`
	Opinion  string      `json:"opinion" enum:"none,optional,required"`
	Added    bool        `json:"added" doc:"only an opinion is asked: somebody was added to a task"`
	Outcomes []OutcomeOf `json:"outcomes"`
	Form     []FormField `json:"form"`
	Next     *NextOf     `json:"next" required:"false" doc:"null = none"`
	Actions  []string    `json:"actions"`
}

// Application is a matter, whole, as one person sees it.
type Application struct {
	Row
	Version  int         `json:"version"`
	Form     []FormField `json:"form"`
	Steps    []StepForm  `json:"steps_forms"`
	Trail    []Line      `json:"trail"`
	Chart    []Stop      `json:"chart"`
	Copies   []CopyOf    `json:"copies"`
	Comments []CommentOf `json:"comments"`
	Ratings  []RatingOf  `json:"ratings"`
	Rate     []string    `json:"rate" doc:"what may be rated"`
	Files    []FileOf    `json:"files" doc:"every attachment of the form and the steps"`
	Actions  []string    `json:"actions" doc:"what who asks may do to the matter"`
	Tasks    []Duty      `json:"tasks"`
	Mine     *MyTask     `json:"mine" required:"false" doc:"null = none"`
	Origin   string      `json:"origin,omitempty" doc:"application that opened this one"`
	IDNumber string      `json:"id_number,omitempty" doc:"of the applicant, masked; where a household applies"`
	Reviewer *Who        `json:"reviewer" required:"false" doc:"who decided last; null = nobody yet"`
}
