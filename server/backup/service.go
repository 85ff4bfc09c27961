package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/server/store"
)

const (
	stamp     = "20060102-150405" // campus time, in names
	names     = "campusgate-*.db"
	retryWait = 30 * time.Minute // after a failure
	lateAfter = 2 * time.Hour    // a backup that is due and not there is shown
	setting   = "backup"
)

// Schedule is when backups are made. The zero Schedule makes none.
type Schedule struct {
	Dir    string // there already
	Hour   int
	Minute int
	Keep   int // the latest so many
}

// On reports whether there is a schedule.
func (s Schedule) On() bool { return s.Dir != "" }

// Config is what a Service needs.
type Config struct {
	Store    *store.Store
	Source   Source
	Schedule Schedule
	Now      func() time.Time
	Location *time.Location
	Log      *slog.Logger
}

// Service makes backups by its schedule, and knows of those that anybody made.
type Service struct {
	Config

	failures atomic.Uint64
}

// New makes the service.
func New(c Config) *Service { return &Service{Config: c} }

// record is kept in the database.
type record struct {
	Last     *Made  `json:"last,omitempty"`
	FailedAt int64  `json:"failed_at,omitempty"` // after Last
	Failure  string `json:"failure,omitempty"`
}

// Standing is what people are shown.
type Standing struct {
	Scheduled bool   `json:"scheduled" doc:"false = the configuration has no backup"`
	At        string `json:"at,omitempty" doc:"campus time of each day's"`
	Keep      int    `json:"keep,omitempty"`
	Last      *Made  `json:"last,omitempty" doc:"the latest that is known; by schedule or command"`
	Late      bool   `json:"late" doc:"one is due and was not made"`
	FailedAt  int64  `json:"failed_at,omitempty"`
	Failure   string `json:"failure,omitempty" doc:"of the last try, where it failed"`
}

// Status reads it.
func (s *Service) Status(ctx context.Context) (st Standing, err error) {
	var r record
	if err := store.Kept(ctx, s.Store.Reader(), setting, &r); err != nil {
		return st, err
	}
	st = Standing{Scheduled: s.Schedule.On(), Last: r.Last, FailedAt: r.FailedAt, Failure: r.Failure}
	if st.Scheduled {
		st.At, st.Keep = fmt.Sprintf("%02d:%02d", s.Schedule.Hour, s.Schedule.Minute), s.Schedule.Keep
		st.Late = s.missing(r, s.Now().Add(-lateAfter))
	}
	return st, nil
}

// due is the last time of day at or before now at which one was to be made.
func (s *Service) due(now time.Time) time.Time {
	now = now.In(s.Location)
	at := time.Date(now.Year(), now.Month(), now.Day(), s.Schedule.Hour, s.Schedule.Minute, 0, 0, s.Location)
	if at.After(now) {
		at = at.AddDate(0, 0, -1)
	}
	return at
}

func (s *Service) missing(r record, now time.Time) bool {
	return r.Last == nil || r.Last.At < s.due(now).UnixMilli()
}

// Tick makes a backup when one is due, also one that was missed, and forgets the
// oldest.
func (s *Service) Tick(ctx context.Context) error {
	if !s.Schedule.On() {
		return nil
	}
	var r record
	if err := store.Kept(ctx, s.Store.Reader(), setting, &r); err != nil {
		return err
	}
	now := s.Now()
	if !s.missing(r, now) || r.FailedAt > now.Add(-retryWait).UnixMilli() {
		return nil
	}
	_, err := s.Make(ctx, "schedule", "")
	if err == nil {
		err = Rotate(ctx, s.Schedule.Dir, s.Schedule.Keep)
	}
	return err
}

