package wire_test

import (
	"context"
	"strings"
	"testing"

	"campusgate/signing/wire"
)

func TestProgram_OutOfBoundsIsRefused(t *testing.T) {
	digest := strings.Repeat("a", 64)
	health := func(p wire.Program) *wire.Clock { return &wire.Clock{Health: &wire.Health{Program: &p}} }
	good := wire.Program{Version: "1.2.0", OS: "linux", Arch: "amd64", State: wire.ProgramCurrent}
	for name, c := range map[string]struct {
		ok      bool
		message interface{ Check() error }
	}{
		"a fetch":             {true, &wire.Fetch{Release: digest, Offset: 7}},
		"a fetch of nothing":  {false, &wire.Fetch{}},
		"a path":              {false, &wire.Fetch{Release: strings.Repeat("../", 21) + "a"}},
		"upper case":          {false, &wire.Fetch{Release: strings.ToUpper(digest)}},
		"before the start":    {false, &wire.Fetch{Release: digest, Offset: -1}},
		"a part":              {true, &wire.Part{Release: digest, Data: make([]byte, wire.MaxPart)}},
		"a part too large":    {false, &wire.Part{Release: digest, Data: make([]byte, wire.MaxPart+1)}},
		"a long manifest":     {false, &wire.Part{Release: digest, Signed: make([]byte, 5000)}},
		"an offer":            {true, &wire.Clock{Offer: digest}},
		"an offer of a path":  {false, &wire.Clock{Offer: "../../etc/passwd"}},
		"health":              {true, health(good)},
		"health of no system": {false, health(wire.Program{Version: "1", State: wire.ProgramCurrent})},
		"more than all":       {false, health(wire.Program{OS: "linux", Arch: "arm64", State: wire.ProgramDownloading, Percent: 101})},
		"an endless fault":    {false, health(wire.Program{OS: "linux", Arch: "arm64", State: wire.ProgramRefused, Why: strings.Repeat("x", 501)})},
	} {
		if err := c.message.Check(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOutbox_ProgramsComeBehindEverything(t *testing.T) {
	o := wire.NewOutbox()
	for _, s := range []wire.Stream{wire.Load, wire.Down, wire.Up, wire.Ask} {
		if !o.Offer(s, []byte(s)) {
			t.Fatalf("no room for %s", s)
		}
	}
	for _, want := range []wire.Stream{wire.Ask, wire.Up, wire.Down, wire.Load} {
		if got, err := o.Take(context.Background()); err != nil || string(got) != string(want) {
			t.Fatalf("%s, %v: want %s", got, err, want)
		}
	}
}
