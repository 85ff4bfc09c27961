package settle

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"campusgate/server/ledger"
	"campusgate/server/store"
)

// DayTotal is what was taken in one period at one till for one merchant.
type DayTotal struct {
	Merchant     int64  `json:"merchant"`
	MerchantName string `json:"merchant_name"`
	Gate         uint16 `json:"till"`
	TillName     string `json:"till_name"`
	Period       string `json:"period"`
	Late         bool   `json:"late"` // charges of days that were closed before
	Charges      int    `json:"charges"`
	Voids        int    `json:"voids"`
	Fen          int64  `json:"fen"` // charges less voids
}

// DayBatch is what a till said when it closed one, beside what is here of it.
type DayBatch struct {
	Gate     uint16 `json:"till"`
	TillName string `json:"till_name"`
	Journal
	Number        uint32 `json:"number"`
	From          uint64 `json:"flow_from"` // running number before its first record
	To            uint64 `json:"flow_to,omitempty"`
	OpenedAt      int64  `json:"opened_at"`
	ClosedAt      int64  `json:"closed_at,omitempty"` // 0 = still open
	Charges       int    `json:"charges"`
	Voids         int    `json:"voids"`
	Fen           int64  `json:"fen"`
	ServerCharges int    `json:"server_charges"`
	ServerVoids   int    `json:"server_voids"`
	ServerFen     int64  `json:"server_fen"`
}

// DayDifference is two or three sums that should be one.
type DayDifference struct {
	What        string      `json:"what"` // till, merchant or batch
	Ref         string      `json:"ref"`  // gate, merchant, or agent-epoch-number
	Name        string      `json:"name"`
	TillFen     *int64      `json:"till_fen,omitempty"`
	ServerFen   *int64      `json:"server_fen,omitempty"`
	MerchantFen *int64      `json:"merchant_fen,omitempty"`
	Accepted    *Acceptance `json:"accepted,omitempty"`
}

// Acceptance is a person's word that a day may be closed with a difference,
// which is theirs from then on.
type Acceptance struct {
	Owner  string `json:"owner"`
	At     int64  `json:"at"`
	Reason string `json:"reason"`
}

// Backlog is a till that has records which are not here, by its own report.
type Backlog struct {
	Gate     uint16 `json:"till"`
	TillName string `json:"till_name"`
	Records  uint64 `json:"records"`
	SeenAt   int64  `json:"seen_at"`
}

// Checks are the three that count the money of a day: what the tills' running
// sums moved by, what is here of them, and what stands on the merchants'
// accounts for the same day.
type Checks struct {
	TillFen     int64 `json:"till_fen"`
	ServerFen   int64 `json:"server_fen"`
	MerchantFen int64 `json:"merchant_fen"`
}

// States of a day.
const (
	StateOpen   = "open"
	StateClosed = "closed"
)

// DayReport is all there is to know of a day before and after it is closed.
type DayReport struct {
	Day         string          `json:"day"`
	State       string          `json:"state"`
	ClosedAt    int64           `json:"closed_at,omitempty"`
	ClosedBy    string          `json:"closed_by,omitempty"`
	Totals      []DayTotal      `json:"totals"`
	RefundFen   int64           `json:"refund_fen"`
	Batches     []DayBatch      `json:"batches"`
	Gaps        []Gap           `json:"gaps"`
	Differences []DayDifference `json:"differences"`
	Backlogs    []Backlog       `json:"backlogs"`
	Checks      Checks          `json:"checks"`
}

// Unaccounted is why a day was not closed: ErrGaps or ErrDifferences, with what
// nobody has answered for.
type Unaccounted struct {
	Err         error
	Gaps        []Gap
	Differences []DayDifference
}

func (u *Unaccounted) Error() string { return fmt.Sprintf("%v: %s", u.Err, u.Names()) }

// Names lists them in short: "till 3: 17-18; till 4: 2".
func (u *Unaccounted) Names() string {
	var all []string
	for i := range u.Gaps {
		all = append(all, u.Gaps[i].String())
	}
	for _, d := range u.Differences {
		all = append(all, d.What+" "+d.Name)
	}
	if len(all) > 20 {
		all = append(all[:20], "…")
	}
	return strings.Join(all, "; ")
}

