package verdict

import "campusgate/signing"

// RuleMeal is the rule of a LimitDay that is the limit of the meal.
const RuleMeal = "meal"

// rule is one line of the table of precedence.
type rule struct {
	reason  Reason
	applies func(*Case) bool
}

// The table: the first rule that applies is the answer. It is cut in three
// because an exit asks only the first part, and an admission shown again
// (repeat) is decided between the second and the third.
var (
	unreadable = []rule{
		{Malformed, func(c *Case) bool { return c.Read == Malformed }},
		{UnknownKey, func(c *Case) bool { return c.Read == UnknownKey }},
		{BadSignature, func(c *Case) bool { return c.Read == BadSignature }},
		{WrongKind, func(c *Case) bool { return !c.Lane.Kinds.Has(c.Code.Kind) || c.wrongContext() }},
		{WrongSite, func(c *Case) bool { return c.Code.Site != c.Lane.Site }},
	}
	standing = []rule{
		// A credential whose phone key was replaced is withdrawn, though the pass
		// stands: the holder has another.
		{Revoked, func(c *Case) bool { return c.Record.Revoked || c.Record.Replaced || c.Code.Compromised }},
		{Blocked, func(c *Case) bool { return c.Record.Blocked }},
		{ClockUntrusted, (*Case).clockUntrusted},
		{PolicyStale, func(c *Case) bool { return older(c.At, c.Policy.Fresh, c.Policy.MaxAgeMS) }},
		{ProofMissing, func(c *Case) bool { return c.Code.Bound && c.Code.Proof == nil }},
		{ProofStale, (*Case).proofStale},
		{NotYetValid, func(c *Case) bool { return c.At < millis(c.Code.NotBefore) }},
		{Expired, func(c *Case) bool { return c.At >= millis(c.Code.Expires) }},
	}
	using = []rule{
		{Replayed, (*Case).replayed},
		{WrongGate, func(c *Case) bool { return c.Lane.Zone != 0 && !c.Code.Zones.Admit(c.Lane.Zone) }},
		{OutsideHours, func(c *Case) bool { return c.Policy.OutsideHours }},
		{Lockdown, func(c *Case) bool { return c.Policy.Lockdown }},
		{DocumentRequired, func(c *Case) bool { return c.Document.Required && c.Document.Refused }},
		{DocumentNotAccepted, func(c *Case) bool { return c.Document.Required && c.Document.rejected() }},
		{DocumentIncomplete, func(c *Case) bool { return c.Document.Required && c.Document.incomplete() }},
		{OfflineNotAllowed, (*Case).undecided},
		{OccupancyFull, func(c *Case) bool { return c.Policy.Full }},
		{Antipassback, func(c *Case) bool { return c.Policy.Passback }},
		{AlreadyUsed, func(c *Case) bool { return c.Claim.State == ClaimUsed || c.usedUp() }},
		{CardLost, func(c *Case) bool { return c.Card.Lost }},
		{CardFrozen, func(c *Case) bool { return c.Card.Frozen }},
		{LimitSingle, (*Case).overSingle},
		{LimitDay, func(c *Case) bool { return over(c.Card.DayFen, c.Card.AmountFen, c.Card.PerDayFen) || c.overMeal() }},
		{LimitOffline, (*Case).overOffline},
		{PinRequired, (*Case).pinMissing},
		{InsufficientBalance, (*Case).overdrawn},
		{TerminalClosed, func(c *Case) bool { return c.Card.Closed }},
	}
)

// Judge answers a case. It never fails: a case that our own code built wrongly
// is answered Internal, which refuses. Judge changes nothing; First in the
// answer points into the case. Safe for concurrent use.
func Judge(c *Case) Verdict {
	if !c.coherent() {
		return Verdict{Reason: Internal}
	}
	if c.Vouched {
		return c.vouched()
	}
	if r := first(unreadable, c); r != 0 {
		return c.refuse(r)
	}
	if c.Policy.Emergency && c.Code.Kind.OpensGates() && !c.Code.Compromised {
		return Verdict{Reason: Attention, Mark: MarkEmergency}
	}
	if c.leaving() {
		return c.exit()
	}
	if r := first(standing, c); r != 0 {
		return Verdict{Reason: r}
	}
	if c.repeats() {
		return Verdict{Reason: c.Record.Recent.Reason, Repeat: true}
	}
	if r := first(using, c); r != 0 {
		return c.refuse(r)
	}
	if c.Document.Required && c.Document.Complete() == nil {
		return Verdict{Reason: NeedsInput, Need: NeedDocument}
	}
	if !c.mustAsk() {
		return c.grant()
	}
	switch c.Claim.State {
	case ClaimGranted:
		return c.grant()
	case ClaimUnreached:
		return c.alone()
	case ClaimUnasked:
		return Verdict{Reason: NeedsInput, Need: NeedClaim, Owner: c.Asks()}
	default: // used, silent and the like are in the table; anything else is no answer at all
		return Verdict{Reason: Internal}
	}
}

