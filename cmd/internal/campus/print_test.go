package campus_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/devices/escpos/paper"
)

// A clerk hands out a paper pass on the gate's receipt printer: what comes out is
// read off the paper and admits at that gate. Killed or asked again, it comes out
// once.
func TestPrint_CQ015_APaperPassOnTheReceiptPrinterOfAGate(t *testing.T) {
	t.Parallel()
	var printer paper.Device
	address, stop, err := printer.Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}, Printer: address})
	gate := c.Gates[0]
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	do := func(method, path string, in, out any) {
		t.Helper()
		if err := c.Client.Do(ctx, method, "/api/v1"+path, in, out); err != nil {
			t.Fatal(err)
		}
	}
	do(http.MethodPost, "/campuses", map[string]any{"id": "A", "name": "A校区", "zone": 1}, nil)
	do(http.MethodPost, "/compounds", map[string]any{"campus": "A", "name": "松林坡", "on_campus": true}, nil)
	var home struct{ ID int64 }
	do(http.MethodPost, "/households", map[string]any{"compound": "松林坡", "building": "3栋", "room": "201", "head": "林国栋"}, &home)
	do(http.MethodPut, "/desks", map[string]any{"items": []any{map[string]any{ // open at any time
		"id": "community", "name": "社区办", "unit": "", "serves": []any{map[string]any{"who": "residents"}}, "hours": []any{}, "documents": []string{"id_card"},
	}}}, nil)
	var sheet struct{ Number string }
	do(http.MethodPost, "/papers", map[string]any{
		"desk": "community", "household": home.ID, "doc4": "0217", "documents": []string{"id_card"},
	}, &sheet)

	var printers struct {
		Items []struct{ Gate uint16 }
	}
	err = campus.Until(ctx, func() (bool, error) {
		err := c.Client.Do(ctx, http.MethodGet, "/api/v1/printers", nil, &printers)
		return len(printers.Items) == 1 && printers.Items[0].Gate == gate.ID, err
	})
	if err != nil {
		t.Fatalf("the gate does not report its printer: %v", err)
	}
	type printed struct{ State, Reason string }
	print := func(id string) (p printed) {
		t.Helper()
		do(http.MethodPost, "/papers/"+sheet.Number+"/print", map[string]any{"gate": gate.ID, "id": id}, &p)
		return p
	}
	if got := print("0190aaaa"); got.State != "done" {
		t.Fatalf("%+v", got)
	}
	slips, err := printer.Slips(ctx, 1, 32)
	if err != nil {
		t.Fatal(err)
	}
	said := slips[0].Text()
	for _, want := range []string{"云岭大学\n纸质通行证\nPaper pass\n" + sheet.Number + "\n", "林国栋", "0217", "松林坡 3栋 201", "社区办"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not on the paper:\n%s", want, said)
		}
	}
	code, err := slips[0].Code()
	if err != nil {
		t.Fatal(err)
	}
	relay := campustest.Watch(t, gate)
	plug(t, gate).scan(t, code)
	relay.Await(t, 1)
	if e := arrived(t, c, 1)[0]; e.Reason != "granted" {
		t.Errorf("the code on the paper: %+v", e)
	}

	// The same id again prints nothing, also where the agent was killed meanwhile.
	if got := print("0190aaaa"); got.State != "done" {
		t.Errorf("again: %+v", got)
	}
	gate.Agent.Kill()
	if got := print("0190bbbb"); got.State != "failed" || got.Reason != "offline" {
		t.Errorf("while the agent is gone: %+v", got)
	}
	if err := gate.Start(ctx); err != nil {
		t.Fatal(err)
	}
	printer.Set(paper.State{PaperOut: true})
	var got printed
	err = campus.Until(ctx, func() (bool, error) { // until it is connected again
		got = print("0190cc" + time.Now().Format("150405000000"))
		return got.Reason != "offline", nil
	})
	if err != nil || got.State != "failed" || got.Reason != "paper_out" {
		t.Errorf("without paper: %+v, %v", got, err)
	}
	if slips, err := printer.Slips(ctx, 1, 32); err != nil || len(slips) != 1 {
		t.Errorf("%d slips, %v", len(slips), err)
	}
}
