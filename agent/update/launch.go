package update

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"time"

	"campusgate/signing/release"
)

// What the environment tells a child.
const (
	// Variable is which program it is, by hash.
	Variable = "CAMPUSGATE_UPDATE"
	// Home is the path of the installed program.
	Home = "CAMPUSGATE_INSTALLED"
)

// How long things may take.
const (
	// Proof is how long a trial works before it confirms itself.
	Proof = 20 * time.Second
	// chance is how long a trial has until then, on a slow PC too. Under systemd
	// one that never gets ready, or falls silent, is ended before that.
	chance = 90 * time.Second
	// parting is how long a child has to end when it is asked to.
	parting = 12 * time.Second
)

// Launcher runs what is to run.
type Launcher struct {
	Book
	Installed string   // path of the installed program, this one
	Args      []string // for a child, as this program was started
	Stdout    io.Writer
	Stderr    io.Writer
	Log       *slog.Logger
	// Own runs the installed program in this process until ctx ends or an update
	// waits.
	Own func(ctx context.Context) error
	// Chance is how long a trial has, Parting how long a child has to end when it is
	// asked to; 0 means the usual.
	Chance, Parting time.Duration
}

// Run runs the program that the state names until ctx ends, and the next one
// whenever an update waits or a trial has failed. The error is that of a program
// that ended by itself.
func (l *Launcher) Run(ctx context.Context) error {
	for {
		m, trial := l.choose()
		var err error
		switch {
		case m == nil:
			err = l.Own(ctx)
		case trial:
			err = l.try(ctx, *m)
		default:
			err = l.child(ctx, *m)
		}
		if ctx.Err() != nil {
			return err
		}
		if trial && l.failed(*m, err) {
			continue
		}
		if s, loadErr := l.Load(); loadErr != nil || s.Trial == nil || s.Tried {
			return err
		}
		l.Log.Info("makes room for an update", "program", Name(m))
	}
}

// choose gives the program to run, nil for the installed one, and whether it is a
// trial, whose only chance is on the disk then.
func (l *Launcher) choose() (m *release.Manifest, trial bool) {
	s, err := l.Load()
	if err != nil {
		l.Log.Error("the installed program runs", "error", err)
		return nil, false
	}
	if s.Installed == "" {
		return nil, false // nothing was ever staged
	}
	next, err := l.settled(s, l.Installed)
	if err != nil {
		l.Log.Error("the installed program runs", "error", err)
		return nil, false
	}
	changed := next.Installed != s.Installed
	if s = next; s.Trial != nil {
		why := "it did not confirm itself before everything ended"
		if !s.Tried {
			if err := l.whole(s.Trial); err == nil {
				s.Tried = true
				if err = l.save(s); err == nil {
					return s.Trial, true
				}
				l.Log.Error("the update is not tried", "error", err)
				return s.Current, false
			}
			why = "its file is damaged"
		}
		s.Last, s.Trial, s.Tried, changed = l.result(s.Trial, RolledBack, why), nil, false, true
	}
	for s.Current != nil && l.whole(s.Current) != nil {
		s.Last = l.result(s.Current, RolledBack, "its file is damaged")
		s.Current, s.Previous, changed = s.Previous, nil, true
	}
	if changed {
		l.keep(s)
	}
	return s.Current, false
}

// keep writes a state that holds already, and is found out again if it is lost.
func (l *Launcher) keep(s State) {
	if err := l.save(s); err != nil {
		l.Log.Error("state of updates not written", "error", err)
		return
	}
	if s.Last != nil {
		l.Log.Warn("update", "version", s.Last.Version, "outcome", s.Last.Outcome, "why", s.Last.Why)
	}
	l.tidy(s)
}

// failed goes back when a trial that has ended did not confirm itself.
func (l *Launcher) failed(m release.Manifest, err error) bool {
	s, loadErr := l.Load()
	if loadErr != nil || s.Trial == nil || *s.Trial != m {
		return false
	}
	s.Last, s.Trial, s.Tried = l.result(&m, RolledBack, fmt.Sprintf("it ended before it confirmed itself: %v", err)), nil, false
	l.keep(s)
	return true
}

// try is child, for as long as a trial may take to confirm itself.
func (l *Launcher) try(ctx context.Context, m release.Manifest) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	over := time.AfterFunc(cmp.Or(l.Chance, chance), func() {
		if s, err := l.Load(); err == nil && s.Trial != nil {
			stop(errHangs)
		}
	})
	defer over.Stop()
	err := l.child(ctx, m)
	if cause := context.Cause(ctx); errors.Is(cause, errHangs) {
		return errHangs
	}
	return err
}

var errHangs = errors.New("it did not confirm itself in time")

// child runs a program until it ends or ctx does. It is asked to end by its
// standard input, and made to when it does not.
func (l *Launcher) child(ctx context.Context, m release.Manifest) error {
	input, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _, _ = input.Close(), held.Close() }() // one of them is closed already
	cmd := exec.CommandContext(ctx, l.Path(m), l.Args...)
	cmd.Env = append(os.Environ(), Variable+"="+m.SHA256, Home+"="+l.Installed)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, l.Stdout, l.Stderr
	cmd.Cancel, cmd.WaitDelay = held.Close, cmp.Or(l.Parting, parting)
	l.Log.Info("starts", "program", m.Version)
	err = cmd.Run()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // it ended because it was asked to
	}
	if err != nil {
		return fmt.Errorf("program %s: %w", m.Version, err)
	}
	return nil
}

// Confirm is what a program says of itself when it has worked for Proof: it is
// the current one from now on, and the one before it is kept. hash is what
// Variable told it. It does nothing for a program that is no trial.
func (b Book) Confirm(hash string) error {
	s, err := b.Load()
	if err != nil || s.Trial == nil || !s.Tried || s.Trial.SHA256 != hash {
		return err
	}
	s.Last = b.result(s.Trial, Confirmed, "")
	s.Previous, s.Current, s.Trial, s.Tried = s.Current, s.Trial, nil, false
	if err := b.save(s); err != nil {
		return err
	}
	b.tidy(s)
	return nil
}

// Waits tells whether an update waits for the running program to end, and whether
// nobody brought it by hand.
func (b Book) Waits() (waits, delivered bool) {
	s, err := b.Load()
	return err == nil && s.Trial != nil && !s.Tried, s.Delivered
}