// grant names the rule by which the documents admitted, where some were asked
// for.
func (c *Case) grant() Verdict {
	v := Verdict{Reason: Granted}
	if c.Policy.Alert && c.Code.Kind.OpensGates() {
		v = Verdict{Reason: Attention, Mark: MarkPassback, First: c.Policy.Inside}
	}
	if c.Document.Required {
		v.Rule = c.Document.Complete().Rule
	}
	return v
}

// Decider is the gate whose durable record decides the pass; zero is the
// server.
func (c *Case) Decider() uint16 {
	if c.Policy.Mode == Online {
		return 0
	}
	if c.Record.Owner != 0 {
		return c.Record.Owner
	}
	return c.Code.Owner
}

func first(rules []rule, c *Case) Reason {
	for i := range rules {
		if rules[i].applies(c) {
			return rules[i].reason
		}
	}
	return 0
}

// leaving: a payment is a payment, whatever a till's lane is called.
func (c *Case) leaving() bool { return c.Lane.Direction == Exit && c.Code.Kind.OpensGates() }

// exit needs a genuine code and uses nothing. It never repeats: whoever wants
// out gets out, as often as they ask. A compromised key proves nothing, so it
// does not open.
func (c *Case) exit() Verdict {
	switch {
	case c.Code.Compromised:
		return Verdict{Reason: Revoked}
	case first(standing, c) != 0:
		return Verdict{Reason: Attention}
	case c.Policy.Lockdown:
		return Verdict{Reason: Attention, Mark: MarkLockdown}
	}
	return Verdict{Reason: Granted}
}

func (c *Case) refuse(r Reason) Verdict {
	v := Verdict{Reason: r}
	switch r {
	case WrongKind:
		if c.Code.Kind.OpensGates() && c.Lane.Kinds&signing.GateKinds != 0 && !c.wrongContext() {
			v.Mark = MarkLane
		}
	case AlreadyUsed:
		v.First = c.firstUse()
	case Antipassback:
		v.First = c.Policy.Inside
	case OfflineNotAllowed:
		if v.Owner = c.Decider(); c.Claim.State == ClaimReserved {
			v.Owner = c.Claim.By
		}
	case DocumentNotAccepted:
		v.Rule = c.Document.Rule
	case LimitDay:
		if c.overMeal() {
			v.Rule = RuleMeal
		}
	default:
	}
	return v
}

// firstUse prefers what the decider says, then what is known here.
func (c *Case) firstUse() *Use {
	switch {
	case c.Claim.State == ClaimUsed && c.Claim.First != nil:
		return c.Claim.First
	case c.Record.First == nil && c.admittedHere():
		return &Use{At: c.Record.Recent.At, Gate: c.Lane.Gate}
	}
	return c.Record.First
}

// coherent tells a case that can be judged from one that our own code built
// wrongly. A negative amount would pass every limit.
func (c *Case) coherent() bool {
	if c == nil {
		return false
	}
	if c.Vouched {
		return c.Read == 0 && c.Code == Code{}
	}
	switch c.Read {
	case Malformed, UnknownKey, BadSignature:
		return true
	case 0:
	default:
		return false
	}
	if c.Code.Kind == signing.Pay {
		return c.Code.Pay != nil && c.Card.AmountFen >= 0
	}
	return c.Code.Kind.Valid() && c.Code.Pay == nil
}

// wrongContext catches a proof made for the other half of the system.
func (c *Case) wrongContext() bool {
	return c.Code.Proof != nil && !signing.Context(c.Code.Proof.Context).Fits(c.Code.Kind)
}

// clockUntrusted: the clock stands before a time it has shown already, or was
// compared with the server too long ago.
func (c *Case) clockUntrusted() bool {
	return minus(c.At, c.Clock.HighWater) < -ClockSlackMS || older(c.At, c.Clock.Synced, c.Clock.MaxAgeMS)
}

