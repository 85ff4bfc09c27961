package serial

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"campusgate/devices"
)

// ErrNotOpen is returned by a command while the scanner is not open.
var ErrNotOpen = errors.New("the scanner is not open")

// New makes a Scanner that is a devices.Triggerer and a devices.Beeper where its
// preset has the commands.
func New(c ScannerConfig) (devices.Scanner, error) {
	s, err := NewScanner(c)
	if err != nil {
		return nil, err
	}
	switch p := s.mouth.preset; {
	case p.Trigger != "" && p.Beep != "":
		return struct {
			*Scanner
			trigger
			beep
		}{s, trigger{&s.mouth}, beep{&s.mouth}}, nil
	case p.Trigger != "":
		return struct {
			*Scanner
			trigger
		}{s, trigger{&s.mouth}}, nil
	case p.Beep != "":
		return struct {
			*Scanner
			beep
		}{s, beep{&s.mouth}}, nil
	}
	return s, nil
}

// mouth speaks to a scanner. Safe for concurrent use.
type mouth struct {
	preset Preset

	speaking sync.Mutex // one command at a time
	mu       sync.Mutex
	port     *Port // nil while not open
}

// use lends it the open port until the returned function is called.
func (m *mouth) use(p *Port) (giveBack func()) {
	set := func(p *Port) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.port = p
	}
	set(p)
	return func() { set(nil) }
}

// say wakes the scanner where it sleeps, and sends a command.
func (m *mouth) say(ctx context.Context, command string) error {
	m.speaking.Lock()
	defer m.speaking.Unlock()
	m.mu.Lock()
	port := m.port
	m.mu.Unlock()
	if port == nil {
		return ErrNotOpen
	}
	if m.preset.Wake != "" {
		if _, err := port.Write([]byte(m.preset.Wake)); err != nil {
			return fmt.Errorf("wake the scanner: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wakeTime):
		}
	}
	if _, err := port.Write([]byte(command)); err != nil {
		return fmt.Errorf("command the scanner: %w", err)
	}
	return nil
}

type trigger struct{ *mouth }

// Trigger implements devices.Triggerer.
func (t trigger) Trigger(ctx context.Context) error { return t.say(ctx, t.preset.Trigger) }

// Stop implements devices.Triggerer. Where there is no command a read ends by
// itself.
func (t trigger) Stop(ctx context.Context) error {
	if t.preset.Stop == "" {
		return nil
	}
	return t.say(ctx, t.preset.Stop)
}

type beep struct{ *mouth }

// Beep implements devices.Beeper.
func (b beep) Beep(ctx context.Context) error { return b.say(ctx, b.preset.Beep) }
