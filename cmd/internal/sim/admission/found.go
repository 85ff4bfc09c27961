package admission

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

const siteName = "云岭大学"

// host is in the codes, and nobody looks at it.
const host = "gate.example.edu"

// issuer signs the passes of every run; the root signs its keyring. To found a
// server's database takes longer than a good part of a run, so it is done once.
type issuer struct {
	root     ed25519.PrivateKey
	gate     signing.Issuer
	keyring  []byte
	database []byte
}

var founded = sync.OnceValues(func() (*issuer, error) {
	i := &issuer{root: keyOf("root")}
	private := keyOf("gate passes")
	key, err := signing.NewKey(siteName, signing.PurposeGate, private.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	i.gate = signing.Issuer{Key: key, Private: private}
	dir, err := os.MkdirTemp("", "admission")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "server.db")
	return i, errors.Join(i.create(path), i.read(path))
})

// keyOf is the same key in every run.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("campusgate simulation: " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func (i *issuer) create(path string) error {
	start, err := time.Parse(time.RFC3339, opening)
	if err != nil {
		return err
	}
	site := store.Site{Name: siteName, TimeZone: "Asia/Shanghai", Root: i.root.Public().(ed25519.PublicKey)}
	db, err := store.Create(ctx, path, site, store.Options{Now: func() time.Time { return start }, Random: zeros{}})
	if err != nil {
		return err
	}
	err = db.ChangeKeys(ctx, "sim", func(_ []store.Key, serial uint64, now int64) (*store.KeyChange, error) {
		ring, err := signing.NewKeyring(siteName, serial, []signing.Key{i.gate.Key})
		if err != nil {
			return nil, err
		}
		i.keyring, err = signing.SignKeyring(i.root, ring)
		return &store.KeyChange{
			Keys:   []store.Key{{Key: i.gate.Key, PublishedAt: now, ActiveAt: now}},
			Signed: i.keyring, Action: "keys.founded", Target: "keyring",
		}, err
	})
	return errors.Join(err, db.Close())
}

func (i *issuer) read(path string) (err error) {
	i.database, err = os.ReadFile(path)
	return err
}

// zeros are as random as the lineage of a simulated server has to be.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// found makes the server, the gates and the passes, and has everybody connect
// once while nothing fails.
func (w *world) found() error {
	i, err := founded()
	if err != nil {
		return fmt.Errorf("found the site: %w", err)
	}
	if w.server, err = newServer(w, i); err != nil {
		return err
	}
	for n := range w.cfg.Gates {
		g, err := w.newGate(n)
		if err != nil {
			return err
		}
		w.gates = append(w.gates, g)
	}
	if err := w.issue(i); err != nil {
		return err
	}
	for _, g := range w.gates {
		if err := g.start(); err != nil {
			return err
		}
	}
	if w.cfg.Policy == verdict.FirstSeen {
		if err := w.server.lease(); err != nil {
			return err
		}
	}
	return w.pass(20_000)
}

// issue makes the passes: some of them before everything, the rest shortly before
// they are shown.
func (w *world) issue(i *issuer) error {
	length := int64(w.cfg.Passes) * w.pace.apart
	var rows []store.Pass
	for n := range w.cfg.Passes {
		h := &holder{w: w, n: n, first: w.rng.Int64N(length)}
		issued := w.now/1000 - 3600
		if w.chance(0.5) {
			issued = (w.now + h.first) / 1000
		}
		owner := uint16(1 + w.rng.IntN(w.cfg.Gates))
		if nobodys := 0.02; w.cfg.Policy == verdict.Online || w.chance(nobodys) {
			owner *= uint16(w.rng.IntN(2)) // decided by the server, whatever the code says
		}
		p := pass.Pass{
			Kind: signing.ResidentSingle, Name: "周晓岚", Doc4: "1234", Uses: 1, Owner: owner,
			NotBefore: w.now/1000 - 7200, Expires: w.now/1000 + 14*24*3600, IssuedAt: issued,
		}
		if w.cfg.Ending && w.chance(0.8) {
			p.Expires = (w.now + w.between(0, length)) / 1000
		}
		copy(p.ID[:], w.bytes(len(p.ID)))
		cred, err := p.Sign(i.gate)
		if err != nil {
			return err
		}
		h.pass, h.text = p, pass.URL(host, cred)
		w.holders = append(w.holders, h)
		rows = append(rows, store.Pass{
			ID: p.ID, Kind: p.Kind, Name: p.Name, Doc4: p.Doc4, From: p.NotBefore, Until: p.Expires, Uses: p.Uses,
			Owner: owner, Key: i.gate.Key.ID, Code: h.text, IssuedAt: issued * 1000, IssuedBy: "sim",
		})
	}
	return w.server.db.Change(ctx, func(t *store.Tx) error {
		for _, row := range rows {
			if err := t.AddPass(row); err != nil {
				return err
			}
		}
		return nil
	})
}
