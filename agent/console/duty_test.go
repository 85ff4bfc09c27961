package console_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/shift"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// The agent's own parts are ones that the console can use.
var _ console.Guards = (*shift.Logins)(nil)

// post is a console.Guards with one guard, and a console.Lookup; the gauge says
// who is on duty.
type post struct {
	gauge *gauge

	mu        sync.Mutex
	wrong     error // answers every login
	found     []snapshot.Found
	registers []lane.Registered
	queries   []string
}

var onDuty = desk.Shift{Number: "G0021", Name: "秦砚书", Since: 1795190400000}

func (p *post) Begin(_ context.Context, number, digits string) (desk.Shift, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.wrong != nil:
		return desk.Shift{}, p.wrong
	case number != onDuty.Number || digits != "470318":
		return desk.Shift{}, shift.ErrPIN
	}
	p.gauge.set(func(s *console.Status) { s.Shift.Guard = &onDuty })
	return onDuty, nil
}

func (p *post) Check(number, digits string) (wire.Guard, error) {
	if number != onDuty.Number || digits != "470318" {
		return wire.Guard{}, shift.ErrPIN
	}
	return wire.Guard{Name: onDuty.Name}, nil
}

func (p *post) End(context.Context) error {
	p.gauge.set(func(s *console.Status) { s.Shift.Guard = nil })
	return nil
}

func (p *post) On() desk.Shift { return desk.Shift{} }

func (p *post) Search(_ context.Context, query string) ([]snapshot.Found, bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queries = append(p.queries, query); len([]rune(query)) < 2 {
		return nil, false, snapshot.ErrQuery
	}
	return p.found, false, nil
}

func (p *post) Registers(context.Context) ([]lane.Registered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.registers, nil
}

// manned serves a console of a gate where a guard has to be on duty.
func manned(t *testing.T, d *actor, g *gauge) (*post, string) {
	t.Helper()
	p := &post{
		gauge: g,
		found: []snapshot.Found{
			{ID: signing.PassID{7}, Kind: signing.ResidentSingle, Name: "欧阳明月", From: 1795190400, Until: 1795276800, Uses: 1, State: "valid"},
			{ID: signing.PassID{8}, Kind: signing.Work, Name: "欧阳靖", From: 1795190400, Until: 1796276800, State: "revoked"},
		},
		registers: []lane.Registered{
			{
				Event: wire.EventID{Agent: 7, Epoch: 1, Seq: 40}, Rule: "winter_student", At: time.Now().Add(-2 * time.Hour).UnixMilli(),
				Register: wire.Register{Kind: verdict.RegisterStudent, Person: "沈未央", Number: "2019114"},
			},
			{
				Event: wire.EventID{Agent: 7, Epoch: 1, Seq: 41}, Rule: "relative", At: time.Now().Add(-time.Hour).UnixMilli(),
				Register: wire.Register{Kind: verdict.RegisterRelative, Person: "顾长青", Relation: "spouse", Staff: "陆知行"},
			},
			{
				Event: wire.EventID{Agent: 7, Epoch: 1, Seq: 12}, Rule: "winter_student", At: time.Now().Add(-30 * time.Hour).UnixMilli(),
				EndedAt: time.Now().Add(-26 * time.Hour).UnixMilli(), Register: wire.Register{Kind: verdict.RegisterStudent, Person: "许听澜", Number: "2018007"},
			},
		},
	}
	g.set(func(s *console.Status) { s.Shift.Required = true })
	srv := served(t, d, g, func(c *console.Config) { c.Guards, c.Lookup = p, p })
	return p, srv.URL + "/api/v1"
}

type refusal struct {
	Code    string         `json:"code"`
	Details map[string]any `json:"details"`
}

func refused(t *testing.T, got reply, status int, code string) refusal {
	t.Helper()
	var e refusal
	got.json(t, &e)
	if got.status != status || e.Code != code {
		t.Fatalf("%d %s, want %d %s", got.status, got.body, status, code)
	}
	return e
}

