package verdict

import "campusgate/signing"

// Windows and graces, in milliseconds.
const (
	ProofPastMS   = 30_000 // a proof may be this old
	ProofFutureMS = 15_000 // a phone's clock may run this far ahead
	RepeatMS      = 10_000 // re-presenting at the same gate for less than this shows the first verdict again
	ClockSlackMS  = 5_000  // a time service may step the clock back by this much
)

// Case is everything that bears on one judgement. Times are unix
// milliseconds of the agent's corrected clock unless a field says seconds.
// The zero value of each part means that nothing is known against the holder,
// except Clock and Policy, whose zero ages mean never.
type Case struct {
	At       int64     `json:"at"`
	Read     Reason    `json:"read,omitempty"` // why the code could not be read; zero when it is genuine
	Code     Code      `json:"code"`
	Lane     Lane      `json:"lane"`
	Clock    Clock     `json:"clock"`
	Policy   Policy    `json:"policy"`
	Record   Record    `json:"record"`
	Vouched  bool      `json:"vouched,omitempty"` // there is no code: the guard goes by the documents
	Document Documents `json:"document,omitzero"`
	Claim    Claim     `json:"claim,omitzero"`
	Offline  Offline   `json:"offline,omitzero"`
	Card     Card      `json:"card,omitzero"`
}

// Code is what the signed code says, without the holder's name or document:
// the parts that decide. Dates are unix seconds.
type Code struct {
	Kind        signing.Kind   `json:"kind,omitzero"`
	ID          signing.PassID `json:"id,omitzero"`
	Key         signing.KeyID  `json:"key,omitzero"`
	Site        string         `json:"site,omitempty"` // of the key that signed
	Compromised bool           `json:"compromised,omitempty"`
	NotBefore   int64          `json:"nbf,omitempty"`
	Expires     int64          `json:"exp,omitempty"`
	IssuedAt    int64          `json:"iat,omitempty"`
	Uses        uint32         `json:"uses,omitempty"` // 0 = unlimited
	Zones       signing.Zones  `json:"zones,omitempty"`
	Owner       uint16         `json:"owner,omitempty"`
	Bound       bool           `json:"bound,omitempty"` // carries a phone key, so it needs a proof
	Proof       *Proof         `json:"proof,omitempty"`
	Pay         *Pay           `json:"pay,omitempty"`
}

// Proof is the phone's part of a live code. T is unix seconds.
type Proof struct {
	T       int64           `json:"t"`
	Counter uint64          `json:"ctr"`
	Phone   signing.PhoneID `json:"phone"`
	Context uint8           `json:"ctx"` // 1 gate, 2 pay, 3 pay confirmed by PIN
}

// Pay is what a payment credential allows. Money is fen.
type Pay struct {
	Account          uint64 `json:"account,string"` // a string, since it uses all 64 bits
	Epoch            uint32 `json:"epoch"`
	PerTxFen         int64  `json:"per_tx_fen"`
	PerDayOfflineFen int64  `json:"per_day_offline_fen"`
	MaxOfflineTx     uint32 `json:"max_offline_tx"`
}

// Direction of a lane.
type Direction string

// The directions. Anything but Exit is judged as an entry, which asks for more;
// so is a scan at a lane that serves both.
const (
	Entry Direction = "in"
	Exit  Direction = "out"
)

// Lane is where the code was presented. A gate's lane must not serve Pay: Judge
// checks the money of a payment, not what moves afterwards.
type Lane struct {
	Gate      uint16          `json:"gate,omitempty"` // 0 = the server itself
	Site      string          `json:"site"`
	Zone      int             `json:"zone,omitempty"` // 0 = not checked
	Direction Direction       `json:"direction,omitempty"`
	Kinds     signing.KindSet `json:"kinds"`               // served here
	OwnsFrom  int64           `json:"owns_from,omitempty"` // unix s: passes issued before are not this agent's to decide
}

// Clock is what the agent knows of its own clock.
type Clock struct {
	HighWater int64 `json:"high_water"` // latest time ever seen, persisted
	Synced    int64 `json:"synced"`     // last comparison with the server; 0 = never
	MaxAgeMS  int64 `json:"max_age_ms"` // clock_max_age; 0 = no limit
}

// Mode says who decides a pass whose uses are counted.
type Mode string

