package cards

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
)

// openChunk is how many cards one change opens.
const openChunk = 100

// Open gives somebody active a card. ErrExists, or a *people.Fault of field
// "person".
func (s *Service) Open(ctx context.Context, actor, person string) (Account, error) {
	var c Account
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		var opened bool
		opened, refusal, fault = s.open(t, actor, person)
		if fault != nil || refusal != nil {
			return refusal, fault
		}
		if c, fault = s.OfPerson(t.Context(), t, person); fault == nil && !opened {
			refusal = refuse(ErrExists, "account", c.Display)
		}
		return refusal, fault
	})
	return c, err
}

// OpenAll gives a card to everybody active of a kind and unit ("" = any) who has
// none, and says how many that were. What was done before an error stays; asked
// again it goes on.
func (s *Service) OpenAll(ctx context.Context, actor string, kind people.Kind, unit string) (opened int, err error) {
	numbers, err := s.People.Numbers(ctx, s.Store.Reader(), kind, unit)
	if err != nil {
		return 0, err
	}
	for len(numbers) > 0 {
		chunk := numbers[:min(openChunk, len(numbers))]
		numbers = numbers[len(chunk):]
		var n int
		err := s.Store.Change(ctx, func(t *store.Tx) error {
			n = 0
			for _, person := range chunk {
				made, refusal, err := s.open(t, actor, person)
				if err != nil {
					return err
				}
				if made && refusal == nil {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return opened, err
		}
		opened += n
	}
	return opened, nil
}

// open makes a card where the person has none that is open.
func (s *Service) open(t *store.Tx, actor, person string) (opened bool, refusal, fault error) {
	var active, has bool
	err := t.QueryRowContext(t.Context(), `SELECT
		EXISTS (SELECT 1 FROM persons WHERE id = $1 AND left_at IS NULL),
		EXISTS (SELECT 1 FROM cards WHERE person = $2 AND closed_at IS NULL)`, person, person).Scan(&active, &has)
	switch {
	case err != nil:
		return false, nil, err
	case !active:
		return false, &people.Fault{Field: "person", ZH: "没有这个人员编号,或已离校", EN: "nobody active has this number"}, nil
	case has:
		return false, nil, nil
	}
	account, err := s.pseudonym(t)
	if err != nil {
		return false, nil, err
	}
	var credential signing.PassID
	if _, err := io.ReadFull(s.Random, credential[:]); err != nil {
		return false, nil, fmt.Errorf("credential id: %w", err)
	}
	var n int64
	if err := t.QueryRowContext(t.Context(), "UPDATE counters SET value = value + 1 WHERE name = 'cards' RETURNING value").Scan(&n); err != nil {
		return false, nil, err
	}
	display := fmt.Sprint(n)
	display += string(checkDigit(display))
	err = t.Exec(`INSERT INTO cards (account, display, person, credential, epoch, epoch_at, opened_at, state_at)
		VALUES ($1, $2, $3, $4, 1, $5, $6, $7)`, int64(account), display, person, credential[:], t.Now(), t.Now(), t.Now())
	if err != nil {
		return false, nil, err
	}
	return true, nil, trail(t, actor, "card.opened", Account{Display: display}, nil)
}

// pseudonym makes an account that there never was: 53 bits, so that every page
// can hold it in a number.
func (s *Service) pseudonym(t *store.Tx) (uint64, error) {
	for {
		var raw [8]byte
		if _, err := io.ReadFull(s.Random, raw[:]); err != nil {
			return 0, fmt.Errorf("account: %w", err)
		}
		account := binary.LittleEndian.Uint64(raw[:]) & (1<<53 - 1)
		var taken bool
		err := t.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT 1 FROM cards WHERE account = $1)", int64(account)).Scan(&taken)
		if err != nil || account != 0 && !taken {
			return account, err
		}
	}
}

// Bind makes the card of whoever is signed in usable for them: they have to say
// name and number, both their own. ErrMismatch for any other pair, whatever is
// wrong with it; ErrTries after five; ErrNoCard where the pair is right and the
// office has opened no card.
func (s *Service) Bind(ctx context.Context, person, name, number string) (Account, error) {
	var c Account
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		if refusal, fault := try(t, "bind", person, ErrTries); refusal != nil || fault != nil {
			return refusal, fault
		}
		who, err := s.People.Find(t.Context(), t, person)
		if err != nil {
			return nil, err
		}
		same := subtle.ConstantTimeCompare(plain(number), plain(who.ID)) & subtle.ConstantTimeCompare(plain(name), plain(who.Name))
		if same != 1 || who.Name == "" {
			return ErrMismatch, nil
		}
		if err := forget(t, "bind", person); err != nil {
			return nil, err
		}
		if c, err = s.OfPerson(t.Context(), t, person); err == ErrNoCard {
			return ErrNoCard, nil
		} else if err != nil {
			return nil, err
		}
		if c.ClosedAt != 0 {
			return ErrClosed, nil
		}
		if c.BoundAt != 0 {
			return nil, nil
		}
		c.BoundAt = t.Now()
		if err := t.Exec("UPDATE cards SET bound_at = $1 WHERE account = $2", t.Now(), int64(c.Account)); err != nil {
			return nil, err
		}
		return nil, trail(t, "person "+person, "card.bound", c, nil)
	})
	if err != nil {
		return Account{}, err
	}
	return c, nil
}

// plain is a name or number as people type it: width, case and spaces do not
// matter.
func plain(text string) []byte {
	return []byte(strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(text)), "")))
}

// Wrong tries: so many within so long, and none is allowed for as long again.
const (
	lockAfter  = 5
	lockWindow = 15 * time.Minute
)

// try counts a try before it is looked at, so that many at once are no more than
// five either. While it is locked it gives locked, with the seconds to wait.
func try(t *store.Tx, what, who string, locked error) (refusal, fault error) {
	rows, err := store.List(t.Context(), t, scanTries,
		"SELECT count, began_at, coalesce(locked_until, 0) FROM card_attempts WHERE what = $1 AND who = $2", what, who)
	if err != nil {
		return nil, err
	}
	now := t.Now()
	a := tries{began: now}
	if len(rows) > 0 {
		a = rows[0]
	}
	if a.locked > now {
		return refuse(locked, "retry_after", (a.locked-now+999)/1000), nil
	}
	if a.locked != 0 || now-a.began >= lockWindow.Milliseconds() {
		a = tries{began: now}
	}
	var until any
	if a.count++; a.count >= lockAfter {
		until = now + lockWindow.Milliseconds()
	}
	return nil, t.Exec(`INSERT INTO card_attempts (what, who, count, began_at, locked_until) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (what, who) DO UPDATE SET count = excluded.count, began_at = excluded.began_at, locked_until = excluded.locked_until`,
		what, who, a.count, a.began, until)
}

// forget ends the count of tries after one was right.
func forget(t *store.Tx, what, who string) error {
	return t.Exec("DELETE FROM card_attempts WHERE what = $1 AND who = $2", what, who)
}
