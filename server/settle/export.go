package settle

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/xuri/excelize/v2"

	"campusgate/server/report"
	"campusgate/server/store"
)

// Format of an export.
type Format string

// The formats: CSV with a byte order mark, and a workbook.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// Column of an export. Money is in yuan with two decimals, as finance has it.
type column struct {
	name  string
	width float64
	fen   bool // a number of fen, written in yuan
}

// table is rows to be written: texts, whole numbers (int64), and fen.
type table struct {
	sheet   string
	columns []column
	rows    [][]any
}

var dayColumns = []column{
	{"流水号 Flow no.", 12, false},
	{"类型 Type", 10, false},
	{"时间 Time", 20, false},
	{"营业日 Day", 12, false},
	{"结算日 Settled", 12, false},
	{"餐次 Period", 12, false},
	{"商户 Merchant", 20, false},
	{"终端 Till", 20, false},
	{"批次 Batch", 8, false},
	{"金额 Amount", 12, true},
	{"现金钱包 Main", 12, true},
	{"补助 Subsidy", 12, true},
	{"欠款 Debt", 12, true},
	{"挂账 Suspense", 12, true},
	{"脱机 Offline", 8, false},
	{"迟到 Late", 8, false},
	{"挂失后 After loss", 10, false},
	{"重复码 Duplicate", 10, false},
	{"收银员 Cashier", 12, false},
	{"记录 Record", 18, false},
}

// ExportDay writes every record of money that is settled with a day, by till and
// number, and enters that in the trail. ErrDay.
func (s *Service) ExportDay(ctx context.Context, actor, day string, format Format, w io.Writer) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return fmt.Errorf("%w: %q", ErrDay, day)
	}
	src := s.Store.Reader()
	n, err := readNames(ctx, src)
	if err != nil {
		return err
	}
	yes := map[bool]string{true: "是"}
	types := map[string]string{"charge": "消费", "void": "撤销"}
	rows, err := store.List(ctx, src, func(rows *sql.Rows) ([]any, error) {
		var flow, at, merchant, batch, fen, main, subsidy, debt, suspense int64
		var gate uint16
		var kind, day, settled, period, cashier, event string
		var offline, late, lost, duplicate bool
		err := rows.Scan(&flow, &kind, &at, &day, &settled, &period, &merchant, &gate, &batch, &fen, &main, &subsidy, &debt,
			&suspense, &offline, &late, &lost, &duplicate, &cashier, &event)
		if kind == "void" { // its parts are what came back
			fen, main, subsidy, debt, suspense = -fen, -main, -subsidy, -debt, -suspense
		}
		return []any{
			flow, types[kind], time.UnixMilli(at).In(s.Location).Format(time.DateTime), day, settled, period, n.merchants[merchant],
			n.tills[gate], batch, fen, main, subsidy, debt, suspense, yes[offline], yes[late], yes[lost], yes[duplicate], cashier, event,
		}, err
	}, `SELECT flow, kind, at, day, settle_day, period, merchant, gate, batch, amount_fen, main_fen, subsidy_fen, debt_fen, suspense_fen,
		offline, late, after_loss, duplicate, cashier, event
		FROM charges WHERE settle_day = $1 AND kind <> 'declined' ORDER BY gate, agent, epoch, flow`, day)
	if err != nil {
		return err
	}
	if err := s.trail(ctx, actor, "day.exported", day, len(rows), format); err != nil {
		return err
	}
	return table{day, dayColumns, rows}.write(format, w)
}

var statementColumns = []column{
	{"营业日 Day", 12, false},
	{"笔数 Charges", 10, false},
	{"撤销 Voids", 10, false},
	{"当日 Taken", 14, true},
	{"迟到 Late", 14, true},
	{"退款 Refunds", 14, true},
	{"已付 Paid", 14, true},
	{"应付 Owed", 14, true},
}

// ExportStatement writes a merchant's statement. Errors as of Statement.
func (s *Service) ExportStatement(ctx context.Context, actor string, merchant int64, from, to string, format Format, w io.Writer) error {
	st, err := s.Statement(ctx, merchant, from, to)
	if err != nil {
		return err
	}
	t := table{st.Name, statementColumns, nil}
	for _, d := range st.Days {
		t.rows = append(t.rows, []any{d.Day, int64(d.Charges), int64(d.Voids), d.Fen, d.LateFen, d.RefundFen, d.PaidFen, d.OwedFen})
	}
	if err := s.trail(ctx, actor, "statement.exported", fmt.Sprintf("merchant %d", merchant), len(t.rows), format); err != nil {
		return err
	}
	return t.write(format, w)
}

func (s *Service) trail(ctx context.Context, actor, what, target string, rows int, format Format) error {
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Trail(actor, what, target, map[string]any{"rows": rows, "format": format})
	})
}

func (t table) write(format Format, w io.Writer) error {
	if format == XLSX {
		return t.book(w)
	}
	return t.text(w)
}

// text writes CSV by RFC 4180, which spreadsheet programs read as UTF-8 by the
// mark.
func (t table) text(w io.Writer) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString("\uFEFF"); err != nil {
		return err
	}
	lines := csv.NewWriter(out)
	lines.UseCRLF = true
	cells := make([]string, len(t.columns))
	for i, c := range t.columns {
		cells[i] = report.Guard(c.name)
	}
	if err := lines.Write(cells); err != nil {
		return err
	}
	for _, row := range t.rows {
		for i, v := range row {
			switch v := v.(type) {
			case int64:
				cells[i] = fmt.Sprint(v)
				if t.columns[i].fen {
					cells[i] = Yuan(v)
				}
			default:
				cells[i] = report.Guard(fmt.Sprint(v))
			}
		}
		if err := lines.Write(cells); err != nil {
			return err
		}
	}
	lines.Flush()
	return errors.Join(lines.Error(), out.Flush())
}

// book writes a workbook. Money is a number with two decimals; there is no
// formula in it.
func (t table) book(w io.Writer) (err error) {
	const sheet = "结算"
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return err
	}
	format := "#,##0.00"
	money, err := book.NewStyle(&excelize.Style{CustomNumFmt: &format})
	if err != nil {
		return err
	}
	rows, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	head := make([]any, len(t.columns))
	for i, c := range t.columns {
		head[i] = c.name
		if err := rows.SetColWidth(i+1, i+1, c.width); err != nil {
			return err
		}
	}
	if err := rows.SetRow("A1", head); err != nil {
		return err
	}
	for n, row := range t.rows {
		cells := make([]any, len(row))
		for i, v := range row {
			cells[i] = v
			if fen, ok := v.(int64); ok && t.columns[i].fen {
				cells[i] = excelize.Cell{StyleID: money, Value: float64(fen) / 100}
			}
		}
		at, err := excelize.CoordinatesToCellName(1, n+2)
		if err != nil {
			return err
		}
		if err := rows.SetRow(at, cells); err != nil {
			return err
		}
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}

// Yuan writes fen as yuan with two decimals.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}
