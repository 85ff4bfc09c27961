package cards

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/paycode"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Credential is what a phone makes payment codes with.
type Credential struct {
	Text     string // CP1: and the credential, without a proof
	Phone    signing.PhoneID
	Epoch    uint32
	Expires  int64     // seconds
	Verifier *Verifier // nil = the card has no password
}

// Phone is the phone key of a card in one epoch.
type Phone struct {
	ID         signing.PhoneID
	EnrolledAt int64
	RenewedAt  int64
	Expires    int64 // seconds: the end of its last credential
}

// noncesKept is enough for phones that start over; all are tried at a proof.
const noncesKept = 4

// Nonce makes a nonce for a phone to sign together with the id of the card's
// credentials (issue.ProofBytes), good for issue.NonceLife. ErrState, ErrClosed,
// ErrNoCard.
func (s *Service) Nonce(ctx context.Context, account uint64) (id signing.PassID, nonce []byte, err error) {
	nonce = make([]byte, issue.NonceBytes)
	if _, err := io.ReadFull(s.Random, nonce); err != nil {
		return id, nil, fmt.Errorf("nonce: %w", err)
	}
	c, err := s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.State != wire.CardActive {
			return wrongState(c), nil
		}
		err := t.Exec(`DELETE FROM card_nonces WHERE account = $1 AND nonce NOT IN
			(SELECT nonce FROM card_nonces WHERE account = $2 ORDER BY expires_at DESC LIMIT $3)`, int64(account), int64(account), noncesKept-1)
		if err != nil {
			return nil, err
		}
		return nil, t.Exec("INSERT INTO card_nonces (nonce, account, expires_at) VALUES ($1, $2, $3)",
			nonce, int64(account), t.Now()+issue.NonceLife.Milliseconds())
	})
	return c.credential, nonce, err
}

// EnrolPhone makes a phone key the one of a card and gives it a credential; the
// same key again renews it. Another key raises the epoch, so that codes of the
// one before are refused at once where the network is. Errors: issue.ErrProof
// when the key did not sign an open nonce of this card, signing.ErrKey for an
// unusable key, ErrState, ErrClosed, ErrNoCard.
func (s *Service) EnrolPhone(ctx context.Context, actor string, account uint64, public, proof []byte) (Credential, error) {
	key, err := signing.ParsePhoneKey(public)
	if err != nil {
		return Credential{}, err
	}
	card, err := s.Find(ctx, s.Store.Reader(), account)
	if err != nil {
		return Credential{}, err
	}
	nonces, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (nonce []byte, err error) {
		return nonce, rows.Scan(&nonce)
	}, "SELECT nonce FROM card_nonces WHERE account = $1 AND expires_at > $2", int64(account), s.Now().UnixMilli())
	if err != nil {
		return Credential{}, err
	}
	nonce, err := issue.Proved(card.credential, nonces, key, proof)
	if err != nil {
		return Credential{}, err
	}
	var made Credential
	after, err := s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.State != wire.CardActive {
			return wrongState(c), nil
		}
		n, err := t.Affect("DELETE FROM card_nonces WHERE nonce = $1 AND account = $2", nonce, int64(account))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return issue.ErrProof, nil // used meanwhile
		}
		made, err = s.enrol(t, actor, c, key)
		return nil, err
	})
	if err != nil {
		return Credential{}, err
	}
	if after.HasPassword {
		k, err := s.unseal(after)
		if err != nil {
			return Credential{}, err
		}
		made.Verifier = &k.Verifier
	}
	return made, nil
}

