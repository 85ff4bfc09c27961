package issue

import (
	"context"
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/paycode"
)

// SignPay makes the text of a payment credential with the active pay key, and
// reads it back the way a till does. Nothing is stored: whoever keeps the
// credential records with store.Tx.SignedWith that this key signed it, in the
// change in which src reads. Errors: ErrNoKey, or one that wraps
// signing.ErrClaim and names the value that cannot be signed.
func (s *Service) SignPay(ctx context.Context, src keys, p paycode.Pay) (text string, kid signing.KeyID, err error) {
	iss, err := s.active(ctx, src, signing.PurposePay)
	if err != nil {
		return "", kid, err
	}
	cred, err := p.Sign(iss)
	if err != nil {
		return "", kid, err
	}
	text = paycode.LiveText(cred)
	ring, err := signing.NewKeyring(s.site(), 1, []signing.Key{iss.Key})
	if err != nil {
		return "", kid, err
	}
	read, err := code.Read(ring, text)
	if err != nil {
		return "", kid, fmt.Errorf("read back: %w", err)
	}
	p.Key = iss.Key.ID
	if read.Pay == nil || *read.Pay != p {
		return "", kid, errors.New("read back: not the credential that was signed")
	}
	return text, iss.Key.ID, nil
}
