package alert

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
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

	Devices   Devices
	Open      func(ctx context.Context, gate uint16, at time.Time) (bool, error)
	DownAfter time.Duration // how long a device may be down while its gate is open; 0 = for ever
}

// Service tells the webhook what a person has to look at. Safe for concurrent
// use.
type Service struct {
	Config
	client *http.Client

	mu   sync.Mutex
	down map[device]time.Time // since when, as far as this process knows
}

// New makes a service. Calls go out once Run runs.
func New(c Config) (*Service, error) {
	if c.URL != "" && len(c.Secret) < leastKey {
		return nil, fmt.Errorf("%w: a secret of %d bytes: want %d or more", ErrReceiver, len(c.Secret), leastKey)
	}
	return &Service{Config: c, client: client(c.Transport), down: map[device]time.Time{}}, nil
}

// Deliveries are how the webhook fares.
type Deliveries struct {
	On      bool   `json:"on" doc:"there is one in the configuration"`
	Untold  int    `json:"untold" doc:"messages that it has yet to take"`
	Failure string `json:"failure,omitempty" doc:"why it did not take one of them"`
}

// Standing gives how the webhook fares.
func (s *Service) Standing(ctx context.Context) (Deliveries, error) {
	if s.URL == "" {
		return Deliveries{}, nil
	}
	untold, failure, err := s.Store.Telling(ctx)
	if err != nil {
		return Deliveries{}, err
	}
	others, why, err := s.telling(ctx)
	return Deliveries{On: true, Untold: untold + others, Failure: cmp.Or(failure, why)}, err
}

// Run tells the webhook until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	if s.URL == "" {
		return nil
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := s.Tell(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("the webhook is not told for now", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tell makes every call that is due. Each time the freshest message goes first,
// so that those which the receiver refuses hold up no other. Errors are faults
// of the database.
func (s *Service) Tell(ctx context.Context) error {
	for _, next := range []func(context.Context) (*message, error){s.conflict, s.tiding} {
		for {
			m, err := next(ctx)
			if err != nil {
				return err
			}
			if m == nil {
				break
			}
			if err := s.tell(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// message is a delivery that is due.
type message struct {
	id       string
	body     []byte
	attempts int // before this one
	told     func(context.Context) error
	again    func(ctx context.Context, next int64, failure string) error
}

// conflict gives the next conflict that is due; nil = there is none.
func (s *Service) conflict(ctx context.Context) (*message, error) {
	due, err := s.Store.Untold(ctx, s.Now().UnixMilli(), 1)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	c := &due[0]
	body, err := json.Marshal(deliveryOf(c))
	return &message{
		id: c.ID(), body: body, attempts: c.Attempts,
		told: func(ctx context.Context) error { return s.Store.ToldOf(ctx, c) },
		again: func(ctx context.Context, next int64, failure string) error {
			return s.Store.TellAgain(ctx, c, next, failure)
		},
	}, err
}

func (s *Service) tell(ctx context.Context, m *message) error {
	sent := s.send(ctx, m)
	if sent == nil {
		return m.told(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err() // not the receiver's fault: no attempt is counted
	}
	var jitter [4]byte
	if _, err := io.ReadFull(s.Random, jitter[:]); err != nil {
		return err
	}
	pause := wire.Backoff(m.attempts+1, retryBase, retryLimit, binary.LittleEndian.Uint32(jitter[:]))
	s.Log.Warn("a message was not taken", "message", m.id, "attempts", m.attempts+1, "error", sent, "again_in", pause)
	return m.again(ctx, s.Now().Add(pause).UnixMilli(), sent.Error())
}
