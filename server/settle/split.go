package settle

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// splitChunk is how many cards one change sets right: a till that asks waits for
// one of them at most.
const splitChunk = 20

// splitPrefix begins the ids of the transfers that set splits right.
const splitPrefix = "split/"

// grant is a subsidy that was granted, and what is left of it.
type grant struct {
	Batch   string `json:"batch"`
	Expires int64  `json:"expires"` // unix ms
	Fen     int64  `json:"fen"`     // granted
	Left    int64  `json:"left"`
}

// purse is the three accounts of a card. Of its grants the one that ends first is
// spent first.
type purse struct {
	main, debt int64
	grants     []grant // in the order in which they end
}

func (p *purse) subsidy() (fen int64) {
	for _, g := range p.grants {
		fen += g.Left
	}
	return fen
}

func (p *purse) total() int64 { return p.main + p.subsidy() + p.debt }

// took is what a charge took: of grants, and of main and debt together.
type took struct {
	grants []grant // Left is what was taken
	main   int64
}

// spend takes fen as the ledger does: subsidy, main, debt.
func (p *purse) spend(fen int64) (t took) {
	for i := range p.grants {
		g := &p.grants[i]
		if n := min(fen, g.Left); n > 0 {
			g.Left -= n
			fen -= n
			t.grants = append(t.grants, grant{Batch: g.Batch, Left: n})
		}
	}
	p.pay(fen)
	t.main = fen
	return t
}

// pay takes fen of main, and the rest is debt: what no subsidy is for.
func (p *purse) pay(fen int64) {
	main := min(fen, p.main)
	p.main -= main
	p.debt -= fen - main
}

// earlier is what something took that was settled before the purse begins, of
// which fen comes back, by the accounts to which that was posted. A subsidy's part
// was of the grants that have room, as package cards has it.
func (p *purse) earlier(card uint64, r *ledger.Record, fen int64) *took {
	t := &took{main: fen}
	for _, e := range r.Entries {
		if e.Account == ledger.Subsidy(card) {
			fen = e.Fen
			for i := len(p.grants) - 1; i >= 0; i-- {
				g := p.grants[i]
				if n := min(fen, g.Fen-g.Left); n > 0 {
					fen, t.main = fen-n, t.main-n
					t.grants = append(t.grants, grant{Batch: g.Batch, Left: n})
				}
			}
		}
	}
	return t
}

// giveBack undoes fen of what a charge took: what main and debt bore first. What
// a grant bore that has ended since is main's.
func (p *purse) giveBack(fen int64, t *took) {
	main := min(fen, t.main)
	p.main, t.main, fen = p.main+main, t.main-main, fen-main
	for i := len(t.grants) - 1; i >= 0 && fen > 0; i-- {
		g := &t.grants[i]
		n := min(fen, g.Left)
		g.Left, fen = g.Left-n, fen-n
		if at := p.grant(g.Batch); at >= 0 {
			p.grants[at].Left += n
		} else {
			p.main += n
		}
	}
	p.main += fen
}

// end drops the grants that have ended: what is left of them is nobody's. When
// the office took it, and how much there was to take then, does not matter.
func (p *purse) end(now int64) {
	p.grants = slices.DeleteFunc(p.grants, func(g grant) bool { return g.Expires <= now })
}

// grant is the place of a batch; below zero where it has ended.
func (p *purse) grant(batch string) int {
	return slices.IndexFunc(p.grants, func(g grant) bool { return g.Batch == batch })
}

// settle pays debt: no card owes while it has. Only so is the end the same
// whatever came first.
func (p *purse) settle() {
	main := min(p.main, -p.debt)
	p.main, p.debt = p.main-main, p.debt+main
	for i := range p.grants {
		n := min(p.grants[i].Left, -p.debt)
		p.grants[i].Left -= n
		p.debt += n
	}
}

// apply does what a transfer did: what it spent is spent of what is there in this
// order, and what it gave is given. ends says when a granted batch ends.
func (p *purse) apply(card uint64, r *ledger.Record, spent map[string]*took, ends map[string]int64) {
	var change int64
	for _, e := range r.Entries {
		if owner, _ := e.Account.Card(); owner == card {
			change += e.Fen
		}
	}
	p.end(r.At)
	switch before := spent[r.Reverses]; {
	case r.Kind == ledger.KindSubsidy:
		batch := batchOf(r.ID)
		p.grants = append(p.grants, grant{batch, ends[batch], change, change})
		slices.SortStableFunc(p.grants, func(a, b grant) int {
			return cmp.Or(cmp.Compare(a.Expires, b.Expires), cmp.Compare(a.Batch, b.Batch))
		})
	case r.Kind == ledger.KindExpiry:
		// What is left of a grant ended at its time; only a card that is closed loses
		// all of them at once.
		if batchOf(r.ID) == "close" {
			p.grants = nil
		}
	case r.Reverses != "" && change > 0:
		if before == nil {
			before = p.earlier(card, r, change)
		}
		p.giveBack(change, before)
	case change < 0 && r.Kind != ledger.KindCharge && r.Kind != ledger.KindAdjust:
		// Paid out, paid for a meter, or refunded at a channel.
		p.pay(-change)
		spent[r.ID] = &took{main: -change}
	case change < 0:
		t := p.spend(-change)
		spent[r.ID] = &t
	default:
		p.main += change
	}
	p.settle()
}

