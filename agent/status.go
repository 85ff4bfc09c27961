package agent

import (
	"context"
	"sync"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// healthTimeout is how long the store may take to say what the server is told.
const healthTimeout = time.Second

// clock is what the status says of the agent's time. The desk keeps its own,
// durable copy, by which it judges.
type clock struct {
	desk   work
	now    func() time.Time
	online func() bool

	mu     sync.Mutex
	known  desk.Clock
	synced time.Duration       // desk.Elapsed at the last comparison; 0 = none since the start
	owed   func(now time.Time) // waits for the next comparison
}

func newClock(j *journal.Journal, d work, now func() time.Time, online func() bool) (*clock, error) {
	c := &clock{desk: d, now: now, online: online}
	err := j.Update(func(book lane.Book) (err error) {
		c.known, err = book.Clock()
		return err
	})
	return c, err
}

// SetOffset hands a comparison with the server to the desk.
func (c *clock) SetOffset(offsetMS int64, at time.Time) {
	c.mu.Lock()
	synced := at.UnixMilli() + offsetMS
	c.synced = c.desk.Elapsed()
	c.known = desk.Clock{OffsetMS: offsetMS, Synced: synced, HighWater: synced}
	owed := c.owed
	c.owed = nil
	c.mu.Unlock()
	c.desk.SetOffset(offsetMS, at)
	if owed != nil {
		owed(time.UnixMilli(synced))
	}
}

// told is the server's time as it said itself lately. As the desk does it, see
// desk.Base. The lock is held.
func (c *clock) told() (now int64, ok bool) {
	since := (c.desk.Elapsed() - c.synced).Milliseconds()
	return c.known.Synced + since, c.synced > 0 && since <= wire.PeerSilenceMS
}

// then calls do with the server's time: at once where it is known, or after the next
// comparison. A PC's clock that is wrong says nothing of when the server spoke.
func (c *clock) then(do func(now time.Time)) {
	c.mu.Lock()
	now, ok := c.told()
	if !ok {
		c.owed = do
	}
	c.mu.Unlock()
	if ok {
		do(time.UnixMilli(now))
	}
}

// view gives the corrected time and whether it can be relied on.
func (c *clock) view(maxAge time.Duration) (now int64, v console.Clock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now = c.now().UnixMilli() + c.known.OffsetMS
	if told, ok := c.told(); ok && c.online() {
		now = told
	}
	v = console.Clock{Trusted: true, OffsetMS: c.known.OffsetMS, SyncedAt: c.known.Synced}
	switch {
	case now < c.known.HighWater-verdict.ClockSlackMS:
		v.Trusted, v.Reason = false, "set_back"
	case c.known.Synced == 0 || now-c.known.Synced > maxAge.Milliseconds():
		v.Trusted, v.Reason = false, "not_synced"
	}
	return now, v
}

// certificates is the time by which the server's certificate is judged. A clock that
// ran far ahead would find every certificate expired, and the agent could never
// learn the time: then the last time that the server itself told counts.
func (a *Agent) certificates() time.Time {
	now, v := a.clock.view(a.settings.ClockMaxAge)
	if v.Reason == "not_synced" && v.SyncedAt > 0 {
		now = v.SyncedAt
	}
	return time.UnixMilli(now)
}

// online says whether the server can be reached.
func (a *Agent) online() bool { return a.link.State().Online }

// corrected is the agent's time in unix ms.
func (a *Agent) corrected() int64 {
	now, _ := a.clock.view(a.settings.ClockMaxAge)
	return now
}

// touch tells the console that the status changed.
func (a *Agent) touch() {
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// watchLink passes on changes of the link's state.
func (a *Agent) watchLink(ctx context.Context) error {
	for {
		changed := a.link.Changed()
		a.touch()
		if a.link.State().Code == wire.ByeRewound {
			if err := a.snapshot.Disown(); err != nil {
				a.log.Error("passes are decided here although the store was put back", "error", err)
			}
		}
		if a.calls != nil {
			a.calls.Online(a.online())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

func (a *Agent) status() console.Status {
	id, st := a.journal.Identity(), a.link.State()
	now, clock := a.clock.view(a.settings.ClockMaxAge)
	gate, _ := a.snapshot.Gate(id.Gate)
	s := console.Status{
		Agent: id.Agent, Epoch: id.Epoch, Gate: console.Gate{ID: id.Gate, Name: gate.Name},
		Site: id.Site, Software: Software, Mode: "gate", Documents: "none",
		Online: st.Online, Since: st.Since.UnixMilli(), Now: now, Queue: a.journal.Queue(), Clock: clock,
		Snapshot: console.Snapshot{Revision: a.snapshot.Cursor().Revision, At: a.snapshot.Confirmed()},
	}
	switch {
	case a.till != nil:
		s.Mode = "terminal"
	case a.settings.Kiosk != nil:
		s.Mode = "kiosk"
	}
	if a.till == nil && (a.settings.Documents || gate.Documents) {
		s.Documents = "required"
	}
	s.Shift.Required = a.settings.Shift
	if on := a.desk.Shift(); on != (desk.Shift{}) {
		s.Shift.Guard = &on
	}
	if a.gate != nil {
		s.Alarms = a.gate.Alarms()
	}
	if s.Snapshot.At > 0 {
		s.Snapshot.AgeMS = now - s.Snapshot.At
		s.Snapshot.Stale = s.Snapshot.AgeMS > a.settings.PolicyMaxAge.Milliseconds()
	}
	if st.Err != nil {
		s.LastError = st.Err.Error()
	}
	for _, p := range a.lanes {
		s.Lanes = append(s.Lanes, p.view())
	}
	for _, d := range a.listed() {
		s.Devices = append(s.Devices, d.view())
	}
	s.Printer = a.printerView()
	return s
}

// health is what the server is told.
func (a *Agent) health() wire.Health {
	h := wire.Health{LastScan: a.desk.LastScan(), Lanes: map[string]string{}, Printer: a.prints(), Addresses: a.addresses()}
	for _, p := range a.lanes {
		v := p.view()
		h.Lanes[v.Name] = "scanner " + v.Scanner.State + ", barrier " + v.Barrier.State
		if s := a.sensors[v.Name]; s != nil {
			h.Lanes[v.Name] += ", sensor " + s.now().State
		}
	}
	_, clock := a.clock.view(a.settings.ClockMaxAge)
	for _, d := range a.listed() {
		if d.driver != "none" && len(h.Devices) < wire.MaxDevices {
			h.Devices = append(h.Devices, d.wire(clock.OffsetMS))
		}
	}
	if a.courier != nil {
		h.Program = a.courier.Health()
	}
	if a.till != nil {
		ctx, cancel := context.WithTimeout(context.Background(), healthTimeout)
		defer cancel()
		v, err := a.till.View(ctx)
		if err != nil {
			a.log.Error("till not reported", "error", err)
			return h
		}
		h.Till = &wire.TillHealth{Batch: v.Batch.Number, Open: v.Batch.Open, Records: v.Backlog.Records, Fen: v.Backlog.Fen, OldestAt: v.Backlog.OldestAt}
	}
	return h
}
