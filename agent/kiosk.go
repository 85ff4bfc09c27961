package agent

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"campusgate/agent/call"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/link"
	"campusgate/configs"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// KioskConfig says what a gate does at which nobody stands.
type KioskConfig struct {
	Documents string `yaml:"documents"`
	Phone     string `yaml:"phone"`
	OtherGate string `yaml:"other_gate"`
}

// KioskSettings are a KioskConfig that has been checked. OnCall asks a guard
// elsewhere for a document; otherwise whoever needs one is refused.
type KioskSettings struct {
	OnCall    bool
	Phone     string
	OtherGate string
}

// maxKioskText bounds what stands on the kiosk's page.
const maxKioskText = 64

func (c KioskConfig) validate(doc *configs.Doc) (*KioskSettings, error) {
	switch c.Documents {
	case "", "refuse", "call":
	default:
		return nil, doc.Fault("kiosk.documents", "%q: want refuse or call", c.Documents)
	}
	for key, text := range map[string]string{"kiosk.phone": c.Phone, "kiosk.other_gate": c.OtherGate} {
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > maxKioskText {
			return nil, doc.Fault(key, "want at most %d characters", maxKioskText)
		}
	}
	return &KioskSettings{OnCall: c.Documents == "call", Phone: c.Phone, OtherGate: c.OtherGate}, nil
}

// newCalls makes the book of calls. Tills have none.
func (a *Agent) newCalls(lanes *lane.Desk) {
	if lanes == nil {
		return
	}
	id := a.journal.Identity()
	a.calls = call.New(call.Deps{
		Agent: id.Agent, Epoch: id.Epoch, Gate: id.Gate,
		GateName: func(id uint16) string {
			gate, _ := a.snapshot.Gate(id)
			return gate.Name
		},
		// The link and the console are made after it.
		Tell:   func(typ string, body any) bool { return a.link.Tell(typ, body) },
		Settle: lanes.AnswerFor,
		OnDuty: a.desk.Shift, Required: a.settings.Shift,
		Attended: func() bool { return a.console != nil && a.console.Attended() },
		Now:      a.corrected, Elapsed: a.desk.Elapsed, Log: a.log,
	})
}

// linkCalls takes what the link hears; nil at a till.
func (a *Agent) linkCalls() link.Calls {
	if a.calls == nil {
		return nil
	}
	return a.calls
}

// kiosk is what the console shows at a kiosk; nil where it is none.
func (a *Agent) kiosk() *console.Kiosk {
	k := a.settings.Kiosk
	if k == nil {
		return nil
	}
	return &console.Kiosk{Phone: k.Phone, OtherGate: k.OtherGate, OnCall: k.OnCall}
}

// attend makes calls for scans that wait for a document, where the kiosk is set
// to, and ends the calls of those that wait no more. Whoever could only come in
// unconfirmed is refused where nobody is: a call would hardly get through.
func (a *Agent) attend(ctx context.Context) error {
	if a.calls == nil {
		return nil
	}
	defer a.calls.Close()
	if a.settings.Kiosk == nil {
		<-ctx.Done()
		return nil
	}
	results, stop := a.desk.Subscribe()
	defer func() { stop() }()
	for fresh := true; ; {
		select {
		case <-ctx.Done():
			return nil
		case r, ok := <-results:
			switch {
			case ok:
				fresh = false
				a.heed(r)
			case fresh: // the desk has stopped
				<-ctx.Done()
				return nil
			default: // left behind: what was missed is among the latest
				stop()
				results, stop = a.desk.Subscribe()
				for _, r := range a.desk.Recent() {
					a.heed(r)
				}
				fresh = true
			}
		}
	}
}

func (a *Agent) heed(r desk.Result) {
	if r.Reason != verdict.NeedsInput || r.Need != verdict.NeedDocument && r.Need != verdict.NeedConfirm {
		if r.Reason != verdict.NeedsInput {
			a.calls.Settled(r.ID)
		}
		return
	}
	if a.console.Attended() {
		return // whoever is on duty here answers it on the page
	}
	if !a.settings.Kiosk.OnCall || r.Need == verdict.NeedConfirm { // somebody is on duty, and has left
		ctx, cancel := context.WithTimeout(context.Background(), reviewTimeout)
		defer cancel()
		if _, err := a.desk.(*lane.Desk).AnswerFor(ctx, r.ID, "", nil, true); err != nil && !errors.Is(err, desk.ErrNotWaiting) {
			a.log.Error("question not refused", "lane", r.Lane, "error", err)
		}
		return
	}
	_, err := a.calls.Ring(r.Lane, wire.CallDocument, r.ID, &wire.Subject{Pass: r.Pass, Kind: r.Kind, Name: r.Name, Doc4: r.Doc4})
	if err != nil {
		a.log.Error("no call for a document", "lane", r.Lane, "error", err)
	}
}

// helpCalls are the calls as the console needs them.
type helpCalls struct {
	*call.Book
	lanes []LaneSettings
}

// Help makes a call from a lane; "" is the first.
func (c helpCalls) Help(where string) (call.View, error) {
	if where == "" {
		where = c.lanes[0].Name
	}
	for _, l := range c.lanes {
		if l.Name == where {
			return c.Ring(where, wire.CallHelp, "", nil)
		}
	}
	return call.View{}, fmt.Errorf("%w: %q", desk.ErrNoLane, where)
}
