package wechat

import (
	"bytes"
	"context"
	"crypto/sha1" // the channel's checksum, behind TLS and a signed answer
	"crypto/subtle"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"campusgate/server/recharge"
)

// maxBill is some hundred thousand lines.
const maxBill = 64 << 20

// Bill fetches the bill of a day: where it is comes in a signed answer with its
// checksum; the file itself is not signed.
func (c *Channel) Bill(ctx context.Context, day time.Time) ([]recharge.Row, error) {
	var where struct {
		HashType    string `json:"hash_type"`
		HashValue   string `json:"hash_value"`
		DownloadURL string `json:"download_url"`
	}
	err := c.call(ctx, http.MethodGet, "/v3/bill/tradebill?bill_type=ALL&bill_date="+day.Format(time.DateOnly), nil, &where)
	if isRefusal(err, "NO_STATEMENT_EXIST") {
		return nil, nil
	}
	if err != nil {
		return nil, asUnavailable(err)
	}
	// Our signature goes to the channel's own host only.
	at, err := url.Parse(where.DownloadURL)
	base, baseErr := url.Parse(c.BaseURL)
	if err != nil || baseErr != nil || at.Host != base.Host || at.Scheme != base.Scheme || where.HashType != "SHA1" {
		return nil, fmt.Errorf("%w: a bill at an unknown place", recharge.ErrUnavailable)
	}
	status, _, file, err := c.send(ctx, http.MethodGet, at.RequestURI(), "", maxBill)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", recharge.ErrUnavailable, status)
	}
	sum := sha1.Sum(file)
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(where.HashValue))) != 1 {
		return nil, fmt.Errorf("%w: the bill is not the one that was announced", recharge.ErrUnavailable)
	}
	rows, err := c.parseBill(file)
	if err != nil {
		return nil, fmt.Errorf("%w: bill: %w", recharge.ErrUnavailable, err)
	}
	return rows, nil
}

// parseBill reads the lines up to the totals. Each value has a back quote in
// front, so that spreadsheet programs leave it alone.
func (c *Channel) parseBill(file []byte) (rows []recharge.Row, err error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file, []byte("\xef\xbb\xbf"))))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	head, err := r.Read()
	if err != nil {
		return nil, errors.New("empty")
	}
	column := map[string]int{}
	for i, name := range head {
		column[strings.TrimSpace(name)] = i
	}
	for _, name := range []string{"交易时间", "公众账号ID", "商户号", "微信订单号", "商户订单号", "交易状态", "订单金额", "申请退款金额"} {
		if _, there := column[name]; !there {
			return nil, errors.New("a column is missing")
		}
	}
	for {
		line, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no totals: the file is cut off")
		}
		if err != nil {
			return nil, errors.New("no table")
		}
		if !strings.HasPrefix(line[0], "`") {
			return rows, nil // the names of the totals
		}
		if len(line) != len(head) {
			return nil, errors.New("a line of another length")
		}
		get := func(name string) string { return strings.TrimPrefix(line[column[name]], "`") }
		if get("公众账号ID") != c.AppID || get("商户号") != c.MchID {
			continue // the merchant may have other apps
		}
		row := recharge.Row{Order: get("商户订单号"), Trade: get("微信订单号")}
		fen, ok := recharge.ParseYuan(get("订单金额"))
		back, okBack := recharge.ParseYuan(get("申请退款金额"))
		at, err := time.ParseInLocation(time.DateTime, get("交易时间"), c.Location)
		if !ok || !okBack || fen < 0 || back < 0 || err != nil {
			return nil, errors.New("a line that cannot be read")
		}
		row.Fen, row.At = fen, at.UnixMilli()
		switch get("交易状态") {
		case "SUCCESS":
		case "REFUND":
			if row.RefundFen = back; back == 0 {
				continue
			}
		default: // REVOKED: nothing was kept
			continue
		}
		rows = append(rows, row)
	}
}
