package ledger

import (
	"encoding/json"
	"fmt"
)

// Account names an account: a kind, and whose it is.
type Account string

// Accounts that are there once.
const (
	Suspense  Account = "suspense"  // charges that nobody's wallet was asked for, until a person decides
	Subsidies Account = "subsidies" // where granted subsidies come from
	Opening   Account = "opening"   // balances taken over from an older system
	// WrittenOff is what the campus bears itself: debts that nobody will pay, and
	// charges in suspense that nobody is to bear.
	WrittenOff Account = "writeoff"
)

// Main is a holder's money, the first of the three accounts of a card account.
// It never falls below zero.
func Main(card uint64) Account { return cardSide(card) + "/" + partMain }

// Subsidy is what a holder was granted, and is spent first. It never falls below
// zero.
func Subsidy(card uint64) Account { return cardSide(card) + "/" + partSubsidy }

// Debt is what a holder owes. It never rises above zero.
func Debt(card uint64) Account { return cardSide(card) + "/" + partDebt }

// Merchant is what a merchant has taken and was not paid.
func Merchant(id int64) Account { return Account(fmt.Sprintf("merchant/%d", id)) }

// Clearing is the money in a payment channel, such as "wechat".
func Clearing(channel string) Account { return Account("clearing/" + channel) }

// Drawer is the money in the drawer of a cash desk's shift.
func Drawer(shift int64) Account { return Account(fmt.Sprintf("drawer/%d", shift)) }

// Utility is what was paid for a service such as "electricity".
func Utility(kind string) Account { return Account("utility/" + kind) }

// Kind says what a transfer is, for statements and totals. The names are
// permanent.
type Kind string

// The kinds.
const (
	KindCharge   Kind = "charge"   // 消费
	KindVoid     Kind = "void"     // 消费撤销, at the till
	KindRefund   Kind = "refund"   // 退款, by the office
	KindRecharge Kind = "recharge" // 充值
	KindCash     Kind = "cash"     // 现金充值
	KindPayout   Kind = "payout"   // 退卡取现
	KindSubsidy  Kind = "subsidy"  // 补助发放
	KindExpiry   Kind = "expiry"   // 补助清零
	KindUtility  Kind = "utility"  // 缴电费, 热水充值
	KindRepay    Kind = "repay"    // 归还欠款
	KindAdjust   Kind = "adjust"   // 调账, also the split of subsidy and main set right
	KindSettle   Kind = "settle"   // 商户结算
)

// Entry is one line of a transfer.
type Entry struct {
	Account Account
	Fen     int64 // not zero; positive raises the account
}

// Transfer is one event of money. No account is in it twice, and the only card
// accounts in it are those of Card.
type Transfer struct {
	// ID is made by the asker, such as "charge/7-2-1205" or "recharge/R2026…".
	ID       string
	Kind     Kind
	At       int64  // unix ms, when it happened
	Day      string // business day it belongs to, 2006-01-02
	Card     uint64 // whose statement it is in; 0 = nobody's
	Entries  []Entry
	Reverses string          // id of the transfer that this one takes back, whole or (refunds) in part
	Place    string          // for people: till, merchant, channel
	Data     json.RawMessage // what else there is to know, for people and exports; nil = nothing
}

// State is what became of a transfer that was posted.
type State string

// The states. A refusal is a result, not an error.
const (
	Posted      State = "posted"
	Repeated    State = "repeated"    // it had been posted before, with the same content
	Quarantined State = "quarantined" // the id had been posted with other content: put aside, alarm raised
	Overdrawn   State = "overdrawn"   // an account that may not would fall below zero; nothing was posted
	Reversed    State = "reversed"    // what it reverses was reversed before, or not by so much; nothing was posted
	Unbalanced  State = "unbalanced"  // entries that do not sum to zero, or are none; nothing was posted
	Missing     State = "missing"     // what it reverses was never posted; nothing was posted
	Invalid     State = "invalid"     // something else is wrong with it: see Why; nothing was posted
)

// Outcome is the answer to a transfer.
type Outcome struct {
	State State
	Seq   int64 // place in the ledger; 0 = not posted
	// BalanceFen is what the card's accounts come to after it (main + subsidy +
	// debt), where Card is set.
	BalanceFen int64
	Why        string // of a refusal, for logs
}

// Balance is what a card account has.
type Balance struct {
	MainFen    int64 `json:"main_fen"`
	SubsidyFen int64 `json:"subsidy_fen"`
	DebtFen    int64 `json:"debt_fen"` // 0 or negative
	HeldFen    int64 `json:"held_fen"` // promised to tills that have not reported yet
}

// Total is what the holder's statement shows.
func (b Balance) Total() int64 { return b.MainFen + b.SubsidyFen + b.DebtFen }

// Free is what can be spent online.
func (b Balance) Free() int64 { return b.Total() - b.HeldFen }

// Line is a row of a holder's statement. In the order of Seq the balances add
// up: each is the one before plus the amount.
type Line struct {
	Seq        int64           `json:"seq"`
	Transfer   string          `json:"transfer"`
	Kind       Kind            `json:"kind"`
	At         int64           `json:"at"`
	PostedAt   int64           `json:"posted_at"`
	Day        string          `json:"day"`
	AmountFen  int64           `json:"amount_fen"` // what the card's accounts changed by
	BalanceFen int64           `json:"balance_fen"`
	Place      string          `json:"place,omitempty"`
	Reverses   string          `json:"reverses,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

// Hold is money that was promised to a till: online authorisation.
type Hold struct {
	ID      string // the claim's
	Card    uint64
	Fen     int64
	Expires int64 // unix ms
}
