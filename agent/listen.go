package agent

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"campusgate/devices"
)

// garbledAfter is how many reads in a row, none of them a code of any campus,
// mean that the scanner is set up wrongly: another baud rate, a broken cable, a
// prefix that nobody was told of. People show a wrong code now and then, but not
// ten of them one after the other.
const garbledAfter = 10

// listening finds out whether an open scanner says what it should. One goroutine
// uses it at a time.
type listening struct {
	silentAfter time.Duration // 0 = silence is no alarm
	opening     opening
	zone        *time.Location

	last    time.Time // read; zero = not since the start
	foreign int       // reads in a row that were no code
	since   time.Time // the first of them
}

// heard notes a read.
func (l *listening) heard(text string, at time.Time) {
	l.last = at
	if ours(text) {
		l.foreign = 0
		return
	}
	if l.foreign++; l.foreign == 1 {
		l.since = at
	}
}

// ours reports that a text begins as codes do and was read without damage.
func ours(text string) bool {
	if strings.ContainsRune(text, utf8.RuneError) {
		return false
	}
	for _, p := range prefixes {
		if len(text) >= len(p) && strings.EqualFold(text[:len(p)], p) {
			return true
		}
	}
	return false
}

// health is what an open scanner is at that moment; the zero Health = well.
func (l *listening) health(now time.Time) devices.Health {
	switch {
	case l.foreign >= garbledAfter:
		return devices.Health{
			State: devices.Garbled, Since: l.since,
			Detail: fmt.Sprintf("the last %d reads were no code", l.foreign),
		}
	case l.silentAfter == 0 || l.last.IsZero():
		return devices.Health{} // a scanner that never scanned may have no use yet
	}
	start, open := l.opening.start(now.In(l.zone))
	if !open {
		return devices.Health{}
	}
	quiet := l.last
	if start.After(quiet) {
		quiet = start
	}
	if now.Sub(quiet) < l.silentAfter {
		return devices.Health{}
	}
	return devices.Health{
		State: devices.Silent, Since: l.last,
		Detail: fmt.Sprintf("nothing read for %v", l.silentAfter),
	}
}

// opening is when people come, in minutes of the day; both zero = always. It may
// pass midnight.
type opening struct{ from, until int }

func parseOpening(s string) (o opening, err error) {
	if s == "" {
		return o, nil
	}
	from, until, ok := strings.Cut(s, "-")
	if ok {
		o.from, err = minute(from)
	}
	if ok && err == nil {
		o.until, err = minute(until)
	}
	if !ok || err != nil || o.from == o.until {
		return o, fmt.Errorf("%q: want a time of day to another, such as 06:30-22:00", s)
	}
	return o, nil
}

func minute(s string) (int, error) {
	t, err := time.Parse("15:04", strings.TrimSpace(s))
	return 60*t.Hour() + t.Minute(), err
}

// start is when the opening that holds now began, which is long ago where it is
// always open.
func (o opening) start(now time.Time) (start time.Time, open bool) {
	if o.from == o.until {
		return time.Time{}, true
	}
	at := 60*now.Hour() + now.Minute()
	day := now.Day()
	switch {
	case o.from < o.until:
		open = at >= o.from && at < o.until
	case at >= o.from:
		open = true
	case at < o.until:
		open, day = true, day-1 // it began yesterday
	}
	return time.Date(now.Year(), now.Month(), day, o.from/60, o.from%60, 0, 0, now.Location()), open
}
