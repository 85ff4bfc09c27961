package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/signing/wire"
)

// A merchant's manager enrols the tills of their own merchant: no other's, and
// no gate.
func TestTillEnrolment_AManagerForTheirOwnTillsOnly(t *testing.T) {
	w := newWorld(t)
	manager := w.someone(t, "M1", people.Post{Role: people.Merchant})
	finance := w.someone(t, "F1", people.Post{Role: people.Finance})
	_, mine := w.shop(t, "一食堂", `"M1"`)
	_, other := w.shop(t, "二食堂", "")
	gate := int(w.gate(t, "东门", 1))
	enrol := func(who string, id int) reply {
		return w.call(t, who, "POST", fmt.Sprintf("/api/v1/tills/%d/enrolments", id), map[string]any{})
	}
	for _, id := range []int{other, gate, 999} {
		w.refused(t, enrol(manager, id), http.StatusNotFound, "not_found")
	}
	w.refused(t, w.call(t, manager, "POST", fmt.Sprintf("/api/v1/gates/%d/enrolments", mine), map[string]any{}), http.StatusForbidden, "forbidden")
	w.refused(t, enrol(finance, gate), http.StatusNotFound, "not_found")
	if r := enrol(finance, other); r.status != http.StatusCreated {
		t.Errorf("finance: %d %s", r.status, r.body)
	}
	r := enrol(manager, mine)
	if r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var ticket struct{ Code string }
	r.into(t, &ticket)
	var is wire.Enrolled
	w.expect(t, "", "POST", wire.EnrolPath, wire.Enrol{Code: ticket.Code, PublicKey: public(t), Hostname: "till-pc"}, http.StatusCreated, &is)
	if int(is.Gate) != mine {
		t.Errorf("it enrolled %d instead of %d", is.Gate, mine)
	}
	trail, err := w.db.Trail(t.Context(), 0, 10_000)
	ok(t, err)
	var by []string
	for _, e := range trail {
		if e.Action == "enrolment.created" && strings.HasPrefix(e.Actor, "person ") {
			by = append(by, e.Actor+" "+e.Target)
		}
	}
	if want := fmt.Sprintf("[person F1 gate %d person M1 gate %d]", other, mine); fmt.Sprint(by) != want {
		t.Errorf("trail %v, want %s", by, want)
	}
}
