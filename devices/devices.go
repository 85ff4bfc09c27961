// Package devices is what a lane sees of its hardware: scanners that hand up
// the text of a code, and barriers that open for one pulse. It knows nothing of
// codes, verdicts or people, and imports nothing else of this project. Each
// transport has a package of its own below this one; package drivers names them.
// There are contacts too, such as sensors and buttons.
package devices

import (
	"context"
	"time"
)

// Scan is one code as a scanner read it.
type Scan struct {
	// Text is valid UTF-8 without line ends. Bytes that cannot be part of any
	// code arrive as U+FFFD, so a damaged read is never mistaken for a good one.
	Text string
	// At is when the last byte was read.
	At time.Time
	// Raw is the number of bytes on the wire, terminators and prefixes included;
	// zero for a scanner that has no wire.
	Raw int
}

// Scanner reads codes until it is told to stop or its device fails.
type Scanner interface {
	// Run blocks. It calls emit from one goroutine, in the order of reading, and
	// never after it returned; emit should be quick. Run returns ctx.Err() when
	// ctx ends and any other error on a fault; it is safe to call again after it
	// returned, never while it runs.
	Run(ctx context.Context, emit func(Scan)) error
}

// Notifier is a Scanner that can tell when its device is open, which is before
// the first scan. RunNotify is Run, and calls opened once when reading starts.
type Notifier interface {
	RunNotify(ctx context.Context, emit func(Scan), opened func()) error
}

// Barrier lets one person through.
type Barrier interface {
	// Open starts one pulse: on, wait, off. It returns as soon as the device took
	// the "on"; the "off" follows by itself, whatever happens to ctx. An Open
	// during a pulse extends it. After an error the barrier may still have
	// opened; the "off" follows then too. Safe for concurrent use.
	Open(ctx context.Context) error
	// Close ends a running pulse with "off" and gives the device back.
	Close() error
}

// Holder is a Barrier that can stand open: in an emergency it is held open until
// it is let go. Where a barrier is none, its pulse is renewed before it ends.
type Holder interface {
	// Hold opens the barrier and keeps it open, past every pulse and whatever an
	// interlock says, or with false brings it to rest. Holding again what is held
	// changes nothing, but for a device that came back meanwhile: it opens. After
	// an error it should be asked again. Safe for concurrent use.
	Hold(ctx context.Context, on bool) error
}

// Input is a contact: a sensor that sees people go through, a button.
type Input interface {
	// Run blocks. It calls emit with the state of the contact once it is open, and
	// at every change after; from one goroutine, and never after it returned. It
	// returns ctx.Err() when ctx ends and any other error on a fault, and may be
	// called again then.
	Run(ctx context.Context, emit func(active bool)) error
}

// Triggerer is a Scanner that reads when it is told to.
type Triggerer interface {
	// Trigger starts one read, which ends with a code or when the scanner's own
	// time is up. It fails while the scanner is not open.
	Trigger(ctx context.Context) error
	// Stop ends a read that found nothing yet.
	Stop(ctx context.Context) error
}

// Beeper is a device that can sound, for people who do not look at a screen.
type Beeper interface {
	// Beep sounds once, as after a good read.
	Beep(ctx context.Context) error
}

// Prober is a device that can say whether its device is there.
type Prober interface {
	// Probe names what was found, or returns why the device cannot be used. It
	// never moves a barrier.
	Probe(ctx context.Context) (string, error)
}

// The states of Health.
const (
	// Starting is the state before the device was opened for the first time.
	Starting = "starting"
	// OK means that the device is open.
	OK = "ok"
	// Lost means that the last attempt to open or read the device failed.
	Lost = "lost"
	// Stuck means that the device, or its driver, does not return from a call that
	// should have ended long ago.
	Stuck = "stuck"
	// Silent means that the device is open, and has said nothing for longer than it
	// ever should.
	Silent = "silent"
	// Garbled means that the device is open, and nothing of what it says can be
	// made out.
	Garbled = "garbled"
)

// Health is the state of one device, for the console and the metrics.
type Health struct {
	// State is one of the states above. A Supervisor gives Starting, OK, Lost and
	// Stuck; whoever knows what a device should say finds it Silent or Garbled.
	State string
	// Since is when State began.
	Since time.Time
	// Detail is the last error, empty while all is well.
	Detail string
}
