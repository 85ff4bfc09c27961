package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"campusgate/server/store"
)

// reversible gives the place of what a transfer reverses; or the outcome, when
// that was never posted or so much of it is not left.
func (l *Ledger) reversible(t *store.Tx, tr Transfer) (seq int64, o Outcome, err error) {
	target, found, err := l.Find(t.Context(), t, tr.Reverses)
	switch {
	case err != nil:
	case !found:
		o = Outcome{State: Missing, Why: tr.Reverses + " was never posted"}
	case target.Reverses != "":
		o = Outcome{State: Reversed, Why: tr.Reverses + " is a reversal itself"}
	case tr.Kind == KindVoid && len(target.Reversals) > 0:
		o = Outcome{State: Reversed, Why: tr.Reverses + " was reversed before"}
	default:
		if why := exceeds(target.Left, sides(tr.Entries), tr.Kind == KindVoid); why != "" {
			o = Outcome{State: Reversed, Why: why}
		}
	}
	return target.Seq, o, err
}

// exceeds says what a reversal takes back that is not left; "" = nothing. One of
// the whole must leave nothing.
func exceeds(left, taken []Entry, whole bool) string {
	rest := map[Account]int64{}
	for _, e := range left {
		rest[e.Account] = e.Fen
	}
	for _, e := range taken {
		had := rest[e.Account]
		rest[e.Account] = had + e.Fen
		if had == 0 || had > 0 != (e.Fen < 0) || had > 0 != (had+e.Fen > 0) && had+e.Fen != 0 {
			return fmt.Sprintf("%s: %d of %d left", e.Account, e.Fen, had)
		}
	}
	for a, fen := range rest {
		if whole && fen != 0 {
			return fmt.Sprintf("%s: %d would stay", a, fen)
		}
	}
	return ""
}

// less is what taken, which has the other sign, leaves.
func less(left, taken []Entry) []Entry {
	left = slices.Clone(left)
	for _, e := range taken {
		for i := range left {
			if left[i].Account == e.Account {
				left[i].Fen += e.Fen
			}
		}
	}
	return slices.DeleteFunc(left, func(e Entry) bool { return e.Fen == 0 })
}

// TakeBack gives the entries that take fen of a transfer back; 0 = all that is
// left. The others give as they got. A card gets back what its main account or
// debt bore first, by which a debt that is there now is paid, and its subsidy's
// part last; a card that had got money gives it from where it got it. In parts
// only a transfer between two can be taken back; of others, and of one that was
// never posted, it gives none. Whether so much is left Post says.
func (l *Ledger) TakeBack(ctx context.Context, src store.Source, id string, fen int64) ([]Entry, error) {
	r, found, err := l.Find(ctx, src, id)
	if err != nil || !found || fen < 0 || fen > 0 && len(sides(r.Entries)) != 2 {
		return nil, err
	}
	var back []Entry
	var left int64 // of the card's side
	for _, e := range r.Left {
		if e.Account == cardSide(r.Card) {
			left = e.Fen
			continue
		}
		if fen > 0 {
			e.Fen = fen * sign(e.Fen)
		}
		back = append(back, Entry{e.Account, -e.Fen})
	}
	if fen == 0 {
		fen = left * sign(left)
	}
	card := r.amount()
	var subsidy int64 // its part of that
	for _, e := range r.Entries {
		if e.Account == Subsidy(r.Card) {
			subsidy = e.Fen
		}
	}
	switch {
	case card == 0:
		return back, nil
	case card > 0 && subsidy > 0:
		return append(back, Entry{Subsidy(r.Card), -fen}), nil
	case card > 0:
		return append(back, Entry{Main(r.Card), -fen}), nil
	}
	main := min(fen, max(0, subsidy-left)) // before it came to the subsidy's part
	lines, err := l.Refill(ctx, src, r.Card, main)
	return append(back, append(lines, entries(Entry{Subsidy(r.Card), fen - main})...)...), err
}

func sign(n int64) int64 { return int64(cmp.Compare(n, 0)) }
