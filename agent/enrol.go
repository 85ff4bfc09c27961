package agent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/link"
	"campusgate/agent/snapshot"
	"campusgate/signing/wire"
)

// StoreName is the agent's database in its data folder.
const StoreName = "agent.db"

// enrolTries is how often the same key is offered before giving up: an answer
// that was lost on the way must not cost the one-time code.
const enrolTries = 3

// Enrol exchanges a one-time code for an identity and creates the store. It
// refuses where there is a store already (disk.ErrExists) before the code is
// spent. The key is made here and never leaves this PC.
func Enrol(ctx context.Context, s Settings, server, code string, random io.Reader) (journal.Identity, error) {
	var none journal.Identity
	path := filepath.Join(s.Data, StoreName)
	if _, err := os.Lstat(path); err == nil {
		return none, fmt.Errorf("%s: %w; to enrol again, move the folder away: events it has not sent stay in it", path, disk.ErrExists)
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return none, fmt.Errorf("data folder: %w", err)
	}
	u, err := url.Parse(server)
	if err != nil {
		return none, fmt.Errorf("server: %w", err)
	}
	ca, err := caFile(s.CA)
	if err != nil {
		return none, err
	}
	public, private, err := ed25519.GenerateKey(random)
	if err != nil {
		return none, fmt.Errorf("make a key: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	got, err := exchange(ctx, link.Enrolment{Server: u.String(), Code: code, PublicKey: public, Hostname: host, CA: ca})
	if err != nil {
		return none, err
	}
	id := journal.Identity{
		Agent: got.Agent, Epoch: got.Epoch, Gate: got.Gate, Site: got.Site, TimeZone: got.Zone,
		Server: server, Root: got.Root, Private: private,
	}
	err = disk.Create(path, func(tx *disk.Tx) error {
		if err := journal.Enrol(tx, id); err != nil {
			return err
		}
		return snapshot.Enrol(tx, id.Root, id.Site, got.Keyring)
	})
	if err != nil {
		return none, err
	}
	return id, nil
}

func exchange(ctx context.Context, e link.Enrolment) (got wire.Enrolled, err error) {
	for range enrolTries {
		got, err = link.Enrol(ctx, e)
		if err == nil || ctx.Err() != nil || errors.Is(err, link.ErrNotEnrolled) || errors.Is(err, link.ErrWrongSite) || errors.Is(err, wire.ErrEnrolCode) || errors.Is(err, link.ErrConfig) {
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
