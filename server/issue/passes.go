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
	p, err := s.terms(ctx, s.Store, r)
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
	row, err := s.row(ctx, s.Store, actor, &prepared.pass, prepared.bound)
	if err != nil {
		return store.PassStatus{}, err
	}
	if err := s.Store.AddPass(ctx, row); err != nil {
		return store.PassStatus{}, err
	}
	return store.PassStatus{Pass: row}, nil
}

// row signs with the active key and gives what is to be stored.
func (s *Service) row(ctx context.Context, src records, actor string, p *pass.Pass, bound bool) (store.Pass, error) {
	iss, err := s.active(ctx, src, signing.PurposeGate)
	if err != nil {
		return store.Pass{}, err
	}
	text, err := s.sign(*p, iss)
	if err != nil {
		return store.Pass{}, err
	}
	if bound {
		// The terms are fixed and proved to be signable; the code comes with a
		// phone key.
		text = ""
	}
	return store.Pass{
		ID: p.ID, Kind: p.Kind, Name: p.Name, Doc4: p.Doc4, From: p.NotBefore, Until: p.Expires, Uses: p.Uses,
		Zones: p.Zones, Owner: p.Owner, Bound: bound, Key: iss.Key.ID, Code: text,
		IssuedAt: p.IssuedAt * 1000, IssuedBy: actor,
	}, nil
}

// CheckIn says whether IssueIn would take a request. What is wrong with it is a
// *Fault.
func (s *Service) CheckIn(t *store.Tx, r Request) error {
	_, err := s.terms(t.Context(), t, r)
	return err
}

// IssueIn makes, signs and stores a pass as a part of a larger change, in which
// a *Fault is an error as any other: CheckIn before. There is no trial signature;
// the signature itself is read back before anything is stored, and what is not
// committed nobody sees.
func (s *Service) IssueIn(t *store.Tx, actor string, r Request) (store.Pass, error) {
	p, err := s.terms(t.Context(), t, r)
	if err != nil {
		return store.Pass{}, err
	}
	if _, err := io.ReadFull(s.Random, p.ID[:]); err != nil {
		return store.Pass{}, fmt.Errorf("pass id: %w", err)
	}
	row, err := s.row(t.Context(), t, actor, p, r.Bound)
	if err != nil {
		return store.Pass{}, err
	}
	return row, t.AddPass(row)
}

// sign makes the text of a code (a phone's credential when the pass names a
// key) and reads it the way a gate does, from the text.
func (s *Service) sign(p pass.Pass, iss signing.Issuer) (string, error) {
	if p.Phone != nil {
		return s.signAs(p, iss, pass.LiveText)
	}
	return s.signAs(p, iss, func(cred []byte) string { return pass.URL(s.Host, cred) })
}

func (s *Service) signAs(p pass.Pass, iss signing.Issuer, write func(cred []byte) string) (string, error) {
	cred, err := p.Sign(iss)
	if err != nil {
		return "", err
	}
	text := write(cred)
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
