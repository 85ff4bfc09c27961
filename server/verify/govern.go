package verify

import (
	"context"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// govern puts what the policy of the gate says into a case, as the lanes of its
// agent do. A guard's phone is no lane: it takes every kind that the gate takes.
func (s *Service) govern(ctx context.Context, gate store.Gate, k *verdict.Case) error {
	state, err := s.Store.ScopeState(ctx, gate)
	if err != nil {
		return err
	}
	p, err := s.Store.Policy(ctx, gate.ID)
	if err != nil {
		return err
	}
	at := time.UnixMilli(k.At).In(s.zone())
	set := &k.Policy
	set.Emergency = state == wire.AlarmOpen
	set.Lockdown = state == wire.AlarmLockdown && !p.Exempt.Has(k.Code.Kind)
	set.OutsideHours = !verdict.OpenAt(p.Hours, k.Code.Kind, at)
	set.Full, set.Passback, set.Alert, set.Inside = false, false, false, nil
	rule := &p.Policy.Area
	if !rule.Kept() {
		return nil
	}
	inside, count, err := s.Store.PresenceOf(ctx, p.Area, k.Code.ID, rule.Since(at))
	set.Inside = inside
	set.Full = inside == nil && rule.Limit > 0 && count >= rule.Limit
	set.Passback = inside != nil && rule.Passback == verdict.PassbackEnforce
	set.Alert = inside != nil && rule.Passback == verdict.PassbackAlert
	return err
}

func (s *Service) zone() *time.Location {
	if s.Location == nil {
		return time.UTC
	}
	return s.Location
}
