package wire_test

import (
	"strings"
	"testing"

	"campusgate/signing/wire"
)

func TestCheckAddress_TakesWhatCanBeDialledAndNothingElse(t *testing.T) {
	for _, good := range []string{"10.1.2.3:7443", "gate-3.example.edu:1", "[2001:db8::5]:65535", "[fe80::1%eth0]:7443"} {
		if err := wire.CheckAddress(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{
		"", ":7443", "gate", "gate:", "gate:0", "gate:65536", "gate:07443", "gate:+1", "2001:db8::5:7443", "[2001:db8::5:7443", "[gate]:1",
		"a b:1", "http://gate:1", "gate/x:1", "user@gate:1", "\r\n:1", "门:1", strings.Repeat("x", 300) + ":1",
	} {
		if wire.CheckAddress(bad) == nil {
			t.Errorf("%.40q is taken for an address", bad)
		}
	}
}

func TestPeerName_ReadsBackAndNothingElseDoes(t *testing.T) {
	for _, gate := range []uint16{1, 3, 65535} {
		if got, err := wire.ParsePeerName(wire.PeerName(gate)); err != nil || got != gate {
			t.Errorf("gate %d: %d, %v", gate, got, err)
		}
	}
	for _, bad := range []string{"", "gate-", "gate-0", "gate-03", "gate-65536", "3", "gate--3", "gate-3 ", "Gate-3"} {
		if _, err := wire.ParsePeerName(bad); err == nil {
			t.Errorf("%q is taken for a gate", bad)
		}
	}
}

func TestPeer_MayAskOnlyAsItselfAndNeverForMoney(t *testing.T) {
	p := wire.Peer{Gate: 3, Agent: 13, Epoch: 2}
	good := wire.Claim{ID: "13-1-7", Gate: 3}
	if !p.MayAsk(&good) {
		t.Error("its own, of an earlier enrolment")
	}
	for name, c := range map[string]wire.Claim{
		"another gate": {ID: "13-2-7", Gate: 4}, "another agent": {ID: "14-2-7", Gate: 3}, "a later epoch": {ID: "13-3-7", Gate: 3},
		"the server": {ID: "0-1-7", Gate: 3}, "no id": {Gate: 3}, "money": {ID: "13-2-7", Gate: 3, Charge: &wire.ChargeAsk{}},
	} {
		if p.MayAsk(&c) {
			t.Error(name)
		}
	}
}
