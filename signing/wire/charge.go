package wire

import (
	"errors"
	"fmt"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Money on the link is fen. Days are business days in campus time, written
// 2006-01-02.

// EntryMode is how the amount of a charge came about.
type EntryMode string

// The modes.
const (
	EntryAmount EntryMode = "amount" // keyed by the cashier
	EntryFixed  EntryMode = "fixed"  // one price, always
	EntryPeriod EntryMode = "period" // the price of the meal period
	EntryMenu   EntryMode = "menu"   // keys with prices and quantities
)

// Charge is what a till's event says of the money. Account and proof are in
// the event's case; the question that was asked online is the event's Claim.
type Charge struct {
	AmountFen int64        `json:"amount_fen"` // positive, of a void too
	Entry     EntryMode    `json:"entry,omitempty"`
	Items     []ChargeItem `json:"items,omitempty"`
	Day       string       `json:"day"`
	Period    string       `json:"period,omitempty"` // id of the meal period; "" = between meals
	Config    string       `json:"config,omitempty"` // Version of the till's rules in force
	Batch     uint32       `json:"batch"`
	// Flow is the number of accepted charges and voids of this journal up to and
	// with this event, SumFen what they come to, voids subtracted. So whoever
	// holds one event knows what must have come before it.
	Flow   uint64 `json:"flow"`
	SumFen int64  `json:"sum_fen"`
}

// ChargeItem is a menu key that was pressed.
type ChargeItem struct {
	Key      int    `json:"key"`
	Name     string `json:"name"`
	PriceFen int64  `json:"price_fen"`
	Quantity int    `json:"quantity"`
}

// BatchMove says what became of a batch.
type BatchMove string

// The moves.
const (
	BatchOpens  BatchMove = "opens"
	BatchCloses BatchMove = "closes"
)

// Batch is what a till's event says of its batch. On closing, Charges, Voids
// and TotalFen (voids subtracted) are those of the batch. Flow and SumFen are
// as in Charge.
type Batch struct {
	Number   uint32    `json:"number"`
	Move     BatchMove `json:"move"`
	Charges  int       `json:"charges,omitempty"`
	Voids    int       `json:"voids,omitempty"`
	TotalFen int64     `json:"total_fen,omitempty"`
	Flow     uint64    `json:"flow"`
	SumFen   int64     `json:"sum_fen"`
}

// ChargeAsk is a Claim's question for money: what the till read in a genuine
// code and judged in order so far.
type ChargeAsk struct {
	Account   uint64          `json:"account,string"`
	Epoch     uint32          `json:"epoch"`
	Phone     signing.PhoneID `json:"phone"`
	Counter   uint64          `json:"ctr"`
	Context   uint8           `json:"ctx"`
	AmountFen int64           `json:"amount_fen"`
	Day       string          `json:"day"`
	Period    string          `json:"period,omitempty"`
}

// ChargeAnswer is the server's answer to a ChargeAsk. Reason is Granted where
// the money is held for the till, until the event comes or the hold lapses.
type ChargeAnswer struct {
	Reason     verdict.Reason `json:"reason"`
	Rule       string         `json:"rule,omitempty"`
	BalanceFen *int64         `json:"balance_fen,omitempty"` // what the holder can spend after this charge
	Holder     string         `json:"holder,omitempty"`      // masked
}

// CardState is what tills must know of a card.
type CardState string

// The states. A card in order is in nobody's feed, unless its credentials were
// replaced.
const (
	CardActive CardState = "active"
	CardLost   CardState = "lost"
	CardFrozen CardState = "frozen"
	CardClosed CardState = "closed"
)

// Card is the body of ItemCard: credentials of the account with a lower epoch
// are withdrawn.
type Card struct {
	State   CardState `json:"state"`
	Epoch   uint32    `json:"epoch"`
	At      int64     `json:"at"`            // unix ms, when the state came about
	Expires int64     `json:"exp,omitempty"` // unix s, when no credential of it can be left; 0 = never
}

// Till is the body of ItemTill: the rules of a till. A gate number with one is
// a till.
type Till struct {
	Version  string       `json:"version"` // changes with every change
	Name     string       `json:"name"`
	Merchant string       `json:"merchant"`
	Entry    EntryMode    `json:"entry"` // that a new sale begins in
	FixedFen int64        `json:"fixed_fen,omitempty"`
	Menu     []MenuKey    `json:"menu,omitempty"`
	Periods  []MealPeriod `json:"periods,omitempty"` // in order of the day, not overlapping
	// DayStart is when a business day begins, in minutes after campus midnight.
	DayStart    int         `json:"day_start,omitempty"`
	PinAboveFen int64       `json:"pin_above_fen,omitempty"` // 0 = never asks
	PerTxFen    int64       `json:"per_tx_fen,omitempty"`    // 0 = no limit, so below
	PerDayFen   int64       `json:"per_day_fen,omitempty"`   // of one account, at this till
	PerMealFen  int64       `json:"per_meal_fen,omitempty"`
	PerMealTx   int         `json:"per_meal_tx,omitempty"`
	Offline     OfflineCaps `json:"offline"`
}

// OfflineCaps bound what a till accepts without the server, beside what each
// credential allows.
type OfflineCaps struct {
	PerTxFen      int64 `json:"per_tx_fen"`      // 0 = nothing is accepted offline
	PerAccountFen int64 `json:"per_account_fen"` // of one account on one day, 0 = no limit
	MaxRecords    int   `json:"max_records"`     // accepted and not yet acknowledged, 0 = no limit
	MaxAgeMS      int64 `json:"max_age_ms"`      // since the snapshot was current, 0 = the agent's own limit
}

// MenuKey is a key of the till's menu.
type MenuKey struct {
	Key      int    `json:"key"` // 1 to 99, as typed on a keypad
	Name     string `json:"name"`
	NameEn   string `json:"name_en,omitempty"`
	PriceFen int64  `json:"price_fen"`
}

// MealPeriod is a part of the day. From and Until are minutes after campus
// midnight; one that ends before it begins goes on past midnight and belongs to
// the business day it began in.
type MealPeriod struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	NameEn   string `json:"name_en,omitempty"`
	From     int    `json:"from"`
	Until    int    `json:"until"`
	PriceFen int64  `json:"price_fen,omitempty"` // for EntryPeriod
}

// check refuses a question that no till can mean.
func (m *ChargeAsk) check() error {
	if m.AmountFen <= 0 {
		return errors.New("a charge of nothing")
	}
	return errors.Join(within("day", m.Day, 10, 10), within("period", m.Period, 0, maxName))
}

func (m *ChargeAnswer) check() error {
	if !m.Reason.Valid() {
		return fmt.Errorf("reason %d", m.Reason)
	}
	return errors.Join(within("rule", m.Rule, 0, maxName), within("holder", m.Holder, 0, maxKey))
}
