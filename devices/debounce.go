package devices

import (
	"sync"
	"time"
)

// DefaultDebounce is the window of a Debounce that names none: longer than the
// re-read pause of every presentation-mode scanner we know (0.2 to 0.75 s),
// shorter than a person needs to put the phone away and show it again.
const DefaultDebounce = time.Second

// debounceTexts bounds the memory: more different codes than this within one
// window is not a person at a scanner.
const debounceTexts = 64

// Debounce suppresses a code that a scanner reads again and again while it is
// held in view. Each sighting refreshes the window, so a code held for a minute
// is one scan; two codes held side by side are one scan each. It is safe for
// concurrent use and outlives the re-opening of a device.
type Debounce struct {
	window time.Duration

	mu         sync.Mutex
	seen       map[string]time.Time
	suppressed uint64
}

// NewDebounce makes a Debounce. A window of 0 is DefaultDebounce, a negative
// one suppresses nothing.
func NewDebounce(window time.Duration) *Debounce {
	if window == 0 {
		window = DefaultDebounce
	}
	return &Debounce{window: window, seen: make(map[string]time.Time)}
}

// Repeat reports whether text was last seen less than a window before at, and
// notes this sighting. A clock that was set back never suppresses.
func (d *Debounce) Repeat(text string, at time.Time) bool {
	if d.window < 0 {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	last, known := d.seen[text]
	repeat := known && d.within(last, at)
	if !repeat {
		d.forget(at)
	}
	d.seen[text] = at
	if repeat {
		d.suppressed++
	}
	return repeat
}

// Suppressed is the number of repeats so far.
func (d *Debounce) Suppressed() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.suppressed
}

func (d *Debounce) within(last, at time.Time) bool {
	age := at.Sub(last)
	return age >= 0 && age < d.window
}

// forget drops what is older than the window, and the oldest of a flood.
func (d *Debounce) forget(at time.Time) {
	var oldest string
	for text, last := range d.seen {
		if !d.within(last, at) {
			delete(d.seen, text)
		} else if oldest == "" || last.Before(d.seen[oldest]) {
			oldest = text
		}
	}
	if len(d.seen) >= debounceTexts {
		delete(d.seen, oldest)
	}
}
