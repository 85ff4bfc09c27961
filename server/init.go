package server

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// DatabaseFile is the server's database in its data folder.
const DatabaseFile = "server.db"

// linkLife is how long the first link to the console is good.
const linkLife = 24 * time.Hour

// Founded is what init prints, once.
type Founded struct {
	AdminLink string `json:"admin_link"`
	Token     string `json:"token"`
}

// Init creates the data folder, the keys and the database of a new site, and a
// token that may do everything. What is to be printed goes to show, once: only
// its hash is kept. Should anything fail, show included, nothing is left of the
// site, so that the next try starts anew. Where there is a database already it
// refuses (store.ErrExists), and so it does where there are key files
// (os.ErrExist), and touches nothing.
func Init(ctx context.Context, s Settings, now func() time.Time, random io.Reader, show func(Founded) error) (err error) {
	if err := s.unfounded(); err != nil {
		return err
	}
	var t trace
	defer func() {
		if err != nil {
			err = errors.Join(err, t.remove())
		}
	}()
	if err := t.folder(s.Data); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	lock, err := lockFolder(s.Data)
	if err != nil {
		t.paths = nil // somebody else is at work in it, who made nothing yet that would keep it
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := s.vacant(); err != nil {
		return err
	}
	t.paths = append(t.paths, s.files()...)
	root, err := issue.CreateRoot(s.rootFile(), random)
	if err != nil {
		return fmt.Errorf("site root key: %w", err)
	}
	if _, err := issue.CreateSeal(s.sealFile(), random); err != nil {
		return fmt.Errorf("seal key: %w", err)
	}
	f, err := found(ctx, s, root.Public().(ed25519.PublicKey), now, random)
	if err == nil {
		err = show(f)
	}
	return err
}

// unfounded refuses where there is a site.
func (s Settings) unfounded() error {
	if _, err := os.Lstat(s.database()); err == nil {
		return fmt.Errorf("%w: %s", store.ErrExists, s.database())
	}
	return nil
}

// vacant refuses where any file of a site lies.
func (s Settings) vacant() error {
	if err := s.unfounded(); err != nil {
		return err // another init was quicker
	}
	for _, path := range s.files() {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s: %w, but without a database: it is of another site, or of an init that was cut short; move it away first", path, os.ErrExist)
		}
	}
	return nil
}

// files are all that a site consists of.
func (s Settings) files() []string {
	db := s.database()
	return []string{s.rootFile(), s.sealFile(), s.certFile(), db, db + "-wal", db + "-shm"}
}

// found makes the database with its first keys and token, and closes it.
func found(ctx context.Context, s Settings, root ed25519.PublicKey, now func() time.Time, random io.Reader) (f Founded, err error) {
	db, err := store.Create(ctx, s.database(), store.Site{
		Name: s.Site, TimeZone: s.Location.String(), Root: root,
	}, store.Options{Now: now, Random: random})
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	signer, err := newSigner(s, db, now, random)
	if err != nil {
		return f, err
	}
	const actor = "init"
	if err := signer.Found(ctx, actor); err != nil {
		return f, err
	}
	f.Token, _, err = auth.New(db, now, random).Create(ctx, actor, "init", auth.Scopes{auth.Admin}, 0)
	if err != nil {
		return f, err
	}
	f.AdminLink, err = adminLink(ctx, s, db, now, random)
	return f, err
}

// trace is what an attempt leaves in the file system, oldest first.
type trace struct{ paths []string }

// folder makes a folder, for its owner only, and those above it that are
// missing.
func (t *trace) folder(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	var missing []string
	for dir := path; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			break
		}
		missing = append(missing, dir)
	}
	for _, dir := range slices.Backward(missing) {
		switch err := os.Mkdir(dir, 0o700); {
		case err == nil:
			t.paths = append(t.paths, dir)
		case !errors.Is(err, os.ErrExist): // made by somebody else meanwhile
			return err
		}
	}
	return nil
}

// remove takes everything away again, newest first, but no folder into which
// somebody else has put something.
func (t *trace) remove() error {
	var errs []error
	for _, path := range slices.Backward(t.paths) {
		info, err := os.Lstat(path)
		if err != nil {
			continue // it never came to be
		}
		if err := os.Remove(path); err != nil && !info.IsDir() {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func adminLink(ctx context.Context, s Settings, db *store.Store, now func() time.Time, random io.Reader) (string, error) {
	secret := make([]byte, 24)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	key := base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(key))
	if err := db.AddLink(ctx, "init", auth.LinkPurpose, sum[:], now().Add(linkLife).UnixMilli()); err != nil {
		return "", err
	}
	return s.Public + "/console/?key=" + key, nil
}

func (s Settings) rootFile() string {
	if s.RootKey != "" {
		return s.RootKey
	}
	return filepath.Join(s.Data, issue.RootFile)
}

func (s Settings) sealFile() string { return filepath.Join(s.Data, issue.SealFile) }

func (s Settings) certFile() string { return filepath.Join(s.Data, CertFile) }

func (s Settings) database() string { return filepath.Join(s.Data, DatabaseFile) }

func (s Settings) releases() string { return filepath.Join(s.Data, "releases") }

func (s Settings) hasTLS() bool { return s.TLS.Cert != "" || len(s.TLS.Hosts) > 0 }

// newSigner opens the seal and makes the service that signs. The root is read
// when keys change, and may be elsewhere meanwhile.
func newSigner(s Settings, db *store.Store, now func() time.Time, random io.Reader) (*issue.Service, error) {
	key, err := issue.LoadSeal(s.sealFile())
	if err != nil {
		return nil, fmt.Errorf("seal key: %w", err)
	}
	seal, err := issue.NewSealer(key, random)
	if err != nil {
		return nil, err
	}
	return issue.New(issue.Config{
		Store: db, Seal: seal, Random: random, Now: now, Location: s.Location, Host: s.CodeHost,
		Policy: issue.DefaultPolicy,
		Root:   func() (ed25519.PrivateKey, error) { return issue.LoadRoot(s.rootFile(), db.Site().Root) },
	}), nil
}
