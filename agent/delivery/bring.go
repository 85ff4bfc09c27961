package delivery

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"campusgate/signing/release"
	"campusgate/signing/wire"
)

const partFile = "part"

// bring makes the offered release lie in Dir, whole. errWithdrawn when the offer
// changed meanwhile.
func (c *Courier) bring(ctx context.Context, offer string) (m release.Manifest, err error) {
	if m, err = c.manifest(); err != nil || m.SHA256 != offer {
		if m, err = c.begin(ctx, offer); err != nil {
			return m, err
		}
	} else if m, err = c.admit(); err != nil {
		return m, err
	}
	if _, err := os.Stat(c.path(release.ProgramFile)); err == nil {
		return m, nil
	}
	if err := c.Room(m.Size); err != nil {
		return m, err
	}
	return m, c.download(ctx, m)
}

// begin forgets what was on its way before, and keeps the manifest of the offer,
// and the first part if it may be staged here.
func (c *Courier) begin(ctx context.Context, offer string) (m release.Manifest, err error) {
	if err := c.clear(); err != nil {
		return m, err
	}
	p, err := c.fetch(ctx, offer, 0)
	if err != nil {
		return m, err
	}
	if m, err = release.Open(c.Here.Root, p.Signed); err != nil {
		return m, err
	}
	if m.SHA256 != offer {
		return m, fmt.Errorf("%w: the manifest of %s for %s", ErrAnswer, m.SHA256, offer)
	}
	// Noted before it is judged, so that it is clear which version was refused.
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return m, err
	}
	if err := write(c.path(release.ManifestFile), os.O_CREATE|os.O_TRUNC, p.Signed, true); err != nil {
		return m, err
	}
	if m, err = c.admit(); err != nil {
		return m, err
	}
	if err := c.Room(m.Size); err != nil {
		return m, err
	}
	return m, write(c.path(partFile), os.O_CREATE|os.O_TRUNC, p.Data, false)
}

// manifest reads the one that is kept.
func (c *Courier) manifest() (m release.Manifest, err error) {
	signed, err := os.ReadFile(c.path(release.ManifestFile))
	if err != nil {
		return m, err
	}
	return release.Open(c.Here.Root, signed)
}

// admit looks whether the kept manifest may be staged here, now.
func (c *Courier) admit() (m release.Manifest, err error) {
	signed, err := os.ReadFile(c.path(release.ManifestFile))
	if err != nil {
		return m, err
	}
	return c.Book.Admit(signed, c.Here)
}

// download goes on where it was.
func (c *Courier) download(ctx context.Context, m release.Manifest) error {
	path := c.path(partFile)
	size := int64(0)
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	for size < m.Size {
		c.say(wire.ProgramDownloading, int(size*100/m.Size), "")
		began := time.Now()
		p, err := c.fetch(ctx, m.SHA256, size)
		if err != nil {
			return err
		}
		took := time.Since(began)
		if err := write(path, os.O_CREATE|os.O_APPEND, p.Data, false); err != nil {
			return err
		}
		size += int64(len(p.Data))
		if err := c.rest(ctx, m.SHA256, max(c.Pause, 3*took)); err != nil {
			return err
		}
	}
	if err := whole(path, m); err != nil {
		return errors.Join(err, c.clear())
	}
	return os.Rename(path, c.path(release.ProgramFile))
}

// fetch asks for a part of what is still offered.
func (c *Courier) fetch(ctx context.Context, offer string, from int64) (wire.Part, error) {
	if c.offered() != offer {
		return wire.Part{}, errWithdrawn
	}
	p, err := c.Fetch(ctx, wire.Fetch{Release: offer, Offset: from})
	switch {
	case c.offered() != offer:
		return p, errWithdrawn
	case err != nil:
		return p, err
	case len(p.Data) == 0:
		return p, ErrAnswer
	}
	return p, nil
}

// rest waits between two parts, or until the offer changes.
func (c *Courier) rest(ctx context.Context, offer string, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-c.changed:
			if c.offered() != offer {
				return errWithdrawn
			}
		}
	}
}

// whole checks that a file is the program of the manifest, and has it on the disk.
func whole(path string, m release.Manifest) (err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return err
	}
	if is := hex.EncodeToString(h.Sum(nil)); n != m.Size || is != m.SHA256 {
		return fmt.Errorf("%w: %d bytes, SHA-256 %s", ErrBroken, n, is)
	}
	return f.Sync()
}

// write puts bytes into a file of this folder.
func write(path string, flags int, data []byte, flush bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && flush {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (c *Courier) path(name string) string { return filepath.Join(c.Dir, name) }

// clear removes what is on its way.
func (c *Courier) clear() error {
	if err := os.RemoveAll(c.Dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
