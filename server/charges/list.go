package charges

import (
	"context"
	"database/sql"
	"encoding/json"

	"campusgate/server/canteen"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Charge is what a till reported of money.
type Charge struct {
	Position   int64
	Event      string
	Kind       string // charge, void or declined
	Till       uint16
	TillName   string
	Merchant   int64
	Account    uint64
	Display    string // number of the account, for people; "" = not known here
	At         int64
	ReceivedAt int64
	Day        string
	SettleDay  string
	Period     string
	Batch      uint32
	Flow       uint64
	AmountFen  int64
	Entry      wire.EntryMode
	Items      []wire.ChargeItem
	Cashier    string
	Reason     verdict.Reason
	Transfer   string // "" = no money was moved
	MainFen    int64  // who paid; of a void, who was paid back
	SubsidyFen int64
	DebtFen    int64
	// SuspenseFen waits for a person's word.
	SuspenseFen int64
	Voids       string
	VoidedBy    string
	Offline     bool
	Late        bool
	AfterLoss   bool
	Duplicate   bool
}

// Flags of charges, as lists name them.
const (
	FlagOffline   = "offline"
	FlagLate      = "late"
	FlagAfterLoss = "after_loss"
	FlagDisputed  = "disputed"
	FlagDebt      = "debt"
	FlagVoided    = "voided"
	FlagDeclined  = "declined"
)

// flagged says what a flag is true of.
var flagged = map[string]string{
	FlagOffline: "c.offline", FlagLate: "c.late", FlagAfterLoss: "c.after_loss", FlagDisputed: "c.duplicate",
	FlagDebt: "c.kind = 'charge' AND c.debt_fen > 0", FlagVoided: "c.voided_by IS NOT NULL", FlagDeclined: "c.kind = 'declined'",
}

// Flags gives the flags of a charge.
func (c *Charge) Flags() []string {
	flags := []string{}
	for _, f := range []struct {
		flag string
		is   bool
	}{
		{FlagOffline, c.Offline},
		{FlagLate, c.Late},
		{FlagAfterLoss, c.AfterLoss},
		{FlagDisputed, c.Duplicate},
		{FlagDebt, c.Kind == kindCharge && c.DebtFen > 0},
		{FlagVoided, c.VoidedBy != ""},
		{FlagDeclined, c.Kind == kindDeclined},
	} {
		if f.is {
			flags = append(flags, f.flag)
		}
	}
	return flags
}

// Query says which charges to list. Empty fields do not matter.
type Query struct {
	By       canteen.Sight
	Merchant int64
	Till     uint16
	Day      string // business day
	Period   string
	Account  uint64
	Flag     string // one of the flags; any other is of nothing
	Before   int64  // position; 0 = from the newest
	Limit    int
}

const seen = "($1 OR EXISTS (SELECT 1 FROM merchant_managers s WHERE s.merchant = c.merchant AND s.person = $2))"

// List gives a page of charges, the last to arrive first.
func (s *Service) List(ctx context.Context, q Query) ([]Charge, error) {
	flag := "TRUE"
	if q.Flag != "" {
		is, known := flagged[q.Flag]
		if !known {
			return []Charge{}, nil
		}
		flag = is
	}
	return store.List(ctx, s.Store.Reader(), scanCharge, `SELECT c.position, c.event, c.kind, c.gate, g.name, c.merchant, c.account,
		coalesce(k.display, ''), c.at,
		c.received_at, c.day, c.settle_day, c.period, c.batch, c.flow, c.amount_fen, c.entry, c.items, c.cashier, c.reason,
		coalesce(c.transfer, ''), c.main_fen, c.subsidy_fen, c.debt_fen, c.suspense_fen, coalesce(c.voids, ''),
		coalesce(c.voided_by, ''), c.offline, c.late, c.after_loss, c.duplicate
		FROM charges c JOIN gates g ON g.id = c.gate LEFT JOIN cards k ON k.account = c.account WHERE `+seen+` AND ($3 = 0 OR c.merchant = $4) AND ($5 = 0 OR c.gate = $6)
		AND ($7 = '' OR c.day = $8) AND ($9 = '' OR c.period = $10) AND ($11 = 0 OR c.account = $12) AND ($13 = 0 OR c.position < $14)
		AND `+flag+" ORDER BY c.position DESC LIMIT $15",
		q.By.All, q.By.Person, q.Merchant, q.Merchant, q.Till, q.Till, q.Day, q.Day, q.Period, q.Period, int64(q.Account), int64(q.Account),
		q.Before, q.Before, q.Limit)
}

func scanCharge(rows *sql.Rows) (c Charge, err error) {
	var account, flow int64
	var items string
	err = rows.Scan(&c.Position, &c.Event, &c.Kind, &c.Till, &c.TillName, &c.Merchant, &account, &c.Display, &c.At, &c.ReceivedAt, &c.Day, &c.SettleDay,
		&c.Period, &c.Batch, &flow, &c.AmountFen, &c.Entry, &items, &c.Cashier, &c.Reason, &c.Transfer, &c.MainFen, &c.SubsidyFen,
		&c.DebtFen, &c.SuspenseFen, &c.Voids, &c.VoidedBy, &c.Offline, &c.Late, &c.AfterLoss, &c.Duplicate)
	if err == nil {
		err = json.Unmarshal([]byte(items), &c.Items)
	}
	c.Account, c.Flow = uint64(account), uint64(flow)
	return c, err
}

// Turnover is what was taken, of one hour, merchant, till or meal period.
type Turnover struct {
	Key     string // "07" of an hour, the number of a merchant or till, the id of a period
	Name    string // of a merchant or till
	Charges int
	Voids   int
	FenIn   int64 // of charges
	FenBack int64 // of voids
}

// The ways to break turnover down.
const (
	ByHour     = "hour"
	ByMerchant = "merchant"
	ByTill     = "till"
	ByPeriod   = "period"
)

// Turnover adds up a business day. Hours are those of the campus; charges of a
// day may lie after its midnight.
func (s *Service) Turnover(ctx context.Context, sight canteen.Sight, day, by string) ([]Turnover, error) {
	key, name := "", "''"
	switch by {
	case ByMerchant:
		key, name = "c.merchant", "m.name"
	case ByTill:
		key, name = "c.gate", "g.name"
	case ByPeriod:
		key = "c.period"
	default:
		return s.hourly(ctx, sight, day)
	}
	return store.List(ctx, s.Store.Reader(), scanTurnover, "SELECT "+key+", "+name+`, sum(c.kind = 'charge'), sum(c.kind = 'void'),
		sum(CASE c.kind WHEN 'charge' THEN c.amount_fen ELSE 0 END), sum(CASE c.kind WHEN 'void' THEN c.amount_fen ELSE 0 END)
		FROM charges c JOIN gates g ON g.id = c.gate JOIN merchants m ON m.id = c.merchant
		WHERE `+seen+" AND c.day = $3 AND c.kind IN ('charge', 'void') AND c.transfer IS NOT NULL GROUP BY 1, 2 ORDER BY 1", sight.All, sight.Person, day)
}

func scanTurnover(rows *sql.Rows) (u Turnover, err error) {
	err = rows.Scan(&u.Key, &u.Name, &u.Charges, &u.Voids, &u.FenIn, &u.FenBack)
	return u, err
}

// Batch is a batch of a till, by its own report and by ours.
type Batch struct {
	Number    uint32
	OpenedAt  int64
	ClosedAt  int64 // 0 = open; then there are no totals yet
	Charges   int
	Voids     int
	TotalFen  int64
	ServerFen int64 // what its records come to here
}

// LastBatches gives the batch that each till opened last, by gate.
func (s *Service) LastBatches(ctx context.Context) (map[uint16]Batch, error) {
	type of struct {
		Batch
		gate uint16
	}
	all, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (b of, err error) {
		err = rows.Scan(&b.gate, &b.Number, &b.OpenedAt, &b.ClosedAt, &b.Charges, &b.Voids, &b.TotalFen, &b.ServerFen)
		return b, err
	}, `SELECT gate, number, coalesce(opened_at, 0), coalesce(closed_at, 0), coalesce(charges, 0), coalesce(voids, 0),
		coalesce(total_fen, 0), coalesce(server_fen, 0) FROM batches ORDER BY agent, epoch, number`)
	last := map[uint16]Batch{}
	for _, b := range all {
		last[b.gate] = b.Batch
	}
	return last, err
}
