package wechat

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"campusgate/server/recharge"
	"campusgate/server/recharge/rsakey"
)

// maxAge is how old or new a signature may be, seconds; that much is too much.
const maxAge = 300

var codeForm = regexp.MustCompile(`^[A-Z0-9_]{1,64}$`)

// fresh gives the time and a nonce for a signature.
func (c *Channel) fresh() (at, nonce string, err error) {
	var b [16]byte
	if _, err := io.ReadFull(c.Rand, b[:]); err != nil {
		return "", "", fmt.Errorf("random nonce: %w", err)
	}
	return strconv.FormatInt(c.Now().Unix(), 10), hex.EncodeToString(b[:]), nil
}

// sign signs lines, each with its end.
func (c *Channel) sign(lines ...string) (string, error) {
	return rsakey.Sign(c.Key, strings.Join(lines, "\n")+"\n")
}

// verify holds an answer or a notice against the platform's key that it names.
// The body is as it came, byte by byte. Errors: recharge.ErrForged.
func (c *Channel) verify(header http.Header, body []byte, now time.Time) error {
	at, nonce := header.Get("Wechatpay-Timestamp"), header.Get("Wechatpay-Nonce")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || at != strconv.FormatInt(seconds, 10) {
		return fmt.Errorf("%w: no time", recharge.ErrForged)
	}
	if age := now.Unix() - seconds; age >= maxAge || age <= -maxAge {
		return fmt.Errorf("%w: signed too long ago, or by another clock", recharge.ErrForged)
	}
	if kind := header.Get("Wechatpay-Signature-Type"); kind != "" && kind != "WECHATPAY2-SHA256-RSA2048" {
		return fmt.Errorf("%w: another kind of signature", recharge.ErrForged)
	}
	key := c.Platform[header.Get("Wechatpay-Serial")]
	if key == nil {
		return fmt.Errorf("%w: signed with a key that is not in the configuration", recharge.ErrForged)
	}
	if !rsakey.Verify(key, at+"\n"+nonce+"\n"+string(body)+"\n", header.Get("Wechatpay-Signature")) {
		return fmt.Errorf("%w: the signature does not hold", recharge.ErrForged)
	}
	return nil
}

// envelope is a notice; what it says is sealed.
type envelope struct {
	EventType string `json:"event_type"`
	Resource  struct {
		Algorithm      string `json:"algorithm"`
		Ciphertext     string `json:"ciphertext"`
		Nonce          string `json:"nonce"`
		AssociatedData string `json:"associated_data"`
	} `json:"resource"`
}

// refund is what a notice of a refund says.
type refund struct {
	MchID         string `json:"mchid"`
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	RefundStatus  string `json:"refund_status"`
	SuccessTime   string `json:"success_time"`
	Amount        amount `json:"amount"`
}

// Callback verifies and opens a notice.
func (c *Channel) Callback(header http.Header, body []byte, now time.Time) (recharge.Notice, error) {
	if err := c.verify(header, body, now); err != nil {
		return recharge.Notice{}, err
	}
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return recharge.Notice{}, fmt.Errorf("%w: no JSON", recharge.ErrForged)
	}
	text, err := c.open(e)
	if err != nil {
		return recharge.Notice{}, fmt.Errorf("%w: %w", recharge.ErrForged, err)
	}
	switch {
	case strings.HasPrefix(e.EventType, "TRANSACTION."):
		var tr transaction
		if err := json.Unmarshal(text, &tr); err != nil {
			return recharge.Notice{}, fmt.Errorf("%w: no transaction", recharge.ErrForged)
		}
		n, err := c.notice(tr)
		if err != nil {
			return n, fmt.Errorf("%w: %w", recharge.ErrForged, err)
		}
		return n, nil
	case strings.HasPrefix(e.EventType, "REFUND."):
		var r refund
		if err := json.Unmarshal(text, &r); err != nil {
			return recharge.Notice{}, fmt.Errorf("%w: no refund", recharge.ErrForged)
		}
		return c.refunded(r), nil
	}
	return recharge.Notice{}, fmt.Errorf("%w: an unknown event", recharge.ErrForged)
}

// refunded is a notice of a refund: it names no app and no currency, which the
// seal and the merchant stand for. One that came to nothing changes nothing.
func (c *Channel) refunded(r refund) recharge.Notice {
	n := recharge.Notice{
		Event: recharge.Waiting, Order: r.OutTradeNo, Trade: r.TransactionID, Fen: r.Amount.Total, Currency: "CNY", RefundFen: r.Amount.Refund,
		At: moment(r.SuccessTime), Foreign: r.MchID != c.MchID,
	}
	if r.Amount.Currency != "" {
		n.Currency = r.Amount.Currency
	}
	if r.RefundStatus == "SUCCESS" && r.Amount.Refund > 0 {
		n.Event = recharge.Refunded
	}
	return n
}

// open unseals what a notice says.
func (c *Channel) open(e envelope) ([]byte, error) {
	sealed, err := base64.StdEncoding.DecodeString(e.Resource.Ciphertext)
	if err != nil || e.Resource.Algorithm != "AEAD_AES_256_GCM" {
		return nil, errors.New("sealed in another way")
	}
	block, err := aes.NewCipher(c.APIv3Key)
	if err != nil {
		return nil, errors.New("no key")
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, errors.New("no key")
	}
	if len(e.Resource.Nonce) != gcm.NonceSize() {
		return nil, errors.New("a nonce of another size")
	}
	text, err := gcm.Open(nil, []byte(e.Resource.Nonce), sealed, []byte(e.Resource.AssociatedData))
	if err != nil {
		return nil, errors.New("the seal does not hold")
	}
	return text, nil
}

// Answer is how the channel wants a notice answered: what is not taken it sends
// again.
func (c *Channel) Answer(stored bool) recharge.Answer {
	if stored {
		return recharge.Answer{Status: http.StatusNoContent}
	}
	return recharge.Answer{Status: http.StatusBadRequest, Type: "application/json", Body: `{"code":"FAIL","message":"未受理"}`}
}
