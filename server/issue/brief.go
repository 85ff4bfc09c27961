package issue

import (
	"context"
	"fmt"
	"time"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/pass"
)

// briefAhead is how long before now a brief code begins: a gate's clock may be
// a little behind the server's. As much is allowed to a phone's.
const briefAhead = 15 * time.Second

// Brief signs a code of a bound pass for a browser without a key store: it is
// shown at once, says what the pass says, and ends within code.ServerLife.
// Nothing is stored. Expires is in seconds. ErrNotBound, ErrOver, ErrEarly,
// store.ErrNotFound.
func (s *Service) Brief(ctx context.Context, id signing.PassID) (text string, expires int64, err error) {
	held, err := s.takesPhone(ctx, id)
	if err != nil {
		return "", 0, err
	}
	now := s.Now().Unix()
	if now < held.From {
		return "", 0, fmt.Errorf("%w: %s", ErrEarly, id)
	}
	p := credential(held)
	p.NotBefore = max(held.From, now-int64(briefAhead/time.Second))
	p.Expires = min(held.Until, p.NotBefore+code.ServerLife)
	iss, err := s.active(ctx, s.Store, signing.PurposeGate)
	if err != nil {
		return "", 0, err
	}
	text, err = s.signAs(p, iss, pass.LiveText)
	return text, p.Expires, err
}