// batchOf is the batch in the id of a subsidy's transfer: what stands between its
// first slash and its last.
func batchOf(id string) string {
	_, rest, _ := strings.Cut(id, "/")
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		return rest[:i]
	}
	return rest
}

// FinishSplits sets the splits of closed days right, where that was interrupted
// too. A schedule calls it; calls at the same time do no harm.
func (s *Service) FinishSplits(ctx context.Context) error {
	for {
		more := false
		err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
			more, err = s.splitSome(t)
			return err
		})
		if err != nil || !more {
			return err
		}
	}
}

// splitSome does the next cards of the earliest day that is not done.
func (s *Service) splitSome(t *store.Tx) (more bool, err error) {
	ctx := t.Context()
	var day string
	var last, upTo int64
	err = t.QueryRowContext(ctx, "SELECT day, card, seq FROM splitting ORDER BY day LIMIT 1").Scan(&day, &last, &upTo)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	cards, err := store.List(ctx, t, func(rows *sql.Rows) (card int64, err error) {
		err = rows.Scan(&card)
		return card, err
	}, `SELECT DISTINCT card FROM transfers WHERE kind = $1 AND card > $2 ORDER BY card LIMIT $3`,
		string(ledger.KindSubsidy), last, splitChunk)
	if err != nil {
		return false, err
	}
	for _, card := range cards {
		if err := s.split(t, day, upTo, uint64(card)); err != nil {
			return false, fmt.Errorf("split of card %d: %w", card, err)
		}
	}
	if len(cards) < splitChunk {
		return true, t.Exec("DELETE FROM splitting WHERE day = $1", day)
	}
	return true, t.Exec("UPDATE splitting SET card = $1 WHERE day = $2", cards[len(cards)-1], day)
}

// split works out the accounts of one card anew, from where the last closed day
// left them, in the order in which things happened, and posts the difference.
func (s *Service) split(t *store.Tx, day string, upTo int64, card uint64) error {
	ctx := t.Context()
	var p purse
	var before string // the day of the purse
	var from int64
	grants := "[]"
	err := t.QueryRowContext(ctx, "SELECT day, seq, main_fen, debt_fen, grants FROM splits WHERE card = $1", int64(card)).
		Scan(&before, &from, &p.main, &p.debt, &grants)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if err := json.Unmarshal([]byte(grants), &p.grants); err != nil {
		return err
	}
	ends, err := s.Ends(ctx, t, card)
	if err != nil {
		return err
	}
	records, err := s.Ledger.Since(ctx, t, card, before, from)
	if err != nil {
		return err
	}
	// The day's own first, and then what is of later days or came too late.
	rank := func(r *ledger.Record) int {
		if r.Day <= day && r.Seq <= upTo {
			return 0
		}
		return 1
	}
	slices.SortFunc(records, func(a, b ledger.Record) int {
		return cmp.Or(cmp.Compare(rank(&a), rank(&b)), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	spent := map[string]*took{}
	end := p.copy()
	for i := range records {
		r := &records[i]
		if strings.HasPrefix(r.ID, splitPrefix) {
			continue // the purse it began from holds it
		}
		p.apply(card, r, spent, ends)
		if rank(r) == 0 {
			end = p.copy()
		}
	}
	left, err := json.Marshal(end.grants)
	if err != nil {
		return err
	}
	err = t.Exec(`INSERT INTO splits (card, day, seq, main_fen, debt_fen, grants) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (card) DO UPDATE SET day = excluded.day, seq = excluded.seq, main_fen = excluded.main_fen,
			debt_fen = excluded.debt_fen, grants = excluded.grants`,
		int64(card), day, upTo, end.main, end.debt, string(left))
	if err != nil {
		return err
	}
	p.end(t.Now())
	return s.setRight(t, day, card, p)
}

func (p *purse) copy() purse { return purse{p.main, p.debt, slices.Clone(p.grants)} }

// setRight posts what a card's accounts differ by from what they should be.
func (s *Service) setRight(t *store.Tx, day string, card uint64, want purse) error {
	has, err := s.Ledger.Balance(t.Context(), t, card)
	if err != nil {
		return err
	}
	var entries []ledger.Entry
	for _, e := range []ledger.Entry{
		{Account: ledger.Main(card), Fen: want.main - has.MainFen},
		{Account: ledger.Subsidy(card), Fen: want.subsidy() - has.SubsidyFen},
		{Account: ledger.Debt(card), Fen: want.debt - has.DebtFen},
		// An expiry that took what a late charge had spent before.
		{Account: ledger.Subsidies, Fen: has.Total() - want.total()},
	} {
		if e.Fen != 0 {
			entries = append(entries, e)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	out, err := s.Ledger.Post(t, ledger.Transfer{
		ID: fmt.Sprintf("%s%s/%d", splitPrefix, day, card), Kind: ledger.KindAdjust, At: t.Now(),
		Day: time.UnixMilli(t.Now()).In(s.Location).Format(time.DateOnly), Card: card, Entries: entries,
	})
	if err == nil && out.State != ledger.Posted {
		err = fmt.Errorf("ledger: %s: %s", out.State, out.Why)
	}
	return err
}