// Make makes a backup now; out "" = under a name by its time, in the folder of the
// schedule. What became of it is kept for the console, and in the trail.
func (s *Service) Make(ctx context.Context, actor, out string) (Made, error) {
	if out == "" {
		if !s.Schedule.On() {
			return Made{}, errors.New("backup: say where to: -out FILE, or backup.dir in the configuration")
		}
		out = filepath.Join(s.Schedule.Dir, "campusgate-"+s.Now().In(s.Location).Format(stamp)+".db")
	}
	made, failed := Make(ctx, s.Source, out, s.Now)
	if failed != nil {
		s.failures.Add(1)
	}
	err := s.Store.Change(context.WithoutCancel(ctx), func(t *store.Tx) error {
		var r record
		if err := store.Kept(t.Context(), t, setting, &r); err != nil {
			return err
		}
		if failed != nil {
			r.FailedAt, r.Failure = t.Now(), failed.Error()
			return errors.Join(t.Keep(setting, r), t.Trail(actor, "backup.failed", "", map[string]any{"problem": r.Failure}))
		}
		r = record{Last: &made}
		return errors.Join(t.Keep(setting, r), t.Trail(actor, "backup.made", filepath.Base(out), map[string]any{"bytes": made.Bytes}))
	})
	if failed == nil && s.Log != nil {
		s.Log.Info("backup made", "file", made.File, "bytes", made.Bytes, "ms", made.TookMS)
	}
	return made, errors.Join(failed, err)
}

// Rotate removes the oldest backups by schedule of a folder, and the attachments
// that none of its backups names any more.
func Rotate(ctx context.Context, dir string, keep int) error {
	all, err := filepath.Glob(filepath.Join(dir, names)) // sorted: by time
	if err != nil {
		return err
	}
	slices.Sort(all)
	for len(all) > keep {
		if err := os.Remove(all[0]); err != nil {
			return fmt.Errorf("rotate backups: %w", err)
		}
		all = all[1:]
	}
	// Others, made by command, name attachments too.
	if all, err = filepath.Glob(filepath.Join(dir, "*.db")); err != nil {
		return err
	}
	named := map[string]bool{}
	for _, path := range all {
		files, err := store.Files(ctx, path)
		if err != nil {
			return fmt.Errorf("rotate backups: %s: %w", path, err)
		}
		for _, f := range files {
			named[f.ID] = true
		}
	}
	entries, err := os.ReadDir(filepath.Join(dir, Folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if (store.File{ID: e.Name()}).Named() && !named[e.Name()] {
			err = errors.Join(err, os.Remove(filepath.Join(dir, Folder, e.Name())))
		}
	}
	return err
}

var (
	descScheduled = prometheus.NewDesc("campusgate_backup_scheduled", "Whether the configuration has a backup: 0 or 1.", nil, nil)
	descLast      = prometheus.NewDesc("campusgate_backup_last_seconds", "When the latest backup was made, unix seconds; 0 = never.", nil, nil)
	descBytes     = prometheus.NewDesc("campusgate_backup_last_bytes", "Size of the latest backup.", nil, nil)
	descLate      = prometheus.NewDesc("campusgate_backup_late", "Whether a backup is due and was not made: 0 or 1.", nil, nil)
	descFailures  = prometheus.NewDesc("campusgate_backup_failures_total", "Backups that failed since the start.", nil, nil)
)

// Describe names the metrics.
func (s *Service) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descScheduled, descLast, descBytes, descLate, descFailures} {
		ch <- d
	}
}

// Collect reads them.
func (s *Service) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(descFailures, prometheus.CounterValue, float64(s.failures.Load()))
	st, err := s.Status(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descLast, fmt.Errorf("backup: %w", err))
		return
	}
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	flag := map[bool]float64{true: 1}
	var at, size float64
	if st.Last != nil {
		at, size = float64(st.Last.At)/1000, float64(st.Last.Bytes)
	}
	gauge(descScheduled, flag[st.Scheduled])
	gauge(descLast, at)
	gauge(descBytes, size)
	gauge(descLate, flag[st.Late])
}
