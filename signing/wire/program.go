package wire

import (
	"errors"
	"fmt"
)

// Load carries programs, behind everything else.
const Load Stream = "load"

// MaxPart is how many bytes of a program one Part holds, so that nothing waits
// for more than a frame of FrameTarget.
const MaxPart = 24 << 10

// Message types of programs.
const (
	TypeFetch = "fetch" // load, Fetch
	TypePart  = "part"  // load, Part
)

// Fetch asks for a part of the release that a Clock offered: agent to server.
// One is under way at a time.
type Fetch struct {
	Release string `json:"release"` // SHA-256 of the program, hex
	Offset  int64  `json:"offset"`
}

// Part answers a Fetch: server to agent. No data means that the release is not
// offered to this agent any more. Nothing of it is believed: what Signed says is
// checked by the pinned root, and the program by Signed.
type Part struct {
	Release string `json:"release"`
	Offset  int64  `json:"offset"`
	Signed  []byte `json:"signed,omitempty"` // the manifest of package release, at offset 0
	Data    []byte `json:"data,omitempty"`
}

// ProgramState is how far an agent is with the release that it is offered.
type ProgramState string

// The states. Each but current and downloading waits for something: failing for
// the next attempt, waiting for a quiet moment, the last three for a person.
const (
	ProgramCurrent     ProgramState = "current" // nothing else is offered, or it runs
	ProgramDownloading ProgramState = "downloading"
	ProgramFailing     ProgramState = "failing" // Why says what is in the way
	ProgramWaiting     ProgramState = "waiting" // it is here, and whole
	ProgramStaged      ProgramState = "staged"  // checked, and about to be tried
	ProgramTrying      ProgramState = "trying"
	ProgramTakenBack   ProgramState = "taken_back" // it was tried and given up
	ProgramUnfit       ProgramState = "unfit"      // it failed its self-test
	ProgramRefused     ProgramState = "refused"    // nothing that may run here
)

// Program is what an agent says of its own program, as part of its Health.
type Program struct {
	Version string       `json:"version"` // "" = of a build that has none
	OS      string       `json:"os"`
	Arch    string       `json:"arch"`
	State   ProgramState `json:"state"`
	Percent int          `json:"percent,omitempty"` // of the download
	Why     string       `json:"why,omitempty"`
}

func (m *Program) check() error {
	if m == nil {
		return nil
	}
	if m.Percent < 0 || m.Percent > 100 {
		return fmt.Errorf("%d percent of a program", m.Percent)
	}
	return errors.Join(within("program version", m.Version, 0, maxName), within("os", m.OS, 1, maxName), within("arch", m.Arch, 1, maxName),
		within("program state", string(m.State), 1, maxName), within("program fault", m.Why, 0, maxText))
}

// Check refuses a question that names no part of a program.
func (m *Fetch) Check() error {
	return errors.Join(checkDigest(m.Release), checkOffset(m.Offset))
}

// Check refuses a part that is too large.
func (m *Part) Check() error {
	if len(m.Data) > MaxPart || len(m.Signed) > maxSigned {
		return fmt.Errorf("a part of %d bytes with a manifest of %d, at most %d and %d", len(m.Data), len(m.Signed), MaxPart, maxSigned)
	}
	return errors.Join(checkDigest(m.Release), checkOffset(m.Offset))
}

// maxSigned is release.MaxSigned, which this package does not know.
const maxSigned = 4 << 10

func checkOffset(n int64) error {
	if n < 0 {
		return fmt.Errorf("offset %d", n)
	}
	return nil
}

// checkDigest refuses what is no SHA-256 in lower-case hex.
func checkDigest(s string) error {
	if len(s) != 64 {
		return fmt.Errorf("release of %d characters, want 64 hex digits", len(s))
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return errors.New("release of other than hex digits")
		}
	}
	return nil
}
