package alert

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Pace of the deliveries.
const (
	lookEvery  = time.Second
	retryBase  = time.Second
	retryLimit = 5 * time.Minute
)

// Config is what a Service works with.
type Config struct {
	Store     *store.Store
	URL       string            // "" = there is no webhook
	Secret    []byte            // 16 bytes or more
	Transport http.RoundTripper // nil = the usual one
	Now       func() time.Time
	Random    io.Reader // jitters pauses
	Log       *slog.Logger
}

// Service tells the webhook of conflicts. Safe for concurrent use.
type Service struct {
	Config
	client *http.Client
}

// New makes a service. Calls go out once Run runs.
func New(c Config) (*Service, error) {
	if c.URL != "" && len(c.Secret) < leastKey {
		return nil, fmt.Errorf("%w: a secret of %d bytes: want %d or more", ErrReceiver, len(c.Secret), leastKey)
	}
	return &Service{Config: c, client: client(c.Transport)}, nil
}

// Deliveries are how the webhook fares.
type Deliveries struct {
	On      bool   `json:"on" doc:"there is one in the configuration"`
	Untold  int    `json:"untold" doc:"conflicts that it has yet to take"`
	Failure string `json:"failure,omitempty" doc:"why it did not take one of them"`
}

// Standing gives how the webhook fares.
func (s *Service) Standing(ctx context.Context) (Deliveries, error) {
	if s.URL == "" {
		return Deliveries{}, nil
	}
	untold, failure, err := s.Store.Telling(ctx)
	return Deliveries{On: true, Untold: untold, Failure: failure}, err
}

// Run tells of conflicts until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if s.URL == "" {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.Tell(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("conflicts are not told for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tell makes every call that is due. Each time the freshest conflict goes
// first, so that those which the receiver refuses hold up no other. Errors are
// faults of the database.
func (s *Service) Tell(ctx context.Context) error {
	for {
		due, err := s.Store.Untold(ctx, s.Now().UnixMilli(), 1)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := s.tell(ctx, &due[0]); err != nil {
			return err
		}
	}
}

func (s *Service) tell(ctx context.Context, c *store.Conflict) error {
	sent := s.send(ctx, c)
	if sent == nil {
		return s.Store.ToldOf(ctx, c)
	}
	if ctx.Err() != nil {
		return ctx.Err() // not the receiver's fault: no attempt is counted
	}
	var jitter [4]byte
	if _, err := io.ReadFull(s.Random, jitter[:]); err != nil {
		return err
	}
	pause := wire.Backoff(c.Attempts+1, retryBase, retryLimit, binary.LittleEndian.Uint32(jitter[:]))
	s.Log.Warn("a conflict was not taken", "conflict", c.ID(), "attempts", c.Attempts+1, "error", sent, "again_in", pause)
	return s.Store.TellAgain(ctx, c, s.Now().Add(pause).UnixMilli(), sent.Error())
}
