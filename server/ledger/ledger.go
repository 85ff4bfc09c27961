package ledger

import (
	"sync/atomic"
	"time"

	"campusgate/server/store"
)

// Config is what a Ledger needs.
type Config struct {
	Store    *store.Store     // for what is not in a caller's change: Lapse and the proofs
	Now      func() time.Time // when a proof was made; required for the proofs
	Location *time.Location   // of the campus: the proof is made at night

	// Alarm is told what a person must look at. It may be told twice. nil = the
	// trail alone says it.
	Alarm func(what string)
}

// Ledger keeps the money. Safe for concurrent use.
type Ledger struct {
	Config
	alarms atomic.Uint64
}

// New makes a ledger of the tables of c.Store.
func New(c Config) *Ledger { return &Ledger{Config: c} }

// Alarms counts those since the start of the process, for metrics.
func (l *Ledger) Alarms() uint64 { return l.alarms.Load() }

func (l *Ledger) alarm(what string) {
	l.alarms.Add(1)
	if l.Alarm != nil {
		l.Alarm(what)
	}
}
