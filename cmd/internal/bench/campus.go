package bench

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/binary"
	"io"
	"time"

	"campusgate/signing"
	"campusgate/signing/pass"
)

// Where everything happens.
const (
	site     = "bench"
	zoneName = "Asia/Shanghai"
	gateID   = 1
	agentID  = 1
	zone     = 1
)

// campus is the keys of one site, and what is issued with them.
type campus struct {
	now    time.Time
	random io.Reader
	root   ed25519.PrivateKey
	issuer signing.Issuer
	ring   *signing.Keyring
	signed []byte // ring, by root
}

func newCampus(o Options) (*campus, error) { return campusFor(o, signing.PurposeGate) }

// campusFor is a campus whose key signs for another purpose.
func campusFor(o Options, purpose signing.Purpose) (*campus, error) {
	c := &campus{now: o.Now(), random: o.Rand}
	var err error
	if _, c.root, err = ed25519.GenerateKey(o.Rand); err != nil {
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(o.Rand)
	if err != nil {
		return nil, err
	}
	key, err := signing.NewKey(site, purpose, public)
	if err != nil {
		return nil, err
	}
	c.issuer = signing.Issuer{Key: key, Private: private}
	if c.ring, err = signing.NewKeyring(site, 1, []signing.Key{key}); err != nil {
		return nil, err
	}
	c.signed, err = signing.SignKeyring(c.root, c.ring)
	return c, err
}

// rootKey is the public half of the site root.
func (c *campus) rootKey() ed25519.PublicKey { return c.root.Public().(ed25519.PublicKey) }

// passID is the same for the same number, and spread like a random one.
func passID(n int) (id signing.PassID) {
	binary.BigEndian.PutUint64(id[:], (uint64(n)+1)*0x9E3779B97F4A7C15)
	return id
}

// resident is a pass for one use that the gate decides by itself, valid from an
// hour ago for a day.
func (c *campus) resident(n int) pass.Pass {
	at := c.now.Unix()
	return pass.Pass{
		ID: passID(n), Kind: signing.ResidentSingle, Name: "江望舒", Doc4: "118X", Uses: 1,
		Zones: 1 << (zone - 1), Owner: gateID, NotBefore: at - 3600, Expires: at + 86400, IssuedAt: at - 3600,
	}
}

// bearer is the text of the n-th resident's pass.
func (c *campus) bearer(n int) (string, error) {
	p := c.resident(n)
	cred, err := p.Sign(c.issuer)
	return pass.URL("gate.example.edu", cred), err
}

func (c *campus) bearers(from, count int) (texts []string, err error) {
	texts = make([]string, count)
	for i := range texts {
		if texts[i], err = c.bearer(from + i); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// live is the text of a work pass, proved by the phone.
func (c *campus) live() (string, *ecdsa.PrivateKey, error) {
	phone, err := ecdsa.GenerateKey(elliptic.P256(), c.random)
	if err != nil {
		return "", nil, err
	}
	key, err := signing.PhoneKeyOf(&phone.PublicKey)
	if err != nil {
		return "", nil, err
	}
	p := c.resident(0)
	p.Kind, p.Uses, p.Owner, p.Phone = signing.Work, 0, 0, &key
	cred, err := p.Sign(c.issuer)
	if err != nil {
		return "", nil, err
	}
	proof, err := signing.MakeProof(phone, nil, cred, signing.Proof{T: c.now.Unix(), Counter: 1, Context: signing.ContextGate})
	if err != nil {
		return "", nil, err
	}
	return pass.LiveText(proof), phone, nil
}
