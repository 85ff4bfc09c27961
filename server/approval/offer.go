package approval

// Offer is what somebody may do to a matter at this moment.
type Offer struct {
	Verbs []Verb     // to the matter as a whole
	Task  *TaskOffer // their oldest pending task; nil = none
}

// TaskOffer is what somebody may do with a task of theirs.
type TaskOffer struct {
	Task     string // id
	Step     string // id
	StepName string
	Kind     NodeKind
	Opinion  string // none, optional, required
	Outcomes []OutcomeOffer
	Form     []*Field       // of the step; every outcome that goes on takes it
	Values   map[string]any // what is known of its fields: saved, or filled in before
	Next     *NextOffer     // nil = nothing to choose
	Actions  []Verb         // transfer, add_sign, cc, save, claim
}

// OutcomeOffer is one way to end a task.
type OutcomeOffer struct {
	ID       string
	Name     string
	To       string   // as Outcome.To
	Form     []*Field // its own fields, beside those of the step
	StepForm bool     // takes the step's form too
	Next     bool     // takes the next step and its handler
}

// NextOffer is what a handler chooses among.
type NextOffer struct {
	Choose  []ChoiceOffer
	Note    string
	Handler string // required, optional, "" = not asked
}

// ChoiceOffer is one next step, with the people who may handle it. Where the
// flow names only one way on, To is "" and need not be sent.
type ChoiceOffer struct {
	To     string
	Name   string
	People []Person
}

// Offers gives what who may do to a matter now; admin says that they are an
// administrator or own the service. Step accepts what is offered, given proper
// arguments, and nothing else.
func (f *Flow) Offers(in Instance, who Person, admin bool, w World) (Offer, error) {
	return Offer{}, nil
}
