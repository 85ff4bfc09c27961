package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"campusgate/server/backup"
	"campusgate/server/store"
)

func (s Settings) source() backup.Source {
	return backup.Source{Database: s.database(), Attachments: filepath.Join(s.Data, AttachmentFolder)}
}

// Backup makes a backup beside a server that may be running; out "" = into the
// folder of the schedule.
func Backup(ctx context.Context, s Settings, out string, now func() time.Time, random io.Reader) (made backup.Made, err error) {
	db, err := open(ctx, s, now, random)
	if err != nil {
		return made, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return backup.New(backup.Config{
		Store: db, Source: s.source(), Schedule: s.Backup, Now: now, Location: s.Location,
	}).Make(ctx, "command", out)
}

// Restored is what a restore came to.
type Restored struct {
	Copy   store.Copied // what was put back
	Agents int          // that get a whole snapshot, and are waited for
	Kept   string       // where the old database went; "" = there was none
}

// Restore puts a backup in the place of the database. The new one is made fit
// before it gets its name: its keyring has a serial that agents have not seen,
// and see store.Restored. It wraps ErrInUse while a server runs,
// backup.ErrInPlace unless force, issue.ErrRootAbsent without the site root, and
// what store.Examine finds wrong; after each of these nothing has changed.
func Restore(ctx context.Context, s Settings, from string, force bool, now func() time.Time, random io.Reader) (r Restored, err error) {
	if r.Copy, err = store.Examine(ctx, from); err != nil {
		return r, err
	}
	if r.Copy.Site != s.Site {
		return r, fmt.Errorf("the backup is of site %q, the configuration says %q", r.Copy.Site, s.Site)
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return r, fmt.Errorf("data folder: %w", err)
	}
	lock, err := lockFolder(s.Data)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r.Kept, err = backup.Restore(ctx, from, s.source(), force, now, func(path string) (err error) {
		db, err := store.Open(ctx, path, store.Options{Now: now, Random: random})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, db.Close()) }()
		signer, err := newSigner(s, db, now, random)
		if err != nil {
			return err
		}
		if err := signer.Ready(ctx); err != nil { // with another seal.key it is not
			return err
		}
		if err := signer.Republish(ctx, "restore"); err != nil {
			return err
		}
		r.Agents, err = db.Restored(ctx, "restore")
		return err
	})
	return r, err
}
