package rollout

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"campusgate/server/store"
	"campusgate/signing/release"
)

// What is refused. Nothing has changed then.
var (
	// ErrRelease: not a release that this site's root signed, or another program.
	ErrRelease = errors.New("not a release of this site")
	// ErrSerial: another program was handed in under this serial.
	ErrSerial = errors.New("another program has this serial")
	// ErrReach: no gates were chosen, or some that there are not.
	ErrReach = errors.New("no such gates")
	// ErrMissing: the program is not here any more, and has to be handed in again.
	ErrMissing = errors.New("the program is missing")
	// ErrOffered: it is offered to somebody.
	ErrOffered = errors.New("the release is offered")
	// ErrTwo: another release is being handed in.
	ErrTwo = errors.New("another release is being handed in")
)

// Reach says who is offered a release.
type Reach string

// The reaches.
const (
	Nobody Reach = "nobody"
	Chosen Reach = "chosen"
	All    Reach = "all"
)

// Plan is to whom a release goes.
type Plan struct {
	Reach  Reach
	Gates  []uint16 // of Chosen
	Paused bool
}

// reaches says whether the plan has a gate be offered the release.
func (p Plan) reaches(gate uint16) bool {
	return !p.Paused && (p.Reach == All || p.Reach == Chosen && slices.Contains(p.Gates, gate))
}

// Release is one that was handed in. Times are unix ms.
type Release struct {
	release.Manifest
	Plan
	AddedAt   int64
	AddedBy   string
	ChangedAt int64 // of the plan
	ChangedBy string
	Missing   bool // the program is not here

	signed []byte
}

// Config is what a Service needs.
type Config struct {
	Store  *store.Store
	Root   ed25519.PublicKey // of the site
	Site   string
	Folder string // for programs; may not be there yet
	Log    *slog.Logger
}

// Service keeps releases. Safe for concurrent use.
type Service struct {
	Config
	taking  sync.Mutex // one hand-in at a time: each may fill a disk
	loading sync.Mutex // so that who reads last knows most

	mu   sync.RWMutex
	list []Release // highest serial first
}

// New reads what is there, and removes what was left of a hand-in that broke off.
func New(ctx context.Context, c Config) (*Service, error) {
	s := &Service{Config: c}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("releases: %w", err)
	}
	return s, s.load(ctx)
}

func (s *Service) load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	list, err := store.List(ctx, s.Store.Reader(), s.scan, `SELECT signed, added_at, added_by, reach, gates, paused, changed_at, changed_by
		FROM releases ORDER BY serial DESC, sha256`)
	if err != nil {
		return fmt.Errorf("releases: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = list
	return nil
}

func (s *Service) scan(rows *sql.Rows) (r Release, err error) {
	var gates string
	if err := rows.Scan(&r.signed, &r.AddedAt, &r.AddedBy, &r.Reach, &gates, &r.Paused, &r.ChangedAt, &r.ChangedBy); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(gates), &r.Gates); err != nil {
		return r, err
	}
	if r.Manifest, err = release.Open(s.Root, r.signed); err != nil {
		return r, err
	}
	r.Missing = !s.here(r.Manifest)
	return r, nil
}

// List gives all releases, the highest serial first.
func (s *Service) List() []Release {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.list)
}

// find gives a release, or store.ErrNotFound.
func (s *Service) find(sha256 string) (Release, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.list {
		if r.SHA256 == sha256 {
			return r, nil
		}
	}
	return Release{}, fmt.Errorf("%w: release %.64q", store.ErrNotFound, sha256)
}

// Set says to whom a release goes from now on.
func (s *Service) Set(ctx context.Context, actor, sha256 string, p Plan) (Release, error) {
	r, err := s.find(sha256)
	if err != nil {
		return r, err
	}
	slices.Sort(p.Gates)
	p.Gates = slices.Compact(p.Gates)
	if p.Reach != Chosen {
		p.Gates = nil
	}
	switch {
	case p.Reach != Nobody && r.Missing:
		return r, ErrMissing
	case p.Reach == Chosen && len(p.Gates) == 0:
		return r, fmt.Errorf("%w: none was chosen", ErrReach)
	}
	for _, g := range p.Gates {
		if _, err := s.Store.Gate(ctx, g); errors.Is(err, store.ErrNotFound) {
			return r, fmt.Errorf("%w: %d", ErrReach, g)
		} else if err != nil {
			return r, err
		}
	}
	gates, err := json.Marshal(p.Gates)
	if err != nil {
		return r, err
	}
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		if err := t.Exec("UPDATE releases SET reach = $1, gates = $2, paused = $3, changed_at = $4, changed_by = $5 WHERE sha256 = $6",
			string(p.Reach), string(gates), p.Paused, t.Now(), actor, sha256); err != nil {
			return err
		}
		return t.Trail(actor, "release.rollout", r.Version, map[string]any{
			"sha256": sha256, "os": r.OS, "arch": r.Arch, "serial": r.Serial, "reach": p.Reach, "gates": p.Gates, "paused": p.Paused,
		})
	})
	if err != nil {
		return r, err
	}
	return s.again(ctx, sha256)
}

// again reads the table after a change, and gives one release.
func (s *Service) again(ctx context.Context, sha256 string) (Release, error) {
	// What was changed is changed, also when who asked has gone.
	if err := s.load(context.WithoutCancel(ctx)); err != nil {
		return Release{}, err
	}
	return s.find(sha256)
}

// Offer gives the release that a PC of a system is offered at a gate; ok is false
// when there is none.
func (s *Service) Offer(gate uint16, os, arch string) (r Release, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, r := range s.list {
		if r.OS == os && r.Arch == arch && !r.Missing && r.reaches(gate) {
			return r, true
		}
	}
	return Release{}, false
}
