package approval

// Planned is a step that a form would go through.
type Planned struct {
	Step   string
	Name   string
	Kind   NodeKind
	Mode   Mode
	Auto   bool     // the system will agree
	Choice bool     // done only when the handler before chooses it
	Pick   bool     // one of People, whom the handler before chooses
	People []Person // empty where only a later step says who
}

// Preview says who would review a form (检查审核人).
func (f *Flow) Preview(form map[string]any, starter Person, w World) ([]Planned, *Refusal, error) {
	return nil, nil, nil
}