// The modes. Any other value is judged as Owner. FirstSeen is for passes that
// are good for one use and are shared (see Offline); all others are judged as
// Owner there too.
const (
	Owner     Mode = "owner"
	Online    Mode = "online"
	FirstSeen Mode = "first_seen"
)

// Policy is the rules in force at the lane, from the snapshot. The lane works
// out what depends on calendars and counters.
type Policy struct {
	Revision     uint64 `json:"revision"`
	Mode         Mode   `json:"mode,omitempty"`
	Fresh        int64  `json:"fresh"`                // when the snapshot was last known current; 0 = never
	MaxAgeMS     int64  `json:"max_age_ms,omitempty"` // 0 = no limit
	OutsideHours bool   `json:"outside_hours,omitempty"`
	Lockdown     bool   `json:"lockdown,omitempty"`  // and this kind is not exempt
	Emergency    bool   `json:"emergency,omitempty"` // the barriers stand open
	Full         bool   `json:"full,omitempty"`
	Passback     bool   `json:"passback,omitempty"` // inside already, and the rule is enforced
	Alert        bool   `json:"alert,omitempty"`    // inside already, and the rule wants a person to look
	Inside       *Use   `json:"inside,omitempty"`   // since when, and by which gate; nil = not, or nobody keeps it
}

// Use is one admission that counts.
type Use struct {
	At   int64  `json:"at"`
	Gate uint16 `json:"gate"`
}

// Record is what the agent's own store knows of the pass.
type Record struct {
	Revoked  bool    `json:"revoked,omitempty"`
	Replaced bool    `json:"replaced,omitempty"` // another phone key stands for the pass
	Blocked  bool    `json:"blocked,omitempty"`
	Owner    uint16  `json:"owner,omitempty"`   // where ownership moved to; 0 = as signed
	Moved    Moved   `json:"moved,omitempty"`   // with Owner this gate: to whom of it
	Uses     uint32  `json:"uses,omitempty"`    // admissions counted, here and elsewhere
	First    *Use    `json:"first,omitempty"`   // the first of them
	Recent   *Recent `json:"recent,omitempty"`  // this gate's own last admission
	Counter  *uint64 `json:"counter,omitempty"` // highest proof counter seen of this phone
}

// Moved says, of a pass that was moved to this gate, which of its agents it was
// moved to.
type Moved string

// To whom. NotMoved is also that of an owner as signed.
const (
	NotMoved     Moved = ""
	MovedHere    Moved = "here"    // this very enrolment: it decides, whenever the pass was issued
	MovedEarlier Moved = "earlier" // an earlier one, of whose journal this one knows nothing
)

// Recent is this gate's own last admission of the pass, however long ago: an
// entry that was not annulled. Exits and refusals are no admissions.
type Recent struct {
	At     int64  `json:"at"`
	Reason Reason `json:"reason"`
}

// ClaimState is how far the question to a pass's decider has come.
type ClaimState string

// The states of a claim.
const (
	ClaimUnasked ClaimState = ""
	ClaimGranted ClaimState = "granted"
	ClaimUsed    ClaimState = "used"
	ClaimSilent  ClaimState = "silent"
	ClaimRefused ClaimState = "refused" // of a charge: the server says why; of a pass: it may not be admitted

	// Of FirstSeen only. Reserved: another gate is about to admit. Unreached:
	// nobody said no, but not everybody who may have admitted could be asked.
	ClaimReserved  ClaimState = "reserved"
	ClaimUnreached ClaimState = "unreached"
)

// Claim is the answer of a pass's decider, where that is not this gate.
type Claim struct {
	State ClaimState `json:"state,omitempty"`
	First *Use       `json:"first,omitempty"` // with ClaimUsed
	// By is the gate that holds it, with ClaimReserved.
	By uint16 `json:"by,omitempty"`
	// Unreached are those who did not answer, with ClaimUnreached; 0 = the server.
	Unreached []uint16 `json:"unreached,omitempty"`
}

// Offline is what bears on an admission by a gate of FirstSeen while not
// everybody can be asked. Beyond its limits silence refuses, as with Owner.
type Offline struct {
	Shared    bool   `json:"shared,omitempty"`     // every gate that may admit the pass by itself has FirstSeen
	Admitted  uint32 `json:"admitted,omitempty"`   // so far, unconfirmed, and not acknowledged by the server
	Max       uint32 `json:"max,omitempty"`        // 0 = none at all
	MaxAgeMS  int64  `json:"max_age_ms,omitempty"` // since Policy.Fresh; 0 = none at all
	Confirm   bool   `json:"confirm,omitempty"`    // a guard has to agree
	Confirmed bool   `json:"confirmed,omitempty"`  // and did
}

