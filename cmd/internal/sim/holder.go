package sim

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"

	"campusgate/server/issue"
	"campusgate/signing"
	"campusgate/signing/code"
)

// holder is somebody with a phone.
type holder struct {
	person  string
	account uint64
	phone   *ecdsa.PrivateKey
	cred    []byte
	counter uint64
	lostAt  int64 // 0 = not reported
	topped  int64 // fen put on the card
}

// newHolder puts a phone and some money on the card of a person.
func (s *server) newHolder(person string) (*holder, error) {
	ctx := context.Background()
	card, err := s.cards.OfPerson(ctx, s.db.Reader(), person)
	if err != nil {
		return nil, err
	}
	h := &holder{person: person, account: card.Account, counter: 1, topped: 500 + s.w.rng.Int64N(9_500)}
	if err := s.cards.TakeOver(ctx, "sim", card.Account, h.topped); err != nil {
		return nil, err
	}
	if h.phone, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	id, nonce, err := s.cards.Nonce(ctx, card.Account)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(issue.ProofBytes(id, nonce))
	r, v, err := ecdsa.Sign(rand.Reader, h.phone, digest[:])
	if err != nil {
		return nil, err
	}
	proof := make([]byte, 64)
	r.FillBytes(proof[:32])
	v.FillBytes(proof[32:])
	public, err := h.phone.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	made, err := s.cards.EnrolPhone(ctx, "sim", card.Account, public, proof)
	if err != nil {
		return nil, err
	}
	h.cred, err = code.Credential(made.Text)
	return h, err
}

// show makes the phone's next code.
func (h *holder) show(now int64) (string, error) {
	h.counter++
	live, err := signing.MakeProof(h.phone, rand.Reader, h.cred, signing.Proof{
		T: now / 1000, Counter: h.counter, Nonce: [4]byte{1}, Context: signing.ContextPay,
	})
	return signing.LiveText(live), err
}
