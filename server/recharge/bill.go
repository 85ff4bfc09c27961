package recharge

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"campusgate/server/store"
)

// The kinds of a Difference.
const (
	MissingHere  = "missing_here"  // in the bill, not credited here
	MissingThere = "missing_there" // credited here, not in the bill
	Differs      = "differs"       // in both, with other amounts
)

// Difference is where a bill and our orders do not agree.
type Difference struct {
	Kind    string `json:"kind" enum:"missing_here,missing_there,differs"`
	Order   string `json:"order"`
	Trade   string `json:"trade"`
	BillFen int64  `json:"bill_fen" doc:"0 = not in the bill"`
	OurFen  int64  `json:"our_fen" doc:"0 = not here"`
	Settled bool   `json:"settled" doc:"it was missing here, and was credited or refunded since"`
}

// Bill is the comparison of a channel's bill of one campus day with our orders.
type Bill struct {
	Channel     string
	Day         string
	FetchedAt   int64
	FetchedBy   string
	Lines       int   // of the bill
	PaidFen     int64 // in the bill
	RefundedFen int64
	Matched     int
	Recovered   int // of these, credited because of the bill
	Differences []Difference
}

// A bill of a day is ready some hours into the next; it is tried for this many
// days.
const (
	billReady = 10 * time.Hour
	billDays  = 7
)

// TickBills fetches the bills that should be there and are not. It is meant to
// run every hour.
func (s *Service) TickBills(ctx context.Context) error {
	latest := s.Now().In(s.Location).Add(-billReady).AddDate(0, 0, -1)
	var failed error
	for _, ch := range s.Channels {
		for back := range billDays {
			day := latest.AddDate(0, 0, -back).Format(time.DateOnly)
			if _, err := s.Bill(ctx, ch.Info().ID, day); !errors.Is(err, store.ErrNotFound) {
				failed = errors.Join(failed, err)
				continue
			}
			if _, err := s.FetchBill(ctx, "schedule", ch.Info().ID, day); err != nil {
				failed = err
			}
		}
	}
	return failed
}

// FetchBill fetches the bill of a day that has ended, credits what the bill has
// and we have not, once the channel confirms it when asked, and stores what
// does not agree. Errors: ErrOff, *Fault, ErrUnavailable.
func (s *Service) FetchBill(ctx context.Context, actor, channel, day string) (Bill, error) {
	ch := s.channels[channel]
	if ch == nil {
		return Bill{}, ErrOff
	}
	from, err := time.ParseInLocation(time.DateOnly, day, s.Location)
	if err != nil || !from.AddDate(0, 0, 1).Before(s.Now()) {
		return Bill{}, &Fault{"day", "应为已经结束的日期,如 2026-05-01", "want a day that has ended, such as 2026-05-01"}
	}
	rows, err := ch.Bill(ctx, from)
	if err != nil {
		return Bill{}, err
	}
	b := Bill{Channel: channel, Day: day, FetchedBy: actor, Lines: len(rows), Differences: []Difference{}}
	// Refunds first: a payment that went back whole leaves nothing to credit.
	inBill, refunded := map[string]bool{}, map[string]int64{}
	for _, row := range rows {
		refunded[row.Order] += row.RefundFen
		b.RefundedFen += row.RefundFen
	}
	for order, fen := range refunded {
		if fen == 0 {
			continue
		}
		if err := s.billRefund(ctx, ch, order, fen); err != nil {
			return Bill{}, err
		}
	}
	for _, row := range rows {
		if row.RefundFen != 0 {
			continue
		}
		b.PaidFen += row.Fen
		inBill[row.Order] = true
		if err := s.billPayment(ctx, ch, row, refunded[row.Order], &b); err != nil {
			return Bill{}, err
		}
	}
	ours, err := store.List(ctx, s.Store.Reader(), scanOrder, orderColumns+" WHERE channel = $1 AND paid_at >= $2 AND paid_at < $3 ORDER BY paid_at, id",
		channel, from.UnixMilli(), from.AddDate(0, 0, 1).UnixMilli())
	if err != nil {
		return Bill{}, err
	}
	for _, o := range ours {
		if !inBill[o.ID] {
			b.Differences = append(b.Differences, Difference{Kind: MissingThere, Order: o.ID, Trade: o.Trade, OurFen: o.Fen})
		}
	}
	return b, s.saveBill(ctx, &b)
}

// billPayment compares a payment, and credits it where the notice was lost. It
// is not enough that the bill says so: the channel is asked. Where a part went
// back, which the bill says, the whole is credited and the part is an issue.
func (s *Service) billPayment(ctx context.Context, ch Channel, row Row, refunded int64, b *Bill) error {
	o, err := s.Find(ctx, row.Order)
	known := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if known = known && o.Channel == b.Channel; known && o.CreditedAt == 0 && o.RefundedAt == 0 && o.Fen == row.Fen {
		n, err := s.query(ctx, ch, row.Order)
		if err != nil {
			return err
		}
		if n.Event == Refunded && n.RefundFen == 0 && refunded > 0 {
			n.Event = Paid
		}
		if _, err := s.take(ctx, b.Channel, n); err != nil {
			return err
		}
		if o, err = s.Find(ctx, row.Order); err != nil {
			return err
		}
		if o.CreditedAt > 0 {
			b.Recovered++
		}
	}
	switch {
	case !known:
		b.Differences = append(b.Differences, Difference{Kind: MissingHere, Order: clean(row.Order), Trade: clean(row.Trade), BillFen: row.Fen})
	case o.Fen != row.Fen:
		b.Differences = append(b.Differences, Difference{Kind: Differs, Order: o.ID, Trade: clean(row.Trade), BillFen: row.Fen, OurFen: o.Fen})
	case o.CreditedAt == 0 && o.RefundedAt == 0:
		b.Differences = append(b.Differences, Difference{Kind: MissingHere, Order: o.ID, Trade: clean(row.Trade), BillFen: row.Fen})
	default:
		b.Matched++
	}
	return nil
}

