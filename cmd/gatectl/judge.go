package main

import (
	"errors"
	"time"

	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
)

// answer is one line of verify's output. Kind, id and name are empty unless every
// signature holds.
type answer struct {
	Reason verdict.Reason `json:"reason"`
	Kind   signing.Kind   `json:"kind"`
	ID     string         `json:"id"`
	Name   string         `json:"name"`
}

// judge decides by what codes themselves say, at one moment: no revocation, no
// use, no replay is known, so the same text always gets the same answer.
type judge struct {
	ring *signing.Keyring
	at   time.Time
	zone int // 0 = not checked
}

// answer judges one text. Safe for concurrent use.
func (j *judge) answer(text string) answer {
	c, err := code.Read(j.ring, text)
	k := verdict.Case{
		At: j.at.UnixMilli(),
		Lane: verdict.Lane{
			Site: j.ring.Site, Zone: j.zone, Direction: verdict.Entry,
			Kinds: signing.GateKinds | signing.PayKinds,
		},
		// This clock is the caller's and this policy is none: both are current.
		Clock:  verdict.Clock{HighWater: j.at.UnixMilli(), Synced: j.at.UnixMilli()},
		Policy: verdict.Policy{Mode: verdict.Owner, Fresh: j.at.UnixMilli()},
	}
	switch {
	case err == nil, errors.Is(err, signing.ErrCompromised):
	case errors.Is(err, signing.ErrUnknownKey):
		return answer{Reason: verdict.UnknownKey}
	case errors.Is(err, signing.ErrBadSignature):
		return answer{Reason: verdict.BadSignature}
	default:
		return answer{Reason: verdict.Malformed}
	}
	k.Code = facts(&c)
	// A counted pass is decided as by the gate that owns it.
	k.Lane.Gate = k.Code.Owner
	a := answer{Reason: verdict.Judge(&k).Reason, Kind: k.Code.Kind, ID: k.Code.ID.String()}
	if c.Pass != nil {
		a.Name = c.Pass.Name
	}
	return a
}

// facts are what decides of what a genuine code says.
func facts(c *code.Code) verdict.Code {
	f := verdict.Code{
		Kind: c.Kind(), ID: c.ID(), Key: c.Key.ID, Site: c.Key.Site,
		Compromised: c.Key.State == signing.KeyCompromised,
		Bound:       c.Phone != signing.PhoneID{},
	}
	switch {
	case c.Pass != nil:
		p := c.Pass
		f.NotBefore, f.Expires, f.IssuedAt = p.NotBefore, p.Expires, p.IssuedAt
		f.Uses, f.Zones, f.Owner = p.Uses, p.Zones, p.Owner
	case c.Pay != nil:
		p := c.Pay
		f.Expires, f.IssuedAt = p.Expires, p.IssuedAt
		f.Pay = &verdict.Pay{
			Account: p.Account, Epoch: p.Epoch, PerTxFen: p.PerTxFen,
			PerDayOfflineFen: p.PerDayOfflineFen, MaxOfflineTx: p.MaxOfflineTx,
		}
	}
	if c.Proof != nil {
		f.Proof = &verdict.Proof{
			T: c.Proof.T, Counter: c.Proof.Counter, Phone: c.Phone, Context: uint8(c.Proof.Context),
		}
	}
	return f
}
