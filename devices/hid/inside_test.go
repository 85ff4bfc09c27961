package hid

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/devices"
)

// fake is a device that gives what is put into it.
type fake struct {
	in     chan []piece
	failed error // what reading returns once in is closed
	gone   chan struct{}
}

func newFake() *fake {
	return &fake{in: make(chan []piece), failed: errors.New("no such device"), gone: make(chan struct{})}
}

func (f *fake) read() ([]piece, error) {
	select {
	case p, ok := <-f.in:
		if !ok {
			return []piece{{data: []byte("HALF"), at: time.Hour}}, unplugged("fake", f.failed)
		}
		return p, nil
	case <-f.gone:
		return nil, os.ErrClosed
	}
}

func (f *fake) Close() error {
	close(f.gone)
	return nil
}

// type sends text, one character each 10 ms of the device's clock, in one read.
func (f *fake) typed(at time.Duration, text string) {
	var out []piece
	for i := range len(text) {
		out = append(out, piece{data: []byte(text[i : i+1]), at: at + time.Duration(i)*10*time.Millisecond})
	}
	f.in <- out
}

// on runs a scanner with the fake, and returns its scans and its end.
func on(ctx context.Context, f *fake, c Config, emit func(devices.Scan)) (*Scanner, chan error) {
	c.Path, c.Now = "fake", time.Now
	if c.IdleGap == 0 {
		c.IdleGap = TypingGap
	}
	s := &Scanner{c: c, debounce: devices.NewDebounce(c.Debounce), open: func(context.Context, Config) (source, error) { return f, nil }}
	done, opened := make(chan error, 1), make(chan struct{})
	go func() { done <- s.RunNotify(ctx, emit, func() { close(opened) }) }()
	<-opened
	return s, done
}

func TestCodesEndWithEnterOrSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		ctx, cancel := context.WithCancel(t.Context())
		var got []string
		var at []time.Duration
		start := time.Now()
		_, done := on(ctx, f, Config{Debounce: -1, Prefixes: []string{"HTTPS://"}}, func(s devices.Scan) {
			got, at = append(got, s.Text), append(at, time.Since(start))
		})
		f.typed(0, "]Q1CODE 1\rCODE 2\t")
		synctest.Wait()
		if !slices.Equal(got, []string{"CODE 1", "CODE 2"}) {
			t.Fatalf("got %q", got)
		}
		f.typed(time.Second, "CODE 3")
		time.Sleep(TypingGap + TypingGap/10)
		synctest.Wait()
		f.typed(time.Second+60*time.Millisecond, " READ LATE") // but typed at once
		time.Sleep(TypingGap + TypingGap/5)
		synctest.Wait()
		if len(got) != 3 || got[2] != "CODE 3 READ LATE" || at[2] != 2*TypingGap+3*TypingGap/10 {
			t.Fatalf("got %q at %v", got, at)
		}
		// By the device's clock there was a pause, though both came in one read.
		f.in <- []piece{{[]byte("HALF"), 2 * time.Second}, {[]byte("HALF\r"), 2*time.Second + TypingGap}}
		f.typed(3*time.Second, "HTTPS://AHTTPS://B\r")
		synctest.Wait()
		if want := []string{"HALF", "HALF", "HTTPS://A", "HTTPS://B"}; !slices.Equal(got[3:], want) {
			t.Errorf("got %q, want %q", got[3:], want)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
		select {
		case <-f.gone:
		default:
			t.Error("the device was not closed")
		}
	})
}

func TestAnUnplugEndsTheRunAndHalfACodeIsNone(t *testing.T) {
	f := newFake()
	var got []string
	_, done := on(t.Context(), f, Config{}, func(s devices.Scan) { got = append(got, s.Text) })
	f.typed(0, "CODE\r")
	close(f.in)
	if err := <-done; !errors.Is(err, ErrUnplugged) || err.Error() != "fake: unplugged: no such device" {
		t.Errorf("Run: %v", err)
	}
	if !slices.Equal(got, []string{"CODE"}) {
		t.Errorf("got %q", got)
	}
}

func TestTheDeviceIsReadWhileAScanIsHandled(t *testing.T) {
	f := newFake()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	block, got := make(chan struct{}), make(chan string, batches)
	_, done := on(ctx, f, Config{Debounce: -1}, func(s devices.Scan) {
		<-block
		got <- s.Text
	})
	for i := range batches - 2 { // none of these waits
		f.typed(time.Duration(i)*time.Second, fmt.Sprintf("%d\r", i))
	}
	close(block)
	for i := range batches - 2 {
		if s := <-got; s != fmt.Sprint(i) {
			t.Fatalf("scan %d is %s", i, s)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
}

func TestACodeHeldInViewIsOneScan(t *testing.T) {
	f := newFake()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var got []string
	s, done := on(ctx, f, Config{}, func(s devices.Scan) { got = append(got, s.Text) })
	for i := range 5 {
		f.typed(time.Duration(i)*200*time.Millisecond, "CODE\r")
	}
	f.typed(time.Hour, "OTHER\r")
	close(f.in)
	if err := <-done; !errors.Is(err, ErrUnplugged) {
		t.Errorf("Run: %v", err)
	}
	if !slices.Equal(got, []string{"CODE", "OTHER"}) || s.Suppressed() != 4 {
		t.Errorf("got %q, %d suppressed", got, s.Suppressed())
	}
}

func TestAScannerNeedsAPath(t *testing.T) {
	for _, make := range []func(Config) (*Scanner, error){NewKeyboard, NewPOS} {
		if s, err := make(Config{}); err == nil || s != nil {
			t.Errorf("%v, %v", s, err)
		}
		if !supported {
			if _, err := make(Config{Path: "x"}); !errors.Is(err, ErrSystem) {
				t.Errorf("here %v", err)
			}
		}
	}
}
