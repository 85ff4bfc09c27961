package agent

// Patterns lists what the console serves.
func (a *Agent) Patterns() []string { return a.console.Patterns() }
