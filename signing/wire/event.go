package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// EventType says what an event records.
type EventType string

// The types of event. Scan is an attempt at a lane, whatever its result.
// Grant is an owner's durable answer to another gate's claim: it uses the pass
// up before the answer leaves. Annul takes back an earlier admission, grant or
// entry. Entry is somebody without a code, whom the guard let in or did not;
// Register is an entry that is kept in a register. Shift is a guard who came on
// duty or went. Charge is an attempt at a till, whatever its result; Void takes an
// accepted charge back, or gives back a question that led to none; Batch is the
// till's batch that was opened or closed. Alarm is a lockdown or an emergency
// opening that came to hold at the gate, or that ended.
const (
	EventScan     EventType = "scan"
	EventGrant    EventType = "grant"
	EventAnnul    EventType = "annul"
	EventEntry    EventType = "entry"
	EventRegister EventType = "register"
	EventShift    EventType = "shift"
	EventCharge   EventType = "charge"
	EventVoid     EventType = "void"
	EventBatch    EventType = "batch"
	EventAlarm    EventType = "alarm"
)

// Judged reports whether events of this type hold a decision and its case.
func (t EventType) Judged() bool { return t == EventScan || t == EventEntry || t == EventRegister }

// EventID names an event for ever. Its text form is "agent-epoch-seq".
type EventID struct {
	Agent uint32
	Epoch uint32
	Seq   uint64
}

func (id EventID) String() string { return fmt.Sprintf("%d-%d-%d", id.Agent, id.Epoch, id.Seq) }

// ParseEventID reads the text form.
func ParseEventID(s string) (id EventID, err error) {
	if n, err := fmt.Sscanf(s, "%d-%d-%d", &id.Agent, &id.Epoch, &id.Seq); err != nil || n != 3 || id.String() != s {
		return EventID{}, fmt.Errorf("malformed event id %q: want agent-epoch-seq", s)
	}
	return id, nil
}

// MarshalText and UnmarshalText make EventID a JSON string.
func (id EventID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

func (id *EventID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseEventID(string(b))
	return err
}

// Event is one entry of an agent's journal. The facts that were judged are
// inside, so that anyone with the same judge can repeat the decision. Codes and
// the numbers of documents are not, nor are names, but for those that a
// register is kept of and what a guard wrote in a note.
type Event struct {
	ID        EventID         `json:"id"`
	Type      EventType       `json:"type"`
	Scan      string          `json:"scan,omitempty"`   // the attempt's id at its lane: what answers and annuls name
	At        int64           `json:"at"`               // unix ms, the agent's corrected clock
	Offset    *int64          `json:"offset,omitempty"` // ms that were added to the PC's clock; absent = never synced
	Gate      uint16          `json:"gate"`
	Lane      string          `json:"lane,omitempty"`
	Source    string          `json:"source,omitempty"` // serial, wedge, camera, api, guard, sensor
	Offline   bool            `json:"offline,omitempty"`
	Pass      signing.PassID  `json:"pass,omitzero"`
	Verdict   verdict.Verdict `json:"verdict"`
	Case      *verdict.Case   `json:"case,omitempty"`      // scans, entries, registers and charges
	Claim     string          `json:"claim,omitempty"`     // claim id, where one was asked or granted
	For       uint16          `json:"for,omitempty"`       // grants: the gate that asked
	Annuls    *EventID        `json:"annuls,omitempty"`    // annuls and voids: which event
	Counts    bool            `json:"counts,omitempty"`    // adds one use of the pass (an annul: takes it back)
	Documents []string        `json:"documents,omitempty"` // shown, as the guard ticked them
	Guard     string          `json:"guard,omitempty"`     // number of the guard on shift
	Note      string          `json:"note,omitempty"`      // the guard's own words to an entry
	Register  *Register       `json:"register,omitempty"`  // registers
	Shift     ShiftMove       `json:"shift,omitempty"`     // shifts
	Charge    *Charge         `json:"charge,omitempty"`    // charges, and voids of one
	Batch     *Batch          `json:"batch,omitempty"`     // batches
	Alarm     *AlarmMove      `json:"alarm,omitempty"`     // alarms
	Move      *Move           `json:"move,omitempty"`      // releases
}

// Register is what is kept of somebody who leaves or comes by a rule that
// keeps a register. The direction is that of the case.
type Register struct {
	Kind      verdict.RegisterKind `json:"kind"`
	Person    string               `json:"person"`
	Number    string               `json:"number,omitempty"`    // of a student
	Relation  string               `json:"relation,omitempty"`  // of a relative
	Staff     string               `json:"staff,omitempty"`     // to whom
	Ends      *EventID             `json:"ends,omitempty"`      // the event that this one is the end of
	Collected bool                 `json:"collected,omitempty"` // the paper stayed with the guard
}

// ShiftMove says what became of a shift.
type ShiftMove string

// The moves. A guard who comes relieves the one before: that is an end first.
const (
	ShiftBegins ShiftMove = "begins"
	ShiftEnds   ShiftMove = "ends"
)

// Hash is a link of the journal's chain.
type Hash [sha256.Size]byte

func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText and UnmarshalText make Hash a JSON string.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

func (h *Hash) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil || len(raw) != len(h) {
		return fmt.Errorf("malformed hash %q: want %d hex digits", b, 2*len(h))
	}
	copy(h[:], raw)
	return nil
}

// Chain gives the hash of an event body that follows prev: SHA-256 over prev
// and the body's exact bytes. The first event of an epoch follows the zero
// hash.
func Chain(prev Hash, body []byte) Hash {
	h := sha256.New()
	h.Write(prev[:])
	h.Write(body)
	return Hash(h.Sum(nil))
}

// Record is an event as it travels and rests: the exact bytes that were
// hashed, with their place in the chain. Same id and same hash is the same
// event for ever.
type Record struct {
	Seq  uint64          `json:"seq"`
	Hash Hash            `json:"hash"`
	Body json.RawMessage `json:"body"`
}

// Seal makes the record of an event that follows prev.
func Seal(prev Hash, e *Event) (Record, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return Record{}, fmt.Errorf("seal event %v: %w", e.ID, err)
	}
	return Record{Seq: e.ID.Seq, Hash: Chain(prev, body), Body: body}, nil
}
