package issue

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync/atomic"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
)

// Prepared is a pass whose every claim was checked and which has been signed
// with a throw-away key and read back. It can be issued once.
type Prepared struct {
	service *Service
	pass    pass.Pass
	bound   bool
	spent   atomic.Bool
}

// Prepare checks a request without touching the issuer key. What is wrong with
// it is a *Fault.
func (s *Service) Prepare(ctx context.Context, r Request) (*Prepared, error) {
	p, err := s.terms(ctx, r)
	if err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(s.Random, p.ID[:]); err != nil {
		return nil, fmt.Errorf("pass id: %w", err)
	}
	trial, err := s.throwAway()
	if err != nil {
		return nil, err
	}
	if _, err := s.sign(*p, trial); err != nil {
		return nil, fmt.Errorf("trial signature: %w", err)
	}
	return &Prepared{service: s, pass: *p, bound: r.Bound}, nil
}

// throwAway makes an issuer for a trial. Nobody believes it.
func (s *Service) throwAway() (signing.Issuer, error) {
	public, private, err := ed25519.GenerateKey(s.Random)
	if err != nil {
		return signing.Issuer{}, err
	}
	key, err := signing.NewKey(s.site(), signing.PurposeGate, public)
	return signing.Issuer{Key: key, Private: private}, err
}

// Issue signs with the active key and stores the pass under the actor's name.
// ErrSpent the second time; ErrNoKey; store.ErrState when the key was rotated
// in between, which asking again repairs.
func (s *Service) Issue(ctx context.Context, actor string, prepared *Prepared) (store.PassStatus, error) {
	if prepared == nil || prepared.service != s || prepared.spent.Swap(true) {
		return store.PassStatus{}, ErrSpent
	}
	p := prepared.pass
	iss, err := s.active(ctx, signing.PurposeGate)
	if err != nil {
		return store.PassStatus{}, err
	}
	text, err := s.sign(p, iss)
	if err != nil {
		return store.PassStatus{}, err
	}
	if prepared.bound {
		// The terms are fixed and proved to be signable; the code comes with a
		// phone key.
		text = ""
	}
	row := store.Pass{
		ID: p.ID, Kind: p.Kind, Name: p.Name, Doc4: p.Doc4, From: p.NotBefore, Until: p.Expires, Uses: p.Uses,
		Zones: p.Zones, Owner: p.Owner, Bound: prepared.bound, Key: iss.Key.ID, Code: text,
		IssuedAt: p.IssuedAt * 1000, IssuedBy: actor,
	}
	if err := s.Store.AddPass(ctx, row); err != nil {
		return store.PassStatus{}, err
	}
	return store.PassStatus{Pass: row}, nil
}

// sign makes the text of a code (a phone's credential when the pass names a
// key) and reads it the way a gate does, from the text.
func (s *Service) sign(p pass.Pass, iss signing.Issuer) (string, error) {
	cred, err := p.Sign(iss)
	if err != nil {
		return "", err
	}
	text := pass.LiveText(cred)
	if p.Phone == nil {
		text = pass.URL(s.Host, cred)
	}
	ring, err := signing.NewKeyring(s.site(), 1, []signing.Key{iss.Key})
	if err != nil {
		return "", err
	}
	read, err := code.Read(ring, text)
	if err != nil {
		return "", fmt.Errorf("read back: %w", err)
	}
	p.Key = iss.Key.ID
	if read.Pass == nil || !reflect.DeepEqual(*read.Pass, p) {
		return "", errors.New("read back: not the pass that was signed")
	}
	return text, nil
}
