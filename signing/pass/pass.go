package pass

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"campusgate/signing"
	"campusgate/signing/cbor"
)

const (
	// MaxName is the longest name, in bytes of UTF-8: 16 Chinese characters.
	MaxName = 48
	// Doc4Length is the number of characters of a document number on a pass, where
	// it has any.
	Doc4Length = 4

	fields = 6 // kind, name, doc4, uses, zones, owner
)

// Pass is what a credential for gates says. It is valid when NotBefore ≤ now <
// Expires. Times are unix seconds.
type Pass struct {
	Key       signing.KeyID // of the issuer; set by Parse, not looked at by Sign
	ID        signing.PassID
	Kind      signing.Kind
	Name      string // for the guard to compare with a document; may be empty
	Doc4      string // last four characters of the document number, or ""
	Uses      uint32 // 0 = unlimited
	Zones     signing.Zones
	Owner     uint16 // the gate that decides, 0 = none
	NotBefore int64
	Expires   int64
	IssuedAt  int64
	Phone     *signing.PhoneKey // nil on a bearer pass
}

// Parse reads the pass in a credential. It verifies no signature. Errors wrap
// signing.ErrMalformed.
func Parse(c *signing.Credential) (*Pass, error) {
	if !c.Kind.OpensGates() {
		return nil, fmt.Errorf("%w: pass: %s opens no gate", signing.ErrMalformed, c.Kind)
	}
	p := &Pass{
		Key: c.Key, ID: c.ID, Kind: c.Kind,
		NotBefore: c.NotBefore, Expires: c.Expires, IssuedAt: c.IssuedAt,
	}
	in := cbor.Read(c.Fields)
	if c.Count != fields {
		in.Fail("fields", "wrong number of fields")
	}
	if !c.HasNotBefore {
		in.Fail("nbf", "a pass has one")
	}
	start := in.Offset()
	name := in.Text("name", MaxName)
	doc4 := in.Text("doc4", Doc4Length*utf8.UTFMax)
	end := in.Offset()
	p.Uses = uint32(in.Uint("uses", 1<<32-1))
	p.Zones = signing.Zones(in.Uint("zones", 1<<32-1))
	p.Owner = uint16(in.Uint("owner", 1<<16-1))
	if err := in.End(); err != nil {
		return nil, fmt.Errorf("%w: pass: %w", signing.ErrMalformed, err)
	}
	// Both texts are slices of one string: the credential's bytes are the
	// caller's, and a second allocation would be a tenth of the cost of parsing.
	words := string(c.Fields[start:end])
	p.Name = words[len(words)-len(doc4)-1-len(name) : len(words)-len(doc4)-1]
	p.Doc4 = words[len(words)-len(doc4):]
	if !c.Phone.IsZero() {
		phone := c.Phone
		p.Phone = &phone
	}
	if err := p.checkWords(); err != nil {
		return nil, fmt.Errorf("%w: pass: %w", signing.ErrMalformed, err)
	}
	return p, nil
}

// Sign makes the credential. The error wraps signing.ErrClaim and names the
// value that cannot be signed, or signing.ErrKey when the issuer cannot sign
// this kind. What Sign makes, Parse reads back to the same Pass.
func (p *Pass) Sign(iss signing.Issuer) ([]byte, error) {
	claims := p.claims()
	if err := p.check(&claims); err != nil {
		return nil, fmt.Errorf("%w: pass: %w", signing.ErrClaim, err)
	}
	payload := claims.AppendPayload(nil, p.Kind, fields)
	payload = cbor.AppendText(payload, p.Name)
	payload = cbor.AppendText(payload, p.Doc4)
	payload = cbor.AppendUint(payload, uint64(p.Uses))
	payload = cbor.AppendUint(payload, uint64(p.Zones))
	payload = cbor.AppendUint(payload, uint64(p.Owner))
	return iss.SignPayload(p.Kind, payload)
}

func (p *Pass) claims() signing.Claims {
	c := signing.Claims{
		ID: p.ID, NotBefore: p.NotBefore, Expires: p.Expires, IssuedAt: p.IssuedAt,
		HasNotBefore: true,
	}
	if p.Phone != nil {
		c.Phone = *p.Phone
	}
	return c
}

func (p *Pass) check(c *signing.Claims) error {
	if !p.Kind.OpensGates() {
		return fmt.Errorf("kind: %s opens no gate", p.Kind)
	}
	if p.Phone != nil {
		if p.Phone.IsZero() {
			return errors.New("phone: no key")
		}
		if _, err := p.Phone.Public(); err != nil {
			return fmt.Errorf("phone: %w", err)
		}
	}
	if err := c.Check(); err != nil {
		return err
	}
	return p.checkWords()
}

func (p *Pass) checkWords() error {
	if err := signing.CheckWords(p.Name, MaxName); err != nil {
		return fmt.Errorf("name: %w", err)
	}
	if err := signing.CheckWords(p.Doc4, Doc4Length*utf8.UTFMax); err != nil {
		return fmt.Errorf("doc4: %w", err)
	}
	if n := utf8.RuneCountInString(p.Doc4); n != 0 && n != Doc4Length {
		return fmt.Errorf("doc4: %d characters: want none or %d", n, Doc4Length)
	}
	return nil
}

// URL is the text of a static code: an address at host, a name or IPv4 address
// with or without a port (signing.CheckHost). Any phone's scanner opens it.
func URL(host string, cred []byte) string { return signing.StaticText(host, cred) }

// LiveText is the text of a live code, or of a credential shown by itself.
func LiveText(live []byte) string { return signing.LiveText(live) }
