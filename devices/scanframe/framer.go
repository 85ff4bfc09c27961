// Package scanframe turns the bytes of a serial scanner into the texts of
// codes. It is pure: no port, no clock; the caller feeds bytes and says when the
// line has been quiet.
package scanframe

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

const (
	// DefaultMax is the length of the longest frame, in bytes: about nine times
	// the longest code of this system.
	DefaultMax = 4096
	// IdleGap is the pause after which a frame without a terminator is over. It
	// is the longest gap that the manual of a common make (Datalogic) allows
	// between two characters of one code.
	IdleGap = 50 * time.Millisecond
)

// overlongKept is how much of an overlong frame is kept to show.
const overlongKept = 64

// Config sets up a Framer. The zero value is ready to use.
type Config struct {
	// Max is the length of the longest frame in bytes; 0 means DefaultMax.
	Max int
	// Prefixes are the beginnings of codes. Where a scanner sends no
	// terminators, two codes without a pause between them are cut apart where
	// the second prefix begins. Without Prefixes they stay one frame.
	Prefixes []string
	// Answers are byte strings that this make of scanner sends in answer to
	// commands; they are no part of a code, wherever they stand.
	Answers []string
	// Nothing are frames that say that nothing was read.
	Nothing []string
	// Prefix and Suffix are what the scanner was set up to put around each code;
	// they are stripped where they are there. Terminators at the end of Suffix and
	// at the beginning of Prefix are passed over; see Check.
	Prefix, Suffix string
}

// Check refuses what a scanner cannot put around a code: something with a
// terminator inside, which would end the frame there.
func (c Config) Check() error {
	for what, s := range map[string]string{"prefix": trimEnds(c.Prefix), "suffix": trimEnds(c.Suffix)} {
		if strings.ContainsAny(s, terminators) {
			return fmt.Errorf("%s %q: CR, LF, TAB and ETX end a code and cannot stand inside", what, s)
		}
	}
	return nil
}

// Frame is one code as it came.
type Frame struct {
	// Text is valid UTF-8 without NUL, line ends or TAB, and never empty.
	Text string
	// Raw is the number of bytes on the wire, with everything that was stripped.
	Raw int
	// Overlong tells that the frame passed Config.Max: Text is its beginning,
	// ended by U+FFFD, Raw what had come when that happened. The rest of the
	// frame is dropped.
	Overlong bool
}

// surePrefix is the length from which a prefix inside a code is no accident. A
// shorter one is: "CP1:" is made of base45 letters and turns up by chance in one
// of some ten thousand live codes.
const surePrefix = 6

// Framer collects bytes until a frame is complete: at CR, LF, TAB, ETX, at a
// pause, or where the next code begins. GS (0x1D) never ends a frame. Its memory
// is bounded by Config.Max. One goroutine uses it.
type Framer struct {
	max      int
	prefixes [][]byte
	around   around

	buf  []byte
	raw  int
	skip bool // inside an overlong frame
	// bare: the last frame ended without a terminator, so this scanner may glue
	// two codes together, and any prefix ends the frame before it. A scanner that
	// sends terminators does not, and only a sure prefix does.
	bare bool
	out  []Frame
}

// New makes a Framer.
func New(c Config) *Framer {
	if c.Max <= 0 {
		c.Max = DefaultMax
	}
	f := &Framer{max: c.Max, around: newAround(c)}
	for _, p := range c.Prefixes {
		if p != "" {
			f.prefixes = append(f.prefixes, []byte(p))
		}
	}
	return f
}

// Feed takes the next bytes and returns the frames they complete. How the bytes
// are divided between calls makes no difference.
func (f *Framer) Feed(data []byte) []Frame {
	f.out = nil
	for _, b := range data {
		f.raw++
		if ends(b) {
			f.finish()
			f.bare = false
		} else if !f.skip {
			f.push(b)
		}
	}
	return f.out
}

// Idle says that the line has been quiet for the gap, which ends what is
// pending, and returns the frames that this completes.
func (f *Framer) Idle() []Frame {
	f.out = nil
	if !f.bare && f.around.clean(f.buf, false) != "" {
		f.recut()
	}
	f.finish()
	return f.out
}

// Pending reports whether bytes wait for the end of their frame, so that the
// caller must watch for a pause.
func (f *Framer) Pending() bool { return f.raw > 0 }

// terminators end a code. ETX is one because a scanner set to STX/ETX wrapping
// sends nothing after it.
const terminators = "\r\n\t\x03"

func ends(b byte) bool {
	return b == '\r' || b == '\n' || b == '\t' || b == etx
}

// push adds one byte of a code.
func (f *Framer) push(b byte) {
	if len(f.buf) == f.max && !f.bare {
		f.recut() // a scanner without terminators may have glued codes this far
	}
	if len(f.buf) == f.max {
		kept := f.around.clean(f.buf[:min(overlongKept, f.max)], true)
		f.out = append(f.out, Frame{Text: kept + string(inert), Raw: f.raw, Overlong: true})
		f.buf, f.skip = f.buf[:0], true
		return
	}
	f.buf = append(f.buf, b)
	f.cut()
}

// cut ends the frame in front of a prefix that the buffer ends with.
func (f *Framer) cut() {
	for _, p := range f.prefixes {
		head, found := bytes.CutSuffix(f.buf, p)
		if !found || !f.bare && len(p) < surePrefix {
			continue
		}
		text := f.around.clean(head, true)
		if text == "" {
			return // only a wrapper in front: the prefix begins this frame
		}
		f.out = append(f.out, Frame{Text: text, Raw: f.raw - len(p)})
		f.buf = append(f.buf[:0], p...)
		f.raw = len(p)
		return
	}
}

// recut takes the buffer as coming from a scanner without terminators.
func (f *Framer) recut() {
	f.bare = true
	held := bytes.Clone(f.buf)
	coming := f.raw - len(held) // 1 while a byte is being pushed
	f.buf, f.raw = f.buf[:0], 0
	for _, b := range held {
		f.raw++
		f.push(b)
	}
	f.raw += coming
}

// finish ends the frame.
func (f *Framer) finish() {
	if text := f.around.clean(f.buf, false); text != "" {
		f.out = append(f.out, Frame{Text: text, Raw: f.raw})
	}
	f.buf, f.raw, f.skip = f.buf[:0], 0, false
}
