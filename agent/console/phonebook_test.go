package console_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/signing/wire"
)

var _ console.Calls = (*phonebook)(nil)

// phonebook is a console.Calls whose calls a test moves.
type phonebook struct {
	changed chan struct{}

	mu     sync.Mutex
	calls  []call.View
	asked  []string
	nudges int
	fail   error
}

func newPhonebook() *phonebook { return &phonebook{changed: make(chan struct{}, 1)} }

func (p *phonebook) List() []call.View {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.calls)
}

func (p *phonebook) Changed() <-chan struct{} { return p.changed }

func (p *phonebook) Nudge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nudges++
}

func (p *phonebook) Help(lane string) (call.View, error) {
	p.mu.Lock()
	fail := p.fail
	p.asked = append(p.asked, "help "+lane)
	p.mu.Unlock()
	if fail != nil {
		return call.View{}, fail
	}
	return p.put(call.View{
		Ring: wire.Ring{Gate: 3, Lane: "入口", Reason: wire.CallHelp}, Mine: true, GateName: "北门", State: wire.CallCalling,
	}), nil
}

func (p *phonebook) Cancel(id string) error {
	p.note("cancel " + id)
	p.move(id, func(v *call.View) { v.State = wire.CallCancelled })
	return nil
}

func (p *phonebook) Answer(id string, answer wire.CallAnswer, documents []string) error {
	p.note(fmt.Sprintf("answer %s %s %s", id, answer, strings.Join(documents, "+")))
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fail
}

func (p *phonebook) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
}

func (p *phonebook) heard() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.asked)
}

// put adds a call, with an id and a time of its own.
func (p *phonebook) put(v call.View) call.View {
	p.mu.Lock()
	if v.ID == "" {
		v.ID = fmt.Sprintf("7-1-%d", len(p.calls)+1)
	}
	if v.At == 0 {
		v.At = time.Now().UnixMilli()
	}
	p.calls = append(p.calls, v)
	p.mu.Unlock()
	p.tell()
	return v
}

// move changes a call, or with "" the last.
func (p *phonebook) move(id string, change func(*call.View)) {
	p.mu.Lock()
	for i := range p.calls {
		if p.calls[i].ID == id || id == "" && i == len(p.calls)-1 {
			change(&p.calls[i])
		}
	}
	p.mu.Unlock()
	p.tell()
}

// clear forgets all calls, as the agent does some time after their end.
func (p *phonebook) clear() {
	p.mu.Lock()
	p.calls = nil
	p.mu.Unlock()
	p.tell()
}

func (p *phonebook) tell() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}
