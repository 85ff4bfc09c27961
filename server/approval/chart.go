package approval

// ChartNode is one step of the picture of a flow.
type ChartNode struct {
	ID     string        `json:"id"`
	Name   string        `json:"name"`
	Kind   NodeKind      `json:"kind"`
	Mode   Mode          `json:"mode"`
	People []ChartPerson `json:"people"`
	State  string        `json:"state"` // done, current, waiting, skipped, cancelled
	By     []string      `json:"by"`    // names of who decided
	At     int64         `json:"at,omitempty"`
}

// ChartPerson is somebody in the picture of a flow.
type ChartPerson struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}

// Chart draws the steps of a matter in the order of the flow: what is done, what
// is current, and, as far as can be told by now, who comes next. For a form that
// is only being filled in, give an Instance that Open made.
func (f *Flow) Chart(in Instance, w World) ([]ChartNode, error) { return nil, nil }
