package apply

import (
	"context"
	"io"
	"log/slog"
	"time"

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
	Admin  bool   // an administrator
	Name   string // in the audit trail
}

// campus is a moment in campus time.
func (s *Service) campus(ms int64) time.Time { return time.UnixMilli(ms).In(s.Location) }

// day is the campus day of a moment.
func (s *Service) day(ms int64) string { return s.campus(ms).Format(time.DateOnly) }
