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
// token that may do everything. It refuses (store.ErrExists) where there is a
// database already, and touches nothing then.
func Init(ctx context.Context, s Settings, now func() time.Time, random io.Reader) (f Founded, err error) {
	path := filepath.Join(s.Data, DatabaseFile)
	if _, err := os.Lstat(path); err == nil {
		return f, fmt.Errorf("%w: %s", store.ErrExists, path)
	}
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return f, fmt.Errorf("data folder: %w", err)
	}
	var made []string
	defer func() {
		if err == nil {
			return
		}
		for _, file := range made { // half a site is none: the next try starts anew
			err = errors.Join(err, remove(file))
		}
	}()
	root, err := issue.CreateRoot(s.rootFile(), random)
	if err != nil {
		return f, fmt.Errorf("site root key: %w", err)
	}
	made = append(made, s.rootFile())
	if _, err := issue.CreateSeal(s.sealFile(), random); err != nil {
		return f, fmt.Errorf("seal key: %w", err)
	}
	made = append(made, s.sealFile(), path, path+"-wal", path+"-shm")
	db, err := store.Create(ctx, path, store.Site{
		Name: s.Site, TimeZone: s.Location.String(), Root: root.Public().(ed25519.PublicKey),
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

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func adminLink(ctx context.Context, s Settings, db *store.Store, now func() time.Time, random io.Reader) (string, error) {
	secret := make([]byte, 24)
	if _, err := io.ReadFull(random, secret); err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	key := base64.RawURLEncoding.EncodeToString(secret)
	sum := sha256.Sum256([]byte(key))
	if err := db.AddLink(ctx, "init", "console", sum[:], now().Add(linkLife).UnixMilli()); err != nil {
		return "", err
	}
	return s.baseURL() + "/console/?key=" + key, nil
}

func (s Settings) rootFile() string {
	if s.RootKey != "" {
		return s.RootKey
	}
	return filepath.Join(s.Data, issue.RootFile)
}

func (s Settings) sealFile() string { return filepath.Join(s.Data, issue.SealFile) }

func (s Settings) hasTLS() bool { return s.TLS.Cert != "" || len(s.TLS.Hosts) > 0 }

// baseURL is where people reach the server, as far as the configuration says.
func (s Settings) baseURL() string {
	scheme := "http://"
	if s.hasTLS() {
		scheme = "https://"
	}
	if len(s.TLS.Hosts) > 0 {
		return scheme + s.TLS.Hosts[0]
	}
	return scheme + s.Listen
}

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
