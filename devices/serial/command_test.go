//go:build linux

package serial_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/serial"
)

// start runs a scanner of that make and waits until it is open.
func start(t *testing.T, c serial.ScannerConfig) (s devices.Scanner, scans <-chan devices.Scan) {
	t.Helper()
	s, err := serial.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	out, opened, done := make(chan devices.Scan, 100), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.(devices.Notifier).RunNotify(ctx, func(s devices.Scan) { out <- s }, func() { close(opened) })
	}()
	t.Cleanup(func() { cancel(); <-done })
	select {
	case <-opened:
	case <-time.After(patience):
		t.Fatal("the port did not open")
	}
	return s, out
}

// hear reads what the host sent.
func hear(t *testing.T, r io.Reader, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestEveryMakeTakesItsCommandsAndItsAnswersAreNoScans plays each make: it hears
// the trigger, answers as the make does, and reads a code.
func TestEveryMakeTakesItsCommandsAndItsAnswersAreNoScans(t *testing.T) {
	const code = "CP1:QED8WEX0"
	for preset, c := range map[string]struct{ trigger, answer, stop, beep string }{
		"grow-gm60":     {trigger: "\x7E\x00\x08\x01\x00\x02\x01\xAB\xCD", answer: "\x02\x00\x00\x01\x00\x33\x31"},
		"grow-gm65":     {trigger: "\x7E\x00\x08\x01\x00\x02\x01\xAB\xCD", answer: "\x02\x00\x00\x01\x00\x33\x31"},
		"grow-gm861":    {trigger: "\x7E\x00\x08\x01\x00\x02\x01\xAB\xCD", answer: "\x02\x00\x00\x01\x00\x33\x31"},
		"grow-gm67":     {trigger: "\x00\x04\xE4\x04\x00\xFF\x14", answer: "\x04\xD0\x00\x00\xFF\x2C", stop: "\x00\x04\xE5\x04\x00\xFF\x13"},
		"grow-gm72":     {trigger: "\x00\x04\xE4\x04\x00\xFF\x14", answer: "\x04\xD0\x00\x00\xFF\x2C", stop: "\x00\x04\xE5\x04\x00\xFF\x13"},
		"newland":       {trigger: "~\x010000#SCNTRG1;\x03", answer: "\x02\x010000SCNTRG1\x06;\x03", stop: "~\x010000#SCNTRG0;\x03"},
		"honeywell":     {trigger: "\x16\x54\x0D", answer: "NR\r", stop: "\x16\x55\x0D", beep: "\x16\x07\x0D"},
		"mindeo":        {},
		"zebra-ds":      {answer: "NR\r", beep: "\x07"},
		"datalogic":     {trigger: "T", stop: "X", beep: "\x07"},
		"zkteco-zkb200": {trigger: "T", answer: "%%NoRead\r\n", stop: "P"},
	} {
		t.Run(preset, func(t *testing.T) {
			far := terminal(t)
			c0 := on(far.Path)
			c0.Preset = preset
			s, scans := start(t, c0)
			triggerer, _ := s.(devices.Triggerer)
			if (triggerer != nil) != (c.trigger != "") {
				t.Fatalf("triggers: %v", triggerer)
			}
			if triggerer != nil {
				if err := triggerer.Trigger(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := hear(t, far, len(c.trigger)); got != c.trigger {
					t.Errorf("heard % X, want % X", got, c.trigger)
				}
			}
			send(t, far, c.answer+"]Q1"+code+"\r")
			if got := <-scans; got.Text != code {
				t.Errorf("scan %q", got.Text)
			}
			if triggerer != nil {
				if err := triggerer.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := hear(t, far, len(c.stop)); got != c.stop {
					t.Errorf("stop: heard % X", got)
				}
			}
			beeper, _ := s.(devices.Beeper)
			if (beeper != nil) != (c.beep != "") {
				t.Fatalf("beeps: %v", beeper)
			}
			if beeper != nil {
				if err := beeper.Beep(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := hear(t, far, len(c.beep)); got != c.beep {
					t.Errorf("beep: heard % X", got)
				}
			}
			if len(scans) > 0 {
				t.Errorf("and then %q", (<-scans).Text)
			}
		})
	}
	if n := len(serial.Presets()); n != 11 {
		t.Errorf("%d presets, 11 were played", n)
	}
}

func TestACommandToAScannerThatIsNotOpenFails(t *testing.T) {
	far := terminal(t)
	c := on(far.Path)
	c.Preset = "honeywell"
	s, err := serial.New(c)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"Trigger": s.(devices.Triggerer).Trigger(t.Context()), "Stop": s.(devices.Triggerer).Stop(t.Context()), "Beep": s.(devices.Beeper).Beep(t.Context()),
	} {
		if !errors.Is(err, serial.ErrNotOpen) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAPresetSetsTheRateAndAnUnknownOneIsRefused(t *testing.T) {
	var baud int
	_, err := serial.New(serial.ScannerConfig{Config: serial.Config{Path: "/dev/none"}, Preset: "gm1"})
	if !errors.Is(err, serial.ErrPreset) || !strings.Contains(err.Error(), "grow-gm65") {
		t.Errorf("an unknown preset: %v", err)
	}
	for preset, want := range map[string]int{"": 9600, "honeywell": 115200, "newland": 9600} {
		s, err := serial.New(serial.ScannerConfig{Preset: preset, Config: serial.Config{
			Path: "COM9", Dial: func(_ string, b int, _ time.Duration) (serial.Device, error) { baud = b; return nil, io.EOF },
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), nil); !errors.Is(err, io.EOF) || baud != want {
			t.Errorf("%q: %d baud, %v; want %d", preset, baud, err, want)
		}
	}
}

func TestWhatAScannerWasSetUpToAddIsStripped(t *testing.T) {
	far := terminal(t)
	c := on(far.Path)
	c.Prefix, c.Suffix = "\x02G1:", "#\r\n"
	_, scans := start(t, c)
	send(t, far, "\x02G1:"+static+"#\r\n")
	if got := <-scans; got.Text != static {
		t.Errorf("scan %q", got.Text)
	}
	c.Prefix = "A\tB"
	if _, err := serial.New(c); err == nil {
		t.Error("a terminator inside a prefix was taken")
	}
}

// blowing panics when it is read, as a driver package with a fault does.
type blowing struct{ serial.Device }

func (blowing) Read([]byte) (int, error) { panic("index out of range") }

func TestAPanicWhileReadingEndsTheRunOnly(t *testing.T) {
	far := terminal(t)
	c := on(far.Path)
	c.Dial = func(string, int, time.Duration) (serial.Device, error) { return blowing{&silent{}}, nil }
	s, err := serial.New(c)
	if err != nil {
		t.Fatal(err)
	}
	var p *devices.PanicError
	if err := s.Run(t.Context(), nil); !errors.As(err, &p) || !bytes.Contains(p.Stack, []byte("blowing")) {
		t.Errorf("Run: %v", err)
	}
}

type silent struct{}

func (*silent) Read([]byte) (int, error)    { return 0, nil }
func (*silent) Write(b []byte) (int, error) { return len(b), nil }
func (*silent) Flush() error                { return nil }
func (*silent) Close() error                { return nil }