func (u *Unaccounted) Unwrap() error { return u.Err }

// Report looks at a day; a closed one is as it was when it was closed. ErrDay for
// what is no date.
func (s *Service) Report(ctx context.Context, day string) (*DayReport, error) {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, fmt.Errorf("%w: %q", ErrDay, day)
	}
	return s.report(ctx, s.Store.Reader(), day)
}

func (s *Service) report(ctx context.Context, src store.Source, day string) (*DayReport, error) {
	closed, err := store.List(ctx, src, func(rows *sql.Rows) (*DayReport, error) {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		r := &DayReport{}
		return r, json.Unmarshal([]byte(text), r)
	}, "SELECT report FROM days WHERE day = $1", day)
	if err != nil {
		return nil, err
	}
	if len(closed) > 0 {
		return closed[0], nil
	}
	r := &DayReport{Day: day, State: StateOpen, Gaps: []Gap{}, Differences: []DayDifference{}}
	names, err := readNames(ctx, src)
	if err != nil {
		return nil, err
	}
	steps := []func() error{
		func() (err error) { r.Totals, err = totals(ctx, src, day, names); return err },
		func() (err error) { r.RefundFen, err = refunded(ctx, src, day); return err },
		func() (err error) { r.Batches, err = batches(ctx, src, day, names); return err },
		func() error { return s.missing(ctx, src, r) },
		func() error { return s.compare(ctx, src, r, names) },
		func() (err error) { r.Backlogs, err = backlogs(ctx, src, names); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// missing adds the gaps that stand in this day's way.
func (s *Service) missing(ctx context.Context, src store.Source, r *DayReport) error {
	gaps, err := s.Gaps(ctx, src)
	for _, g := range gaps {
		if g.Day <= r.Day {
			r.Gaps = append(r.Gaps, g)
		}
	}
	return err
}

// names of tills and merchants.
type names struct {
	tills     map[uint16]string
	merchants map[int64]string
}

func readNames(ctx context.Context, src store.Source) (n names, err error) {
	n = names{map[uint16]string{}, map[int64]string{}}
	_, err = store.List(ctx, src, func(rows *sql.Rows) (struct{}, error) {
		var id uint16
		var name string
		err := rows.Scan(&id, &name)
		n.tills[id] = name
		return struct{}{}, err
	}, "SELECT g.id, g.name FROM gates g JOIN tills t ON t.gate = g.id")
	if err != nil {
		return n, err
	}
	_, err = store.List(ctx, src, func(rows *sql.Rows) (struct{}, error) {
		var id int64
		var name string
		err := rows.Scan(&id, &name)
		n.merchants[id] = name
		return struct{}{}, err
	}, "SELECT id, name FROM merchants")
	return n, err
}

// moved is what a record moves the till's sum by.
const moved = "CASE kind WHEN 'charge' THEN amount_fen WHEN 'void' THEN -amount_fen ELSE 0 END"

func totals(ctx context.Context, src store.Source, day string, n names) ([]DayTotal, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (t DayTotal, err error) {
		err = rows.Scan(&t.Merchant, &t.Gate, &t.Period, &t.Late, &t.Charges, &t.Voids, &t.Fen)
		t.MerchantName, t.TillName = n.merchants[t.Merchant], n.tills[t.Gate]
		return t, err
	}, `SELECT merchant, gate, period, late, count(CASE kind WHEN 'charge' THEN 1 END), count(CASE kind WHEN 'void' THEN 1 END),
		sum(`+moved+`) FROM charges WHERE settle_day = $1 AND kind <> 'declined' AND transfer IS NOT NULL
		GROUP BY merchant, gate, period, late ORDER BY merchant, gate, period, late`, day)
}

func refunded(ctx context.Context, src store.Source, day string) (fen int64, err error) {
	err = src.QueryRowContext(ctx, "SELECT coalesce(sum(fen), 0) FROM refunds WHERE settle_day = $1", day).Scan(&fen)
	return fen, err
}

// batches are those with a record of the day, by till.
func batches(ctx context.Context, src store.Source, day string, n names) ([]DayBatch, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (b DayBatch, err error) {
		err = rows.Scan(&b.Gate, &b.Agent, &b.Epoch, &b.Number, &b.From, &b.To, &b.OpenedAt, &b.ClosedAt, &b.Charges, &b.Voids, &b.Fen,
			&b.ServerCharges, &b.ServerVoids, &b.ServerFen)
		b.TillName = n.tills[b.Gate]
		return b, err
	}, `SELECT b.gate, b.agent, b.epoch, b.number, coalesce(b.flow_from, 0), coalesce(b.flow_to, 0), coalesce(b.opened_at, 0), coalesce(b.closed_at, 0),
		coalesce(b.charges, 0), coalesce(b.voids, 0), coalesce(b.total_fen, 0),
		count(CASE c.kind WHEN 'charge' THEN 1 END), count(CASE c.kind WHEN 'void' THEN 1 END), coalesce(sum(`+moved+`), 0)
		FROM batches b LEFT JOIN charges c ON c.agent = b.agent AND c.epoch = b.epoch AND c.batch = b.number
		WHERE EXISTS (SELECT 1 FROM charges d WHERE d.day = $1 AND d.agent = b.agent AND d.epoch = b.epoch AND d.batch = b.number)
		GROUP BY b.agent, b.epoch, b.number ORDER BY b.gate, b.agent, b.epoch, b.number`, day)
}

func backlogs(ctx context.Context, src store.Source, n names) ([]Backlog, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (b Backlog, err error) {
		err = rows.Scan(&b.Gate, &b.Records, &b.SeenAt)
		b.TillName = n.tills[b.Gate]
		return b, err
	}, `SELECT a.gate, CAST(a.state ->> 'Queue' AS INTEGER), coalesce(a.seen_at, 0) FROM agents a JOIN tills t ON t.gate = a.gate
		WHERE a.revoked_at IS NULL AND CAST(a.state ->> 'Queue' AS INTEGER) > 0 ORDER BY a.gate`)
}

