package cash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/store"
)

// What a Desk wraps beside recharge.ErrInvalid, ErrNoCard, ErrCardClosed, ErrKey
// and store.ErrNotFound.
var (
	// ErrNoShift: the clerk has none that is open.
	ErrNoShift = errors.New("no open shift")
	// ErrShiftOpen: the clerk has one that is open.
	ErrShiftOpen = errors.New("a shift is open already")
	// ErrDrawer: there is not so much in the drawer.
	ErrDrawer = errors.New("not enough in the drawer")
	// ErrNothing: there is nothing to pay out.
	ErrNothing = errors.New("nothing to pay out")
	// ErrHeld: money of the account is promised to a till, or the card is lost
	// or frozen.
	ErrHeld = errors.New("the account cannot be paid out now")
	// ErrLedger: the ledger would not take it.
	ErrLedger = errors.New("the ledger refused")
)

// The accounts on the other side of a drawer.
const (
	Safe       = "cash"            // where floats come from and takings go to
	Difference = "cash_difference" // what counting found too much or too little
)

// Ledger is what is needed of *ledger.Ledger.
type Ledger interface {
	recharge.Ledger
	BalanceOf(ctx context.Context, src store.Source, a ledger.Account) (int64, error)
}

// Config is what a Desk works with. All fields are required.
type Config struct {
	Store    *store.Store
	Ledger   Ledger
	Cards    recharge.Cards
	Location *time.Location
	Max      int64 // of one recharge, fen
}

// Desk is the cash desk. Safe for concurrent use.
type Desk struct{ Config }

// New makes a Desk.
func New(c Config) *Desk { return &Desk{c} }

// MaxFloat is more than any drawer begins with: 100,000 yuan.
const MaxFloat = 10_000_000

// Shift is a clerk's time at the desk.
type Shift struct {
	ID            int64
	Clerk         string
	FloatFen      int64
	OpenedAt      int64
	ClosedAt      int64 // 0 = it is open
	ExpectedFen   int64 // in the drawer; of an open one, now
	CountedFen    int64 // at the close
	DifferenceFen int64 // counted less expected
	InFen         int64 // recharges
	OutFen        int64 // payouts
	Moves         int
}

const shiftColumns = `SELECT s.id, s.clerk, s.float_fen, s.opened_at, coalesce(s.closed_at, 0), coalesce(s.expected_fen, 0), coalesce(s.counted_fen, 0),
	coalesce(s.difference_fen, 0),
	(SELECT coalesce(sum(fen), 0) FROM cash_moves WHERE shift = s.id AND kind = 'cash'),
	(SELECT coalesce(sum(fen), 0) FROM cash_moves WHERE shift = s.id AND kind = 'payout'),
	(SELECT count(*) FROM cash_moves WHERE shift = s.id) FROM cash_shifts s`

func scanShift(rows *sql.Rows) (s Shift, err error) {
	err = rows.Scan(&s.ID, &s.Clerk, &s.FloatFen, &s.OpenedAt, &s.ClosedAt, &s.ExpectedFen, &s.CountedFen, &s.DifferenceFen, &s.InFen, &s.OutFen, &s.Moves)
	if s.ClosedAt == 0 {
		s.ExpectedFen = s.FloatFen + s.InFen - s.OutFen
	}
	return s, err
}

func shift(ctx context.Context, src store.Source, where string, args ...any) (Shift, error) {
	found, err := store.List(ctx, src, scanShift, shiftColumns+where, args...)
	if err == nil && len(found) == 0 {
		err = ErrNoShift
	}
	if err != nil {
		return Shift{}, err
	}
	return found[0], nil
}

func current(ctx context.Context, src store.Source, clerk string) (Shift, error) {
	return shift(ctx, src, " WHERE s.clerk = $1 AND s.closed_at IS NULL", clerk)
}

// Current gives a clerk's open shift. Errors: ErrNoShift.
func (d *Desk) Current(ctx context.Context, clerk string) (Shift, error) {
	return current(ctx, d.Store.Reader(), clerk)
}

// Shifts gives shifts, newest first, and how many there are.
func (d *Desk) Shifts(ctx context.Context, limit, offset int) (found []Shift, total int, err error) {
	src := d.Store.Reader()
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM cash_shifts").Scan(&total); err != nil {
		return nil, 0, err
	}
	found, err = store.List(ctx, src, scanShift, shiftColumns+" ORDER BY s.id DESC LIMIT $1 OFFSET $2", limit, offset)
	return found, total, err
}

// change runs do in a change; refusal is what it refused with, when nothing was
// written.
func (d *Desk) change(ctx context.Context, do func(t *store.Tx) (refusal, err error)) error {
	var refusal error
	err := d.Store.Change(ctx, func(t *store.Tx) (err error) {
		refusal, err = do(t)
		return err
	})
	if err == nil {
		err = refusal
	}
	return err
}

