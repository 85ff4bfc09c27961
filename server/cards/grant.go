package cards

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// grantChunk is how many cards one change grants to or takes back from.
const grantChunk = 100

// plansKept is how long a batch waits to be confirmed.
const plansKept = 24 * time.Hour

// Tick finishes batches that were confirmed and interrupted, takes back what is
// left of subsidies that have expired, and forgets plans that nobody confirmed.
// It is for a schedule.
func (s *Service) Tick(ctx context.Context) error {
	ids, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (id string, err error) {
		return id, rows.Scan(&id)
	}, "SELECT id FROM subsidy_batches WHERE confirmed_at IS NOT NULL AND done_at IS NULL ORDER BY confirmed_at")
	for _, id := range ids {
		err = errors.Join(err, s.grantAll(ctx, id))
	}
	return errors.Join(err, s.Expire(ctx), s.Store.Change(ctx, func(t *store.Tx) error {
		before := t.Now() - plansKept.Milliseconds()
		return errors.Join(
			t.Exec("DELETE FROM subsidy_batches WHERE confirmed_at IS NULL AND created_at < $1", before),
			t.Exec("DELETE FROM card_nonces WHERE expires_at < $1", t.Now()),
		)
	}))
}

func accounts(ctx context.Context, src store.Source, query string, args ...any) ([]uint64, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (uint64, error) {
		var account int64
		err := rows.Scan(&account)
		return uint64(account), err
	}, query, args...)
}

