package issue

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"fmt"
	"io"
	"math/big"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/pass"
)

// Lives of what a phone gets.
const (
	NonceLife      = 5 * time.Minute
	CredentialLife = 72 * time.Hour
	NonceBytes     = 32
)

// ProofBytes is what a phone signs to show that it holds a key: ECDSA P-256
// with SHA-256 over these bytes, r ‖ s of 32 bytes each, which is what browsers
// make.
//
//	"campusgate phone key 1" ‖ 00 ‖ pass id (8) ‖ nonce (32)
func ProofBytes(id signing.PassID, nonce []byte) []byte {
	return append(append([]byte("campusgate phone key 1\x00"), id[:]...), nonce...)
}

// Nonce makes a nonce for a phone to sign, good for NonceLife. ErrNotBound and
// ErrOver as in Enrol.
func (s *Service) Nonce(ctx context.Context, id signing.PassID) ([]byte, error) {
	if _, err := s.takesPhone(ctx, id); err != nil {
		return nil, err
	}
	nonce := make([]byte, NonceBytes)
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return nil, fmt.Errorf("nonce: %w", err)
	}
	return nonce, s.Store.AddNonce(ctx, id, nonce, s.Now().Add(NonceLife).UnixMilli())
}

// Credential is what a phone makes live codes with.
type Credential struct {
	Text    string // CP1: and the credential, without a proof
	Phone   signing.PhoneID
	Expires int64 // seconds
}

// Enrol makes a phone key the one of a pass and gives it a credential; the
// same key again renews it. The key that stood before gets no further
// credential. Errors: ErrProof when the key did not sign an open nonce of this
// pass, signing.ErrKey for an unusable key, ErrNotBound, ErrOver,
// store.ErrNotFound.
func (s *Service) Enrol(ctx context.Context, actor string, id signing.PassID, public, proof []byte) (Credential, error) {
	held, err := s.takesPhone(ctx, id)
	if err != nil {
		return Credential{}, err
	}
	key, err := signing.ParsePhoneKey(public)
	if err != nil {
		return Credential{}, err
	}
	nonce, err := s.provedNonce(ctx, id, key, proof)
	if err != nil {
		return Credential{}, err
	}
	p := credential(held)
	p.Phone = &key
	p.Expires = min(held.Until, max(s.Now().Unix(), held.From)+int64(CredentialLife/time.Second))
	iss, err := s.active(ctx, s.Store, signing.PurposeGate)
	if err != nil {
		return Credential{}, err
	}
	text, err := s.sign(p, iss)
	if err != nil {
		return Credential{}, err
	}
	phone := store.Phone{ID: key.ID(), Key: key, Expires: p.Expires}
	if err := s.Store.PutPhone(ctx, actor, id, nonce, iss.Key.ID, phone); err != nil {
		return Credential{}, err
	}
	return Credential{Text: text, Phone: phone.ID, Expires: p.Expires}, nil
}

// takesPhone gives the pass if phone keys may be enrolled for it.
func (s *Service) takesPhone(ctx context.Context, id signing.PassID) (store.PassStatus, error) {
	held, err := s.Store.Pass(ctx, id)
	switch {
	case err != nil:
		return held, err
	case !held.Bound:
		return held, fmt.Errorf("%w: %s", ErrNotBound, id)
	case held.RevokedAt > 0 || s.Now().Unix() >= held.Until:
		return held, fmt.Errorf("%w: %s", ErrOver, id)
	}
	return held, nil
}

// provedNonce finds the open nonce that the phone signed.
func (s *Service) provedNonce(ctx context.Context, id signing.PassID, key signing.PhoneKey, proof []byte) ([]byte, error) {
	nonces, err := s.Store.Nonces(ctx, id)
	if err != nil {
		return nil, err
	}
	return Proved(id, nonces, key, proof)
}

// Proved gives the nonce of a credential that was signed with a phone key: see
// ProofBytes. It wraps ErrProof when it was none of these.
func Proved(id signing.PassID, nonces [][]byte, key signing.PhoneKey, proof []byte) ([]byte, error) {
	public, err := key.Public()
	if err != nil {
		return nil, err
	}
	if len(proof) != 64 {
		return nil, fmt.Errorf("%w: signature of %d bytes, want 64", ErrProof, len(proof))
	}
	r, t := new(big.Int).SetBytes(proof[:32]), new(big.Int).SetBytes(proof[32:])
	for _, nonce := range nonces {
		digest := sha256.Sum256(ProofBytes(id, nonce))
		if ecdsa.Verify(public, digest[:], r, t) {
			return nonce, nil
		}
	}
	return nil, ErrProof
}

// credential is what every credential of a bound pass says: its terms. Its time
// of issue is that of the pass: a gate that took over later must not think it
// newer than its own beginning.
func credential(held store.PassStatus) pass.Pass {
	return pass.Pass{
		ID: held.ID, Kind: held.Kind, Name: held.Name, Doc4: held.Doc4, Uses: held.Uses, Zones: held.Zones, Owner: held.Owner,
		NotBefore: held.From, Expires: held.Until, IssuedAt: held.IssuedAt / 1000,
	}
}
