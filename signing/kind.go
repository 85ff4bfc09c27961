package signing

import (
	"errors"
	"fmt"
	"strings"
)

// ErrBadKind is wrapped when a kind, purpose or key state has no such name.
var ErrBadKind = errors.New("no such kind")

// Kind says what a credential is. The numbers are in signed codes and never
// change.
type Kind uint8

// The kinds of credential. Resident, work, visitor and vehicle passes open
// gates; Pay is a campus-card payment credential and never admits anybody.
const (
	ResidentSingle Kind = 1
	ResidentMulti  Kind = 2
	Work           Kind = 3
	Visitor        Kind = 4
	Vehicle        Kind = 5
	Pay            Kind = 9
)

var kindNames = map[Kind]string{
	ResidentSingle: "resident_single",
	ResidentMulti:  "resident_multi",
	Work:           "work",
	Visitor:        "visitor",
	Vehicle:        "vehicle",
	Pay:            "pay",
}

// ParseKind reads the snake_case name of a kind.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if name == s {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%w: kind %q", ErrBadKind, s)
}

// Valid reports whether k is one of the kinds above.
func (k Kind) Valid() bool { return kindNames[k] != "" }

// OpensGates reports whether the kind is a pass rather than a means of payment.
func (k Kind) OpensGates() bool { return k.Valid() && k != Pay }

func (k Kind) String() string {
	if name := kindNames[k]; name != "" {
		return name
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// MarshalText and UnmarshalText make Kind a JSON string; zero is "".
func (k Kind) MarshalText() ([]byte, error) {
	if k == 0 {
		return nil, nil
	}
	if !k.Valid() {
		return nil, fmt.Errorf("%w: kind %d", ErrBadKind, uint8(k))
	}
	return []byte(k.String()), nil
}

func (k *Kind) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*k = 0
		return nil
	}
	*k, err = ParseKind(string(b))
	return err
}

// KindSet is a set of kinds: bit k is kind k.
type KindSet uint16

// GateKinds and PayKinds are what a key of each purpose may sign.
const (
	GateKinds KindSet = 1<<ResidentSingle | 1<<ResidentMulti | 1<<Work | 1<<Visitor | 1<<Vehicle
	PayKinds  KindSet = 1 << Pay
)

// KindsOf makes a set.
func KindsOf(kinds ...Kind) (s KindSet) {
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has reports whether k is in the set.
func (s KindSet) Has(k Kind) bool { return k < 16 && s&(1<<k) != 0 }

// Kinds lists the set in ascending order.
func (s KindSet) Kinds() (list []Kind) {
	for k := Kind(1); k < 16; k++ {
		if s.Has(k) {
			list = append(list, k)
		}
	}
	return list
}

func (s KindSet) String() string {
	var names []string
	for _, k := range s.Kinds() {
		names = append(names, k.String())
	}
	return strings.Join(names, ",")
}

// MarshalText and UnmarshalText make KindSet a comma-separated JSON string.
func (s KindSet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *KindSet) UnmarshalText(b []byte) error {
	*s = 0
	if len(b) == 0 {
		return nil
	}
	for name := range strings.SplitSeq(string(b), ",") {
		k, err := ParseKind(name)
		if err != nil {
			return err
		}
		*s |= 1 << k
	}
	return nil
}

// Zones is a bitmap: bit n-1 is zone n (1 to 32); zero means every zone.
type Zones uint32

// ZonesOf makes a bitmap; it fails on a zone outside 1 to 32.
func ZonesOf(zones ...int) (Zones, error) {
	var z Zones
	for _, n := range zones {
		if n < 1 || n > 32 {
			return 0, fmt.Errorf("zone %d: want 1 to 32", n)
		}
		z |= 1 << (n - 1)
	}
	return z, nil
}

// Admit reports whether a pass for these zones serves zone n.
func (z Zones) Admit(n int) bool {
	return z == 0 || n >= 1 && n <= 32 && z&(1<<(n-1)) != 0
}

// List gives the zones in ascending order; empty means every zone.
func (z Zones) List() []int {
	list := []int{}
	for n := 1; n <= 32; n++ {
		if z&(1<<(n-1)) != 0 {
			list = append(list, n)
		}
	}
	return list
}

// Purpose separates keys: one key never serves two purposes.
type Purpose string

// The purposes of keys. Gate and pay keys are Ed25519 and belong to the
// issuer; phone keys are P-256 and belong to a holder's phone.
const (
	PurposeGate  Purpose = "gate"
	PurposePay   Purpose = "pay"
	PurposePhone Purpose = "phone"
)

// Kinds gives what an issuer key of this purpose may sign.
func (p Purpose) Kinds() KindSet {
	switch p {
	case PurposeGate:
		return GateKinds
	case PurposePay:
		return PayKinds
	case PurposePhone:
	}
	return 0
}

// KeyState is where an issuer key stands in its life: next (published at least
// 14 days before first use), active (signs), retired (verifies until the last
// credential has expired), compromised (verifies nothing).
type KeyState string

// The states of an issuer key.
const (
	KeyNext        KeyState = "next"
	KeyActive      KeyState = "active"
	KeyRetired     KeyState = "retired"
	KeyCompromised KeyState = "compromised"
)
