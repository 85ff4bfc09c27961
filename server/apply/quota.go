package apply

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
)

// span is the days for which an application asks, the last one included.
type span struct{ from, to time.Time }

// entry is a day that counts for a household.
type entry struct {
	day         time.Time
	application string
}

// days counts the calendar days from a to b.
func days(a, b time.Time) int {
	return int(time.Date(b.Year(), b.Month(), b.Day(), 0, 0, 0, 0, time.UTC).
		Sub(time.Date(a.Year(), a.Month(), a.Day(), 0, 0, 0, 0, time.UTC)).Hours() / 24)
}

// parseDay reads 2026-05-01; the days of this file have no zone.
func parseDay(text string) (time.Time, bool) {
	at, err := time.Parse(time.DateOnly, text)
	return at, err == nil
}

// counted gives the days that count for a household, but for those of one
// application.
func counted(ctx context.Context, src store.Source, household int64, but string) ([]entry, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (e entry, err error) {
		var day string
		if err := rows.Scan(&day, &e.application); err != nil {
			return e, err
		}
		e.day, err = time.Parse(time.DateOnly, day)
		return e, err
	}, `SELECT date, application FROM quota_entries
		WHERE household = $1 AND application <> $2 AND released_at IS NULL ORDER BY date`, household, but)
}

// quota is how many codes a household may have within so many days.
type quota struct{ days, codes int }

// full gives those of the days that keep the household from another code for
// the span: days within reach of it among which there are as many codes as are
// allowed.
func (q quota) full(taken []entry, want span) (within []time.Time) {
	if q.days < 1 {
		return nil
	}
	// Every stretch of q.days days that has a day of the span in it.
	for start := want.from.AddDate(0, 0, 1-q.days); !start.After(want.to); start = start.AddDate(0, 0, 1) {
		end := start.AddDate(0, 0, q.days)
		codes := map[string]bool{}
		var here []time.Time
		for _, e := range taken {
			if !e.day.Before(start) && e.day.Before(end) {
				codes[e.application] = true
				here = append(here, e.day)
			}
		}
		if len(codes) >= q.codes {
			within = append(within, here...)
		}
	}
	slices.SortFunc(within, time.Time.Compare)
	return slices.CompactFunc(within, time.Time.Equal)
}

// dates is what a rule is told: the days that count, 2026-05-01. Rules measure
// from the first day of the application alone, so for one of several days the
// days within reach of its last are drawn up by the length of the span.
func (q quota) dates(taken []entry, want span) []string {
	list := []time.Time{}
	if q.codes <= 1 {
		for _, e := range taken {
			list = append(list, e.day)
		}
	} else {
		list = q.full(taken, want)
	}
	texts := []string{}
	for _, d := range list {
		switch {
		case d.After(want.to):
			d = d.AddDate(0, 0, -days(want.from, want.to))
		case d.After(want.from):
			d = want.from
		}
		texts = append(texts, d.Format(time.DateOnly))
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// next is the first day from today on from which a span as long would be within
// the quota.
func (q quota) next(taken []entry, want span, today time.Time) string {
	length := days(want.from, want.to)
	for len(q.full(taken, span{today, today.AddDate(0, 0, length)})) > 0 {
		today = today.AddDate(0, 0, 1)
	}
	return today.Format(time.DateOnly)
}

// reserve makes the days of a span count for a household, from now on.
func reserve(t *store.Tx, household int64, application string, want span) error {
	for d := want.from; !d.After(want.to); d = d.AddDate(0, 0, 1) {
		err := t.Exec(`INSERT INTO quota_entries (household, date, application) VALUES ($1, $2, $3)
			ON CONFLICT (household, date, application) DO UPDATE SET released_at = NULL`,
			household, d.Format(time.DateOnly), application)
		if err != nil {
			return err
		}
	}
	return nil
}

// settle says for which pass the days of an application count.
func settle(t *store.Tx, application string, pass signing.PassID) error {
	return t.Exec("UPDATE quota_entries SET pass = $1 WHERE application = $2 AND released_at IS NULL", pass[:], application)
}

// release gives back the days of an application that never got a code.
func release(t *store.Tx, application string) error {
	return t.Exec("UPDATE quota_entries SET released_at = $1 WHERE application = $2 AND pass IS NULL AND released_at IS NULL",
		t.Now(), application)
}

// releaseAfter gives back the days of a pass after one day: on a day itself,
// and before, the code may have been used at a gate that has not told yet.
func releaseAfter(t *store.Tx, pass signing.PassID, day string) error {
	return t.Exec("UPDATE quota_entries SET released_at = $1 WHERE pass = $2 AND date > $3 AND released_at IS NULL",
		t.Now(), pass[:], day)
}

// spanOf reads the days of a form: to is used where it is set.
func spanOf(form map[string]any, first, last string) (span, bool) {
	from, _ := form[first].(string)
	to, _ := form[last].(string)
	begin, ok := parseDay(from)
	end, more := parseDay(cmp.Or(to, from))
	return span{begin, end}, ok && more
}
