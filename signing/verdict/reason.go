package verdict

import (
	"errors"
	"fmt"
)

// ErrNoReason is wrapped when a text names no reason.
var ErrNoReason = errors.New("no such reason")

// Reason is the outcome of a judgement. Numbers and names are permanent; zero
// is no reason at all. The order of the constants is the order of precedence:
// of several that apply, the first is the answer. Only Internal stands outside
// that order: a case that makes no sense is not judged at all.
type Reason uint16

// Reasons to admit and to refuse.
const (
	Granted             Reason = 1
	Malformed           Reason = 2  // not a code of ours, or damaged
	UnknownKey          Reason = 3  // signed with a key this agent does not have
	BadSignature        Reason = 4  // the signature does not hold, or the key may not sign this kind
	WrongKind           Reason = 5  // genuine, but not for this lane
	WrongSite           Reason = 6  // signed with a known key of another site
	Revoked             Reason = 7  // taken back, or its key was compromised
	Blocked             Reason = 8  // the holder is barred
	ClockUntrusted      Reason = 9  // this agent's clock cannot be relied on
	PolicyStale         Reason = 10 // this agent's snapshot is too old
	ProofMissing        Reason = 11 // a phone-bound credential without the phone's proof
	ProofStale          Reason = 12 // the proof is older or newer than the window
	NotYetValid         Reason = 13
	Expired             Reason = 14
	Replayed            Reason = 15 // this proof, or a later one, was seen before
	WrongGate           Reason = 16 // the pass does not serve this zone
	OutsideHours        Reason = 17
	Lockdown            Reason = 18
	DocumentRequired    Reason = 19 // no document was shown
	DocumentNotAccepted Reason = 20
	DocumentIncomplete  Reason = 21
	OfflineNotAllowed   Reason = 22 // the decider of this pass did not answer
	OccupancyFull       Reason = 23
	Antipassback        Reason = 24
	AlreadyUsed         Reason = 25
	CardLost            Reason = 26
	CardFrozen          Reason = 27
	LimitSingle         Reason = 28
	LimitDay            Reason = 29
	LimitOffline        Reason = 30
	PinRequired         Reason = 31
	InsufficientBalance Reason = 32
	TerminalClosed      Reason = 33
	Internal            Reason = 34 // a fault of ours; the case made no sense

	// Neither admitted nor refused.
	Attention  Reason = 35 // opens, and a person should look
	NeedsInput Reason = 36 // an answer is missing: see Verdict.Need

	// Set after the fact.
	Annulled Reason = 37 // admitted, but nobody went through
	Conflict Reason = 38 // admitted, and elsewhere too
)

var reasonNames = [...]string{
	Granted:             "granted",
	Malformed:           "malformed",
	UnknownKey:          "unknown_key",
	BadSignature:        "bad_signature",
	WrongKind:           "wrong_kind",
	WrongSite:           "wrong_site",
	Revoked:             "revoked",
	Blocked:             "blocked",
	ClockUntrusted:      "clock_untrusted",
	PolicyStale:         "policy_stale",
	ProofMissing:        "proof_missing",
	ProofStale:          "proof_stale",
	NotYetValid:         "not_yet_valid",
	Expired:             "expired",
	Replayed:            "replayed",
	WrongGate:           "wrong_gate",
	OutsideHours:        "outside_hours",
	Lockdown:            "lockdown",
	DocumentRequired:    "document_required",
	DocumentNotAccepted: "document_not_accepted",
	DocumentIncomplete:  "document_incomplete",
	OfflineNotAllowed:   "offline_not_allowed",
	OccupancyFull:       "occupancy_full",
	Antipassback:        "antipassback",
	AlreadyUsed:         "already_used",
	CardLost:            "card_lost",
	CardFrozen:          "card_frozen",
	LimitSingle:         "limit_single",
	LimitDay:            "limit_day",
	LimitOffline:        "limit_offline",
	PinRequired:         "pin_required",
	InsufficientBalance: "insufficient_balance",
	TerminalClosed:      "terminal_closed",
	Internal:            "internal",
	Attention:           "attention",
	NeedsInput:          "needs_input",
	Annulled:            "annulled",
	Conflict:            "conflict",
}

// Reasons lists every reason in order of number.
func Reasons() []Reason {
	list := make([]Reason, 0, len(reasonNames)-1)
	for r := Granted; int(r) < len(reasonNames); r++ {
		list = append(list, r)
	}
	return list
}

// ParseReason reads the name of a reason.
func ParseReason(s string) (Reason, error) {
	for _, r := range Reasons() {
		if reasonNames[r] == s {
			return r, nil
		}
	}
	return 0, fmt.Errorf("%w: %q", ErrNoReason, s)
}

// Valid reports whether r is one of the reasons above.
func (r Reason) Valid() bool { return r >= Granted && int(r) < len(reasonNames) }

// Opens reports whether a lane lets the person through.
func (r Reason) Opens() bool { return r == Granted || r == Attention }

func (r Reason) String() string {
	if r.Valid() {
		return reasonNames[r]
	}
	return fmt.Sprintf("reason(%d)", uint16(r))
}

// MarshalText and UnmarshalText make Reason a JSON string; zero is "".
func (r Reason) MarshalText() ([]byte, error) {
	if r == 0 {
		return nil, nil
	}
	if !r.Valid() {
		return nil, fmt.Errorf("%w: number %d", ErrNoReason, uint16(r))
	}
	return []byte(r.String()), nil
}

func (r *Reason) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*r = 0
		return nil
	}
	*r, err = ParseReason(string(b))
	return err
}
