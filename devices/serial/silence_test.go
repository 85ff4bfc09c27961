package serial_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
	"campusgate/devices/serial"
)

// A code without a terminator is over when nothing follows; one of which the rest
// is only read late, since the computer had other things to do, is one code.
func TestSilence_EndsACode_ButNotOneWhoseRestIsReadLate(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		want  []string
	}{
		{0, []string{"CODE"}},
		{49 * time.Millisecond, []string{"CODE"}},
		{59 * time.Millisecond, []string{"CODE"}},
		{61 * time.Millisecond, []string{"CO", "DE"}},
		{time.Second, []string{"CO", "DE"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWire()
			s, err := serial.NewScanner(serial.ScannerConfig{Config: w.config("COM3")})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			ctx, stop := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- s.Run(ctx, func(scan devices.Scan) { got = append(got, scan.Text) }) }()
			w.bytes <- []byte("CO")
			time.Sleep(c.pause)
			w.bytes <- []byte("DE")
			time.Sleep(time.Second)
			stop()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("after %v: %q, want %q", c.pause, got, c.want)
			}
			time.Sleep(time.Second) // the last read ends
		})
	}
}
