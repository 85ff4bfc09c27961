package api

import (
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// GateOffline is what a gate of the policy first_seen may do while it reaches
// nobody who may have admitted before.
type GateOffline struct {
	Max           uint32 `json:"max" doc:"admissions that the server has not heard of; beyond them silence refuses"`
	MaxAgeMinutes int64  `json:"max_age_minutes" doc:"since the gate last knew that its lists were current; beyond it silence refuses"`
	Confirm       string `json:"confirm" enum:"none,guard" doc:"guard = a guard has to agree to each; where nobody is, they are refused"`
}

// GateOfflineChange is of a GateOffline what is given. What is not stays, and where the
// gate begins with first_seen is usual.
type GateOfflineChange struct {
	Max           *uint32 `json:"max,omitempty" minimum:"1" maximum:"1000" doc:"50 where nothing is said"`
	MaxAgeMinutes *int64  `json:"max_age_minutes,omitempty" minimum:"1" maximum:"10080" doc:"240 where nothing is said"`
	Confirm       *string `json:"confirm,omitempty" enum:"none,guard" doc:"guard where nothing is said"`
}

const minuteMS = 60_000

// usualOffline are the limits where nobody said others: a rush at one gate, half
// a shift, and a guard who looks.
var usualOffline = wire.Offline{Max: 50, MaxAgeMS: 240 * minuteMS, Confirm: true}

func offlineBody(g *store.Gate) *GateOffline {
	if g.Mode != verdict.FirstSeen {
		return nil
	}
	confirm := "none"
	if g.Offline.Confirm {
		confirm = "guard"
	}
	return &GateOffline{Max: g.Offline.Max, MaxAgeMinutes: g.Offline.MaxAgeMS / minuteMS, Confirm: confirm}
}

// limits puts into a gate whose policy is settled what it may do on its own.
func limits(g *store.Gate, change *GateOfflineChange) error {
	if g.Mode != verdict.FirstSeen {
		if change != nil {
			return &issue.Fault{
				Field: "offline", ZH: "只有判定方式为 first_seen 的校门才有断网放行上限", EN: "only a gate with the policy first_seen admits on its own",
			}
		}
		return nil
	}
	if g.Offline == (wire.Offline{}) {
		g.Offline = usualOffline
	}
	if change == nil {
		return nil
	}
	if change.Max != nil {
		g.Offline.Max = *change.Max
	}
	if change.MaxAgeMinutes != nil {
		g.Offline.MaxAgeMS = *change.MaxAgeMinutes * minuteMS
	}
	if change.Confirm != nil {
		g.Offline.Confirm = *change.Confirm == "guard"
	}
	return nil
}
