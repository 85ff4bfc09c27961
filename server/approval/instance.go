package approval

// State of an instance.
type State string

// The states. Filed (备案) is a fact, not a state.
const (
	Draft      State = "draft"
	Running    State = "running"
	Completed  State = "completed"
	Rejected   State = "rejected"
	Returned   State = "returned"
	Withdrawn  State = "withdrawn"
	Terminated State = "terminated"
	Voided     State = "voided"
)

// TaskState is that of a task.
type TaskState string

// The states of a task.
const (
	Waiting   TaskState = "waiting" // its turn has not come, or it is parked
	Pending   TaskState = "pending"
	Done      TaskState = "done"
	Cancelled TaskState = "cancelled"
)

// Person is what the engine knows of somebody.
type Person struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Unit     string `json:"unit"`
	UnitName string `json:"unit_name"`
	Kind     string `json:"kind"`
	Level    string `json:"level,omitempty"`
	Phone    string `json:"phone,omitempty"`
}

// Instance is one matter with all that ever happened to it. It is a value: Step
// returns a new one and leaves the old as it was. Times are unix ms.
type Instance struct {
	ID        string         `json:"id"`
	Flow      string         `json:"flow"`
	Version   int            `json:"version"`
	Serial    string         `json:"serial,omitempty"`
	Title     string         `json:"title"`
	Starter   Person         `json:"starter"`
	Form      map[string]any `json:"form"` // as FieldType says
	State     State          `json:"state"`
	Step      string         `json:"step,omitempty"`  // where it is while it runs
	Round     int            `json:"round"`           // counts submits
	Since     int            `json:"since,omitempty"` // round in which the steps last began from the first
	Visit     int            `json:"visit,omitempty"` // counts the steps it came to
	Created   int64          `json:"created"`
	Submitted int64          `json:"submitted,omitempty"`
	Ended     int64          `json:"ended,omitempty"`
	Filed     int64          `json:"filed,omitempty"`

	Tasks    []Task            `json:"tasks,omitempty"` // of all rounds, oldest first
	Trail    []Entry           `json:"trail,omitempty"` // only ever appended to
	Copies   []Copy            `json:"copies,omitempty"`
	Comments []Comment         `json:"comments,omitempty"`
	Ratings  []Rating          `json:"ratings,omitempty"`
	Picked   map[string]string `json:"picked,omitempty"`  // step → chosen handler
	Resume   string            `json:"resume,omitempty"`  // step that a returned matter goes back to
	Records  []Record          `json:"records,omitempty"` // of repeated steps and joint forms
}

// Task is one thing for somebody to do.
type Task struct {
	ID         string         `json:"id"` // within its instance: "t1" …
	Step       string         `json:"step"`
	Round      int            `json:"round"`
	Visit      int            `json:"visit,omitempty"` // of Instance.Visit: a step may be come to again
	Seats      []string       `json:"seats"`           // as written; several when one person sits on them
	Candidates []string       `json:"candidates"`
	By         string         `json:"by,omitempty"` // who decided, or has claimed it
	State      TaskState      `json:"state"`
	Outcome    string         `json:"outcome,omitempty"`
	Opinion    string         `json:"opinion,omitempty"`
	Values     map[string]any `json:"values,omitempty"`
	Next       string         `json:"next,omitempty"`   // step that its decision chose
	Former     []string       `json:"former,omitempty"` // who held it before it changed hands
	Parent     string         `json:"parent,omitempty"` // task that was added to
	At         string         `json:"at,omitempty"`     // before, after, parallel: of an added one
	Turn       int            `json:"turn,omitempty"`   // of mode seq, from 1
	Opened     int64          `json:"opened,omitempty"` // became pending
	Read       int64          `json:"read,omitempty"`
	Remind     int64          `json:"remind,omitempty"`
	Reminded   int64          `json:"reminded,omitempty"`
	Urged      int64          `json:"urged,omitempty"`
	Closed     int64          `json:"closed,omitempty"`
}

// Entry is one line of the timeline.
type Entry struct {
	At          int64    `json:"at"`
	Step        string   `json:"step,omitempty"`
	StepName    string   `json:"step_name,omitempty"`
	Actor       string   `json:"actor"` // person id; "system"
	ActorName   string   `json:"actor_name"`
	Verb        string   `json:"verb"`           // a Verb or an outcome
	Name        string   `json:"name,omitempty"` // what the flow calls the outcome
	Opinion     string   `json:"opinion,omitempty"`
	To          []string `json:"to,omitempty"` // people it went to
	Attachments []string `json:"attachments,omitempty"`
}

// Copy is one cc.
type Copy struct {
	Person string `json:"person"`
	By     string `json:"by"`
	At     int64  `json:"at"`
	Read   int64  `json:"read,omitempty"`
}

// Comment is one message between people about the matter.
type Comment struct {
	From string `json:"from"`
	To   string `json:"to,omitempty"`
	Text string `json:"text"`
	At   int64  `json:"at"`
}

// Rating is what somebody thinks of how it went.
type Rating struct {
	By     string `json:"by"`
	Target string `json:"target"`
	Stars  int    `json:"stars"` // 1 to 5
	Text   string `json:"text,omitempty"`
	At     int64  `json:"at"`
}

// Record is what was filled in at a step that several or repeated actions
// fill in.
type Record struct {
	Step   string         `json:"step"`
	Visit  int            `json:"visit,omitempty"`
	By     string         `json:"by"`
	At     int64          `json:"at"`
	Values map[string]any `json:"values"`
}
