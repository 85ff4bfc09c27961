// Package owners moves a pass from the gate that decides it to another one, for
// its holder or a clerk, and never rolls a move back: the owner gives the pass up
// on its own disk first, and only then are the gates told (DESIGN section 7).
package owners

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// Why a pass stays where it is, beside store.ErrMoveOver, ErrMoveDecider and
// ErrMoveGate. All but ErrSilent say that nothing has changed.
var (
	// ErrAway: the gate that decides the pass is not connected, so it cannot give
	// the pass up.
	ErrAway = errors.New("the gate that decides the pass is not connected")
	// ErrSilent: it did not answer in time. It may have given the pass up, which
	// is seen when its journal comes.
	ErrSilent = errors.New("the gate that decides the pass did not answer")
	// ErrClaimed: it has let somebody in by the pass, or let another gate do so.
	ErrClaimed = errors.New("the pass was used or claimed at the gate that decides it")
	// ErrRefused: it does not decide the pass, as far as it knows.
	ErrRefused = errors.New("the gate that decides the pass does not give it up")
	// ErrThere: it is connected, so the pass can be moved and need not be issued anew.
	ErrThere = errors.New("the gate that decides the pass is connected")
)

// Refusal is one of the errors above with the gate that it is about.
type Refusal struct {
	Err  error
	Gate uint16
	Name string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%v: gate %d", r.Err, r.Gate) }

// Unwrap gives the error.
func (r *Refusal) Unwrap() error { return r.Err }

// Hub is the connections of agents.
type Hub interface {
	Move(ctx context.Context, m wire.Move) wire.Moved
	Connected() map[uint16]uint32
}

// Service moves passes. Safe for concurrent use.
type Service struct {
	Store *store.Store
	Hub   Hub
	Rand  io.Reader
}

// Move has a pass decided by another gate, and returns when the gates are told.
// Done again after an error it asks the owner with the same id.
func (s *Service) Move(ctx context.Context, actor string, pass signing.PassID, to uint16) error {
	p, err := s.Store.Pass(ctx, pass)
	if err != nil {
		return err
	}
	if owner := p.Decider(); owner != 0 && owner != to && !s.there(owner) {
		return s.refuse(ctx, ErrAway, owner)
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	m, err := s.Store.BeginMove(ctx, actor, pass, to, id)
	if err != nil {
		return err
	}
	a := s.Hub.Move(ctx, m)
	switch a.State {
	case wire.MoveReleased:
		return s.Store.Released(context.WithoutCancel(ctx), m)
	case wire.MoveUsed:
		return s.refuse(ctx, ErrClaimed, m.From)
	case wire.MoveRefused:
		if st := a.Stands; st == nil || st.Pass != pass || st.From != m.From || st.Epoch != m.Epoch {
			return s.refuse(ctx, ErrRefused, m.From)
		}
		// It gave the pass up before, to somebody else, and the answer was lost.
		if err := s.Store.Released(context.WithoutCancel(ctx), *a.Stands); err != nil {
			return err
		}
		return s.refuse(ctx, ErrRefused, a.Stands.To)
	case wire.MoveSilent:
	}
	return s.refuse(ctx, ErrSilent, m.From)
}

// Dead reports, with nil, that the owner of a pass is not connected, so that the
// pass may be issued anew when somebody has seen that the gate is off.
func (s *Service) Dead(ctx context.Context, p *store.PassStatus) error {
	if owner := p.Decider(); owner != 0 && s.there(owner) {
		return s.refuse(ctx, ErrThere, owner)
	}
	return nil
}

func (s *Service) there(gate uint16) bool {
	_, ok := s.Hub.Connected()[gate]
	return ok
}

func (s *Service) refuse(ctx context.Context, why error, gate uint16) error {
	g, err := s.Store.Gate(ctx, gate)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return &Refusal{why, gate, g.Name}
}

func (s *Service) newID() (string, error) {
	var b [12]byte
	if _, err := io.ReadFull(s.Rand, b[:]); err != nil {
		return "", fmt.Errorf("move id: %w", err)
	}
	return "move-" + hex.EncodeToString(b[:]), nil
}
