package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of a transfer. With them no sum of ten million postings overflows.
const (
	maxFen     = 100_000_000_000 // of one entry, 1,000,000,000 yuan
	maxEntries = 50
	maxText    = 1000 // bytes, of id, place and an account's name
	maxData    = 64 << 10
)

// The parts of a card account.
const (
	partMain    = "main"
	partSubsidy = "subsidy"
	partDebt    = "debt"
	cardPrefix  = "card/"
)

// Kinds are all there are, in the order of their declaration.
func Kinds() []Kind {
	return []Kind{
		KindCharge, KindVoid, KindRefund, KindRecharge, KindCash, KindPayout,
		KindSubsidy, KindExpiry, KindUtility, KindRepay, KindAdjust, KindSettle,
	}
}

// Card gives the card account that this is a part of; 0 = it is none's.
func (a Account) Card() (card uint64, part string) {
	rest, is := strings.CutPrefix(string(a), cardPrefix)
	number, part, cut := strings.Cut(rest, "/")
	card, err := strconv.ParseUint(number, 10, 63)
	if !is || !cut || err != nil {
		return 0, ""
	}
	return card, part
}

// side says on which side of zero an account must stay; 0 = either.
func (a Account) side() int64 {
	switch _, part := a.Card(); part {
	case partMain, partSubsidy:
		return 1
	case partDebt:
		return -1
	}
	return 0
}

// named reports a name that an account can have.
func (a Account) named() bool {
	if !text(string(a), 1) {
		return false
	}
	if !strings.HasPrefix(string(a), cardPrefix) {
		return true
	}
	card, _ := a.Card()
	return card != 0 && (a == Main(card) || a == Subsidy(card) || a == Debt(card))
}

func text(s string, least int) bool {
	return len(s) >= least && len(s) <= maxText && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// wrong says what cannot be posted whatever the ledger holds; "" = nothing.
func (tr *Transfer) wrong() string {
	switch {
	case !text(tr.ID, 1):
		return "id"
	case !slices.Contains(Kinds(), tr.Kind):
		return fmt.Sprintf("kind %q", tr.Kind)
	case !text(tr.Place, 0):
		return "place"
	case !text(tr.Reverses, 0) || tr.Reverses == tr.ID:
		return "reverses"
	case tr.Card > math.MaxInt64:
		return "card"
	case len(tr.Data) > maxData || tr.Data != nil && (!json.Valid(tr.Data) || !utf8.Valid(tr.Data)):
		return "data"
	case len(tr.Entries) > maxEntries:
		return "more entries than fit"
	}
	if _, err := time.Parse(time.DateOnly, tr.Day); err != nil {
		return fmt.Sprintf("day %q", tr.Day)
	}
	for i, e := range tr.Entries {
		card, _ := e.Account.Card()
		switch {
		case !e.Account.named():
			return fmt.Sprintf("account %q", e.Account)
		case e.Fen == 0 || e.Fen > maxFen || e.Fen < -maxFen:
			return fmt.Sprintf("%d fen", e.Fen)
		case card != 0 && card != tr.Card:
			return "account of another card: " + string(e.Account)
		case slices.ContainsFunc(tr.Entries[:i], func(other Entry) bool { return other.Account == e.Account }):
			return "account twice: " + string(e.Account)
		}
	}
	return ""
}

func (tr *Transfer) sum() (fen int64) {
	for _, e := range tr.Entries {
		fen += e.Fen
	}
	return fen
}

// amount is what the card's accounts change by.
func (tr *Transfer) amount() (fen int64) {
	for _, e := range tr.Entries {
		if card, _ := e.Account.Card(); card != 0 {
			fen += e.Fen
		}
	}
	return fen
}

// sides are what a transfer is about: its entries by name, those of the card as
// one. Which of the card's accounts bore an amount depends on what was in them
// at the time, and is no part of what was asked for; except in a transfer that
// has no other side.
func sides(entries []Entry) []Entry {
	var all []Entry
	var whole Entry
	for _, e := range entries {
		if card, _ := e.Account.Card(); card != 0 {
			whole.Account = cardSide(card)
			whole.Fen += e.Fen
		} else {
			all = append(all, e)
		}
	}
	switch {
	case len(all) == 0:
		all = slices.Clone(entries)
	case whole.Fen != 0:
		all = append(all, whole)
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(string(a.Account), string(b.Account)) })
	return all
}

func cardSide(card uint64) Account { return Account(cardPrefix + strconv.FormatUint(card, 10)) }

// hash is the SHA-256 of what was asked for. Every field goes in with its
// length, so that no two transfers read the same.
func (tr *Transfer) hash() []byte {
	b := []byte("campusgate transfer 1\x00")
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	words := func(s string) { number(int64(len(s))); b = append(b, s...) }
	words(tr.ID)
	words(string(tr.Kind))
	number(tr.At)
	words(tr.Day)
	number(int64(tr.Card))
	words(tr.Reverses)
	words(tr.Place)
	words(string(tr.Data))
	for _, e := range sides(tr.Entries) {
		words(string(e.Account))
		number(e.Fen)
	}
	sum := sha256.Sum256(b)
	return sum[:]
}
