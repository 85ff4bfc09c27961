package alipay

import (
	"fmt"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"campusgate/server/recharge"
	"campusgate/server/recharge/rsakey"
)

// Callback verifies a notice: a form, signed over all of its fields. A notice
// has no age: the channel sends the same one for more than a day, and one that
// was seen before changes nothing.
func (c *Channel) Callback(_ http.Header, body []byte, _ time.Time) (recharge.Notice, error) {
	f, err := fields(body)
	if err != nil {
		return recharge.Notice{}, fmt.Errorf("%w: %w", recharge.ErrForged, err)
	}
	signature, kind := f["sign"], f["sign_type"]
	delete(f, "sign")
	delete(f, "sign_type")
	if kind != "RSA2" || !rsakey.Verify(c.PublicKey, joined(f), signature) {
		return recharge.Notice{}, fmt.Errorf("%w: the signature does not hold", recharge.ErrForged)
	}
	fen, ok := recharge.ParseYuan(f["total_amount"])
	if !ok {
		return recharge.Notice{}, fmt.Errorf("%w: an amount that cannot be read", recharge.ErrForged)
	}
	n := recharge.Notice{
		Order: f["out_trade_no"], Trade: f["trade_no"], Fen: fen, Currency: "CNY", At: c.moment(f["gmt_payment"]),
		Foreign: f["app_id"] != c.AppID || f["seller_id"] != c.SellerID,
	}
	if text := f["refund_fee"]; text != "" {
		if n.RefundFen, ok = recharge.ParseYuan(text); !ok || n.RefundFen < 0 {
			return recharge.Notice{}, fmt.Errorf("%w: a refund that cannot be read", recharge.ErrForged)
		}
	}
	switch f["trade_status"] {
	case "WAIT_BUYER_PAY":
		n.Event = recharge.Waiting
	case "TRADE_SUCCESS", "TRADE_FINISHED":
		if n.Event = recharge.Paid; n.RefundFen > 0 {
			n.Event = recharge.Refunded
		}
	case "TRADE_CLOSED":
		if n.Event = recharge.Closed; n.RefundFen > 0 {
			n.Event = recharge.Refunded
		}
	default:
		return recharge.Notice{}, fmt.Errorf("%w: an unknown trade status", recharge.ErrForged)
	}
	return n, nil
}

// fields reads a form in which no name comes twice: which of two we take, and
// which the signature is over, could differ.
func fields(body []byte) (map[string]string, error) {
	if len(body) > maxNotice || !utf8.Valid(body) {
		return nil, fmt.Errorf("too long, or no text")
	}
	values, err := url.ParseQuery(string(body))
	if err != nil || len(values) > maxFields {
		return nil, fmt.Errorf("no form")
	}
	all := map[string]string{}
	for name, list := range values {
		if len(list) != 1 {
			return nil, fmt.Errorf("a name that comes twice")
		}
		all[name] = list[0]
	}
	return all, nil
}

// Answer is how the channel wants a notice answered: what is not taken it sends
// again, eight times within 25 hours.
func (c *Channel) Answer(stored bool) recharge.Answer {
	a := recharge.Answer{Status: http.StatusOK, Type: "text/plain; charset=utf-8", Body: "success"}
	if !stored {
		a.Body = "failure"
	}
	return a
}
