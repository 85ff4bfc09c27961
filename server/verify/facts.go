package verify

import (
	"context"
	"errors"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
)

// unread says how a judge calls what is wrong with a code.
func unread(err error) verdict.Reason {
	switch {
	case errors.Is(err, signing.ErrUnknownKey):
		return verdict.UnknownKey
	case errors.Is(err, signing.ErrBadSignature):
		return verdict.BadSignature
	}
	return verdict.Malformed
}

// facts puts together what is to be judged, and what is shown of it. The lane
// has gate 0, the server: so a gate that owns a pass is asked, even when it is
// the guard's own.
func (s *Service) facts(ctx context.Context, gate store.Gate, read *code.Code, fault error) (k verdict.Case, r Result, err error) {
	now := s.Now().UnixMilli()
	r.Gate = gate
	k = verdict.Case{
		At:     now,
		Lane:   verdict.Lane{Site: s.Store.Site().Name, Zone: gate.Zone, Direction: verdict.Entry, Kinds: signing.GateKinds},
		Clock:  verdict.Clock{HighWater: now, Synced: now},
		Policy: verdict.Policy{Fresh: now, Mode: gate.Mode},
	}
	compromised := errors.Is(fault, signing.ErrCompromised)
	if fault != nil && !compromised {
		k.Read = unread(fault)
		return k, r, nil
	}
	k.Code = verdict.Code{Kind: read.Kind(), ID: read.ID(), Key: read.Key.ID, Site: read.Key.Site, Compromised: compromised}
	p := read.Pass
	if p == nil {
		return k, r, nil // a payment code, which no gate takes
	}
	c := &k.Code
	c.NotBefore, c.Expires, c.IssuedAt, c.Uses, c.Zones, c.Owner = p.NotBefore, p.Expires, p.IssuedAt, p.Uses, p.Zones, p.Owner
	if c.Bound = p.Phone != nil; read.Proof != nil {
		c.Proof = &verdict.Proof{T: read.Proof.T, Counter: read.Proof.Counter, Phone: read.Phone, Context: uint8(read.Proof.Context)}
	}
	held, err := s.known(ctx, &k)
	if err != nil {
		return k, r, err
	}
	if err := s.govern(ctx, gate, &k); err != nil {
		return k, r, err
	}
	if gate.Documents {
		g, err := s.Guideline(ctx)
		if err != nil {
			return k, r, err
		}
		k.Document = g.Beside(c.Kind, nil)
		r.Documents, r.Offered = true, offered(g)
	}
	r.Kind, r.ID, r.Name, r.Doc4, r.From, r.Until, r.Uses, r.Used = p.Kind, p.ID, p.Name, p.Doc4, p.NotBefore, p.Expires, p.Uses, k.Record.Uses
	if held.Until != 0 { // a live code is signed for a few days of them
		r.From, r.Until = held.From, held.Until
	}
	r.Decider = k.Decider()
	r.Holder, _, err = s.Holder(ctx, p.ID)
	return k, r, err
}

// offered leaves out what never admits anybody.
func offered(g *verdict.Guideline) (list []verdict.DocumentKind) {
	if g == nil {
		return nil
	}
	for _, d := range g.Documents {
		if !d.Never {
			list = append(list, d)
		}
	}
	return list
}

// known adds what the server knows of the pass, and gives it. One that was signed
// elsewhere has no row here; its uses may be known all the same.
func (s *Service) known(ctx context.Context, k *verdict.Case) (store.PassStatus, error) {
	held, err := s.Store.Pass(ctx, k.Code.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return held, err
	}
	rec := &k.Record
	rec.Revoked, rec.Uses, rec.First, rec.Owner = held.RevokedAt > 0, held.Used, held.First, held.Moved
	s.counted(k)
	if k.Code.Proof == nil {
		return held, nil
	}
	phone := k.Code.Proof.Phone
	phones, err := s.Store.Phones(ctx, k.Code.ID)
	for _, p := range phones {
		if p.ID == phone && p.ReplacedAt > 0 {
			rec.Replaced = true
		}
	}
	return held, err
}

// counted adds which proof of the phone was the last one admitted here.
func (s *Service) counted(k *verdict.Case) {
	if k.Code.Proof == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, seen := s.counters[k.Code.Proof.Phone]; seen {
		k.Record.Counter = &n
	}
}
