package wire

import (
	"errors"
	"fmt"
	"slices"

	"campusgate/signing"
)

// Call is the stream of calls for help: from a kiosk to guards elsewhere.
const Call Stream = "call"

// Message types of the stream call.
const (
	TypeRing  = "ring"  // call, Ring
	TypeReply = "reply" // call, Reply
	TypeStand = "stand" // call, Stand
)

// How long calls last, in milliseconds. Both ends keep these times by themselves.
const (
	RingMS     = 60_000  // a call that nobody answers is missed
	CallLifeMS = 180_000 // one that somebody answered by coming is over
	MaxCalls   = 16      // open calls of one agent
)

// CallReason says why somebody calls.
type CallReason string

// The reasons. Document calls ask for an answer to a scan that waits for one.
const (
	CallHelp     CallReason = "help"
	CallDocument CallReason = "document"
)

// CallAnswer is what a guard says to a call.
type CallAnswer string

// The answers. Admit and refuse settle the scan of a document call; to a call
// for help refuse says that nobody can come.
const (
	CallComing CallAnswer = "coming"
	CallAdmit  CallAnswer = "admit"
	CallRefuse CallAnswer = "refuse"
)

// CallState is how a call stands. The kiosk's agent decides it, but for missed,
// which the server says as well.
type CallState string

// The states. The first three are open.
const (
	CallCalling   CallState = "calling"   // nobody is known to hear it
	CallRinging   CallState = "ringing"   // at a guard's page
	CallAnswered  CallState = "coming"    // a guard is on the way
	CallAdmitted  CallState = "admitted"  // the scan was answered with documents
	CallRefused   CallState = "refused"   // a guard cannot admit, or cannot come
	CallMissed    CallState = "missed"    // nobody answered in time
	CallCancelled CallState = "cancelled" // taken back at the kiosk
	CallOver      CallState = "over"      // settled otherwise, or too late
)

// Open reports whether a call in this state still waits for somebody.
func (s CallState) Open() bool {
	return s == CallCalling || s == CallRinging || s == CallAnswered
}

// Ring is a call: agent to server, and server to the agents that answer. The
// same id is the same call, said again after a connection was lost.
type Ring struct {
	ID      string     `json:"id"` // "agent-epoch-number" of the kiosk's agent
	Gate    uint16     `json:"gate"`
	Lane    string     `json:"lane"`
	At      int64      `json:"at"` // unix ms
	Reason  CallReason `json:"reason"`
	Scan    string     `json:"scan,omitempty"`    // document: the attempt that waits
	Subject *Subject   `json:"subject,omitempty"` // document: who it is, by the code
}

// Subject is what the guard compares with a document. It is passed on and kept
// nowhere.
type Subject struct {
	Pass signing.PassID `json:"pass,omitzero"`
	Kind signing.Kind   `json:"kind,omitzero"`
	Name string         `json:"name,omitempty"`
	Doc4 string         `json:"doc4,omitempty"`
}

// Reply is a guard's answer: the guard's agent to the server, and the server to
// the kiosk's agent. Guard is empty where no guard is on duty, which only
// coming and refuse allow.
type Reply struct {
	ID        string     `json:"id"`
	Answer    CallAnswer `json:"answer"`
	Gate      uint16     `json:"gate"` // of the guard
	Guard     string     `json:"guard,omitempty"`
	Documents []string   `json:"documents,omitempty"` // admit: those that were shown
}

// Stand says how a call stands: an agent that rings, to the server and on to the
// kiosk's agent; the kiosk's agent, to the server and on to those that ring.
type Stand struct {
	ID     string    `json:"id"`
	State  CallState `json:"state"`
	Gate   uint16    `json:"gate,omitempty"`   // that rings or answered
	Guard  string    `json:"guard,omitempty"`  // who answered
	Reason string    `json:"reason,omitempty"` // of the scan's verdict, where one came of it
}

// Check refuses a call without an id, lane or reason, and a document call without
// a scan.
func (m *Ring) Check() error {
	_, err := ParseEventID(m.ID)
	err = errors.Join(err, within("lane", m.Lane, 1, maxName), within("scan", m.Scan, 0, maxKey))
	switch {
	case m.Reason != CallHelp && m.Reason != CallDocument:
		err = errors.Join(err, fmt.Errorf("reason %.32q is none of a call", m.Reason))
	case (m.Reason == CallDocument) != (m.Scan != ""):
		err = errors.Join(err, errors.New("want a scan with a call about documents, and with no other"))
	case m.Gate == 0:
		err = errors.Join(err, errors.New("gates start at 1"))
	}
	if s := m.Subject; s != nil {
		err = errors.Join(err, within("name", s.Name, 0, maxName), within("doc4", s.Doc4, 0, maxName))
	}
	return err
}

// Check refuses an answer that says nothing, and an admission that nobody
// answers for.
func (m *Reply) Check() error {
	_, err := ParseEventID(m.ID)
	err = errors.Join(err, within("guard", m.Guard, 0, maxName))
	switch m.Answer {
	case CallComing, CallRefuse:
		if len(m.Documents) > 0 {
			err = errors.Join(err, errors.New("documents without an admission"))
		}
	case CallAdmit:
		if m.Guard == "" || len(m.Documents) == 0 || len(m.Documents) > maxShown {
			err = errors.Join(err, fmt.Errorf("an admission wants a guard and 1 to %d documents", maxShown))
		}
	default:
		err = errors.Join(err, fmt.Errorf("answer %.32q is none to a call", m.Answer))
	}
	for _, d := range m.Documents {
		err = errors.Join(err, within("document", d, 1, maxName))
	}
	return err
}

// maxShown bounds the documents of one answer.
const maxShown = 12

// Check refuses a state that there is not.
func (m *Stand) Check() error {
	_, err := ParseEventID(m.ID)
	if !slices.Contains([]CallState{
		CallRinging, CallAnswered, CallAdmitted, CallRefused, CallMissed, CallCancelled, CallOver,
	}, m.State) {
		err = errors.Join(err, fmt.Errorf("a call cannot stand at %.32q", m.State))
	}
	return errors.Join(err, within("guard", m.Guard, 0, maxName), within("reason", m.Reason, 0, maxName))
}
