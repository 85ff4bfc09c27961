package apply

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"time"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/notify"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Papers knows the number of the paper pass that somebody has out; "" = none.
type Papers interface {
	HeldByHousehold(ctx context.Context, src store.Source, household int64) (string, error)
	HeldByPerson(ctx context.Context, src store.Source, person string) (string, error)
}

// Config is what a Service works with. All but Notify and Papers are required.
type Config struct {
	Store    *store.Store
	Issue    *issue.Service
	People   *people.Service
	Notify   notify.Poster // nil = nobody is told
	Papers   Papers        // nil = there are none
	Now      func() time.Time
	Location *time.Location // campus time
	Random   io.Reader
	Folder   string // of attachments; comes to be with the first
	Log      *slog.Logger
}

// Service keeps applications.
type Service struct {
	Config
	flows flows
}

// Actor is who does something.
type Actor struct {
	Person string
	Admin  bool     // an administrator
	Stats  bool     // reads the statistics of every flow
	Posts  []string // roles held today
	Name   string   // in the audit trail
}

// Reads reports whether somebody may read all records of a flow: by a post that
// the flow names for its statistics, or as one who reads those of every flow.
// Reading permits no act.
func (w Actor) Reads(flow *approval.Flow) bool {
	if w.Stats || w.Admin {
		return true
	}
	return flow.Stats != nil && slices.ContainsFunc(flow.Stats.Who, func(seat approval.Seat) bool {
		switch seat.Kind {
		case approval.RoleSeat:
			return slices.Contains(w.Posts, seat.Ref)
		case approval.PersonSeat:
			return w.Person != "" && w.Person == seat.Ref
		case approval.RoleAtStarter, approval.HeadOfStarter, approval.HeadOfForm, approval.UnitOfForm,
			approval.FormSeat, approval.PickSeat, approval.SameSeat, approval.StarterSeat:
		}
		return false // seats of one matter, which no flow may name here
	})
}

// Exports reports whether somebody may take all records of a flow away.
func (w Actor) Exports(flow *approval.Flow) bool {
	return w.Stats || w.Admin || w.Reads(flow) && flow.Stats.Export
}

// sees reports whether somebody may look at a matter.
func (w Actor) sees(flow *approval.Flow, in *approval.Instance) bool {
	return flow.Sees(*in, w.Person, w.Admin) || w.Reads(flow)
}

// campus is a moment in campus time.
func (s *Service) campus(ms int64) time.Time { return time.UnixMilli(ms).In(s.Location) }

// day is the campus day of a moment.
func (s *Service) day(ms int64) string { return s.campus(ms).Format(time.DateOnly) }
