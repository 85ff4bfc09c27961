package agent

// Patterns lists what the console serves.
func (a *Agent) Patterns() []string { return a.console.Patterns() }

// Rush tells whether many may be coming soon.
var Rush = rush
