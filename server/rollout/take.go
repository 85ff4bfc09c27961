package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"campusgate/server/store"
	"campusgate/signing/release"
	"campusgate/signing/wire"
)

// draft is how files begin that are being written.
const draft = ".draft-"

// Take keeps a release that is handed in: the signed manifest, and the program as
// it comes. One that is here already is taken once more, which brings back a
// program that was lost. Errors: ErrRelease, ErrSerial, ErrTwo, store.ErrNoRoom, and
// those of reading program.
func (s *Service) Take(ctx context.Context, actor string, signed []byte, program io.Reader) (Release, error) {
	if !s.taking.TryLock() {
		return Release{}, ErrTwo
	}
	defer s.taking.Unlock()
	m, err := release.Open(s.Root, signed)
	if err != nil {
		return Release{}, fmt.Errorf("%w: %w", ErrRelease, err)
	}
	if m.Site != s.Site {
		return Release{}, fmt.Errorf("%w: it is for site %s", ErrRelease, m.Site)
	}
	for _, r := range s.List() {
		if r.OS == m.OS && r.Arch == m.Arch && r.Serial == m.Serial && r.SHA256 != m.SHA256 {
			return Release{}, fmt.Errorf("%w: %d is %s", ErrSerial, m.Serial, r.Version)
		}
	}
	if err := s.keep(m, program); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w: %w", store.ErrNoRoom, err)
		}
		return Release{}, err
	}
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		n, err := t.Affect(`INSERT INTO releases (sha256, signed, os, arch, serial, added_at, added_by, reach, gates, paused, changed_at, changed_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`,
			m.SHA256, signed, m.OS, m.Arch, int64(m.Serial), t.Now(), actor, string(Nobody), "[]", false, t.Now(), actor)
		if err != nil || n == 0 {
			return err // 0: it is here already
		}
		return t.Trail(actor, "release.added", m.Version, map[string]any{"sha256": m.SHA256, "os": m.OS, "arch": m.Arch, "serial": m.Serial, "size": m.Size})
	})
	if err != nil {
		return Release{}, err
	}
	return s.again(ctx, m.SHA256)
}

// keep puts a program in its place, whole and on the disk.
func (s *Service) keep(m release.Manifest, program io.Reader) (err error) {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(s.Folder, draft)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(program, m.Size+1)) // one byte more is enough to refuse it
	if is := hex.EncodeToString(h.Sum(nil)); err == nil && (n != m.Size || is != m.SHA256) {
		err = fmt.Errorf("%w: %w: %d bytes, SHA-256 %s", ErrRelease, release.ErrProgram, n, is)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), s.path(m.SHA256)); err != nil {
		return err
	}
	return syncFolder(s.Folder)
}

// Remove forgets a release that nobody is offered, and its program.
func (s *Service) Remove(ctx context.Context, actor, sha256 string) error {
	r, err := s.find(sha256)
	if err != nil {
		return err
	}
	gone := false
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		n, err := t.Affect("DELETE FROM releases WHERE sha256 = $1 AND reach = $2", sha256, string(Nobody))
		if gone = n > 0; err != nil || !gone {
			return err
		}
		return t.Trail(actor, "release.removed", r.Version, map[string]any{"sha256": sha256, "os": r.OS, "arch": r.Arch, "serial": r.Serial})
	})
	if err != nil {
		return err
	}
	if !gone {
		return fmt.Errorf("%w: %s", ErrOffered, r.Version)
	}
	if err := os.Remove(s.path(sha256)); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.Log.Warn("program of a removed release", "error", err)
	}
	return s.load(context.WithoutCancel(ctx))
}

// sweep removes drafts.
func (s *Service) sweep() error {
	list, err := os.ReadDir(s.Folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range list {
		if strings.HasPrefix(e.Name(), draft) {
			err = errors.Join(err, os.Remove(filepath.Join(s.Folder, e.Name())))
		}
	}
	return err
}

// path is where a program lies. The hash is one that a manifest said.
func (s *Service) path(sha256 string) string { return filepath.Join(s.Folder, sha256) }

// here says whether a program is in its place.
func (s *Service) here(m release.Manifest) bool {
	info, err := os.Stat(s.path(m.SHA256))
	return err == nil && info.Size() == m.Size
}

// Offered gives the release for a PC, as hub.Programs wants it.
func (s *Service) Offered(gate uint16, os, arch string) string {
	r, _ := s.Offer(gate, os, arch)
	return r.SHA256
}

// Part gives a part of a release that reaches the gate; without data where there
// is none.
func (s *Service) Part(_ context.Context, gate uint16, f wire.Fetch) wire.Part {
	p := wire.Part{Release: f.Release, Offset: f.Offset}
	r, err := s.find(f.Release)
	if err != nil || r.Missing || !r.reaches(gate) || f.Offset >= r.Size {
		return p
	}
	data := make([]byte, min(wire.MaxPart, r.Size-f.Offset))
	if err := s.read(r.SHA256, data, f.Offset); err != nil {
		s.Log.Error("part of a release", "version", r.Version, "error", err)
		return p
	}
	if p.Data = data; f.Offset == 0 {
		p.Signed = r.signed
	}
	return p
}

func (s *Service) read(sha256 string, into []byte, from int64) error {
	f, err := os.Open(s.path(sha256))
	if err != nil {
		return err
	}
	_, err = f.ReadAt(into, from)
	return errors.Join(err, f.Close())
}
