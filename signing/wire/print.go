package wire

import (
	"errors"
	"fmt"
)

// PrintWaitMS is how long the server waits for a Printed. Paper is slow.
const PrintWaitMS = 12_000

// MaxPrints is how many Prints of one agent may be under way.
const MaxPrints = 4

// Limits of what may be printed.
const (
	maxPrintRows = 60
	maxPrintText = 1000 // bytes of a text
	maxPrintCode = 700  // characters of a QR code
)

// Message types of printing.
const (
	TypePrint   = "print"   // ask, Print
	TypePrinted = "printed" // ask, Printed
)

// Print has the receipt printer at an agent print something: server to agent.
// An id is printed once at most: asked again the agent says what came of it, and
// prints nothing.
type Print struct {
	ID   string     `json:"id"` // 8 to 64 letters, digits and hyphens
	Rows []PrintRow `json:"rows"`
}

// PrintRow is a line of text, or, where one is set, a QR code or a rule. How many
// characters a line holds only the agent knows.
type PrintRow struct {
	Text  string     `json:"text,omitempty"`
	Right string     `json:"right,omitempty"` // at the right edge, behind Text
	Align PrintAlign `json:"align,omitempty"` // "" = left
	Large bool       `json:"large,omitempty"`
	Bold  bool       `json:"bold,omitempty"`
	QR    string     `json:"qr,omitempty"`
	Rule  bool       `json:"rule,omitempty"`
}

// PrintAlign is where a row stands.
type PrintAlign string

// The places.
const (
	PrintLeft   PrintAlign = ""
	PrintCenter PrintAlign = "center"
	PrintRight  PrintAlign = "right"
)

// Printed answers a Print: agent to server.
type Printed struct {
	ID     string      `json:"id"`
	State  PrintState  `json:"state"`
	Reason PrintReason `json:"reason,omitempty"` // unless done
	Detail string      `json:"detail,omitempty"` // what the device said, for whoever mends it
}

// PrintState says what is on the paper.
type PrintState string

// The states.
const (
	PrintDone    PrintState = "done"
	PrintFailed  PrintState = "failed"  // nothing came out
	PrintUnknown PrintState = "unknown" // somebody has to look at the paper
)

// PrintReason says why it is not done.
type PrintReason string

// The reasons.
const (
	PrintNoPrinter   PrintReason = "no_printer"
	PrintPaperOut    PrintReason = "paper_out"
	PrintCoverOpen   PrintReason = "cover_open"
	PrintFault       PrintReason = "fault"       // Detail says which
	PrintBusy        PrintReason = "busy"        // too much is being printed
	PrintInterrupted PrintReason = "interrupted" // the agent stopped while it printed
	PrintOffline     PrintReason = "offline"     // the agent is not connected; of the server's own
	PrintSilent      PrintReason = "silent"      // the agent did not answer in time; of the server's own
)

// CheckPrintID refuses an id that is none.
func CheckPrintID(id string) error { return checkToken("print id", id) }

// checkToken refuses what is no id of the server's own.
func checkToken(what, id string) error {
	if err := within(what, id, 8, 64); err != nil {
		return err
	}
	for _, c := range []byte(id) {
		if c != '-' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return fmt.Errorf("%s of other than letters, digits and hyphens", what)
		}
	}
	return nil
}

// Check refuses what is no piece of paper.
func (m *Print) Check() error {
	if err := CheckPrintID(m.ID); err != nil {
		return err
	}
	if len(m.Rows) == 0 || len(m.Rows) > maxPrintRows {
		return fmt.Errorf("%d rows, want 1 to %d", len(m.Rows), maxPrintRows)
	}
	for i := range m.Rows {
		if err := m.Rows[i].check(); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

func (r *PrintRow) check() error {
	switch r.Align {
	case PrintLeft, PrintCenter, PrintRight:
	default:
		return fmt.Errorf("align %.32q", r.Align)
	}
	for i := range len(r.QR) {
		if r.QR[i] < ' ' || r.QR[i] > '~' {
			return errors.New("a QR text of other than printable ASCII")
		}
	}
	return errors.Join(within("text", r.Text, 0, maxPrintText), within("right", r.Right, 0, maxPrintText), within("QR text", r.QR, 0, maxPrintCode))
}

// Check refuses an answer that says nothing.
func (m *Printed) Check() error {
	if err := CheckPrintID(m.ID); err != nil {
		return err
	}
	switch m.State {
	case PrintDone:
		return within("detail", m.Detail, 0, 0)
	case PrintFailed, PrintUnknown:
		return errors.Join(within("reason", string(m.Reason), 1, maxName), within("detail", m.Detail, 0, maxText))
	}
	return fmt.Errorf("print state %.32q", m.State)
}
