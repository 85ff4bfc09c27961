package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	qrcode "github.com/skip2/go-qrcode"

	"campusgate/signing"
	"campusgate/signing/code"
)

const inspectAbout = `解读通行码的内容;不验证签名。
Shows what a code says, as JSON. No keyring is needed and no signature is checked:
"signatures" is always "not_verified", and only "gatectl verify" tells whether what
is shown is true. A text that is no code is an error that says where it goes wrong.

form is static (an address), live (with a phone's proof), credential (a phone's,
not proved) or server (signed for a phone without a key store).
`

// description is what inspect prints. Times are RFC 3339 in the campus zone.
type description struct {
	Form       string       `json:"form"`
	Signatures string       `json:"signatures"`
	Host       string       `json:"host,omitempty"`
	Key        string       `json:"kid"`
	Kind       signing.Kind `json:"kind"`
	ID         string       `json:"id"`
	IssuedAt   string       `json:"issued_at"`
	From       string       `json:"from,omitempty"`
	Until      string       `json:"until"` // the first moment it is no longer valid
	Pass       *passFields  `json:"pass,omitempty"`
	Pay        *payFields   `json:"pay,omitempty"`
	Phone      string       `json:"phone_id,omitempty"`
	Proof      *proofFields `json:"proof,omitempty"`
	Size       size         `json:"size"`
}

type passFields struct {
	Name  string `json:"name"`
	Doc4  string `json:"doc4"`
	Uses  uint32 `json:"uses"`
	Zones []int  `json:"zones"` // empty = all
	Owner uint16 `json:"owner"`
}

type payFields struct {
	Account          uint64 `json:"account"`
	Epoch            uint32 `json:"epoch"`
	PerTxFen         int64  `json:"per_tx_fen"`
	PerDayOfflineFen int64  `json:"per_day_offline_fen"`
	MaxOfflineTx     uint32 `json:"max_offline_tx"`
}

type proofFields struct {
	At      string `json:"at"`
	Counter uint64 `json:"ctr"`
	Nonce   string `json:"nonce"`
	Context string `json:"ctx"`
}

// size is what a code costs. QRVersion is of error correction M.
type size struct {
	Characters      int `json:"characters"`
	Bytes           int `json:"bytes"`
	CredentialBytes int `json:"credential_bytes"`
	QRVersion       int `json:"qr_version"`
}

func runInspect(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "inspect", "CODE", inspectAbout)
	tz := zoneFlag(o)
	operands, exit, ok := o.parse(args, 1, 1)
	if !ok {
		return exit
	}
	text := operands[0]
	c, err := code.Inspect(text)
	if err != nil {
		return o.fail(err)
	}
	d := describe(&c, tz.Location)
	if d.Size, err = measure(text); err != nil {
		return o.fail(err)
	}
	if c.Form == signing.FormStatic {
		d.Host, _, _ = strings.Cut(strings.TrimPrefix(text, "HTTPS://"), "/")
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return o.fail(err)
	}
	return o.print(b.String())
}

func describe(c *code.Code, zone *time.Location) description {
	when := func(unix int64) string { return time.Unix(unix, 0).In(zone).Format(time.RFC3339) }
	d := description{
		Form: c.Form.String(), Signatures: "not_verified", Kind: c.Kind(), ID: c.ID().String(),
	}
	switch {
	case c.Unproved():
		d.Form = "credential"
	case c.Server:
		d.Form = "server"
	}
	if c.Phone != (signing.PhoneID{}) {
		d.Phone = c.Phone.String()
	}
	if p := c.Pass; p != nil {
		d.Key, d.IssuedAt, d.From, d.Until = p.Key.String(), when(p.IssuedAt), when(p.NotBefore), when(p.Expires)
		d.Pass = &passFields{p.Name, p.Doc4, p.Uses, p.Zones.List(), p.Owner}
	}
	if p := c.Pay; p != nil {
		d.Key, d.IssuedAt, d.Until = p.Key.String(), when(p.IssuedAt), when(p.Expires)
		d.Pay = &payFields{p.Account, p.Epoch, p.PerTxFen, p.PerDayOfflineFen, p.MaxOfflineTx}
	}
	if p := c.Proof; p != nil {
		d.Proof = &proofFields{when(p.T), p.Counter, hex.EncodeToString(p.Nonce[:]), p.Context.String()}
	}
	return d
}

func measure(text string) (size, error) {
	_, data, err := signing.ParseText(nil, text)
	if err != nil {
		return size{}, err
	}
	cred, err := code.Credential(text)
	if err != nil {
		return size{}, err
	}
	drawn, err := qrcode.New(text, qrcode.Medium)
	if err != nil {
		return size{}, fmt.Errorf("draw: %w", err)
	}
	return size{len(text), len(data), len(cred), drawn.VersionNumber}, nil
}
