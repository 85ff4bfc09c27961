package settle

import (
	"context"
	"io"
	"strings"
	"time"

	"campusgate/server/charges"
	"campusgate/server/people"
	"campusgate/server/report"
	"campusgate/server/store"
)

var chargeColumns = []column{
	{"时间 Time", 20, false},
	{"类型 Type", 10, false},
	{"营业日 Day", 12, false},
	{"结算日 Settled", 12, false},
	{"餐次 Period", 12, false},
	{"商户 Merchant", 20, false},
	{"终端 Till", 20, false},
	{"批次 Batch", 8, false},
	{"流水号 Flow no.", 12, false},
	{"账户 Account", 16, false},
	{"金额 Amount", 12, true},
	{"现金钱包 Main", 12, true},
	{"补助 Subsidy", 12, true},
	{"欠款 Debt", 12, true},
	{"挂账 Suspense", 12, true},
	{"收银员 Cashier", 12, false},
	{"标记 Flags", 20, false},
	{"记录 Record", 18, false},
}

// page is how many charges are read at once.
const page = 1000

// ExportCharges writes the charges of a query, the last to arrive first, and
// enters in the trail who took how many of which. Numbers of accounts and
// cashiers are masked. report.ErrTooMany where that would be more than
// report.MaxRows: nothing is left out.
func (s *Service) ExportCharges(ctx context.Context, actor string, from *charges.Service, q charges.Query, format Format, w io.Writer) error {
	n, err := readNames(ctx, s.Store.Reader())
	if err != nil {
		return err
	}
	t := table{"charges", chargeColumns, nil}
	q.Before, q.Limit = 0, page
	for more := true; more; {
		found, err := from.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range found {
			t.rows = append(t.rows, s.chargeRow(&found[i], n))
			q.Before = found[i].Position
		}
		if more = len(found) == page; len(t.rows) > report.MaxRows {
			return report.ErrTooMany
		}
	}
	err = s.Store.Change(ctx, func(tx *store.Tx) error {
		return tx.Trail(actor, "charges.exported", "charges", map[string]any{
			"rows": len(t.rows), "format": format, "day": q.Day, "merchant": q.Merchant, "till": q.Till, "period": q.Period, "flag": q.Flag,
			"account": q.Account != 0,
		})
	})
	if err != nil {
		return err
	}
	return t.write(format, w)
}

func (s *Service) chargeRow(c *charges.Charge, n names) []any {
	types := map[string]string{"charge": "消费", "void": "撤销", "declined": "拒付"}
	fen, sign := c.AmountFen, int64(1)
	switch c.Kind {
	case "void": // its parts are what came back
		fen, sign = -fen, -1
	case "declined":
		fen = 0
	}
	return []any{
		time.UnixMilli(c.At).In(s.Location).Format(time.DateTime), types[c.Kind], c.Day, c.SettleDay, c.Period, n.merchants[c.Merchant], c.TillName,
		int64(c.Batch), int64(c.Flow), people.Mask(c.Display), fen, sign * c.MainFen, sign * c.SubsidyFen, sign * c.DebtFen, sign * c.SuspenseFen, people.Mask(c.Cashier),
		strings.Join(c.Flags(), " "), c.Event,
	}
}
