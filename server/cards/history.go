package cards

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"campusgate/server/ledger"
)

// Title is a text for people, in both languages.
type Title struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Entry is a row of a holder's statement. Each balance is that of the row below
// it plus the amount.
type Entry struct {
	Seq        int64 // place, for the next page
	ID         string
	Kind       ledger.Kind
	Title      Title
	At         int64
	PostedAt   int64
	AmountFen  int64
	BalanceFen int64
	Place      string
	Flags      []string // see flags
	Order      string   // of a recharge
}

// Statement is a month of a card, oldest first. A closed month never changes:
// what comes late is in the month in which it came.
type Statement struct {
	Month      string // 2026-11
	OpeningFen int64
	ClosingFen int64
	InFen      int64
	OutFen     int64 // not below zero
	Entries    []Entry
}

// titles of transfers, by kind.
var titles = map[ledger.Kind]Title{
	ledger.KindCharge:   {"消费", "Payment"},
	ledger.KindVoid:     {"消费撤销", "Payment taken back"},
	ledger.KindRefund:   {"退款", "Refund"},
	ledger.KindRecharge: {"充值", "Recharge"},
	ledger.KindCash:     {"现金充值", "Cash recharge"},
	ledger.KindPayout:   {"退卡取现", "Cash paid out"},
	ledger.KindSubsidy:  {"补助发放", "Subsidy"},
	ledger.KindExpiry:   {"补助清零", "Subsidy expired"},
	ledger.KindUtility:  {"生活缴费", "Utilities"},
	ledger.KindRepay:    {"归还欠款", "Debt repaid"},
	ledger.KindAdjust:   {"调账", "Adjustment"},
}

// titlesOf are those of transfers whose id says more than their kind.
var titlesOf = map[string]Title{
	"opening":  {"期初余额", "Balance taken over"},
	"writeoff": {"欠款核销", "Debt written off"},
}

func title(l ledger.Line) Title {
	kind, _, _ := strings.Cut(l.Transfer, "/")
	if text, ok := titlesOf[kind]; ok {
		return text
	}
	if text, ok := titles[l.Kind]; ok {
		return text
	}
	return Title{string(l.Kind), string(l.Kind)}
}

// Flags of an entry. Those of charges come with the transfer, as "flags" in its
// data, except for Late and Disputed.
const (
	FlagLate      = "late"
	FlagDisputed  = "disputed"
	FlagAfterLoss = "after_loss"
	FlagConverted = "converted"
	FlagDebt      = "debt"
)

// lateAfter is when a payment that happened and one that was posted are not the
// same moment any more.
const lateAfter = 10 * time.Minute

// said is what an entry takes from a transfer's data.
type said struct {
	Flags []string `json:"flags"`
	Order string   `json:"order"`
}

func entry(l ledger.Line, disputed bool) Entry {
	e := Entry{
		Seq: l.Seq, ID: l.Transfer, Kind: l.Kind, Title: title(l), At: l.At, PostedAt: l.PostedAt, AmountFen: l.AmountFen,
		BalanceFen: l.BalanceFen, Place: l.Place, Flags: []string{},
	}
	var data said
	if len(l.Data) > 0 && json.Unmarshal(l.Data, &data) == nil { // not everybody's data are of this form
		e.Order = data.Order
		e.Flags = append(e.Flags, data.Flags...)
	}
	if l.PostedAt-l.At > lateAfter.Milliseconds() && !slices.Contains(e.Flags, FlagLate) {
		e.Flags = append(e.Flags, FlagLate)
	}
	if disputed && !slices.Contains(e.Flags, FlagDisputed) {
		e.Flags = append(e.Flags, FlagDisputed)
	}
	return e
}

// Entries gives the statement of a card before an entry (0 = from the end),
// newest first, and where the next page begins; 0 = there is none.
func (s *Service) Entries(ctx context.Context, account uint64, before int64, limit int) (page []Entry, next int64, err error) {
	lines, err := s.Ledger.Lines(ctx, s.Store.Reader(), account, before, limit+1)
	if err != nil {
		return nil, 0, err
	}
	if len(lines) > limit {
		lines = lines[:limit]
		next = lines[limit-1].Seq
	}
	page, err = s.entries(ctx, account, lines)
	return page, next, err
}

func (s *Service) entries(ctx context.Context, account uint64, lines []ledger.Line) ([]Entry, error) {
	open, err := s.disputed(ctx, account)
	if err != nil {
		return nil, err
	}
	all := make([]Entry, len(lines))
	for i, l := range lines {
		all[i] = entry(l, open[l.Transfer])
	}
	return all, nil
}

// statementPage is how many lines are read at a time on the way back.
const statementPage = 500

// Statement gives a month, 2006-01; a *people.Fault of field "month".
func (s *Service) Statement(ctx context.Context, account uint64, month string) (Statement, error) {
	begin, err := time.ParseInLocation("2006-01", month, s.Location)
	if err != nil {
		return Statement{}, fault("month", "应为 2026-11 这样的月份", "want a month such as 2026-11")
	}
	from, until := begin.UnixMilli(), begin.AddDate(0, 1, 0).UnixMilli()
	made := Statement{Month: month}
	var lines []ledger.Line
	for before, more := int64(0), true; more; {
		page, err := s.Ledger.Lines(ctx, s.Store.Reader(), account, before, statementPage)
		if err != nil {
			return Statement{}, err
		}
		more = len(page) == statementPage
		for _, l := range page {
			before = l.Seq
			if l.PostedAt < from {
				made.OpeningFen, more = l.BalanceFen, false
				break
			}
			if l.PostedAt < until {
				lines = append(lines, l)
			}
		}
	}
	slices.Reverse(lines)
	made.ClosingFen = made.OpeningFen
	for _, l := range lines {
		made.ClosingFen = l.BalanceFen
		made.InFen += max(l.AmountFen, 0)
		made.OutFen -= min(l.AmountFen, 0)
	}
	made.Entries, err = s.entries(ctx, account, lines)
	return made, err
}
