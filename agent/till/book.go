package till

import (
	"campusgate/agent/desk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Book is the open write transaction in which a Core decides. An error of any
// method fails the whole transaction.
type Book interface {
	desk.Book
	// Standing is what the store holds about a code's pass, phone and account.
	Standing(q Query) (Standing, error)
	// Batch is the last batch; zero = there was none. Its flow and sum are those
	// of the journal.
	Batch() (Batch, error)
	// SetBatch keeps a batch, in place of one with its number.
	SetBatch(b Batch) error
	// Take records an accepted charge by its event, which was just appended, and
	// raises the counter of the phone.
	Take(e *wire.Event) error
	// Charge finds an accepted charge of this journal.
	Charge(id wire.EventID) (desk.Past, bool, error)
	// ChargeOf finds the accepted charge of a scan among the latest of this journal.
	ChargeOf(scan string) (desk.Past, bool, error)
	// Void marks the charge that an event annuls, which was just appended.
	Void(e *wire.Event) error
}

// Query asks for a Standing.
type Query struct {
	Pass    signing.PassID
	Phone   signing.PhoneID
	Account uint64
	Day     string
	Period  string
}

// Standing is what bears on a payment at this till.
type Standing struct {
	Revision uint64 // of the snapshot
	Fresh    int64  // unix ms
	Revoked  bool   // the pass
	Phone    desk.PhoneKey
	Card     wire.Card // zero = in order, as far as is known
	Counter  *uint64   // highest that was accepted of the phone
	Asked    *desk.Question
	Last     *Last
	Spent    Spent
	Backlog  uint64 // accepted charges and voids that the server does not hold
}

// Last is the account's last charge here that was not voided.
type Last struct {
	Event   wire.EventID
	At      int64
	Phone   signing.PhoneID
	Counter uint64
}

// Spent is what an account paid here, without what was voided.
type Spent struct {
	DayFen  int64
	MealFen int64
	MealTx  uint32
	// OfflineFen is what was accepted without the server: today, and on earlier
	// days as far as the server does not hold it. OfflineTx is how many of all of
	// them it does not hold.
	OfflineFen int64
	OfflineTx  uint32
}

// Batch is what a cashier answers for, from opening to closing. Money is fen,
// times unix ms.
type Batch struct {
	Number   uint32 `json:"number"`
	Open     bool   `json:"open"`
	OpenedAt int64  `json:"opened_at"`
	OpenedBy string `json:"opened_by,omitempty"` // staff number
	ClosedAt int64  `json:"closed_at,omitempty"`
	ClosedBy string `json:"closed_by,omitempty"`
	Charges  int    `json:"charges"`
	Voids    int    `json:"voids"`
	TotalFen int64  `json:"total_fen"` // voids subtracted
	// Flow and SumFen are those of the journal, as in wire.Charge.
	Flow   uint64 `json:"flow"`
	SumFen int64  `json:"sum_fen"`
}

// apply puts what the book holds into a case.
func (s *Standing) apply(k *verdict.Case, r *wire.Till, cfg *Config, now int64) {
	pay, proof := k.Code.Pay, k.Code.Proof
	k.Record = verdict.Record{Revoked: s.Revoked || s.Card.State == wire.CardClosed, Counter: s.Counter}
	k.Record.Replaced = pay.Epoch < s.Card.Epoch || proof != nil && s.Phone.Replaced(proof.Phone, k.Code.Expires)
	k.Policy = verdict.Policy{Revision: s.Revision, Fresh: s.Fresh, MaxAgeMS: cfg.PolicyMaxAge}
	c := &k.Card
	c.Lost, c.Frozen = s.Card.State == wire.CardLost, s.Card.State == wire.CardFrozen
	c.DayFen, c.MealFen, c.MealTx = s.Spent.DayFen, s.Spent.MealFen, s.Spent.MealTx
	c.OfflineFen, c.OfflineTx = s.Spent.OfflineFen, s.Spent.OfflineTx
	if r == nil {
		// Without rules a till would take anything.
		k.Policy.Fresh, k.Policy.MaxAgeMS = 0, 1
		return
	}
	caps := &r.Offline
	c.OfflinePerTxFen, c.OfflinePerDayFen = caps.PerTxFen, caps.PerAccountFen
	c.OfflineFull = caps.PerTxFen <= 0 || caps.MaxRecords > 0 && s.Backlog >= uint64(caps.MaxRecords) ||
		caps.MaxAgeMS > 0 && (s.Fresh <= 0 || now-s.Fresh > caps.MaxAgeMS)
}