// older: never is older than any limit, also on a PC whose dead battery makes
// it start in 1970.
func older(now, then, maxAge int64) bool {
	return maxAge != 0 && (then <= 0 || minus(now, then) > maxAge)
}

func (c *Case) proofStale() bool {
	if c.Code.Proof == nil {
		return false
	}
	age := minus(c.At, millis(c.Code.Proof.T))
	return age < -ProofFutureMS || age > ProofPastMS
}

func (c *Case) replayed() bool {
	return c.Code.Proof != nil && c.Record.Counter != nil && c.Code.Proof.Counter <= *c.Record.Counter
}

// admittedHere reports whether this gate itself let the pass in before.
func (c *Case) admittedHere() bool { return c.Record.Recent != nil && c.Record.Recent.Reason.Opens() }

// repeats is for gates only: at a till it would be a second meal for one
// charge. A clock that a time service stepped back a little still repeats.
func (c *Case) repeats() bool {
	if !c.admittedHere() || !c.Code.Kind.OpensGates() {
		return false
	}
	age := minus(c.At, c.Record.Recent.At)
	return age >= -ClockSlackMS && age < RepeatMS
}

// usedUp counts what is known here. A decider's yes stands above that: what is
// heard of other gates may already hold the very use that was granted to this
// one. It does not stand above this gate's own admission of a pass good for
// one.
func (c *Case) usedUp() bool {
	if c.Code.Uses == 1 && c.admittedHere() {
		return true
	}
	if c.mustAsk() && c.allowed() {
		return false
	}
	return c.Code.Uses > 0 && c.Record.Uses >= c.Code.Uses
}

// mustAsk reports whether somebody else decides: counted passes only, at
// gates only.
func (c *Case) mustAsk() bool {
	if c.Code.Uses == 0 || !c.Code.Kind.OpensGates() {
		return false
	}
	return c.SharedUse() || c.Decider() != c.Lane.Gate || !c.Record.Moved.Owns(c.Code.IssuedAt, c.Lane.OwnsFrom)
}

// Owns reports whether an agent may decide a pass of its gate that was issued
// then, in unix seconds. OwnsFrom is that of verdict.Lane: zero means that no
// earlier agent of the gate holds uses that are unknown to this one.
func (m Moved) Owns(issued, ownsFrom int64) bool {
	switch m {
	case MovedHere:
		return true
	case MovedEarlier:
		return ownsFrom == 0
	case NotMoved:
	}
	return issued >= ownsFrom
}

// overSingle: what the code allows is for payments without the server, which
// knows the limits of the account itself.
func (c *Case) overSingle() bool {
	if over(0, c.Card.AmountFen, c.Card.PerTxFen) {
		return true
	}
	return c.Card.Offline && c.Code.Pay != nil && c.Card.AmountFen > c.Code.Pay.PerTxFen
}

func (c *Case) overMeal() bool {
	return over(c.Card.MealFen, c.Card.AmountFen, c.Card.PerMealFen) ||
		c.Card.PerMealTx != 0 && c.Card.MealTx >= c.Card.PerMealTx
}

func (c *Case) overOffline() bool {
	if c.Code.Pay == nil || !c.Card.Offline {
		return false
	}
	return c.Card.OfflineFull || c.Card.OfflineTx >= c.Code.Pay.MaxOfflineTx ||
		over(0, c.Card.AmountFen, c.Card.OfflinePerTxFen) ||
		over(c.Card.OfflineFen, c.Card.AmountFen, c.Card.OfflinePerDayFen) ||
		c.Card.AmountFen > minus(c.Code.Pay.PerDayOfflineFen, c.Card.OfflineFen)
}

func (c *Case) pinMissing() bool {
	confirmed := c.Code.Proof != nil && signing.Context(c.Code.Proof.Context) == signing.ContextPIN
	return c.Card.PinAboveFen != 0 && c.Card.AmountFen > c.Card.PinAboveFen && !confirmed
}

func (c *Case) overdrawn() bool {
	return c.Card.BalanceFen != nil && *c.Card.BalanceFen < c.Card.AmountFen
}

// over reports whether adding to a sum passes a limit; zero is no limit, and
// nothing fits under a negative one.
func over(sum, add, limit int64) bool { return limit != 0 && add > minus(limit, sum) }
