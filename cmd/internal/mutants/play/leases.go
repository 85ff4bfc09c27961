package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"campusgate/server/lease"
	"campusgate/signing/wire"
)

// leases plays the server's leases with one gate that keeps to its half of them, on
// a line that delays, loses and breaks. Whenever the server calls the gate current
// it has to hold all that the gate did, and the gate must not act on its own before
// an answer of that moment is too old to be used. It needs no store, so that moments
// which are rare among whole gates come by the thousand.
func leases(seed uint64, _ string) ([]string, error) {
	l := &line{rng: rand.New(rand.NewPCG(seed, 7)), gate: -wire.LeaseGateMS}
	l.rate = 0.98 + 0.04*l.rng.Float64()
	for _, again := range []struct {
		every int64
		do    func()
	}{{wire.LeasePingMS, l.ping}, {170, l.act}, {230, l.upload}, {60, l.ask}, {9_000, l.reconnect}} {
		l.repeat(again.every, again.do)
	}
	for len(l.queue) > 0 && l.now < playedMS && l.broken == "" {
		next := l.queue[0]
		l.queue = l.queue[1:]
		l.now = next.at
		next.do()
	}
	if l.broken != "" {
		return []string{l.broken}, nil
	}
	return nil, nil
}

const playedMS = 600_000

type line struct {
	rng   *rand.Rand
	now   int64
	queue []happening // by time

	table    lease.Table
	conn     int
	held     uint64 // up to where the server holds the journal
	reserved int64  // until when the server's word holds

	seq    uint64  // of the journal's end
	gate   int64   // when the last ping came
	rate   float64 // of the gate's clock
	broken string
}

type happening struct {
	at int64
	do func()
}

func (l *line) after(ms int64, do func()) {
	h := happening{l.now + ms, do}
	i, _ := slices.BinarySearchFunc(l.queue, h.at+1, func(o happening, at int64) int { return int(o.at - at) })
	l.queue = slices.Insert(l.queue, i, h)
}

func (l *line) repeat(every int64, do func()) {
	l.after(every/2+l.rng.Int64N(every), func() {
		do()
		l.repeat(every, do)
	})
}

// travel brings something over the line, unless that loses it or has broken since.
func (l *line) travel(do func()) {
	conn, ms := l.conn, l.rng.Int64N(30)
	if l.rng.IntN(4) == 0 {
		ms = l.rng.Int64N(1_200)
	}
	if l.rng.IntN(6) == 0 {
		return
	}
	l.after(ms, func() {
		if conn == l.conn {
			do()
		}
	})
}

func (l *line) time() time.Time { return time.UnixMilli(1_793_500_000_000 + l.now) }

func (l *line) ping() {
	if l.rng.IntN(3) == 0 {
		return
	}
	conn := l.conn
	p := l.table.Ping(theGate, conn, l.time())
	l.travel(func() {
		if p.Reaches() {
			l.gate = l.now
		}
		pong := wire.Pong{Nonce: p.Nonce, Promise: p.Reaches(), Last: l.seq, FirstSeen: true}
		l.travel(func() { l.table.Pong(theGate, conn, pong, l.held, l.time()) })
	})
}

const theGate = 3

// act is an admission that the gate answers for alone.
func (l *line) act() {
	if float64(l.now-l.gate)*l.rate < wire.LeaseGateMS {
		return
	}
	if l.seq++; l.now < l.reserved {
		l.broken = fmt.Sprintf("at %d ms the gate acts on its own, %d ms before the server's word is over", l.now, l.reserved-l.now)
	}
}

func (l *line) upload() {
	seq := l.seq
	l.travel(func() { l.held = max(l.held, seq) })
}

// ask is a claim of another gate, and the time that its decision takes.
func (l *line) ask() {
	then := l.table.Current(l.time())
	held := l.held
	l.after(l.rng.Int64N(40)*l.rng.Int64N(60), func() {
		if len(lease.Dark([]uint16{theGate}, then, l.table.Current(l.time()))) > 0 {
			return
		}
		if l.seq > held {
			l.broken = fmt.Sprintf("at %d ms the gate is called current, and %d of its events were not held", l.now, l.seq-held)
		}
		l.reserved = max(l.reserved, l.now+wire.AskTimeoutMS)
	})
}

func (l *line) reconnect() { l.conn++ }
