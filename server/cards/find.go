package cards

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"campusgate/server/store"
	"campusgate/signing/wire"

	"golang.org/x/text/unicode/norm"
)

const columns = `SELECT c.account, c.display, c.person, p.name, c.credential, c.epoch, c.epoch_at, c.opened_at, coalesce(c.bound_at, 0),
	coalesce(c.lost_at, 0), coalesce(c.frozen_at, 0), coalesce(c.freeze_reason, ''), coalesce(c.closed_at, 0), c.state_at,
	c.per_tx, c.per_meal, c.per_day, c.offline, c.offline_tx, c.offline_day, c.offline_max,
	c.own_tx, c.own_day, c.own_offline, c.own_offline_tx, c.own_offline_day, c.password, coalesce(c.password_at, 0)
	FROM cards c JOIN persons p ON p.id = c.person`

func scan(rows *sql.Rows) (c Account, err error) {
	var account int64
	var id []byte
	o := &c.Office
	err = rows.Scan(&account, &c.Display, &c.Person, &c.Name, &id, &c.Epoch, &c.EpochAt, &c.OpenedAt, &c.BoundAt,
		&c.LostAt, &c.FrozenAt, &c.FreezeReason, &c.ClosedAt, &c.StateAt,
		&o.PerTxFen, &o.PerMealFen, &o.PerDayFen, &o.Offline, &o.OfflinePerTxFen, &o.OfflinePerDayFen, &o.OfflineMaxTx,
		&c.own.perTx, &c.own.perDay, &c.own.offline, &c.own.offTx, &c.own.offDay, &c.password, &c.passwordAt)
	c.Account = uint64(account)
	copy(c.credential[:], id)
	c.HasPassword = c.password != nil
	c.State = c.state()
	return c, err
}

// state is the one that verdicts put first.
func (c *Account) state() wire.CardState {
	switch {
	case c.ClosedAt != 0:
		return wire.CardClosed
	case c.LostAt != 0:
		return wire.CardLost
	case c.FrozenAt != 0:
		return wire.CardFrozen
	}
	return wire.CardActive
}

// list gives the cards that where selects.
func list(ctx context.Context, src store.Source, where string, args ...any) ([]Account, error) {
	v, err := terms(ctx, src)
	if err != nil {
		return nil, err
	}
	all, err := store.List(ctx, src, scan, columns+where, args...)
	for i := range all {
		all[i].apply(v)
	}
	return all, err
}

func one(ctx context.Context, src store.Source, where string, args ...any) (Account, error) {
	all, err := list(ctx, src, where, args...)
	if err == nil && len(all) == 0 {
		err = ErrNoCard
	}
	if err != nil {
		return Account{}, err
	}
	return all[0], nil
}

// Find gives a card by its pseudonym; ErrNoCard.
func (s *Service) Find(ctx context.Context, src store.Source, account uint64) (Account, error) {
	return one(ctx, src, " WHERE c.account = $1", int64(account))
}

// Paying is Find for a charge, while people queue: Name, Epoch, LostAt, FrozenAt,
// ClosedAt, State and Limits of the card; ErrNoCard.
func (s *Service) Paying(ctx context.Context, src store.Source, account uint64) (c Account, err error) {
	v, err := terms(ctx, src)
	if err != nil {
		return c, err
	}
	o := &c.Office
	err = src.QueryRowContext(ctx, `SELECT p.name, c.epoch, coalesce(c.lost_at, 0), coalesce(c.frozen_at, 0), coalesce(c.closed_at, 0),
		c.per_tx, c.per_meal, c.per_day, c.own_tx, c.own_day FROM cards c JOIN persons p ON p.id = c.person WHERE c.account = $1`, int64(account)).
		Scan(&c.Name, &c.Epoch, &c.LostAt, &c.FrozenAt, &c.ClosedAt, &o.PerTxFen, &o.PerMealFen, &o.PerDayFen, &c.own.perTx, &c.own.perDay)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoCard
	}
	c.State = c.state()
	c.apply(v)
	return c, err
}

// ByDisplay gives a card by the number that people type; ErrNoCard, also where
// the check digit is wrong.
func (s *Service) ByDisplay(ctx context.Context, src store.Source, display string) (Account, error) {
	display, ok := ParseDisplay(display)
	if !ok {
		return Account{}, ErrNoCard
	}
	return one(ctx, src, " WHERE c.display = $1", display)
}

// OfPerson gives somebody's card, the last one where all are closed; ErrNoCard.
func (s *Service) OfPerson(ctx context.Context, src store.Source, person string) (Account, error) {
	return one(ctx, src, " WHERE c.person = $1 ORDER BY c.closed_at IS NULL DESC, c.closed_at DESC, c.account LIMIT 1", person)
}

// Mine is OfPerson for its holder, who must have bound it.
func (s *Service) Mine(ctx context.Context, person string) (Account, error) {
	c, err := s.OfPerson(ctx, s.Store.Reader(), person)
	if err == nil && c.BoundAt == 0 {
		err = ErrNoCard
	}
	if err != nil {
		return Account{}, err
	}
	return c, nil
}

// Query says which cards to list. Empty fields do not matter.
type Query struct {
	Text  string // in the number or name of the holder, or a display number
	State wire.CardState
	After string // display number of the last of the page before
	Limit int
}

const filter = ` WHERE c.display > $1 AND ($2 = '' OR c.person LIKE $3 ESCAPE '\' OR p.name LIKE $4 ESCAPE '\' OR c.display = $5)
	AND ($6 = '' OR $7 = CASE WHEN c.closed_at IS NOT NULL THEN 'closed' WHEN c.lost_at IS NOT NULL THEN 'lost'
		WHEN c.frozen_at IS NOT NULL THEN 'frozen' ELSE 'active' END)
	ORDER BY c.display LIMIT $8`

// List gives cards in the order of their display numbers.
func (s *Service) List(ctx context.Context, src store.Source, q Query) ([]Account, error) {
	text := strings.TrimSpace(q.Text)
	like := "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
	return list(ctx, src, filter, q.After, text, like, like, text, string(q.State), string(q.State), q.Limit)
}

// ParseDisplay reads a display number, with what people put between digits;
// ok = its check digit is right.
func ParseDisplay(text string) (display string, ok bool) {
	display = strings.NewReplacer(" ", "", "-", "").Replace(norm.NFKC.String(strings.TrimSpace(text)))
	if len(display) < 8 || len(display) > 10 || strings.Trim(display, "0123456789") != "" {
		return "", false
	}
	last := len(display) - 1
	return display, checkDigit(display[:last]) == display[last]
}

// checkDigit is the last digit after Luhn (ISO/IEC 7812-1): a wrong digit and
// most swaps of two are noticed.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// MaskName hides all of a name but its last character, and shows how many are
// hidden: 林晓岚 is **岚.
func MaskName(name string) string {
	runes := []rune(norm.NFC.String(name))
	if len(runes) < 2 {
		return strings.Repeat("*", len(runes))
	}
	return strings.Repeat("*", len(runes)-1) + string(runes[len(runes)-1])
}