func TestShift_CQ079_BeginsWithNumberAndPIN(t *testing.T) {
	p, api := manned(t, newDesk(), newGauge())
	login := func(body string) reply { return send(t, "POST", api+"/shift", body) }
	refused(t, login(`{"number":"G0021","pin":"000000"}`), http.StatusUnauthorized, "bad_pin")
	refused(t, login(`{}`), http.StatusUnauthorized, "bad_pin")
	refused(t, login(`{"number":"G0021","pin":470318}`), http.StatusBadRequest, "bad_json")
	for _, path := range []string{"/registers", "/passes?q=欧阳"} {
		refused(t, send(t, "GET", api+path, ""), http.StatusForbidden, "no_shift")
	}
	var on desk.Shift
	if got := login(`{"number":"G0021","pin":"470318"}`); got.status != http.StatusOK {
		t.Fatalf("%d %s", got.status, got.body)
	} else if got.json(t, &on); on != onDuty {
		t.Fatalf("on duty %+v", on)
	}
	var s console.Status
	send(t, "GET", api+"/status", "").json(t, &s)
	if !s.Shift.Required || s.Shift.Guard == nil || *s.Shift.Guard != onDuty {
		t.Fatalf("status %+v", s.Shift)
	}
	if got := send(t, "DELETE", api+"/shift", ""); got.status != http.StatusNoContent || got.body != "" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	send(t, "GET", api+"/status", "").json(t, &s)
	if s.Shift.Guard != nil {
		t.Fatalf("status %+v", s.Shift)
	}
	p.mu.Lock()
	p.wrong = &shift.LockedError{Wait: 1500 * time.Millisecond}
	p.mu.Unlock()
	if e := refused(t, login(`{"number":"G0021","pin":"470318"}`), http.StatusTooManyRequests, "locked"); e.Details["retry_after"] != 2.0 {
		t.Fatalf("details %v", e.Details)
	}
	p.mu.Lock()
	p.wrong = errors.New("the disk is on fire")
	p.mu.Unlock()
	refused(t, login(`{"number":"G0021","pin":"470318"}`), http.StatusInternalServerError, "internal")
}

// Another page in the browser can no more begin a shift or let somebody in than
// it can scan.
func TestGuardsCallsAreRefusedToOtherPages(t *testing.T) {
	d := newDesk()
	_, api := manned(t, d, newGauge())
	for _, call := range [][2]string{{"POST", "/shift"}, {"DELETE", "/shift"}, {"POST", "/entries"}, {"POST", "/scans/s1/answer"}} {
		got := send(t, call[0], api+call[1], `{}`, "Origin", "https://evil.example")
		refused(t, got, http.StatusForbidden, "cross_origin")
		if call[0] == "POST" {
			refused(t, send(t, call[0], api+call[1], `{}`, "Content-Type", "text/plain"), http.StatusUnsupportedMediaType, "bad_content_type")
		}
	}
	if asked := d.asked(); len(asked) > 0 {
		t.Errorf("the desk was asked %q", asked)
	}
}