// compare finds the differences of a day, and adds who answers for them.
func (s *Service) compare(ctx context.Context, src store.Source, r *DayReport, n names) error {
	tills, err := tillSums(ctx, src, r.Day)
	if err != nil {
		return err
	}
	waived := map[uint16]int64{}
	for _, g := range r.Gaps {
		if g.Waived != nil && g.Fen != nil {
			waived[g.Gate] += *g.Fen
		}
	}
	here := map[int64]int64{} // by merchant
	for _, t := range tills {
		r.Checks.TillFen += t.till
		r.Checks.ServerFen += t.server
		here[t.merchant] += t.server
	}
	for gate, sum := range byGate(tills) {
		if sum.till-waived[gate] != sum.server {
			r.Differences = append(r.Differences, DayDifference{
				What: "till", Ref: fmt.Sprint(gate), Name: n.tills[gate], TillFen: &sum.till, ServerFen: &sum.server,
			})
		}
	}
	for _, b := range r.Batches {
		if b.ClosedAt != 0 && (b.Fen != b.ServerFen || b.Charges != b.ServerCharges || b.Voids != b.ServerVoids) && !r.waivedIn(&b) {
			r.Differences = append(r.Differences, DayDifference{
				What: "batch", Ref: fmt.Sprintf("%d-%d-%d", b.Agent, b.Epoch, b.Number), Name: fmt.Sprintf("%s #%d", b.TillName, b.Number),
				TillFen: &b.Fen, ServerFen: &b.ServerFen,
			})
		}
	}
	if err := s.merchants(ctx, src, r, here, n); err != nil {
		return err
	}
	slices.SortFunc(r.Differences, func(a, b DayDifference) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Ref, b.Ref))
	})
	return accepted(ctx, src, r)
}

