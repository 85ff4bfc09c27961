package update

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"campusgate/signing/release"
)

// Why a program is not staged. Nothing has changed then.
var (
	// ErrSite: a release for another site.
	ErrSite = errors.New("release of another site")
	// ErrSystem: a program for another system.
	ErrSystem = errors.New("release for another system")
	// ErrSerial: a later release was here already.
	ErrSerial = errors.New("an older release than one that was here")
	// ErrOlder: its version is not above the one that runs.
	ErrOlder = errors.New("not a newer version than the one that runs")
	// ErrEarly: it is not to be used yet.
	ErrEarly = errors.New("release is not to be used yet")
	// ErrSelfTest: the new program found itself unfit for this PC.
	ErrSelfTest = errors.New("the new program failed its self-test")
	// ErrTrial: another update is waiting or being tried.
	ErrTrial = errors.New("an update is being tried: wait for what becomes of it")
	// ErrNoPrevious: there is nothing to go back to.
	ErrNoPrevious = errors.New("no previous program is kept")
)

// testTime bounds a self-test.
const testTime = 2 * time.Minute

// Here is the PC that a release has to fit.
type Here struct {
	Root      ed25519.PublicKey // of the site
	Site      string
	OS, Arch  string
	Installed string // path of the installed program
	// Delivered: the server brought it, and nobody asked. Then it has to be newer
	// than everything that was ever staged here, however that went, and than the
	// version that runs.
	Delivered bool
	Running   string // version; "" = of a build that has none
	// Test runs the self-test of the program at path. The error says what failed.
	Test func(ctx context.Context, path string, m release.Manifest) error
}

// Admit checks a signed manifest: signature, site, system, serial, version, time.
func (b Book) Admit(signed []byte, h Here) (m release.Manifest, err error) {
	if m, err = release.Open(h.Root, signed); err != nil {
		return m, err
	}
	s, err := b.Load()
	if err != nil {
		return m, err
	}
	switch {
	case m.Site != h.Site:
		return m, fmt.Errorf("%w: %s, this is %s", ErrSite, m.Site, h.Site)
	case m.OS != h.OS || m.Arch != h.Arch:
		return m, fmt.Errorf("%w: %s/%s, this is %s/%s", ErrSystem, m.OS, m.Arch, h.OS, h.Arch)
	case m.Serial < s.Serial || h.Delivered && m.Serial == s.Serial:
		return m, fmt.Errorf("%w: serial %d after %d", ErrSerial, m.Serial, s.Serial)
	case h.Delivered && h.Running != "" && !release.Newer(m.Version, h.Running):
		return m, fmt.Errorf("%w: %s after %s", ErrOlder, m.Version, h.Running)
	case b.Now().Unix() < m.NotBefore:
		return m, fmt.Errorf("%w: not before %s", ErrEarly, time.Unix(m.NotBefore, 0).UTC().Format(time.RFC3339))
	}
	return m, nil
}

// Stage checks a release that lies in a folder and makes it the trial of the
// next start. The checks are those of Admit, then hash and self-test.
func (b Book) Stage(ctx context.Context, from string, h Here) (m release.Manifest, err error) {
	signed, err := bounded(filepath.Join(from, release.ManifestFile), release.MaxSigned)
	if err != nil {
		return m, err
	}
	if m, err = b.Admit(signed, h); err != nil {
		return m, err
	}
	s, err := b.Load()
	if err != nil {
		return m, err
	}
	if s, err = b.settled(s, h.Installed); err != nil {
		return m, err
	}
	switch {
	case s.Trial != nil:
		return m, ErrTrial
	case s.Current != nil && *s.Current == m:
		return m, nil // it runs already
	}
	data, err := bounded(filepath.Join(from, release.ProgramFile), m.Size)
	if err != nil {
		return m, err
	}
	if err := m.Check(data); err != nil {
		return m, err
	}
	if err := b.write(filepath.Join(m.SHA256, program), data, 0o700); err != nil {
		return m, err
	}
	b.step("self-test")
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	if err := h.Test(ctx, b.Path(m), m); err != nil {
		err = fmt.Errorf("%w: %w", ErrSelfTest, err)
		if ctx.Err() != nil && ctx.Err() != context.DeadlineExceeded {
			return m, err // this program was ended: the test said nothing
		}
		s.Unfit = b.result(&m, Unfit, err.Error())
		err = errors.Join(err, b.save(s))
		b.tidy(s)
		return m, err
	}
	s.Serial, s.Trial, s.Tried, s.Delivered, s.Unfit = m.Serial, &m, false, h.Delivered, nil
	return m, b.save(s)
}

// Back makes the program before the current one the current one again, from the
// next start on. What was newer is not kept; the serial does not fall.
func (b Book) Back() (State, error) {
	s, err := b.Load()
	switch {
	case err != nil:
		return s, err
	case s.Trial != nil && s.Tried:
		return s, ErrTrial
	case s.Trial != nil: // it waits, and need not be tried
		s.Last, s.Trial = b.result(s.Trial, TakenBack, "before it was tried"), nil
	case s.Current == nil:
		return s, ErrNoPrevious
	default:
		s.Last = b.result(s.Current, TakenBack, "by hand")
		s.Current, s.Previous = s.Previous, nil
	}
	return s, b.save(s)
}

// settled is the state for this installed program.
func (b Book) settled(s State, installed string) (State, error) {
	is, err := sum(installed)
	if err != nil || s.Installed == is {
		return s, err
	}
	next := State{Serial: s.Serial, Installed: is, Last: s.Last}
	if s.Current != nil || s.Trial != nil {
		next.Last = b.result(s.Current, Replaced, "the installed program was replaced")
	}
	return next, nil
}

// bounded reads a file that is not larger than it may be.
func bounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: more than %d bytes", path, most)
	}
	return data, err
}