// billRefund takes refunds of our order in, once the channel confirms when asked
// that there were some.
func (s *Service) billRefund(ctx context.Context, ch Channel, order string, fen int64) error {
	o, err := s.Find(ctx, order)
	if errors.Is(err, store.ErrNotFound) || err == nil && (o.Channel != ch.Info().ID || o.RefundedAt > 0) {
		return nil // its payment is in a bill too, and told of there
	}
	if err != nil {
		return err
	}
	n, err := s.query(ctx, ch, order)
	// A channel may go on calling an order paid when a part of it went back.
	if err != nil || n.Event != Refunded && (n.Event != Paid || fen >= o.Fen) {
		return err
	}
	n.Event, n.RefundFen = Refunded, fen
	_, err = s.take(ctx, o.Channel, n)
	return err
}

// saveBill replaces what an earlier comparison of the day found.
func (s *Service) saveBill(ctx context.Context, b *Bill) error {
	return s.Store.Change(ctx, func(t *store.Tx) error {
		b.FetchedAt = t.Now()
		for _, table := range []string{"bill_differences", "bills"} {
			if err := t.Exec("DELETE FROM "+table+" WHERE channel = $1 AND day = $2", b.Channel, b.Day); err != nil {
				return err
			}
		}
		err := t.Exec(`INSERT INTO bills (channel, day, fetched_at, fetched_by, lines, paid_fen, refunded_fen, matched, recovered)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			b.Channel, b.Day, b.FetchedAt, b.FetchedBy, b.Lines, b.PaidFen, b.RefundedFen, b.Matched, b.Recovered)
		for _, d := range b.Differences {
			if err != nil {
				return err
			}
			err = t.Exec(`INSERT INTO bill_differences (channel, day, kind, recharge, trade, bill_fen, our_fen) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT DO NOTHING`, b.Channel, b.Day, d.Kind, d.Order, d.Trade, d.BillFen, d.OurFen)
		}
		if err != nil {
			return err
		}
		return errors.Join(s.differs(t, b), t.Trail(b.FetchedBy, "recharge.bill", b.Channel+" "+b.Day,
			map[string]any{"matched": b.Matched, "recovered": b.Recovered, "differences": len(b.Differences)}))
	})
}

// differs raises an alarm where a bill and our orders do not agree; the same
// differences found again are no other alarm.
func (s *Service) differs(t *store.Tx, b *Bill) error {
	if len(b.Differences) == 0 {
		return nil
	}
	count, fen, lines := map[string]int{}, int64(0), make([]string, len(b.Differences))
	for i, d := range b.Differences {
		count[d.Kind]++
		fen += max(d.BillFen-d.OurFen, d.OurFen-d.BillFen)
		lines[i] = fmt.Sprintf("%q %q %q %d %d", d.Kind, d.Order, d.Trade, d.BillFen, d.OurFen)
	}
	slices.Sort(lines)
	content := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	about := "bill/" + b.Channel + "/" + b.Day
	return s.Alarm(t, fmt.Sprintf("%s/%x", about, content[:4]), about, "bill", map[string]any{
		"channel": b.Channel, "day": b.Day, "missing_here": count[MissingHere], "missing_there": count[MissingThere], "differs": count[Differs],
		"difference_fen": fen, "at": t.Now(),
	})
}

func scanBill(rows *sql.Rows) (b Bill, err error) {
	err = rows.Scan(&b.Channel, &b.Day, &b.FetchedAt, &b.FetchedBy, &b.Lines, &b.PaidFen, &b.RefundedFen, &b.Matched, &b.Recovered)
	return b, err
}

// Bills gives the comparisons of a channel, or of all, of a day or of all days,
// newest first.
func (s *Service) Bills(ctx context.Context, channel, day string, limit, offset int) ([]Bill, error) {
	src := s.Store.Reader()
	bills, err := store.List(ctx, src, scanBill, `SELECT channel, day, fetched_at, fetched_by, lines, paid_fen, refunded_fen, matched, recovered FROM bills
		WHERE ($1 = '' OR channel = $2) AND ($3 = '' OR day = $4) ORDER BY day DESC, channel LIMIT $5 OFFSET $6`,
		channel, channel, day, day, limit, offset)
	for i := range bills {
		if err == nil {
			bills[i].Differences, err = store.List(ctx, src, func(rows *sql.Rows) (d Difference, err error) {
				err = rows.Scan(&d.Kind, &d.Order, &d.Trade, &d.BillFen, &d.OurFen, &d.Settled)
				return d, err
			}, `SELECT d.kind, d.recharge, d.trade, d.bill_fen, d.our_fen, d.kind = 'missing_here' AND EXISTS (SELECT 1 FROM recharges r
					WHERE r.id = d.recharge AND r.channel = d.channel AND r.fen = d.bill_fen AND (r.credited_at IS NOT NULL OR r.refunded_at IS NOT NULL))
				FROM bill_differences d WHERE d.channel = $1 AND d.day = $2 ORDER BY d.kind, d.recharge, d.trade`,
				bills[i].Channel, bills[i].Day)
		}
	}
	return bills, err
}

// Bill gives the comparison of a day. Errors: store.ErrNotFound.
func (s *Service) Bill(ctx context.Context, channel, day string) (Bill, error) {
	bills, err := s.Bills(ctx, channel, day, 1, 0)
	if err == nil && len(bills) == 0 {
		err = fmt.Errorf("bill: %w", store.ErrNotFound)
	}
	if err != nil {
		return Bill{}, err
	}
	return bills[0], nil
}
