package serial

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ErrPreset is wrapped when no preset has the name asked for.
var ErrPreset = errors.New("unknown preset")

// Preset is what is known of a make of scanners. How a code ends is no part of
// it: every make ends codes with CR, LF, TAB, ETX or a pause, and the framer
// takes them all, so that a scanner whose tail was changed works as before.
type Preset struct {
	// Baud is the rate out of the box.
	Baud int
	// Answers are what the scanner sends in answer to commands, without a mark
	// between them and a code; they are dropped.
	Answers []string
	// Nothing are frames that say that nothing was read; they are dropped.
	Nothing []string
	// Wake is sent before a command, then wakeTime passes: the scanner sleeps.
	Wake string
	// Trigger starts a read, Stop ends it, Beep sounds. "" = there is no such
	// command, or none that we found a manual for.
	Trigger, Stop, Beep string
}

// wakeTime is how long a scanner takes from its first byte to being awake.
const wakeTime = 50 * time.Millisecond

// The commands of the makes. A trigger is heard only by a scanner that was set to
// its command mode (Grow: mode 1 of zone 0x0000; Honeywell: TRGMOD0), and a
// beep by a Zebra or Datalogic only where "beep on BEL" was not switched off.
const (
	growTrigger  = "\x7E\x00\x08\x01\x00\x02\x01\xAB\xCD"
	growStart    = "\x04\xE4\x04\x00\xFF\x14"
	growStop     = "\x04\xE5\x04\x00\xFF\x13"
	growAck      = "\x04\xD0\x00\x00\xFF\x2C"
	newlandOpen  = "~\x010000#SCNTRG1;\x03"
	newlandClose = "~\x010000#SCNTRG0;\x03"
)

// presets by name. What every scanner is relieved of, such as AIM identifiers
// and the answers that no code can hold, scanframe knows.
var presets = map[string]Preset{
	"grow-gm60":     {Baud: 9600, Trigger: growTrigger},
	"grow-gm65":     {Baud: 9600, Trigger: growTrigger},
	"grow-gm861":    {Baud: 9600, Trigger: growTrigger},
	"grow-gm67":     {Baud: 9600, Answers: []string{growAck}, Wake: "\x00", Trigger: growStart, Stop: growStop},
	"grow-gm72":     {Baud: 9600, Answers: []string{growAck}, Wake: "\x00", Trigger: growStart, Stop: growStop},
	"newland":       {Baud: 9600, Trigger: newlandOpen, Stop: newlandClose},
	"honeywell":     {Baud: 115200, Nothing: []string{"NR"}, Trigger: "\x16T\r", Stop: "\x16U\r", Beep: "\x16\x07\r"},
	"mindeo":        {Baud: 9600},
	"zebra-ds":      {Baud: 9600, Nothing: []string{"NR"}, Beep: "\x07"},
	"datalogic":     {Baud: 9600, Trigger: "T", Stop: "X", Beep: "\x07"},
	"zkteco-zkb200": {Baud: 9600, Trigger: "T", Stop: "P"},
}

// Presets names what ScannerConfig.Preset may hold.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// LookupPreset gives a preset; "" is the one that presumes nothing.
func LookupPreset(name string) (Preset, error) {
	if name == "" {
		return Preset{Baud: DefaultBaud}, nil
	}
	p, ok := presets[name]
	if !ok {
		return p, fmt.Errorf("%w %q; known: %s", ErrPreset, name, strings.Join(Presets(), ", "))
	}
	return p, nil
}