// enrol signs and keeps.
func (s *Service) enrol(t *store.Tx, actor string, c Account, key signing.PhoneKey) (made Credential, err error) {
	id := key.ID()
	before, there, err := s.PhoneOf(t.Context(), t, c.Account, c.Epoch)
	if err != nil {
		return made, err
	}
	replaced := there && before.ID != id
	if replaced {
		if err := s.raise(t, &c); err != nil {
			return made, err
		}
	}
	now := t.Now() / 1000
	p := pay(c, key, now, now+int64(issue.CredentialLife/time.Second))
	text, kid, err := s.Issue.SignPay(t.Context(), t, p)
	if err != nil {
		return made, err
	}
	if err := t.SignedWith(kid, p.Expires); err != nil {
		return made, err
	}
	err = t.Exec(`INSERT INTO card_phones (account, epoch, phone, kid, enrolled_at, renewed_at, expires)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (account, epoch) DO UPDATE SET kid = excluded.kid, renewed_at = excluded.renewed_at, expires = excluded.expires`,
		int64(c.Account), c.Epoch, id[:], kid[:], t.Now(), t.Now(), p.Expires)
	if err != nil {
		return made, err
	}
	return Credential{Text: text, Phone: id, Epoch: c.Epoch, Expires: p.Expires}, trail(t, actor, "card.phone", c, map[string]any{
		"phone": id, "epoch": c.Epoch, "expires": p.Expires, "replaced": replaced,
	})
}

// pay is what a credential of a card says. Amounts in it bound payments without
// the server; the limits of the card itself are the server's to hold.
func pay(c Account, key signing.PhoneKey, now, expires int64) paycode.Pay {
	p := paycode.Pay{
		ID: c.credential, Account: c.Account, Epoch: c.Epoch, Phone: key, IssuedAt: now, Expires: expires,
		PerTxFen: paycode.MaxFen,
	}
	if c.Limits.PerTxFen != 0 {
		p.PerTxFen = c.Limits.PerTxFen
	}
	if c.Offline.Enabled {
		p.PerTxFen = min(p.PerTxFen, c.Offline.PerTxFen)
		p.PerDayOfflineFen, p.MaxOfflineTx = c.Offline.PerDayFen, c.Offline.MaxTx
	}
	return p
}

// PhoneOf gives the phone key that was enrolled in an epoch of a card. The keys
// of brief codes are kept nowhere.
func (s *Service) PhoneOf(ctx context.Context, src store.Source, account uint64, epoch uint32) (p Phone, there bool, err error) {
	var id []byte
	err = src.QueryRowContext(ctx, "SELECT phone, enrolled_at, renewed_at, expires FROM card_phones WHERE account = $1 AND epoch = $2",
		int64(account), epoch).Scan(&id, &p.EnrolledAt, &p.RenewedAt, &p.Expires)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	copy(p.ID[:], id)
	return p, err == nil, err
}

// briefLife is how long after its making a till takes a brief code: as long as
// any proof of a phone.
const briefLife = verdict.ProofPastMS / 1000

// Brief makes a payment code for a browser without a key store, with a key that
// is thrown away. It pays once, at a till that has the network. Confirmed says
// that the holder has given the card password in this call. Nothing is stored.
// Expires is in seconds. ErrState, ErrClosed, ErrNoCard.
func (s *Service) Brief(ctx context.Context, account uint64, confirmed bool) (text string, expires int64, err error) {
	c, err := s.Find(ctx, s.Store.Reader(), account)
	switch {
	case err != nil:
		return "", 0, err
	case c.ClosedAt != 0:
		return "", 0, ErrClosed
	case c.State != wire.CardActive:
		return "", 0, wrongState(c)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), s.Random)
	if err != nil {
		return "", 0, fmt.Errorf("brief code: %w", err)
	}
	key, err := signing.PhoneKeyOf(&private.PublicKey)
	if err != nil {
		return "", 0, err
	}
	c.Offline = Offline{}
	now := s.Now().Unix()
	cred, _, err := s.Issue.SignPay(ctx, s.Store, pay(c, key, now, now+code.ServerLife))
	if err != nil {
		return "", 0, err
	}
	raw, err := code.Credential(cred)
	if err != nil {
		return "", 0, err
	}
	proof := signing.Proof{T: now, Counter: 1, Context: signing.ContextPay}
	if confirmed {
		proof.Context = signing.ContextPIN
	}
	if _, err := io.ReadFull(s.Random, proof.Nonce[:]); err != nil {
		return "", 0, fmt.Errorf("brief code: %w", err)
	}
	live, err := signing.MakeProof(private, s.Random, raw, proof)
	if err != nil {
		return "", 0, fmt.Errorf("brief code: %w", err)
	}
	return paycode.LiveText(live), now + briefLife, nil
}
