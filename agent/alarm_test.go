//go:build linux

package agent_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/devices"
	"campusgate/devices/modbus/peer"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// emergency is the contact at input 5 of a board.
func emergency(b *peer.Board) string {
	return fmt.Sprintf("inputs: {emergency: {driver: modbus-tcp, path: %q, channel: 5}}", b.Address)
}

func standsOpen(want bool) func(console.Status) bool {
	return func(s console.Status) bool {
		return (len(s.Alarms) == 1 && s.Alarms[0].Source == wire.AlarmFromInput) == want
	}
}

// onlyOn reads frames of the relay's, and wants no off among them once it is on.
func (s *station) onlyOn(n int) {
	s.t.Helper()
	guard := time.AfterFunc(patience, func() { _ = s.relayEnd.Close() })
	defer guard.Stop()
	for went := false; n > 0; {
		frame := make([]byte, 4)
		_, err := io.ReadFull(s.relayEnd, frame)
		check(s.t, err)
		if bytes.Equal(frame, on) {
			went = true
			n--
		} else if went {
			s.t.Fatal("the barrier closed in an emergency")
		}
	}
}

// The contact on the wall opens the barrier at once and keeps it open: over a
// restart, and when its board is gone; it closes when the contact says so.
func TestAgent_TheEmergencyContactHoldsTheGateOpen(t *testing.T) {
	b := peer.TCP(t, 0)
	s := newStation(t)
	settings := s.settings("", emergency(b))
	r := s.start(settings, deps(0))
	r.until("the contact is ok", func(st console.Status) bool {
		return slices.ContainsFunc(st.Devices, func(d console.Device) bool { return d.Kind == "contact" && d.State == devices.OK })
	})
	b.Tell("input 4 1")
	r.until("open", standsOpen(true))
	s.onlyOn(1)
	if got := r.present(s.code()); got.Reason != verdict.Attention || got.Mark != verdict.MarkEmergency || !got.Opens {
		t.Errorf("presented: %+v", got)
	}
	r.end()
	b.Tell("mute")
	r = s.start(settings, deps(0))
	r.until("open after a restart, though the contact is silent", standsOpen(true))
	b.Tell("fine")
	b.Tell("input 4 0")
	r.until("as usual again", standsOpen(false))
	if got := r.present(s.code()); got.Reason != verdict.Granted {
		t.Errorf("presented: %+v", got)
	}
	r.end()
}
