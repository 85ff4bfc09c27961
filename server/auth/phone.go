package auth

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"campusgate/server/people"
	"campusgate/server/store"
)

// Limits of one-time codes. A code is good for one login and never becomes a
// password.
const (
	CodeLife   = 5 * time.Minute
	CodeResend = time.Minute // until the same phone gets another

	codeTries   = 5
	codesHourly = 5
	codesDaily  = 10

	// DefaultHourly is how many codes all phones together get within an hour:
	// whoever has many addresses shall not spend the campus's money.
	DefaultHourly = 1000
)

// What a code is for. A code of one purpose does nothing for another.
const purposeLogin = "login"

func purposePhone(person string) string { return "phone of " + person }

func purposeCard(person string) string { return "card of " + person }

// slotOf and codeHash: the database tells neither the phone nor the code, and a
// hash fits one purpose and phone only.
func (a *Accounts) slotOf(purpose, phone string) []byte {
	return a.Vault.Index("code slot", purpose+"\x00"+phone)
}

func (a *Accounts) codeHash(slot []byte, code string) []byte {
	return a.Vault.Index("code", string(slot)+code)
}

// SendCode sends a code to sign in with. The answer is the same whether somebody
// has the phone or not. Errors: ErrNoWay, *Wait, ErrBudget, ErrSending, or a
// *people.Fault.
func (a *Accounts) SendCode(ctx context.Context, phone string) error {
	return a.sendCode(ctx, purposeLogin, phone)
}

// SendPhoneCode sends a code to a phone that a person wants to be theirs.
func (a *Accounts) SendPhoneCode(ctx context.Context, person, phone string) error {
	return a.sendCode(ctx, purposePhone(person), phone)
}

// SendCardCode sends a code to the phone of a person who has forgotten their card
// password. store.ErrNotFound where they have no phone.
func (a *Accounts) SendCardCode(ctx context.Context, person string) error {
	phone, err := a.phoneOf(ctx, a.Store.Reader(), person)
	if err != nil {
		return err
	}
	return a.sendCode(ctx, purposeCard(person), phone)
}

// TakeCardCode uses up a code that SendCardCode sent, in the change of what it
// allows. A wrong one is a result: the count of tries stays.
func (a *Accounts) TakeCardCode(t *store.Tx, person, code string) (good bool, err error) {
	phone, err := a.phoneOf(t.Context(), t, person)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return a.takeCode(t, purposeCard(person), phone, strings.TrimSpace(code))
}

func (a *Accounts) phoneOf(ctx context.Context, src store.Source, person string) (string, error) {
	p, err := a.People.Details(ctx, src, person)
	if err == nil && p.Phone == "" {
		err = fmt.Errorf("%w: phone", store.ErrNotFound)
	}
	return p.Phone, err
}

func (a *Accounts) sendCode(ctx context.Context, purpose, phone string) error {
	if a.Texter == nil {
		return ErrNoWay
	}
	phone, err := people.CheckPhone(phone)
	if err != nil {
		return err
	}
	code, err := a.newCode()
	if err != nil {
		return err
	}
	slot := a.slotOf(purpose, phone)
	err = a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		if refusal, fault = a.countCode(t, phone); refusal != nil || fault != nil {
			return refusal, fault
		}
		// Always another one: a code that was seen once is worth nothing later.
		return nil, t.Exec(`INSERT INTO codes (slot, hash, tries, expires_at) VALUES ($1, $2, 0, $3)
			ON CONFLICT (slot) DO UPDATE SET hash = excluded.hash, tries = 0, expires_at = excluded.expires_at`,
			slot, a.codeHash(slot, code), t.Now()+CodeLife.Milliseconds())
	})
	if err != nil {
		return err
	}
	// After the commit, so that no change waits for a gateway. Should the gateway
	// have taken the code and not said so, the code works.
	if err := a.Texter.Text(ctx, phone, code); err != nil {
		return fmt.Errorf("%w: %w", ErrSending, err)
	}
	return nil
}

