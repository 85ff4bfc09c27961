package wire

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"campusgate/signing/verdict"
)

// Lengths of what a peer may name, in bytes.
const (
	NonceBytes = 32
	maxName    = 64  // site, lineage, kinds, codes
	maxText    = 500 // messages and faults for people
	maxKey     = 128 // item keys, claim ids, software
	maxLanes   = 64
)

// Check refuses a Hello that cannot be answered. Of another version only the
// version is looked at.
func (m *Hello) Check() error {
	if m.Version != Version {
		return nil
	}
	if len(m.Nonce) != NonceBytes {
		return fmt.Errorf("nonce of %d bytes, want %d", len(m.Nonce), NonceBytes)
	}
	return within("site", m.Site, 1, maxName)
}

// Check refuses an Auth that names nobody or cannot be verified. Of another
// version only the version is looked at.
func (m *Auth) Check() error {
	if m.Version != Version {
		return nil
	}
	if m.Agent == 0 || m.Epoch == 0 {
		return errors.New("agent and epoch start at 1")
	}
	if len(m.Signature) != ed25519.SignatureSize {
		return fmt.Errorf("signature of %d bytes, want %d", len(m.Signature), ed25519.SignatureSize)
	}
	if m.Pruned > m.Last {
		return fmt.Errorf("pruned to %d of %d", m.Pruned, m.Last)
	}
	return errors.Join(within("software", m.Software, 0, maxKey), m.Cursor.check())
}

// Check refuses a report that is out of bounds.
func (m *Clock) Check() error {
	if m.Offer != "" {
		if err := checkDigest(m.Offer); err != nil {
			return err
		}
	}
	if m.Health == nil {
		return nil
	}
	if len(m.Health.Lanes) > maxLanes {
		return fmt.Errorf("health of %d lanes, at most %d", len(m.Health.Lanes), maxLanes)
	}
	for name, state := range m.Health.Lanes {
		if err := errors.Join(within("lane", name, 0, maxName), within("lane state", state, 0, maxText)); err != nil {
			return err
		}
	}
	if err := errors.Join(CheckAddresses(m.Health.Addresses), m.Health.Program.check()); err != nil {
		return err
	}
	return checkDevices(m.Health.Devices)
}

// Check refuses a goodbye without a code, or with an endless message.
func (m *Bye) Check() error {
	return errors.Join(within("code", m.Code, 1, maxName), within("message", m.Message, 0, maxText))
}

// Check refuses more items than a frame may hold and items of no kind.
func (m *Delta) Check() error {
	if len(m.Items) > MaxBatch {
		return fmt.Errorf("%d items, at most %d", len(m.Items), MaxBatch)
	}
	for i := range m.Items {
		it := &m.Items[i]
		if err := errors.Join(within("kind", string(it.Kind), 1, maxName), within("key", it.Key, 0, maxKey)); err != nil {
			return fmt.Errorf("item %d: %w", i, err)
		}
		if it.Gone == (len(it.Body) > 0) {
			return fmt.Errorf("item %d: want a body, or gone, and not both", i)
		}
	}
	return m.Cursor.check()
}

// Check refuses an endless fault.
func (m *Applied) Check() error {
	return errors.Join(within("fault", m.Fault, 0, maxText), m.Cursor.check())
}

// Check refuses an empty or overfull batch, and seqs that do not follow each
// other.
func (m *Events) Check() error {
	if len(m.Records) == 0 || len(m.Records) > MaxBatch {
		return fmt.Errorf("%d records, want 1 to %d", len(m.Records), MaxBatch)
	}
	for i := range m.Records {
		r := &m.Records[i]
		if r.Seq == 0 {
			return fmt.Errorf("record %d: seqs start at 1", i)
		}
		if want := m.Records[0].Seq + uint64(i); r.Seq != want {
			return fmt.Errorf("record %d: seq %d, want %d", i, r.Seq, want)
		}
		if !object(r.Body) {
			return fmt.Errorf("record %d: body is not an object", i)
		}
	}
	return nil
}

// Check refuses a claim whose id is not an id.
func (m *Claim) Check() error {
	_, err := ParseEventID(m.ID)
	if err == nil && m.Charge != nil {
		err = m.Charge.check()
	}
	return errors.Join(err, m.Reserve.check())
}

// Check refuses an answer to nothing, or that says nothing.
func (m *Answer) Check() error {
	if _, err := ParseEventID(m.ID); err != nil {
		return err
	}
	if m.Charge != nil {
		if err := m.Charge.check(); err != nil {
			return err
		}
		if (m.State == verdict.ClaimGranted) != (m.Charge.Reason == verdict.Granted) {
			return fmt.Errorf("state %s with reason %s", m.State, m.Charge.Reason)
		}
	}
	if len(m.Dark) > MaxDark {
		return fmt.Errorf("%d dark gates, at most %d", len(m.Dark), MaxDark)
	}
	if (m.Owner == 0) != (m.Epoch == 0) || m.Owner != 0 && m.State != verdict.ClaimSilent {
		return fmt.Errorf("state %s with owner %d of epoch %d", m.State, m.Owner, m.Epoch)
	}
	switch m.State {
	case verdict.ClaimGranted, verdict.ClaimUsed, verdict.ClaimSilent, verdict.ClaimRefused, verdict.ClaimReserved:
		return nil
	case verdict.ClaimUnasked, verdict.ClaimUnreached:
	}
	return fmt.Errorf("state %.32q is no answer", m.State)
}

func (c Cursor) check() error { return within("lineage", c.Lineage, 0, maxName) }

func within(what, s string, low, high int) error {
	if len(s) < low || len(s) > high {
		return fmt.Errorf("%s of %d bytes, want %d to %d", what, len(s), low, high)
	}
	return nil
}

// Clip shortens a text for people to what a message may carry, at a character
// boundary.
func Clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > 0 && s[end]&0xc0 == 0x80 {
		end--
	}
	return s[:end]
}
