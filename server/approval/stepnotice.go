package approval

import (
	"slices"
	"strings"
)

// The events of notices beside the states of matters. A file may word each of
// them, and each state, under this key.
const (
	eventAssigned  = "assigned"
	eventHandled   = "handled"
	eventUrged     = "urged"
	eventCC        = "cc"
	eventComment   = "comment"
	eventRemind    = "reminded"
	eventSubmitted = "submitted" // of copies only
)

// tell sends a notice, once to each person and never to whoever does it.
func (r *run) tell(event string, to []string, task, opinion string) {
	to = slices.DeleteFunc(slices.Clone(to), func(id string) bool {
		return id == "" || id == system.ID || id == r.by.ID
	})
	slices.Sort(to)
	to = slices.Compact(to)
	if len(to) == 0 {
		return
	}
	text := r.f.Messages[event]
	// One pass: what people write may look like a placeholder.
	text = strings.NewReplacer(
		"{starter}", r.in.Starter.Name, "{title}", r.in.Title, "{unit}", r.by.UnitName,
		"{actor}", r.by.Name, "{opinion}", opinion,
	).Replace(text)
	r.notices = append(r.notices, Notice{
		Event: event, To: to, Text: text, Actor: r.actorName(), Opinion: opinion, Task: task,
	})
}

func (r *run) actorName() string {
	if r.by.ID == system.ID {
		return ""
	}
	return r.by.Name
}