func TestEntry_CQ031_CQ033_IsHandedToTheLane(t *testing.T) {
	d, g := newDesk(), newGauge()
	g.set(func(s *console.Status) {
		s.Lanes = append(s.Lanes, s.Lanes[0])
		s.Lanes[1].Name, s.Lanes[1].Direction = "出口", "out"
	})
	_, api := manned(t, d, g)
	enter := func(body string) reply { return send(t, "POST", api+"/entries", body) }
	var r desk.Result
	got := enter(`{"rule":"winter_student","direction":"out","documents":["consent_form"],"register":{"person":"沈未央","number":"2019114"}}`)
	if got.json(t, &r); got.status != http.StatusOK || !r.Opens || r.Name != "沈未央" || r.Rule != "winter_student" {
		t.Fatalf("%d %s", got.status, got.body)
	}
	enter(`{"rule":"winter_student","documents":["consent_form"],"register":{"ends":"7-1-40"}}`)
	enter(`{"rule":"relative","lane":"出口","register":{"person":"顾长青","relation":"spouse","staff":"陆知行"},"note":"探亲"}`)
	if got := enter(`{"rule":"visitor"}`); !strings.Contains(got.body, `"document_not_accepted"`) || !strings.Contains(got.body, `"barred":true`) {
		t.Errorf("visitor: %s", got.body)
	}
	want := []string{
		`enter 出口 out winter_student "consent_form" 沈未央/2019114// `,
		`enter 入口 in winter_student "consent_form" /// ends 7-1-40 `,
		`enter 出口 in relative "" 顾长青//spouse/陆知行 探亲`,
		`enter 入口 in visitor "" `,
	}
	if asked := d.asked(); strings.Join(asked, "\n") != strings.Join(want, "\n") {
		t.Errorf("the desk was asked\n%s\nwant\n%s", strings.Join(asked, "\n"), strings.Join(want, "\n"))
	}
	refused(t, enter(`{"rule":"nobody"}`), http.StatusUnprocessableEntity, "unknown_rule")
	refused(t, enter(`{"rule":"staff","documents":["ticket"]}`), http.StatusUnprocessableEntity, "unknown_document")
	refused(t, enter(`{"rule":"staff","register":{"ends":"seven"}}`), http.StatusBadRequest, "bad_json")
	refused(t, enter(`{"rule":"staff","pass":"xyz"}`), http.StatusBadRequest, "bad_json")
	for err, want := range map[error]refusal{
		desk.ErrNoShift: {Code: "no_shift"}, lane.ErrNoRegister: {Code: "unknown_register"}, lane.ErrBadEntry: {Code: "bad_request"},
	} {
		d.mu.Lock()
		d.fail = err
		d.mu.Unlock()
		if got := enter(`{"rule":"staff"}`); !strings.Contains(got.body, `"`+want.Code+`"`) {
			t.Errorf("%v: %s", err, got.body)
		}
	}
}

func TestPassesAndRegistersAreToldToTheGuardOnDuty(t *testing.T) {
	p, api := manned(t, newDesk(), newGauge())
	p.gauge.set(func(s *console.Status) { s.Shift.Guard = &onDuty })
	var found struct {
		Passes []snapshot.Found
		More   bool
	}
	send(t, "GET", api+"/passes?q=%E6%AC%A7%E9%98%B3", "").json(t, &found)
	if len(found.Passes) != 2 || found.Passes[0].Name != "欧阳明月" || found.Passes[1].State != "revoked" || p.queries[0] != "欧阳" {
		t.Fatalf("found %+v for %q", found, p.queries)
	}
	refused(t, send(t, "GET", api+"/passes?q=x", ""), http.StatusUnprocessableEntity, "bad_request")
	refused(t, send(t, "GET", api+"/passes", ""), http.StatusUnprocessableEntity, "bad_request")
	var registers struct{ Registers []lane.Registered }
	send(t, "GET", api+"/registers", "").json(t, &registers)
	if len(registers.Registers) != 3 || registers.Registers[0].Register.Person != "沈未央" {
		t.Fatalf("registers %+v", registers)
	}
	// A gate without these parts has none, and says so in the same shape.
	bare := served(t, newDesk(), newGauge(), nil).URL + "/api/v1"
	for _, path := range []string{"/passes?q=ab", "/registers"} {
		if got := send(t, "GET", bare+path, ""); got.status != http.StatusOK || !strings.Contains(got.body, "[]") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	refused(t, send(t, "POST", bare+"/shift", `{"number":"a","pin":"b"}`), http.StatusUnauthorized, "bad_pin")
	if got := send(t, "DELETE", bare+"/shift", ""); got.status != http.StatusNoContent {
		t.Errorf("nobody goes: %d", got.status)
	}
}

func TestFeedTellsOfANewGuideline(t *testing.T) {
	var mu sync.Mutex
	inForce := guideline()
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) {
		c.Refresh = 5 * time.Millisecond
		c.Guideline = func() *verdict.Guideline {
			mu.Lock()
			defer mu.Unlock()
			return inForce
		}
	})
	f := dial(t, srv.URL, nil)
	f.next(t)
	mu.Lock()
	inForce = &verdict.Guideline{Documents: []verdict.DocumentKind{{ID: "badge", Name: verdict.Words{ZH: "胸牌", EN: "Badge"}}}}
	mu.Unlock()
	if list := f.until(t, "texts").Texts.Documents; len(list) != 1 || list[0].Label.ZH != "胸牌" {
		t.Fatalf("documents %+v", list)
	}
}
