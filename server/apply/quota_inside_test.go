package apply

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawQuota is a quota and a household that has asked for days at random, and
// got those that the quota allows.
func drawQuota(t *rapid.T) (quota, []entry) {
	q := quota{rapid.IntRange(0, 7).Draw(t, "days"), rapid.IntRange(1, 3).Draw(t, "codes")}
	var taken []entry
	for i := range rapid.IntRange(0, 12).Draw(t, "asked") {
		want := drawSpan(t)
		if len(q.full(taken, want)) > 0 {
			continue
		}
		for d := want.from; !d.After(want.to); d = d.AddDate(0, 0, 1) {
			taken = append(taken, entry{d, fmt.Sprint(i)})
		}
	}
	return q, taken
}

var firstDay = time.Date(2026, 2, 20, 0, 0, 0, 0, time.UTC)

func drawSpan(t *rapid.T) span {
	from := firstDay.AddDate(0, 0, rapid.IntRange(0, 30).Draw(t, "from"))
	return span{from, from.AddDate(0, 0, rapid.IntRange(0, 4).Draw(t, "length"))}
}

// most is the largest number of codes within so many days, counted one by one.
func most(taken []entry, within int) (n int) {
	for start := firstDay.AddDate(0, 0, -10); start.Before(firstDay.AddDate(0, 0, 50)); start = start.AddDate(0, 0, 1) {
		codes := map[string]bool{}
		for _, e := range taken {
			if d := days(start, e.day); d >= 0 && d < within {
				codes[e.application] = true
			}
		}
		n = max(n, len(codes))
	}
	return n
}

func TestQuota_CQ003_NeverMoreCodesWithinTheDays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, taken := drawQuota(t)
		if n := most(taken, q.days); q.days > 0 && n > q.codes {
			t.Fatalf("%d codes within %d days, allowed %d: %v", n, q.days, q.codes, taken)
		}
	})
}

// What a rule is told decides as the quota does, for one day and for several.
func TestQuota_CQ003_TheDatesThatRulesReadSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, taken := drawQuota(t)
		want := drawSpan(t)
		denied := false
		for _, text := range q.dates(taken, want) {
			d, _ := parseDay(text)
			if gap := days(d, want.from); max(gap, -gap) < q.days {
				denied = true
			}
		}
		if full := len(q.full(taken, want)) > 0; denied != full {
			t.Fatalf("rules deny %v, the quota %v: %v for %v", denied, full, taken, want)
		}
	})
}

func TestQuota_CQ003_TheNextDateIsTheFirstThatIsFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q, taken := drawQuota(t)
		want := drawSpan(t)
		next, _ := parseDay(q.next(taken, want, firstDay))
		length := days(want.from, want.to)
		for d := firstDay; !d.After(next); d = d.AddDate(0, 0, 1) {
			free := len(q.full(taken, span{d, d.AddDate(0, 0, length)})) == 0
			if free != d.Equal(next) {
				t.Fatalf("next is %s, and %s is free: %v", next, d, free)
			}
		}
	})
}
