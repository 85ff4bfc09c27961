package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/link"
	"campusgate/agent/snapshot"
	"campusgate/signing/wire"
)

// StoreName is the agent's database in its data folder.
const StoreName = "agent.db"

func (s Settings) store() string { return filepath.Join(s.Data, StoreName) }

// enrolTries is how often the same key is offered before giving up: an answer
// that was lost on the way must not cost the one-time code.
const enrolTries = 3

// Enrol exchanges a one-time code for an identity and creates the store. It
// refuses where there is a store already (disk.ErrExists), where an agent runs
// (ErrInUse) and where nothing can be written, before the code is spent. The key
// is made here and never leaves this PC.
func Enrol(ctx context.Context, s Settings, server, code string, d Deps) (journal.Identity, error) {
	var none journal.Identity
	if d.Rand == nil {
		d.Rand = rand.Reader
	}
	if err := s.vacant(); err != nil {
		return none, err
	}
	if _, err := wire.ParseEnrolCode(code); err != nil {
		return none, err
	}
	lock, err := prepare(s.Data)
	if err != nil {
		return none, err
	}
	defer func() { _ = lock.Close() }() // nothing was written to it
	if err := s.vacant(); err != nil {  // another enrolment was quicker
		return none, err
	}
	ca, err := caFile(s.CA)
	if err != nil {
		return none, err
	}
	public, private, err := ed25519.GenerateKey(d.Rand)
	if err != nil {
		return none, fmt.Errorf("make a key: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	got, err := exchange(ctx, link.Enrolment{
		Server: server, Code: code, PublicKey: public, Hostname: host, CA: ca, Now: d.Now, Dial: d.Dial,
	})
	if err != nil {
		return none, err
	}
	id := journal.Identity{
		Agent: got.Agent, Epoch: got.Epoch, Gate: got.Gate, Site: got.Site, TimeZone: got.Zone,
		Server: server, Root: got.Root, Private: private,
	}
	err = disk.Create(s.store(), func(tx *disk.Tx) error {
		if err := journal.Enrol(tx, id); err != nil {
			return err
		}
		return snapshot.Enrol(tx, id.Root, id.Site, got.Keyring)
	})
	if err != nil {
		return none, fmt.Errorf("enrolled, but not kept; the code is spent, ask for another: %w", err)
	}
	return id, nil
}

func (s Settings) vacant() error {
	if _, err := os.Lstat(s.store()); err == nil {
		return fmt.Errorf("%s: %w; to enrol again, move the folder away: events it has not sent stay in it", s.store(), disk.ErrExists)
	}
	return nil
}

// prepare makes the data folder, takes it and sees whether a file can be made
// in it.
func prepare(dir string) (lock *os.File, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if lock, err = lockFolder(dir); err != nil {
		return nil, err
	}
	trial, err := os.CreateTemp(dir, ".enrol-*")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), lock.Close())
	}
	if err := errors.Join(trial.Close(), os.Remove(trial.Name())); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), lock.Close())
	}
	return lock, nil
}

// final are the errors that another try does not change.
var final = []error{link.ErrNotEnrolled, link.ErrWrongSite, link.ErrUntrusted, link.ErrConfig, wire.ErrEnrolCode}

func exchange(ctx context.Context, e link.Enrolment) (got wire.Enrolled, err error) {
	for range enrolTries {
		got, err = link.Enrol(ctx, e)
		if err == nil || ctx.Err() != nil || slices.ContainsFunc(final, func(f error) bool { return errors.Is(err, f) }) {
			break
		}
	}
	return got, err
}

func caFile(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tls.ca: %w", err)
	}
	return pem, nil
}
