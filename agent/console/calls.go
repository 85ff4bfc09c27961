package console

import (
	"net/http"

	"campusgate/agent/call"
	"campusgate/signing/wire"
)

// Calls is what the console needs of calls for help; package call has them. All
// methods are safe for concurrent use.
type Calls interface {
	// List gives the open calls and those that ended a moment ago, oldest first.
	List() []call.View
	// Changed tells that List may answer differently.
	Changed() <-chan struct{}
	// Help makes a call from a lane; "" is the first.
	Help(lane string) (call.View, error)
	Cancel(id string) error
	// Answer is that of whoever is on duty here.
	Answer(id string, answer wire.CallAnswer, documents []string) error
	// Nudge says that a guard's page was opened, or a guard came on duty.
	Nudge()
}

// silent stands for calls where there are none.
type silent struct{}

func (silent) List() []call.View                              { return nil }
func (silent) Changed() <-chan struct{}                       { return nil }
func (silent) Help(string) (call.View, error)                 { return call.View{}, call.ErrMany }
func (silent) Cancel(string) error                            { return call.ErrNoCall }
func (silent) Answer(string, wire.CallAnswer, []string) error { return call.ErrNoCall }
func (silent) Nudge()                                         {}

// callsMessage says how the calls stand, when that changes.
type callsMessage struct {
	Type  string      `json:"type"` // calls
	Calls []call.View `json:"calls"`
}

// guardPage is what a guard's page says of itself when it joins the feed: calls
// ring only where somebody can hear them.
const guardPage = "guard"

// Attended reports whether a guard's page is open, and somebody on duty where
// the configuration wants that.
func (c *Console) Attended() bool { return c.hub.attended() && c.attended() == nil }

func (c *Console) getCalls(w http.ResponseWriter, _ *http.Request) error {
	c.answer(w, http.StatusOK, map[string]any{"calls": c.callList()})
	return nil
}

// callList never gives null, so that the JSON is always a list.
func (c *Console) callList() []call.View {
	if list := c.calls.List(); list != nil {
		return list
	}
	return []call.View{}
}

// postCallAnswer is a guard's answer to a call. What comes of it is in the feed.
func (c *Console) postCallAnswer(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Answer    wire.CallAnswer `json:"answer"`
		Documents []string        `json:"documents"`
	}
	if err := c.decode(w, r, &in); err != nil {
		return err
	}
	if id := c.unknownDocument(in.Documents); id != "" {
		return noDocument.with("document", id)
	}
	if err := c.calls.Answer(r.PathValue("id"), in.Answer, in.Documents); err != nil {
		return deskFailure(err)
	}
	return c.getCalls(w, r)
}

// sendCalls tells the pages how the calls stand.
func (c *Console) sendCalls() {
	c.send(callsMessage{Type: "calls", Calls: c.callList()})
	c.sendKiosk()
}