// grantAll grants what is left of a batch, in changes that are short.
func (s *Service) grantAll(ctx context.Context, id string) error {
	for more := true; more; {
		err := s.Store.Change(ctx, func(t *store.Tx) error {
			left, err := accounts(t.Context(), t, `SELECT account FROM subsidy_grants
				WHERE batch = $1 AND granted_at IS NULL AND skipped_at IS NULL ORDER BY account LIMIT $2`, id, grantChunk)
			if err != nil {
				return err
			}
			for _, account := range left {
				if err := s.grant(t, id, account); err != nil {
					return err
				}
			}
			if more = len(left) == grantChunk; more {
				return nil
			}
			return t.Exec("UPDATE subsidy_batches SET done_at = $1 WHERE id = $2 AND done_at IS NULL", t.Now(), id)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) grant(t *store.Tx, batch string, account uint64) error {
	var fen int64
	var name string
	err := t.QueryRowContext(t.Context(), `SELECT g.fen, b.name FROM subsidy_grants g JOIN subsidy_batches b ON b.id = g.batch
		WHERE g.batch = $1 AND g.account = $2`, batch, int64(account)).Scan(&fen, &name)
	if err != nil {
		return err
	}
	c, err := s.Find(t.Context(), t, account)
	if err != nil {
		return err
	}
	skip := c.ClosedAt != 0
	if !skip {
		if err := s.settle(t, account); err != nil {
			return err
		}
		refusal, fault := s.post(t, c, ledger.Transfer{
			ID: "subsidy/" + batch + "/" + accountText(account), Kind: ledger.KindSubsidy, Place: name,
			Entries: []ledger.Entry{{Account: ledger.Subsidies, Fen: -fen}, {Account: ledger.Subsidy(account), Fen: fen}},
		}, nil)
		if fault != nil {
			return fault
		}
		skip = refusal != nil
	}
	if skip {
		return t.Exec("UPDATE subsidy_grants SET skipped_at = $1 WHERE batch = $2 AND account = $3", t.Now(), batch, int64(account))
	}
	return t.Exec("UPDATE subsidy_grants SET granted_at = $1, remaining = fen WHERE batch = $2 AND account = $3", t.Now(), batch, int64(account))
}

// held is a grant that has not ended.
type held struct {
	batch                   string
	fen, remaining, expires int64
}

// grants lists those of a card, the first to expire first: the order in which
// they are spent.
func grants(t *store.Tx, account uint64) ([]held, error) {
	return store.List(t.Context(), t, func(rows *sql.Rows) (g held, err error) {
		return g, rows.Scan(&g.batch, &g.fen, &g.remaining, &g.expires)
	}, `SELECT batch, fen, remaining, expires_at FROM subsidy_grants
		WHERE account = $1 AND granted_at IS NOT NULL AND ended_at IS NULL ORDER BY expires_at, batch`, int64(account))
}

// settle brings what remains of a card's grants in line with its subsidy
// wallet. Between two grants or expiries it can wait: the set of grants is the
// same, and what was spent comes off the first to expire. What came back by a
// void or refund goes to the last that was spent of; where none has room it
// stays in the wallet and does not expire.
func (s *Service) settle(t *store.Tx, account uint64) error {
	all, err := grants(t, account)
	if err != nil || len(all) == 0 {
		return err
	}
	wallet, err := s.Ledger.BalanceOf(t.Context(), t, ledger.Subsidy(account))
	if err != nil {
		return err
	}
	spent := -wallet
	for _, g := range all {
		spent += g.remaining
	}
	for i := range all {
		g := &all[i]
		if spent < 0 {
			g = &all[len(all)-1-i]
		}
		change := min(spent, g.remaining)
		if spent < 0 {
			change = max(spent, g.remaining-g.fen)
		}
		if change == 0 {
			continue
		}
		spent -= change
		err := t.Exec("UPDATE subsidy_grants SET remaining = $1 WHERE batch = $2 AND account = $3", g.remaining-change, g.batch, int64(account))
		if err != nil {
			return err
		}
	}
	return nil
}

// Expire takes back what is left of grants whose last day is over. A card that
// has money promised to a till waits for the next time.
func (s *Service) Expire(ctx context.Context) error {
	for last, more := uint64(0), true; more; {
		var due []uint64
		err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
			due, err = accounts(t.Context(), t, `SELECT DISTINCT account FROM subsidy_grants
				WHERE granted_at IS NOT NULL AND ended_at IS NULL AND expires_at <= $1 AND account > $2 ORDER BY account LIMIT $3`,
				t.Now(), int64(last), grantChunk)
			if err != nil {
				return err
			}
			for _, account := range due {
				b, err := s.Ledger.Balance(t.Context(), t, account)
				if err != nil {
					return err
				}
				if b.HeldFen != 0 {
					continue
				}
				c, err := s.Find(t.Context(), t, account)
				if err != nil {
					return err
				}
				if err := s.takeBack(t, c, t.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if more = len(due) == grantChunk; more {
			last = due[len(due)-1]
		}
	}
	return nil
}

// takeBack ends the grants of a card that expire by a time. What the ledger
// refuses, having raised its alarm, keeps nobody else's waiting.
func (s *Service) takeBack(t *store.Tx, c Account, by int64) error {
	if err := s.settle(t, c.Account); err != nil {
		return err
	}
	all, err := grants(t, c.Account)
	if err != nil {
		return err
	}
	for _, g := range all {
		if g.expires > by {
			break
		}
		if g.remaining > 0 {
			refusal, fault := s.post(t, c, ledger.Transfer{
				ID: "expiry/" + g.batch + "/" + accountText(c.Account), Kind: ledger.KindExpiry,
				Entries: []ledger.Entry{
					{Account: ledger.Subsidy(c.Account), Fen: -g.remaining}, {Account: ledger.Subsidies, Fen: g.remaining},
				},
			}, nil)
			if fault != nil || refusal != nil {
				return fault
			}
		}
		err := t.Exec("UPDATE subsidy_grants SET ended_at = $1, remaining = 0 WHERE batch = $2 AND account = $3",
			t.Now(), g.batch, int64(c.Account))
		if err != nil {
			return err
		}
	}
	return nil
}

// takeAllBack empties the subsidy wallet of a card that is closing.
func (s *Service) takeAllBack(t *store.Tx, c Account, fen int64) (refusal, fault error) {
	if fen != 0 {
		refusal, fault = s.post(t, c, ledger.Transfer{
			ID: "expiry/close/" + accountText(c.Account), Kind: ledger.KindExpiry,
			Entries: []ledger.Entry{{Account: ledger.Subsidy(c.Account), Fen: -fen}, {Account: ledger.Subsidies, Fen: fen}},
		}, nil)
		if refusal != nil || fault != nil {
			return refusal, fault
		}
	}
	return nil, t.Exec("UPDATE subsidy_grants SET ended_at = $1, remaining = 0 WHERE account = $2 AND granted_at IS NOT NULL AND ended_at IS NULL",
		t.Now(), int64(c.Account))
}
