package api_test

import (
	"crypto/ed25519"
	"net/http"
	"slices"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// twoGates are gates of one zone with agents, both connected, and a pass that the first decides.
func twoGates(t *testing.T, w *world) (east, west uint16, p api.Pass) {
	t.Helper()
	east, west = w.gate(t, "东门", 1), w.gate(t, "西门", 1)
	w.link.connected = map[uint16]uint32{}
	for i, g := range []uint16{east, west} {
		public := ed25519.NewKeyFromSeed(append(make([]byte, 31), byte(40+i))).Public().(ed25519.PublicKey)
		w.link.connected[g] = w.enrol(t, g, public).Agent
	}
	body := resident()
	body["owner_gate"] = east
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", body, &p)
	if p.OwnerName != "东门" || !p.OwnerHere {
		t.Errorf("as it was issued %+v", p)
	}
	return east, west, p
}

func TestOwner_AClerkMovesAPassWhileItsGateIsConnected(t *testing.T) {
	w := newWorld(t)
	east, west, p := twoGates(t, w)
	clerk := w.newToken(t, auth.Desk, auth.PassesRead)
	var list struct{ Items []api.Owning }
	w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID+"/owner", nil, &list)
	if len(list.Items) != 1 || list.Items[0] != (api.Owning{ID: west, Name: "西门", Here: true}) {
		t.Fatalf("choice %+v", list.Items)
	}
	var moved api.Pass
	w.as(t, clerk, http.StatusOK, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": west}, &moved)
	if moved.OwnerGate != west || moved.OwnerName != "西门" || !moved.OwnerHere || !moved.Movable || moved.Moves != 1 || moved.Code != p.Code {
		t.Fatalf("moved %+v", moved)
	}
	if m := w.link.moves[0]; m.From != east || m.To != west || m.Epoch != 1 || m.Check() != nil {
		t.Fatalf("asked %+v", m)
	}
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": west}), http.StatusConflict, "gate_cannot_decide")
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": 999}), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/passes/0123456789abcdef/owner", map[string]any{"gate": west}), http.StatusNotFound, "not_found")
}

func TestOwner_IsNamedWhereThePassCannotBeMoved(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *world, east uint16)
		code   string
	}{
		"not connected": {func(w *world, east uint16) { delete(w.link.connected, east) }, "owner_away"},
		"silent": {func(w *world, _ uint16) {
			w.link.moved = func(m wire.Move) wire.Moved { return wire.Moved{ID: m.ID, State: wire.MoveSilent} }
		}, "owner_silent"},
		"claimed there": {func(w *world, _ uint16) {
			w.link.moved = func(m wire.Move) wire.Moved { return wire.Moved{ID: m.ID, State: wire.MoveUsed} }
		}, "pass_claimed"},
		"not its own": {func(w *world, _ uint16) {
			w.link.moved = func(m wire.Move) wire.Moved { return wire.Moved{ID: m.ID, State: wire.MoveRefused} }
		}, "owner_refused"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			east, west, p := twoGates(t, w)
			c.before(w, east)
			r := w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": west})
			if told := w.refused(t, r, http.StatusConflict, c.code); !strings.Contains(told.Message, "东门") {
				t.Fatalf("told %+v", told)
			}
			var still api.Pass
			if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &still); still.OwnerGate != east {
				t.Fatalf("%+v", still)
			}
		})
	}
}

// Its answer was lost, and somebody wants the pass elsewhere meanwhile: what the
// owner did stands.
func TestOwner_WhatTheOwnerGaveUpBeforeStands(t *testing.T) {
	w := newWorld(t)
	_, west, p := twoGates(t, w)
	south := w.gate(t, "南门", 1)
	public := ed25519.NewKeyFromSeed(append(make([]byte, 31), 50)).Public().(ed25519.PublicKey)
	w.enrol(t, south, public)
	var first wire.Move
	w.link.moved = func(m wire.Move) wire.Moved {
		first = m
		return wire.Moved{ID: m.ID, State: wire.MoveSilent}
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": west}), http.StatusConflict, "owner_silent")
	w.link.moved = func(m wire.Move) wire.Moved { return wire.Moved{ID: m.ID, State: wire.MoveRefused, Stands: &first} }
	r := w.call(t, w.token, "POST", "/api/v1/passes/"+p.ID+"/owner", map[string]any{"gate": south})
	if told := w.refused(t, r, http.StatusConflict, "owner_refused"); !strings.Contains(told.Message, "西门") {
		t.Fatalf("told %+v", told)
	}
	var now api.Pass
	if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &now); now.OwnerGate != west || now.Moves != 1 {
		t.Fatalf("%+v", now)
	}
}

func TestReissue_OnlyWhenSomebodyHasSeenThatTheGateIsOff(t *testing.T) {
	w := newWorld(t)
	east, west, p := twoGates(t, w)
	path := "/api/v1/passes/" + p.ID + "/reissue"
	w.refused(t, w.call(t, w.token, "POST", path, map[string]any{"gate": west, "gate_is_off": true}), http.StatusConflict, "owner_connected")
	delete(w.link.connected, east)
	w.refused(t, w.call(t, w.token, "POST", path, map[string]any{"gate": west, "gate_is_off": false}), http.StatusUnprocessableEntity, "gate_not_off")
	var next, old api.Pass
	w.want(t, http.StatusCreated, "POST", path, map[string]any{"gate": west, "gate_is_off": true, "reason": "东门停电"}, &next)
	if next.ID == p.ID || next.OwnerGate != west || next.Name != p.Name || next.From != p.From || next.Until != p.Until || next.Uses != 1 || next.State != "issued" || next.Code == p.Code {
		t.Fatalf("issued anew %+v of %+v", next, p)
	}
	if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &old); old.State != "revoked" || old.RevokeReason != "东门停电" {
		t.Fatalf("the old one %+v", old)
	}
	w.refused(t, w.call(t, w.token, "POST", path, map[string]any{"gate": west, "gate_is_off": true}), http.StatusConflict, "pass_over")
	trail, err := w.db.Trail(t.Context(), 0, 200)
	ok(t, err)
	if !slices.ContainsFunc(trail, func(e store.Entry) bool { return e.Action == "pass.reissued" && e.Target == "pass "+p.ID }) {
		t.Fatal("not in the trail")
	}
}
