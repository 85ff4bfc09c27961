package agent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/update"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
)

// UpdateFolder is where programs lie that came after the installed one.
func (s *Settings) UpdateFolder() string { return filepath.Join(s.Data, "update") }

// SelfTest tells whether this program could do the work of the agent that runs
// here, or did: the settings, whose drivers were looked up when they were read,
// a copy of the store that is migrated, read, taken back to what it was and
// migrated again, the chain of the journal, the keyring by the site root, and a
// code that must verify. The store itself is only read.
func SelfTest(ctx context.Context, s Settings) (err error) {
	if err := knownCode(); err != nil {
		return fmt.Errorf("a code: %w", err)
	}
	if _, err := os.Stat(s.store()); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w", s.store(), disk.ErrMissing)
	}
	dir, err := os.MkdirTemp(s.Data, ".selftest-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	copied := filepath.Join(dir, "agent.db")
	if err := disk.Copy(s.store(), copied); err != nil {
		return fmt.Errorf("copy of the store: %w", err)
	}
	return disk.Rehearse(copied, s.reads(ctx))
}

// reads checks what is in a store.
func (s *Settings) reads(ctx context.Context) func(*disk.DB) error {
	return func(db *disk.DB) error {
		j, err := journal.Open(db)
		if err != nil {
			return err
		}
		if _, err := j.Verify(ctx); err != nil {
			return err
		}
		_, err = s.snapshot(db, j.Identity())
		return err
	}
}

// knownCode signs a code with a key that everybody knows, and reads it.
func knownCode() error {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	key, err := signing.NewKey("self-test", signing.PurposeGate, private.Public().(ed25519.PublicKey))
	if err != nil {
		return err
	}
	ring, err := signing.NewKeyring("self-test", 1, []signing.Key{key})
	if err != nil {
		return err
	}
	p := pass.Pass{
		ID: signing.PassID{1}, Kind: signing.ResidentSingle, Name: "自检", Doc4: "0000", Uses: 1, Owner: 1,
		IssuedAt: 1_790_000_000, NotBefore: 1_790_000_000, Expires: 1_790_086_400,
	}
	signed, err := p.Sign(signing.Issuer{Key: key, Private: private})
	if err != nil {
		return err
	}
	_, err = code.Read(ring, pass.URL("gate.example.edu", signed))
	return err
}

// UpdateSite reads for whom releases have to be signed.
func UpdateSite(s Settings) (site string, root ed25519.PublicKey, err error) {
	dir, err := os.MkdirTemp(s.Data, ".identity-*")
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	copied := filepath.Join(dir, "agent.db") // the agent may have the store open, and it is not to be migrated
	if _, err := os.Stat(s.store()); err != nil {
		return "", nil, fmt.Errorf("%s: %w", s.store(), disk.ErrMissing)
	}
	if err := disk.Copy(s.store(), copied); err != nil {
		return "", nil, err
	}
	db, err := disk.Open(copied)
	if errors.Is(err, disk.ErrNewer) { // an update works with it, and this is the installed program
		if err = disk.StepBack(copied, s.reads(context.Background())); err == nil {
			db, err = disk.Open(copied)
		}
	}
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	j, err := journal.Open(db)
	if err != nil {
		return "", nil, err
	}
	return j.Identity().Site, j.Identity().Root, nil
}

// StepBack makes the store one of this program again after a newer one had it,
// with every event (disk.StepBack).
func StepBack(ctx context.Context, s Settings) (err error) {
	lock, err := hold(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return disk.StepBack(s.store(), s.reads(ctx))
}

// updates says which program runs, what waits and what became of the last one.
func (p *patient) updates() {
	running := Version
	if running == "" {
		running = Software
	}
	s, err := update.Book{Dir: p.settings.UpdateFolder()}.Load()
	if err == nil && s.Trial != nil {
		running += "；待试 waiting: " + s.Trial.Version
	}
	for _, l := range []*update.Result{s.Unfit, s.Last} {
		if l == nil {
			continue
		}
		running += fmt.Sprintf("；上次 last: %s %s %s %s", l.Version, l.Outcome, time.UnixMilli(l.At).UTC().Format(time.RFC3339), l.Why)
	}
	p.say("程序版本 program", err, running, "删除该文件，运行已安装的程序 / remove update/state.json: the installed program runs then")
}
