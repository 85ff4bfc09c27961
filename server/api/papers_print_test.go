package api_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/hub"
	"campusgate/signing/wire"
)

func TestPapers_PrintedAtAGateByTheClerkOfTheDesk(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	w.at(10, 0)
	community := enter("T1006")
	east, west := w.gate(t, "打印门", 1), w.gate(t, "别的门", 1)
	agent := func(gate uint16) uint32 {
		public, _, err := ed25519.GenerateKey(rand.Reader)
		ok(t, err)
		return w.enrol(t, gate, public).Agent
	}
	first, second := agent(east), agent(west)
	w.link.mu.Lock()
	w.link.states[first] = hub.State{Connected: true, Epoch: 1, Health: wire.Health{Printer: true}}
	w.link.states[second] = hub.State{Connected: true, Epoch: 1}
	w.link.prints = wire.Printed{State: wire.PrintDone}
	w.link.mu.Unlock()
	var printers struct{ Items []api.DeskPrinter }
	if w.as(t, community, 200, "GET", "/api/v1/printers", nil, &printers); len(printers.Items) != 1 || printers.Items[0] != (api.DeskPrinter{Gate: east, Name: "打印门"}) {
		t.Errorf("%+v", printers)
	}
	var p api.Paper
	w.as(t, community, 201, "POST", papersPath, w.sheetOf(t, "林国栋"), &p)
	path := papersPath + "/" + p.Number + "/print"
	body := map[string]any{"gate": east, "id": "0190aaaa"}
	var said api.PaperPrinted
	if w.as(t, community, 200, "POST", path, body, &said); said.State != "done" || len(w.link.printed) != 1 {
		t.Errorf("%+v, %d prints", said, len(w.link.printed))
	}
	w.as(t, community, 200, "POST", path, body, &said)
	if len(w.link.printed) != 1 {
		t.Errorf("the same id was printed %d times", len(w.link.printed))
	}
	for _, bad := range []map[string]any{
		{"gate": east, "id": "short"},
		{"gate": east, "id": "=1+1+1+1+1"},
		{"gate": 999, "id": "0190bbbb"},
		{"gate": 0, "id": "0190bbbb"},
		{"gate": east},
		{"id": "0190bbbb"},
		{"gate": east, "id": strings.Repeat("a", 10_000)},
	} {
		w.refused(t, w.call(t, community, "POST", path, bad), 422, "invalid")
	}
	w.refused(t, w.call(t, community, "POST", papersPath+"/P20260101-0001/print", body), 404, "not_found")
	w.refused(t, w.call(t, enter("T1001"), "POST", path, body), 403, "forbidden")
	w.as(t, community, 200, "POST", papersPath+"/"+p.Number+"/return", nil, nil)
	turnedAway(t, w.call(t, community, "POST", path, map[string]any{"gate": east, "id": "0190cccc"}), "PAPER_PASS_OVER")
	if strings.Contains(w.log.String(), p.Pass.Code) || strings.Contains(w.log.String(), "松林坡") {
		t.Error("the log holds what was printed")
	}
}