// countCode counts a code that is about to be sent to a phone, whatever for, or
// says how long it has to wait; ErrBudget when no phone gets any.
func (a *Accounts) countCode(t *store.Tx, phone string) (refusal, fault error) {
	var all int
	err := t.QueryRowContext(t.Context(), "SELECT count(*) FROM sent_codes WHERE at > $1", t.Now()-time.Hour.Milliseconds()).Scan(&all)
	if err != nil {
		return nil, err
	}
	if all >= a.Hourly {
		return ErrBudget, nil
	}
	key := a.Vault.Index("code phone", phone)
	sent, err := store.List(t.Context(), t, func(rows *sql.Rows) (at int64, err error) {
		return at, rows.Scan(&at)
	}, "SELECT at FROM sent_codes WHERE phone = $1 AND at > $2 ORDER BY at DESC", key, t.Now()-(24*time.Hour).Milliseconds())
	if err != nil {
		return nil, err
	}
	var until int64
	for _, limit := range []struct {
		n    int
		each time.Duration
	}{{1, CodeResend}, {codesHourly, time.Hour}, {codesDaily, 24 * time.Hour}} {
		if len(sent) >= limit.n {
			until = max(until, sent[limit.n-1]+limit.each.Milliseconds())
		}
	}
	if until > t.Now() {
		return &Wait{time.Duration(until-t.Now()) * time.Millisecond}, nil
	}
	return nil, t.Exec("INSERT INTO sent_codes (phone, at) VALUES ($1, $2)", key, t.Now())
}

// newCode gives six digits, each six equally likely.
func (a *Accounts) newCode() (string, error) {
	n, err := below(a.Random, 1_000_000)
	if err != nil {
		return "", fmt.Errorf("make a code: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// takeCode uses up a code. Wrong tries are counted in the same change, so that
// many at once are no more than five either.
func (a *Accounts) takeCode(t *store.Tx, purpose, phone, code string) (good bool, err error) {
	slot := a.slotOf(purpose, phone)
	var hash []byte
	var tries int
	var expires int64
	err = t.QueryRowContext(t.Context(), "SELECT hash, tries, expires_at FROM codes WHERE slot = $1", slot).
		Scan(&hash, &tries, &expires)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return false, nil
	case err != nil:
		return false, err
	case tries >= codeTries || t.Now() >= expires:
		return false, nil
	}
	if subtle.ConstantTimeCompare(hash, a.codeHash(slot, code)) != 1 {
		return false, t.Exec("UPDATE codes SET tries = tries + 1 WHERE slot = $1", slot)
	}
	return true, t.Exec("DELETE FROM codes WHERE slot = $1", slot)
}

// EnterByPhone starts a session for whoever has the phone, and makes a resident
// of somebody new. ErrCode, or a *people.Fault of the phone.
func (a *Accounts) EnterByPhone(ctx context.Context, phone, code string, c Client) (Entry, error) {
	if a.Texter == nil {
		return Entry{}, ErrNoWay
	}
	phone, err := people.CheckPhone(phone)
	if err != nil {
		return Entry{}, err
	}
	s, err := a.newSecret()
	if err != nil {
		return Entry{}, err
	}
	err = a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		good, err := a.takeCode(t, purposeLogin, phone, code)
		if err != nil {
			return nil, err
		}
		person, err := a.People.ByPhone(t.Context(), t, phone)
		known := err == nil
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if !good {
			return ErrCode, record(t, person.ID, WayPhone, c, "wrong_code", 0)
		}
		if !known {
			if person, err = a.People.AddResident(t, "login", phone); err != nil {
				return nil, err
			}
		}
		return nil, a.begin(t, person.ID, WayPhone, c, s)
	})
	if err != nil {
		return Entry{}, err
	}
	return a.entered(ctx, s)
}

// SetPhone makes a phone a person's own: the code shows that they hold it. Every
// other session ends. ErrCode, a *people.Fault, or store.ErrTaken when it is
// somebody else's.
func (a *Accounts) SetPhone(ctx context.Context, who Caller, phone, code string) error {
	if a.Texter == nil {
		return ErrNoWay
	}
	phone, err := people.CheckPhone(phone)
	if err != nil {
		return err
	}
	return a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		if good, err := a.takeCode(t, purposePhone(who.Person), phone, code); err != nil || !good {
			return ErrCode, err
		}
		if err := a.People.SetPhone(t, who.Actor, who.Person, phone); errors.Is(err, store.ErrTaken) {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		return nil, EndAll(t, who.Person, who.Session)
	})
}

// SetMail sets a person's mail; "" takes it away. The error may be a
// *people.Fault.
func (a *Accounts) SetMail(ctx context.Context, who Caller, mail string) error {
	return a.change(ctx, func(t *store.Tx) (refusal, fault error) {
		if err := a.People.SetMail(t, who.Actor, who.Person, mail); errors.Is(err, people.ErrInvalid) {
			return err, nil
		} else if err != nil {
			return nil, err
		}
		return nil, nil
	})
}
