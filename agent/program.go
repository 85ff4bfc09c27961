package agent

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"campusgate/agent/delivery"
	"campusgate/agent/doctor"
	"campusgate/agent/update"
	"campusgate/signing/release"
	"campusgate/signing/wire"
)

// A quiet moment, see package delivery.
const (
	stillness = 5 * time.Minute  // nobody was at a lane for so long
	ahead     = 30 * time.Minute // for so long from now on not many came
	rushDays  = 7                // on any of so many days
	rushMany  = 10               // more events than that are many
)

// spare is what an update leaves free, for the journal.
const spare = 512 << 20

// leftover is how old what a self-test left behind is for sure.
const leftover = time.Hour

// Program is who runs the agent: its book of updates, and how to try another
// version.
type Program struct {
	Book      update.Book
	Hash      string // of the running one; "" = the installed
	Installed string // path of the installed one
	// Test runs the self-test of the program at path.
	Test func(ctx context.Context, path string, m release.Manifest) error
	// Pause and Every are the pace of package delivery; 0 = the usual.
	Pause, Every time.Duration
}

// newCourier makes what brings programs that the server offers.
func (a *Agent) newCourier(p *Program) {
	if p == nil {
		return
	}
	id := a.journal.Identity()
	a.courier = delivery.New(delivery.Config{
		Book: p.Book, Dir: a.settings.deliveries(), Hash: p.Hash, Pause: p.Pause, Every: p.Every,
		Here: update.Here{
			Root: id.Root, Site: id.Site, OS: runtime.GOOS, Arch: runtime.GOARCH, Installed: p.Installed,
			Delivered: true, Running: Version, Test: p.Test,
		},
		Fetch: func(ctx context.Context, f wire.Fetch) (wire.Part, error) { return a.link.Fetch(ctx, f) },
		Calm:  a.Calm, Room: a.room, Now: a.now, Log: a.log,
	})
}

// deliveries is the folder for what is on its way.
func (s *Settings) deliveries() string { return filepath.Join(s.Data, "delivery") }

// offered is what the link hears.
func (a *Agent) offered(release string) {
	if a.courier != nil {
		a.courier.Offer(release)
	}
}

// room refuses a program that would leave too little to the journal: it lies here
// twice for a while, and its self-test copies the store.
func (a *Agent) room(size int64) error {
	a.sweep()
	free, err := doctor.Free(a.settings.Data)
	if err != nil {
		return nil // the system does not tell; a full disk is noticed too
	}
	need := uint64(2*size) + spare
	if info, err := os.Stat(a.settings.store()); err == nil {
		need += 2 * uint64(info.Size())
	}
	if free < need {
		return fmt.Errorf("%w: %d MB free, want %d MB", delivery.ErrRoom, free>>20, need>>20)
	}
	return nil
}

// sweep removes the copies of the store that a self-test which was killed left.
func (a *Agent) sweep() {
	left, _ := filepath.Glob(filepath.Join(a.settings.Data, ".selftest-*")) // the pattern is well-formed
	for _, path := range left {
		if info, err := os.Stat(path); err == nil && a.now().Sub(info.ModTime()) > leftover {
			if err := os.RemoveAll(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				a.log.Warn("left by a self-test", "path", path, "error", err)
			}
		}
	}
}

// Quiet tells that nobody was at a lane for so long.
func (a *Agent) Quiet(d time.Duration) bool {
	return a.now().UnixMilli()-a.desk.LastScan() > d.Milliseconds()
}

// Calm tells that this is a quiet moment, in which an agent that nobody looks
// after may be restarted.
func (a *Agent) Calm() bool {
	if !a.online() || !a.Quiet(stillness) || a.gate != nil && len(a.gate.Alarms()) > 0 {
		return false
	}
	return !rush(a.corrected(), a.journal.Between)
}

// rush tells whether many may be coming soon, by the same time of the days before.
// A journal that cannot be read says so too. Times are unix ms.
func rush(now int64, between func(from, until int64) (uint64, error)) bool {
	for day := int64(1); day <= rushDays; day++ {
		from := now - day*(24*time.Hour).Milliseconds()
		n, err := between(from, from+ahead.Milliseconds())
		if err != nil || n > rushMany {
			return true
		}
	}
	return false
}