// Card is what a till knows of the account. Money is fen.
type Card struct {
	Lost             bool   `json:"lost,omitempty"`
	Frozen           bool   `json:"frozen,omitempty"`
	Closed           bool   `json:"closed,omitempty"` // the till's shift or batch is closed
	Offline          bool   `json:"offline,omitempty"`
	AmountFen        int64  `json:"amount_fen,omitempty"`
	PerTxFen         int64  `json:"per_tx_fen,omitempty"`  // 0 = no limit
	PerDayFen        int64  `json:"per_day_fen,omitempty"` // 0 = no limit
	DayFen           int64  `json:"day_fen,omitempty"`     // spent today
	OfflineFen       int64  `json:"offline_fen,omitempty"` // spent offline today
	OfflineTx        uint32 `json:"offline_tx,omitempty"`
	PerMealFen       int64  `json:"per_meal_fen,omitempty"` // 0 = no limit
	MealFen          int64  `json:"meal_fen,omitempty"`     // spent in this meal period
	PerMealTx        uint32 `json:"per_meal_tx,omitempty"`  // 0 = no limit
	MealTx           uint32 `json:"meal_tx,omitempty"`
	OfflinePerTxFen  int64  `json:"offline_per_tx_fen,omitempty"`  // the till's own cap; 0 = no limit
	OfflinePerDayFen int64  `json:"offline_per_day_fen,omitempty"` // 0 = no limit
	OfflineFull      bool   `json:"offline_full,omitempty"`        // the till holds as much as it may without the server
	PinAboveFen      int64  `json:"pin_above_fen,omitempty"`       // 0 = never
	BalanceFen       *int64 `json:"balance_fen,omitempty"`         // known only online
}

// Need says what a NeedsInput verdict waits for.
type Need string

// What can be missing.
const (
	NeedNothing  Need = ""
	NeedDocument Need = "document" // the guard must choose a document, or refuse
	NeedClaim    Need = "claim"    // the pass's decider must be asked
	NeedAmount   Need = "amount"   // a till's cashier must say how much
	NeedConfirm  Need = "confirm"  // the cashier must say that the same holder pays once more; the guard, that nobody can confirm and they come in all the same
)

// Mark tells meanings of one reason apart. Each pair has a text of its own.
type Mark string

// The marks.
const (
	MarkNone      Mark = ""
	MarkPassback  Mark = "antipassback" // of Attention: came in while recorded as inside
	MarkLockdown  Mark = "lockdown"     // of Attention: went out while nobody may come in
	MarkEmergency Mark = "emergency"    // of Attention: the barriers stand open for everybody; nothing is used up
	MarkLane      Mark = "lane"         // of WrongKind: another lane takes this kind

	// MarkUnconfirmed: of Granted: not everybody who may have admitted before could
	// be asked. Of NeedsInput: a guard has to agree to that.
	MarkUnconfirmed Mark = "unconfirmed"
)

// Verdict is the answer to a Case.
type Verdict struct {
	Reason Reason `json:"reason"`
	Rule   string `json:"rule,omitempty"`   // of the guideline, that admitted or bars; of an entry without a code, the one it was judged by
	Repeat bool   `json:"repeat,omitempty"` // the previous verdict shown again: no use, no second pulse
	Mark   Mark   `json:"mark,omitempty"`   // what the reason is about, where it has several meanings
	Need   Need   `json:"need,omitempty"`
	First  *Use   `json:"first,omitempty"` // with AlreadyUsed; of whoever is inside already, when and where they came in
	Owner  uint16 `json:"owner,omitempty"` // with NeedClaim and OfflineNotAllowed: who decides, or is about to admit; 0 = the server
}

// Opens reports whether the barrier moves.
func (v Verdict) Opens() bool { return v.Reason.Opens() && !v.Repeat }

// Admits reports whether somebody came in by this, as a gate in that direction
// judged: so it uses the pass up, is repeated and can be taken back. An emergency
// opening lets people through and admits nobody.
func (v Verdict) Admits(d Direction) bool {
	return v.Opens() && d != Exit && v.Mark != MarkEmergency
}
