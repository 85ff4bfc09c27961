package verify

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Errors of the service, beside those of package store.
var (
	// ErrNoGate: the guard is bound to no gate, or to one that is gone.
	ErrNoGate = errors.New("guard is bound to no gate")
	// ErrTicket: unknown, somebody else's, or too old.
	ErrTicket = errors.New("ticket not accepted")
)

// Holder is what the verification page shows of who a pass belongs to, beside
// what the code says.
type Holder struct {
	Number string // staff or student number; "" of a household
	Name   string
	Unit   string
	Reason string // for which the pass was asked
}

// Config is what a Service works with. All are required.
type Config struct {
	Store *store.Store
	// Ask puts a claim to the gate that owns a pass; silence is an answer.
	Ask func(ctx context.Context, c wire.Claim) wire.Answer
	// Decide answers a claim that the server decides.
	Decide func(ctx context.Context, c wire.Claim) (wire.Answer, error)
	// Holder gives who a pass belongs to; false = nobody knows here.
	Holder func(ctx context.Context, id signing.PassID) (Holder, bool, error)
	// Guideline gives what documents count; nil = none is in force.
	Guideline func(ctx context.Context) (*verdict.Guideline, error)
	Random    io.Reader
	Now       func() time.Time
	Location  *time.Location // of the campus; nil = UTC
}

// Service verifies for guards with a phone. Safe for concurrent use.
type Service struct {
	Config
	admitting sync.Mutex // held from the last judgement until it is recorded

	mu       sync.Mutex // guards the rest
	tickets  map[string]*ticket
	counters map[signing.PhoneID]uint64 // highest proof counter admitted here
	ring     *signing.Keyring
}

// New makes a Service. It needs all of the configuration but Location.
func New(c Config) *Service {
	return &Service{Config: c, tickets: map[string]*ticket{}, counters: map[signing.PhoneID]uint64{}}
}

// Guard is who looks.
type Guard struct {
	Person string
	Gate   uint16
}

// Result is what the page shows.
type Result struct {
	Verdict   verdict.Verdict
	Kind      signing.Kind   // zero when the code is not genuine; then so is the rest
	ID        signing.PassID // of the pass
	Name      string         // as signed
	Doc4      string
	From      int64 // seconds, of the whole pass where it is known here
	Until     int64 // first moment after
	Uses      uint32
	Used      uint32
	Holder    Holder
	Gate      store.Gate
	Decider   uint16 // gate that decides a counted pass; 0 = the server
	Documents bool   // the gate asks for some
	Ticket    string // to admit with; "" when there is nothing to admit
	Event     wire.EventID
	Offered   []verdict.DocumentKind // that may be ticked
}

// ticketLife is how long a guard may take to admit.
const ticketLife = 2 * time.Minute

// maxTickets are kept at once; beyond, those that are over go, and then a look
// gives no ticket.
const maxTickets = 10_000

// ticket is a look that may become an admission.
type ticket struct {
	mu      sync.Mutex // held while it is redeemed
	guard   Guard
	made    time.Time
	facts   verdict.Case
	result  Result
	claim   string
	settled bool
}

// Look reads a code, as text after /V/ or whole, and judges it. What it says of
// the pass is for the guard's eyes only. A refusal is a result. ErrNoGate.
func (s *Service) Look(ctx context.Context, g Guard, text string) (Result, error) {
	gate, err := s.gate(ctx, g)
	if err != nil {
		return Result{}, err
	}
	ring, err := s.keyring(ctx)
	if err != nil {
		return Result{}, err
	}
	read, err := code.Read(ring, whole(strings.TrimSpace(text)))
	k, r, err := s.facts(ctx, gate, &read, err)
	if err != nil {
		return Result{}, err
	}
	r.Verdict = verdict.Judge(&k)
	if !r.Verdict.Opens() && r.Verdict.Reason != verdict.NeedsInput {
		r.Event, err = s.record(ctx, g, &k, &r, "", "")
		return r, err
	}
	return r, s.give(&ticket{guard: g, made: s.Now(), facts: k, result: r}, &r)
}

// whole makes the text of a code out of what a guard's page may have of it: the
// text itself, the address that a phone's scanner has opened, at whatever host,
// or the last part of that.
func whole(text string) string {
	if strings.HasPrefix(text, "CP1:") { // whose characters may spell an address too
		return text
	}
	if _, segment, ok := strings.Cut(text, "/V/"); ok {
		text = segment
	}
	if strings.ContainsAny(text, ":/") {
		return text
	}
	return "HTTPS://X/V/" + text
}

func (s *Service) gate(ctx context.Context, g Guard) (store.Gate, error) {
	if g.Gate == 0 {
		return store.Gate{}, ErrNoGate
	}
	gate, err := s.Store.Gate(ctx, g.Gate)
	if errors.Is(err, store.ErrNotFound) {
		err = ErrNoGate
	}
	return gate, err
}

// keyring gives the keyring in force, opened once for each serial.
func (s *Service) keyring(ctx context.Context) (*signing.Keyring, error) {
	serial, signed, err := s.Store.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring != nil && s.ring.Serial == serial {
		return s.ring, nil
	}
	ring, err := signing.OpenKeyring(s.Store.Site().Root, signed, serial)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	s.ring = ring
	return ring, nil
}

// give keeps a ticket and names it in the result.
func (s *Service) give(k *ticket, r *Result) error {
	var b [16]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return fmt.Errorf("ticket: %w", err)
	}
	name := hex.EncodeToString(b[:])
	if err := s.newClaim(k); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tickets) >= maxTickets {
		for old, t := range s.tickets {
			if s.over(t) {
				delete(s.tickets, old)
			}
		}
		if len(s.tickets) >= maxTickets {
			return nil
		}
	}
	s.tickets[name] = k
	r.Ticket = name
	return nil
}

// newClaim gives a ticket an id to ask with, "agent-epoch-number" as wire.Claim
// wants, of the server's own. The number is random: nothing is kept that could
// count.
func (s *Service) newClaim(t *ticket) error {
	var b [8]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	t.claim = fmt.Sprintf("0-1-%d", binary.BigEndian.Uint64(b[:])>>1)
	return nil
}

func (s *Service) over(t *ticket) bool { return s.Now().Sub(t.made) > ticketLife }
