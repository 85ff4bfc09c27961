package main

import (
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
	if k.Code, k.Read = verdict.FactsOf(c, err); k.Read != 0 {
		return answer{Reason: verdict.Judge(&k).Reason}
	}
	// A counted pass is decided as by the gate that owns it.
	k.Lane.Gate = k.Code.Owner
	a := answer{Reason: verdict.Judge(&k).Reason, Kind: k.Code.Kind, ID: k.Code.ID.String()}
	if c.Pass != nil {
		a.Name = c.Pass.Name
	}
	return a
}
