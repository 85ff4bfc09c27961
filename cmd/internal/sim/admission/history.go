package admission

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"campusgate/signing/wire"
)

// history is what was asked and answered about one pass.
type history struct {
	asks     map[string]*take // by claim
	takes    []*take          // in the order in which they began
	releases []*release
	byServer map[string]bool // claims that the server decides
	double   bool            // it was admitted twice
	path     bool            // though the gates could ask each other
}

// never is the end of what did not end.
const never = math.MaxInt64

// outcome is what a take came to, as far as whoever asked knows.
type outcome int

const (
	unknown outcome = iota // nobody answered: it may have been granted
	granted
	refused
)

// take is a decision to use the pass up: a claim, however often it was asked, or
// an owner's own.
type take struct {
	id         string
	call, done int64
	outcome    outcome
}

// release gives back what a take took.
type release struct {
	id        string
	call, end int64
	event     wire.EventID // that says so, where the server has to hear of it
}

// String lists what happened, in the order in which it began.
func (h *history) String() string {
	var b strings.Builder
	for _, t := range h.takes {
		fmt.Fprintf(&b, "%s %d–%d %s; ", t.id, t.call, t.done, [...]string{"unknown", "granted", "refused"}[t.outcome])
	}
	for _, r := range h.releases {
		fmt.Fprintf(&b, "%s %d–%d given back; ", r.id, r.call, r.end)
	}
	return b.String()
}

func (h *history) asked(id string, ofServer bool, at int64) {
	h.byServer[id] = ofServer
	if h.asks[id] == nil {
		h.asks[id] = &take{id: id, call: at, done: never}
		h.takes = append(h.takes, h.asks[id])
	}
}

func (h *history) answered(id string, yes bool, at int64) {
	t := h.asks[id]
	if t == nil || t.outcome != unknown {
		return
	}
	t.done, t.outcome = at, refused
	if yes {
		t.outcome = granted
	}
}

// decided is a decision of a gate's own: it is made at once.
func (h *history) decided(id string, at int64) {
	h.takes = append(h.takes, &take{id: id, call: at, done: at, outcome: granted})
}

func (h *history) release(id string, at int64) *release {
	r := &release{id: id, call: at, end: never}
	h.releases = append(h.releases, r)
	return r
}

// took ends the release of a claim: its owner has taken it back.
func (h *history) took(id string, at int64) {
	for _, r := range h.releases {
		if r.id == id && r.end == never {
			r.end = at
		}
	}
}

// register is a pass that is good for one: free, or taken by somebody.
var register = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{""} },
	Step: func(state, in, _ any) []any {
		holder := state.(string)
		switch op := in.(type) {
		case *release:
			if holder == op.id {
				return []any{""}
			}
			return []any{holder}
		case *take:
			free := holder == "" || holder == op.id
			switch {
			case op.outcome == granted && free:
				return []any{op.id}
			case op.outcome == refused && !free:
				return []any{holder}
			case op.outcome == unknown && holder == "":
				return []any{"", op.id}
			case op.outcome == unknown:
				return []any{holder}
			}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
}).ToModel()

// linearizable reports whether one register could have given all those answers.
func (h *history) linearizable() bool {
	var ops []porcupine.Operation
	for _, t := range h.takes {
		ops = append(ops, porcupine.Operation{Input: t, Call: t.call, Return: t.done})
	}
	for _, r := range h.releases {
		ops = append(ops, porcupine.Operation{Input: r, Call: r.call, Return: r.end})
	}
	if len(ops) < 2 {
		return true
	}
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
	for i := range ops {
		ops[i].ClientId = i
	}
	return porcupine.CheckOperations(register, ops)
}
