package desk

import (
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// DefaultClockMaxAge is seven days.
const DefaultClockMaxAge int64 = 7 * 24 * 3600 * 1000

// ClaimMS is how long a question may stay open before it is given back.
const ClaimMS = 60_000

const (
	saveMS   = 60_000 // between writes of the clock
	offsetMS = 100    // an offset that moved further is written at once
)

// Book is the part of the open write transaction that every core needs.
// Everything read is as of this transaction, its own writes included. An error
// of any method fails the whole transaction.
type Book interface {
	// Append gives e the next id of the journal and writes it.
	Append(e *wire.Event) error

	// Ask keeps a question about a pass in state ClaimOpen, in place of any
	// earlier one, and gives it an id.
	Ask(c *wire.Claim) error
	// Settle moves the last question about a pass to another state.
	Settle(pass signing.PassID, state ClaimState) error
	// Overdue lists open questions that say they were asked at or before one
	// moment, or after another, oldest first.
	Overdue(before, after int64) ([]Question, error)

	// Shift and SetShift keep who is on duty; zero = nobody.
	Shift() (Shift, error)
	SetShift(s Shift) error

	// Clock and SetClock keep what is known of the clock.
	Clock() (Clock, error)
	SetClock(c Clock) error
}

// ClaimState is how far a question asked by this agent has come.
type ClaimState int

// The states. Open questions are asked again with the same id or given back.
const (
	ClaimOpen     ClaimState = 1
	ClaimOpened   ClaimState = 2 // granted, and the lane opened or the money charged
	ClaimRefused  ClaimState = 3 // answered with no
	ClaimReturned ClaimState = 4 // given back
)

// Question is a claim that this agent asked.
type Question struct {
	ID     string
	Pass   signing.PassID
	At     int64 // when it was asked first
	State  ClaimState
	Charge *wire.ChargeAsk // money was asked for
}

// Clock is what an agent keeps about its clock. Unix ms.
type Clock struct {
	OffsetMS  int64
	Synced    int64 // by the corrected clock; 0 = never
	HighWater int64
}

// PhoneKey is the one that stands for a pass which was moved from one phone to
// another; zero where nothing is known of a move.
type PhoneKey struct {
	ID    signing.PhoneID
	Until int64 // unix s: no credential of a replaced key lasts longer
}

// Replaced reports that a credential belongs to a phone key that no longer
// stands. One that lasts longer than those that were replaced is newer than
// what this gate was told, as when the pass was moved again while the agent had
// no network: it is good.
func (k *PhoneKey) Replaced(phone signing.PhoneID, expires int64) bool {
	return k.ID != signing.PhoneID{} && phone != k.ID && expires <= k.Until
}

// Base keeps the clock and the shift of a core. What it changed in memory is
// provisional until Commit or Rollback.
type Base struct {
	gate   uint16
	maxAge int64
	clock  Clock
	shift  Shift // zero = nobody is on duty
	saved  int64 // mono of the last SetClock
	undo   []func()
}

// NewBase reads clock and shift from the book. maxAge is how long the clock is
// believed without a comparison, in ms; 0 = for ever.
func NewBase(gate uint16, maxAge int64, book Book) (b Base, err error) {
	b = Base{gate: gate, maxAge: maxAge}
	if b.clock, err = book.Clock(); err == nil {
		b.shift, err = book.Shift()
	}
	return b, err
}

// Commit makes the steps since the last call final.
func (b *Base) Commit() { b.undo = b.undo[:0] }

// Rollback takes them back.
func (b *Base) Rollback() {
	for i := len(b.undo) - 1; i >= 0; i-- {
		b.undo[i]()
	}
	b.undo = b.undo[:0]
}

// Undo has Rollback call back, the last first.
func (b *Base) Undo(back func()) { b.undo = append(b.undo, back) }

// Moment is a stamp in the agent's corrected time, with the clock's standing
// just before it.
type Moment struct {
	Stamp
	At    int64
	Clock verdict.Clock
}

// At is a stamp in corrected time. It changes nothing.
func (b *Base) At(s Stamp) int64 { return s.Wall + b.clock.OffsetMS }

// Advance is the moment of an input; it raises the high-water mark.
func (b *Base) Advance(s Stamp) Moment {
	m := Moment{
		Stamp: s, At: b.At(s),
		Clock: verdict.Clock{HighWater: b.clock.HighWater, Synced: b.clock.Synced, MaxAgeMS: b.maxAge},
	}
	if m.At > b.clock.HighWater {
		b.setClock(Clock{OffsetMS: b.clock.OffsetMS, Synced: b.clock.Synced, HighWater: m.At})
	}
	return m
}

func (b *Base) setClock(next Clock) {
	old := b.clock
	b.Undo(func() { b.clock = old })
	b.clock = next
}

// Sync believes the server: its time lowers the mark that a wrong clock raised.
func (b *Base) Sync(book Book, in Synced) error {
	at := in.Wall + in.OffsetMS
	moved := b.clock.OffsetMS - in.OffsetMS
	urgent := b.clock.Synced == 0 || moved > offsetMS || moved < -offsetMS || b.clock.HighWater > at+verdict.ClockSlackMS
	b.setClock(Clock{OffsetMS: in.OffsetMS, Synced: at, HighWater: at})
	if urgent {
		return b.saveClock(book, in.Mono)
	}
	return nil
}

// Tick ends a forgotten shift and writes the clock once a minute.
func (b *Base) Tick(book Book, now Moment) ([]Effect, error) {
	effects, err := b.lapse(book, now)
	if err == nil && now.Mono-b.saved >= saveMS {
		err = b.saveClock(book, now.Mono)
	}
	return effects, err
}

func (b *Base) saveClock(book Book, mono int64) error {
	old := b.saved
	b.Undo(func() { b.saved = old })
	b.saved = mono
	return book.SetClock(b.clock)
}

// Write completes an event with what all events have, and appends it.
func (b *Base) Write(book Book, e *wire.Event, now Moment) error {
	e.At, e.Gate = now.At, b.gate
	if b.clock.Synced != 0 {
		offset := b.clock.OffsetMS
		e.Offset = &offset
	}
	return book.Append(e)
}

// GiveBack returns a question that led to nothing, by an event of that type.
func (b *Base) GiveBack(book Book, typ wire.EventType, q *Question, now Moment) error {
	e := wire.Event{
		Type: typ, Offline: now.Offline, Pass: q.Pass, Claim: q.ID,
		Verdict: verdict.Verdict{Reason: verdict.Annulled},
	}
	if err := b.Write(book, &e, now); err != nil {
		return err
	}
	return book.Settle(q.Pass, ClaimReturned)
}

// GiveBackOverdue returns the questions that were open for too long, but for
// those under way. One of the future was asked by a clock that was wrong: nobody
// would get what was granted to it before that moment comes.
func (b *Base) GiveBackOverdue(book Book, typ wire.EventType, underway func(claim string) bool, now Moment) error {
	overdue, err := book.Overdue(now.At-ClaimMS, now.At+ClaimMS)
	if err != nil {
		return err
	}
	for i := range overdue {
		if underway(overdue[i].ID) {
			continue
		}
		if err := b.GiveBack(book, typ, &overdue[i], now); err != nil {
			return err
		}
	}
	return nil
}
