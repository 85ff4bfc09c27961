package agent

import (
	"context"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/shift"
	"campusgate/agent/snapshot"
	"campusgate/signing/wire"
)

// reviewTimeout bounds how long a guard who is none any more may stay on duty
// for a store that does not answer.
const reviewTimeout = 5 * time.Second

// nudging has the desk look at once for claims that a delta released, and for a
// guard on duty who may not be any more.
type nudging struct {
	*snapshot.Snapshot
	agent *Agent
}

// Fresh notes by the server's clock when it said that the snapshot is current.
func (n nudging) Fresh(time.Time) (err error) {
	n.agent.clock.then(func(now time.Time) {
		if err = n.Snapshot.Current(now); err != nil {
			n.agent.log.Error("not noted that the snapshot is current", "error", err)
		}
	})
	return err
}

func (n nudging) Apply(group []wire.Delta) error {
	if err := n.Snapshot.Apply(group); err != nil {
		return err
	}
	n.agent.desk.Nudge()
	ctx, cancel := context.WithTimeout(context.Background(), reviewTimeout)
	defer cancel()
	if err := n.agent.logins.Review(ctx); err != nil {
		n.agent.log.Error("guard not taken off duty", "error", err)
	}
	return nil
}

// duty tells the pages at once who is on duty.
type duty struct {
	*shift.Logins
	touch func()
}

func (d duty) Begin(ctx context.Context, number, digits string) (desk.Shift, error) {
	defer d.touch()
	return d.Logins.Begin(ctx, number, digits)
}

func (d duty) End(ctx context.Context) error {
	defer d.touch()
	return d.Logins.End(ctx)
}

// lookup searches as of the agent's corrected time.
type lookup struct{ *Agent }

func (l lookup) Search(ctx context.Context, query string) ([]snapshot.Found, bool, error) {
	now, _ := l.clock.view(l.settings.ClockMaxAge)
	return l.snapshot.Search(ctx, query, time.UnixMilli(now))
}

func (l lookup) Registers(ctx context.Context) ([]lane.Registered, error) {
	return l.journal.Registers(ctx)
}

var (
	_ console.Guards = duty{}
	_ console.Lookup = lookup{}
)
