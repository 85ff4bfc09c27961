package lease_test

import (
	"slices"
	"testing"
	"time"

	"campusgate/server/lease"
	"campusgate/signing/wire"
)

const gate = 3

var start = time.UnixMilli(1_793_500_000_000)

func at(ms int64) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }

func pong(p wire.Ping, last uint64) wire.Pong {
	return wire.Pong{Nonce: p.Nonce, Promise: true, FirstSeen: true, Last: last}
}

func TestTable_CurrentFromTheSendingOfThePing(t *testing.T) {
	var table lease.Table
	p := table.Ping(gate, "a", at(0))
	table.Pong(gate, "a", pong(p, 7), 7, at(400)) // late: the promise began with the ping
	if table.Current(at(640))[gate] == 0 {
		t.Error("dark while the lease holds for an answer more")
	}
	if table.Current(at(660))[gate] != 0 {
		t.Error("current at the end of a lease that was counted from the pong")
	}
}

func TestTable_DarkUntilTheBacklogIsHeld(t *testing.T) {
	var table lease.Table
	p := table.Ping(gate, "a", at(0))
	table.Pong(gate, "a", pong(p, 8), 7, at(10))
	if table.Current(at(20))[gate] != 0 {
		t.Error("current, and event 8 is not held")
	}
	p = table.Ping(gate, "a", at(300))
	table.Pong(gate, "a", pong(p, 8), 8, at(310))
	first := table.Current(at(320))
	if first[gate] == 0 {
		t.Error("dark, and all of its journal is held")
	}
	p = table.Ping(gate, "a", at(2_000)) // the lease ended meanwhile
	table.Pong(gate, "a", pong(p, 9), 9, at(2_010))
	again := table.Current(at(2_020))
	if got := lease.Dark([]uint16{gate}, first, again); !slices.Equal(got, []uint16{gate}) {
		t.Errorf("dark %v: between the two it may have acted on its own", got)
	}
}

func TestTable_NothingWithoutAPromiseOrFromAnotherConnection(t *testing.T) {
	var table lease.Table
	p := table.Ping(gate, "a", at(0))
	m := pong(p, 0)
	m.Promise = false
	table.Pong(gate, "a", m, 0, at(10))
	p = table.Ping(gate, "a", at(300))
	if p.Heard != 1 || !p.Reaches() {
		t.Errorf("ping %+v does not say that the gate is heard", p)
	}
	table.Pong(gate, "b", pong(p, 0), 0, at(310))
	m = pong(p, 0)
	m.FirstSeen = false
	table.Pong(gate, "a", m, 0, at(320))
	if table.Current(at(330))[gate] != 0 {
		t.Error("current by no promise at all")
	}
}
