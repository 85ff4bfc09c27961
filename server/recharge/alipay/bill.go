package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"campusgate/server/recharge"
)

// maxBill is some hundred thousand lines, packed or not. Tests have less of it.
var maxBill int64 = 64 << 20

// maxFiles is several times as many as an archive has.
const maxFiles = 16

// Bill fetches the bill of a day. Its address comes in a signed answer; the file
// itself is not signed, so nothing is credited by it alone.
func (c *Channel) Bill(ctx context.Context, day time.Time) ([]recharge.Row, error) {
	var where struct {
		Code    string `json:"code"`
		SubCode string `json:"sub_code"`
		URL     string `json:"bill_download_url"`
	}
	err := c.call(ctx, "alipay.data.dataservice.bill.downloadurl.query",
		map[string]string{"bill_type": "trade", "bill_date": day.Format(time.DateOnly)}, &where)
	if err != nil {
		return nil, err
	}
	if where.SubCode == "isp.bill_not_exist" {
		return nil, nil
	}
	if where.Code != "10000" || !c.trusted(where.URL) {
		return nil, fmt.Errorf("%w: alipay: code %q, or a bill at an unknown place", recharge.ErrUnavailable, short(where.Code))
	}
	status, file, err := c.fetch(ctx, http.MethodGet, where.URL, "", maxBill)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", recharge.ErrUnavailable, status)
	}
	rows, err := c.parseBill(file)
	if err != nil {
		return nil, fmt.Errorf("%w: bill: %w", recharge.ErrUnavailable, err)
	}
	return rows, nil
}

// trusted is an address of the channel: on the gateway's own host, or behind
// TLS in its domain.
func (c *Channel) trusted(address string) bool {
	at, err := url.Parse(address)
	base, baseErr := url.Parse(c.BaseURL)
	if err != nil || baseErr != nil || at.User != nil {
		return false
	}
	return at.Scheme == base.Scheme && at.Host == base.Host || at.Scheme == "https" && strings.HasSuffix(at.Hostname(), ".alipay.com")
}

// parseBill finds the table of payments among the files of the archive: the
// others hold totals.
func (c *Channel) parseBill(file []byte) ([]recharge.Row, error) {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, errors.New("no archive")
	}
	if len(archive.File) > maxFiles {
		return nil, errors.New("too many files")
	}
	found := false
	var all []recharge.Row
	for _, f := range archive.File {
		rows, is, err := c.parseFile(f)
		if err != nil {
			return nil, err
		}
		found = found || is
		all = append(all, rows...)
	}
	if !found {
		return nil, errors.New("no table of payments")
	}
	return all, nil
}

// parseFile reads one file, in GBK. Lines that begin with # are remarks; values
// are padded with tabs, so that spreadsheet programs leave them alone.
func (c *Channel) parseFile(f *zip.File) (rows []recharge.Row, is bool, err error) {
	in, err := f.Open()
	if err != nil {
		return nil, false, errors.New("a file that cannot be unpacked")
	}
	defer func() { _ = in.Close() }()
	packed := io.LimitReader(in, maxBill+1)
	text, err := io.ReadAll(simplifiedchinese.GB18030.NewDecoder().Reader(packed))
	if err != nil || int64(len(text)) > maxBill {
		return nil, false, errors.New("a file that cannot be read, or too long a one")
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment, r.FieldsPerRecord, r.LazyQuotes = '#', -1, true
	var column map[string]int
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, column != nil, nil
		}
		if err != nil {
			return nil, false, errors.New("no table")
		}
		for i := range line {
			line[i] = strings.TrimSpace(line[i])
		}
		if column == nil {
			if column = head(line); column == nil {
				return nil, false, nil // another table
			}
			continue
		}
		row, ok := c.row(line, column)
		if !ok {
			return nil, false, errors.New("a line that cannot be read")
		}
		rows = append(rows, row)
	}
}

// The columns that are read.
const (
	colTrade  = "支付宝交易号"
	colOrder  = "商户订单号"
	colKind   = "业务类型"
	colDone   = "完成时间"
	colAmount = "订单金额"
)

// head gives the columns by name, without units; nil = it is another table.
func head(line []string) map[string]int {
	column := map[string]int{}
	for i, name := range line {
		name, _, _ = strings.Cut(name, "（")
		column[name] = i
	}
	for _, name := range []string{colTrade, colOrder, colKind, colDone, colAmount} {
		if _, there := column[name]; !there {
			return nil
		}
	}
	return column
}

func (c *Channel) row(line []string, column map[string]int) (recharge.Row, bool) {
	for _, i := range column {
		if i >= len(line) {
			return recharge.Row{}, false
		}
	}
	fen, ok := recharge.ParseYuan(line[column[colAmount]])
	at, err := time.ParseInLocation(time.DateTime, line[column[colDone]], c.Location)
	if !ok || err != nil {
		return recharge.Row{}, false
	}
	row := recharge.Row{Order: line[column[colOrder]], Trade: line[column[colTrade]], Fen: fen, At: at.UnixMilli()}
	switch line[column[colKind]] {
	case "交易":
		return row, fen > 0
	case "退款": // written with a minus
		row.RefundFen = max(fen, -fen)
		return row, fen != 0
	}
	return recharge.Row{}, false
}
