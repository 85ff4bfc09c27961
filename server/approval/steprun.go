package approval

// Open gives a new draft, filled in with what is known.
func (f *Flow) Open(id string, starter Person, w World) (Instance, error) { return Instance{}, nil }

// Step does one thing to a matter.
func (f *Flow) Step(in Instance, a Act, w World) (Change, *Refusal, error) { return Change{}, nil, nil }

// Sees says whether somebody may look at a matter.
func (f *Flow) Sees(in Instance, who string, admin bool) bool { return false }

// MayStart says whether somebody may apply.
func (f *Flow) MayStart(p Person, dir Directory) (bool, error) { return false, nil }

// Due gives the tasks whose reminder's time has come.
func (f *Flow) Due(in Instance, now int64) []Task { return nil }