// Open begins a shift with what is in the drawer. Errors: ErrShiftOpen, *Fault.
func (d *Desk) Open(ctx context.Context, clerk string, float int64) (s Shift, err error) {
	if float < 0 || float > MaxFloat {
		return s, &recharge.Fault{Field: "float_fen", ZH: "备用金应在 0 到 100000 元之间", EN: "want a float of 0 to 100,000 yuan"}
	}
	err = d.change(ctx, func(t *store.Tx) (refusal, err error) {
		if _, err := current(t.Context(), t, clerk); !errors.Is(err, ErrNoShift) {
			return ErrShiftOpen, err
		}
		var id int64
		err = t.QueryRowContext(t.Context(), "INSERT INTO cash_shifts (clerk, float_fen, opened_at) VALUES ($1, $2, $3) RETURNING id",
			clerk, float, t.Now()).Scan(&id)
		if err != nil {
			return nil, err
		}
		if err := d.post(t, "open", id, ledger.Entry{Account: ledger.Clearing(Safe), Fen: float}, ledger.Entry{Account: ledger.Drawer(id), Fen: -float}); err != nil {
			return nil, err
		}
		if err := t.Trail(clerk, "cash.opened", strconv.FormatInt(id, 10), map[string]any{"float_fen": float}); err != nil {
			return nil, err
		}
		s, err = current(t.Context(), t, clerk)
		return nil, err
	})
	return s, err
}

// Close ends a shift with what was counted in the drawer. All of it goes to the
// safe; what is too much or too little is kept by name. Closing again with the
// same amount gives the same answer. Errors: store.ErrNotFound, also for another
// clerk's; store.ErrState; *Fault.
func (d *Desk) Close(ctx context.Context, clerk string, id, counted int64) (s Shift, err error) {
	if counted < 0 || counted > 10*MaxFloat {
		return s, &recharge.Fault{Field: "counted_fen", ZH: "清点金额有误", EN: "not an amount that can be in a drawer"}
	}
	err = d.change(ctx, func(t *store.Tx) (refusal, err error) {
		s, err = shift(t.Context(), t, " WHERE s.id = $1 AND s.clerk = $2", id, clerk)
		switch {
		case errors.Is(err, ErrNoShift):
			return fmt.Errorf("shift: %w", store.ErrNotFound), nil
		case err != nil:
			return nil, err
		case s.ClosedAt > 0 && s.CountedFen == counted:
			return nil, nil
		case s.ClosedAt > 0:
			return store.ErrState, nil
		}
		drawer, err := d.Ledger.BalanceOf(t.Context(), t, ledger.Drawer(id))
		if err != nil {
			return nil, err
		}
		s.ClosedAt, s.ExpectedFen, s.CountedFen, s.DifferenceFen = t.Now(), -drawer, counted, counted+drawer
		err = t.Exec("UPDATE cash_shifts SET closed_at = $1, expected_fen = $2, counted_fen = $3, difference_fen = $4 WHERE id = $5",
			s.ClosedAt, s.ExpectedFen, s.CountedFen, s.DifferenceFen, id)
		if err != nil {
			return nil, err
		}
		err = d.post(t, "close", id, ledger.Entry{Account: ledger.Drawer(id), Fen: s.ExpectedFen},
			ledger.Entry{Account: ledger.Clearing(Safe), Fen: -counted}, ledger.Entry{Account: ledger.Clearing(Difference), Fen: s.DifferenceFen})
		if err != nil {
			return nil, err
		}
		return nil, t.Trail(clerk, "cash.closed", strconv.FormatInt(id, 10),
			map[string]any{"expected_fen": s.ExpectedFen, "counted_fen": counted, "difference_fen": s.DifferenceFen})
	})
	return s, err
}

// post moves money between drawer and safe; nothing, where there is none.
func (d *Desk) post(t *store.Tx, what string, id int64, all ...ledger.Entry) error {
	tr := ledger.Transfer{ID: fmt.Sprintf("shift/%d/%s", id, what), Kind: ledger.KindAdjust, At: t.Now(), Day: d.day(t.Now()), Place: "现金窗口"}
	for _, e := range all {
		if e.Fen != 0 {
			tr.Entries = append(tr.Entries, e)
		}
	}
	if len(tr.Entries) == 0 {
		return nil
	}
	out, err := d.Ledger.Post(t, tr)
	if err == nil && out.State != ledger.Posted {
		err = fmt.Errorf("%w: %s", ErrLedger, out.State)
	}
	return err
}

func (d *Desk) day(ms int64) string { return time.UnixMilli(ms).In(d.Location).Format(time.DateOnly) }
