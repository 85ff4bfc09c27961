package console

import (
	"campusgate/agent/desk"
	"campusgate/signing/wire"
)

// Status is how the agent is, for the page and the metrics. Times are unix
// milliseconds; zero means never.
type Status struct {
	Agent     uint32   `json:"agent"`
	Epoch     uint32   `json:"epoch"`
	Gate      Gate     `json:"gate"`
	Site      string   `json:"site"`
	Software  string   `json:"software"`
	Mode      string   `json:"mode"`      // gate, terminal or kiosk
	Documents string   `json:"documents"` // none or required
	Shift     Shift    `json:"shift"`
	Online    bool     `json:"online"`
	Since     int64    `json:"since"` // of Online as it is
	LastError string   `json:"last_error"`
	Now       int64    `json:"now"` // the agent's corrected clock
	Snapshot  Snapshot `json:"snapshot"`
	Queue     uint64   `json:"queue"` // events that the server has not acknowledged
	Clock     Clock    `json:"clock"`
	Lanes     []Lane   `json:"lanes"`
	Devices   []Device `json:"devices"`
	Printer   *Printer `json:"printer"` // null = there is none
	// Alarms are the lockdowns and emergency openings in force, the one that counts
	// first.
	Alarms []wire.AlarmMove `json:"alarms"`
}

// Device is how one device is, whatever it is. Its state is starting, ok, lost,
// stuck (the driver hangs), silent (nothing for too long) or garbled (nothing
// that makes sense). Driver none: there is none.
type Device struct {
	Lane   string `json:"lane"` // "" = of none
	Kind   string `json:"kind"` // scanner, barrier, sensor, printer …
	Driver string `json:"driver"`
	Name   string `json:"name"` // where a lane has several of a kind; "" otherwise
	State  string `json:"state"`
	Since  int64  `json:"since"`
	Detail string `json:"detail"`
}

// Shift says who is on duty. Where one is required nothing that a guard answers
// for happens while nobody is.
type Shift struct {
	Required bool        `json:"required"`
	Guard    *desk.Shift `json:"guard"` // null = nobody
}

// Gate names the place where the agent stands.
type Gate struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"`
}

// Snapshot is what the agent knows of the server's lists. AgeMS is counted
// from when the server last said that they are current.
type Snapshot struct {
	Revision uint64 `json:"revision"`
	At       int64  `json:"at"`
	AgeMS    int64  `json:"age_ms"`
	Stale    bool   `json:"stale,omitempty"` // older than the configuration allows: nobody is admitted
}

// Clock says whether the agent's time can be relied on, and why not.
type Clock struct {
	// Reason is set_back or not_synced where it cannot; the page has the words.
	Trusted  bool   `json:"trusted"`
	OffsetMS int64  `json:"offset_ms"` // server minus this computer
	SyncedAt int64  `json:"synced_at"`
	Reason   string `json:"reason"`
}

// Lane is one way through the gate, with its devices.
type Lane struct {
	Name      string  `json:"name"`
	Direction string  `json:"direction"` // in or out
	Scanner   Scanner `json:"scanner"`
	Barrier   Barrier `json:"barrier"`
	Trigger   bool    `json:"trigger"` // its scanner can be told to read
}

// Scanner is the state of a lane's reader, of the worst where it has several.
// State is starting, ok or lost.
type Scanner struct {
	Driver string `json:"driver"`
	State  string `json:"state"`
	Since  int64  `json:"since"`
	Detail string `json:"detail"`
}

// Printer is the state of the receipt printer. State is as with Scanner; Reason is
// a wire.PrintReason where it is lost.
type Printer struct {
	Driver string `json:"driver"`
	State  string `json:"state"`
	Since  int64  `json:"since"`
	Reason string `json:"reason"`
	Detail string `json:"detail"`
}

// Barrier is the state of a lane's relay. State is as with Scanner.
type Barrier struct {
	Driver string `json:"driver"`
	State  string `json:"state"`
	Detail string `json:"detail"`
}
