package cards

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"campusgate/server/store"
	"campusgate/signing/pin"
)

const (
	passwordLen  = 6
	hashesAtOnce = 2 // so many cores, and 19 MiB each, at most

	// What a phone checks by. The least that OWASP's password storage guide
	// names for PBKDF2 with SHA-256, the one that browsers have.
	iterations = 600_000
	saltLen    = 16
	keyLen     = 32
)

// KDF is how a Verifier's hash was made.
const KDF = "PBKDF2-SHA256"

// Verifier is what a phone with no network checks the card password by, before
// it says in a code that the holder has confirmed. Six digits can be found out
// from it by trying all: whoever has taken the phone apart so far could confirm
// anyway.
type Verifier struct {
	Salt       []byte `json:"salt"`
	Iterations int    `json:"iterations"`
	Hash       []byte `json:"hash"`
}

// secret is what is kept of a password, sealed: without the seal key it cannot
// be tried.
type secret struct {
	PHC      string   `json:"phc"`
	Verifier Verifier `json:"verifier"`
}

func sealOf(account uint64) string { return "card password " + strconv.FormatUint(account, 10) }

type tries struct{ count, began, locked int64 }

func scanTries(rows *sql.Rows) (a tries, err error) {
	return a, rows.Scan(&a.count, &a.began, &a.locked)
}

// slow runs work that takes a processor and memory when it is its turn.
func (s *Service) slow(ctx context.Context, work func() error) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		return work()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Service) unseal(c Account) (k secret, err error) {
	text, err := s.Vault.Open(sealOf(c.Account), c.password)
	if err == nil {
		err = json.Unmarshal([]byte(text), &k)
	}
	return k, err
}

// CheckPassword says whether a password is that of a card: nil, ErrPassword,
// ErrLocked for a quarter of an hour after five wrong ones, or ErrNoCard. Where
// there is no password none is right.
func (s *Service) CheckPassword(ctx context.Context, account uint64, password string) error {
	who := strconv.FormatUint(account, 10)
	var c Account
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		var err error
		if c, err = s.Find(t.Context(), t, account); err == ErrNoCard {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		if !c.HasPassword {
			return refuse(ErrPassword, "has_password", false), nil
		}
		return try(t, "password", who, ErrLocked)
	})
	if err != nil {
		return err
	}
	k, err := s.unseal(c)
	if err != nil {
		return err
	}
	var good bool
	err = s.slow(ctx, func() (err error) {
		good, err = pin.Matches(k.PHC, password)
		return err
	})
	if err != nil {
		return err
	}
	return s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		now, err := s.Find(t.Context(), t, account)
		if err != nil {
			return nil, err
		}
		if !good || now.passwordAt != c.passwordAt { // it may have become another one meanwhile
			return ErrPassword, nil
		}
		return nil, forget(t, "password", who)
	})
}

// SetPassword gives a card a password of six digits. Where there is one the old
// one has to be right (see CheckPassword). ErrWeak, ErrClosed. Phones get what
// they check it by with their next credential.
func (s *Service) SetPassword(ctx context.Context, actor string, account uint64, old, fresh string) (Account, error) {
	before, err := s.Find(ctx, s.Store.Reader(), account)
	switch {
	case err != nil:
		return Account{}, err
	case before.ClosedAt != 0:
		return Account{}, ErrClosed
	case len(fresh) != passwordLen || pin.Check(fresh) != nil || repeats(fresh) || before.HasPassword && fresh == old:
		return Account{}, ErrWeak
	}
	if before.HasPassword {
		if err := s.CheckPassword(ctx, account, old); err != nil {
			return Account{}, err
		}
	}
	sealed, err := s.seal(ctx, account, fresh)
	if err != nil {
		return Account{}, err
	}
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if c.passwordAt != before.passwordAt {
			return ErrPassword, nil
		}
		if err := setPassword(t, c, sealed); err != nil {
			return nil, err
		}
		return nil, trail(t, actor, "card.password_set", c, nil)
	})
}

// ClearPassword takes the password away: its holder has proved otherwise who
// they are, and sets another. Proof, where it is not nil, is that proof, in the
// same change; what it refuses is refused.
func (s *Service) ClearPassword(ctx context.Context, actor string, account uint64, reason string, proof func(*store.Tx) (refusal, fault error)) (Account, error) {
	return s.edit(ctx, account, func(t *store.Tx, c Account) (refusal, fault error) {
		if proof != nil {
			if refusal, fault := proof(t); refusal != nil || fault != nil {
				return refusal, fault
			}
		}
		if err := setPassword(t, c, nil); err != nil {
			return nil, err
		}
		return nil, trail(t, actor, "card.password_reset", c, map[string]any{"reason": reason})
	})
}

func setPassword(t *store.Tx, c Account, sealed []byte) error {
	// Never the same time twice: it tells one password from the next.
	err := t.Exec("UPDATE cards SET password = $1, password_at = max($2, coalesce(password_at, 0) + 1) WHERE account = $3",
		sealed, t.Now(), int64(c.Account))
	if err != nil {
		return err
	}
	return forget(t, "password", strconv.FormatUint(c.Account, 10))
}

// seal makes what is kept of a password.
func (s *Service) seal(ctx context.Context, account uint64, password string) (sealed []byte, err error) {
	k := secret{Verifier: Verifier{Salt: make([]byte, saltLen), Iterations: s.rounds}}
	if _, err := io.ReadFull(s.Random, k.Verifier.Salt); err != nil {
		return nil, fmt.Errorf("salt: %w", err)
	}
	err = s.slow(ctx, func() (err error) {
		if k.PHC, err = pin.Make(s.Random, password); err != nil {
			return err
		}
		k.Verifier.Hash, err = pbkdf2.Key(sha256.New, password, k.Verifier.Salt, s.rounds, keyLen)
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	return s.Vault.Seal(sealOf(account), string(text))
}

// repeats finds 121212, 123123 and 112233: what people take when the plainer
// ones are refused.
func repeats(p string) bool {
	pairs := p[0] == p[1] && p[2] == p[3] && p[4] == p[5]
	return pairs || p[:3] == p[3:] || p[:2] == p[2:4] && p[2:4] == p[4:]
}