// waivedIn reports that records of a batch are missing on a person's word.
func (r *DayReport) waivedIn(b *DayBatch) bool {
	return slices.ContainsFunc(r.Gaps, func(g Gap) bool {
		return g.Waived != nil && g.Journal == b.Journal && g.To > b.From && g.From <= b.To
	})
}

// merchants compares with what stands on their accounts.
func (s *Service) merchants(ctx context.Context, src store.Source, r *DayReport, here map[int64]int64, n names) error {
	var posted []ledger.Sum
	// An adjustment gives back a charge whose code turned out to be used before, which
	// is then charged again, to suspense.
	for _, kind := range []ledger.Kind{ledger.KindCharge, ledger.KindVoid, ledger.KindAdjust} {
		list, err := s.Ledger.Totals(ctx, src, ledger.Query{Accounts: "merchant", Kind: kind, From: r.Day, To: r.Day})
		if err != nil {
			return err
		}
		posted = append(posted, list...)
	}
	there := map[int64]int64{}
	for _, p := range posted {
		var id int64
		if _, err := fmt.Sscanf(string(p.Account), "merchant/%d", &id); err != nil {
			return fmt.Errorf("account %q: %w", p.Account, err)
		}
		there[id] += p.InFen + p.OutFen
		r.Checks.MerchantFen += p.InFen + p.OutFen
		here[id] += 0
	}
	for id, sum := range here {
		if took := there[id]; took != sum {
			r.Differences = append(r.Differences, DayDifference{
				What: "merchant", Ref: fmt.Sprint(id), Name: n.merchants[id], ServerFen: &sum, MerchantFen: &took,
			})
		}
	}
	return nil
}

// tillSum is what one till took for one merchant on one day: by its own running
// sum, and by what is here.
type tillSum struct {
	gate         uint16
	merchant     int64
	till, server int64
}

// The running sum of each record less that of the one before it.
const tillSumsQuery = `SELECT gate, merchant, sum(sum_fen - before), sum(moved)
	FROM (SELECT gate, merchant, sum_fen, ` + moved + ` AS moved,
		coalesce((SELECT p.sum_fen FROM charges p WHERE p.agent = c.agent AND p.epoch = c.epoch AND p.flow < c.flow
			AND p.kind <> 'declined' ORDER BY p.flow DESC LIMIT 1), 0) AS before
		FROM charges c WHERE day = $1 AND kind <> 'declined') AS steps
	GROUP BY gate, merchant`

func tillSums(ctx context.Context, src store.Source, day string) ([]tillSum, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (t tillSum, err error) {
		err = rows.Scan(&t.gate, &t.merchant, &t.till, &t.server)
		return t, err
	}, tillSumsQuery, day)
}

func byGate(list []tillSum) map[uint16]tillSum {
	m := map[uint16]tillSum{}
	for _, t := range list {
		was := m[t.gate]
		m[t.gate] = tillSum{gate: t.gate, till: was.till + t.till, server: was.server + t.server}
	}
	return m
}

// accepted adds who answers for differences. It holds for the sums that they
// saw, not for others.
func accepted(ctx context.Context, src store.Source, r *DayReport) error {
	type key struct{ what, ref string }
	type row struct {
		key
		till, server, merchant sql.NullInt64
		Acceptance
	}
	rows, err := store.List(ctx, src, func(rows *sql.Rows) (a row, err error) {
		err = rows.Scan(&a.what, &a.ref, &a.till, &a.server, &a.merchant, &a.Owner, &a.At, &a.Reason)
		return a, err
	}, `SELECT what, ref, till_fen, server_fen, merchant_fen, owner, accepted_at, reason FROM differences WHERE day = $1`, r.Day)
	if err != nil {
		return err
	}
	same := func(n sql.NullInt64, p *int64) bool { return n.Valid == (p != nil) && (p == nil || *p == n.Int64) }
	for _, a := range rows {
		for i := range r.Differences {
			d := &r.Differences[i]
			if d.What == a.what && d.Ref == a.ref && same(a.till, d.TillFen) && same(a.server, d.ServerFen) && same(a.merchant, d.MerchantFen) {
				d.Accepted = &a.Acceptance
			}
		}
	}
	return nil
}
