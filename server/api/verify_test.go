package api_test

import (
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/people"
)

const (
	verifyPath = "/api/v1/verify"
	admitPath  = "/api/v1/verify/admit"
)

// look makes a guard look at a code.
func (w *world) look(t testing.TB, guard, text, reason, kind string) api.Look {
	t.Helper()
	var l api.Look
	w.as(t, guard, 200, "POST", verifyPath, map[string]any{"code": text}, &l)
	if l.Verdict.Reason != reason || l.Verdict.Kind != kind {
		t.Fatalf("verdict %+v, want %s", l.Verdict, reason)
	}
	for _, lang := range []string{"zh", "en"} {
		if text := l.Verdict.Text[lang]; text.Word == "" || text.Title == "" {
			t.Errorf("%s: %+v", lang, text)
		}
	}
	return l
}

func TestVerify_CQ079_OnlyAGuardWhoIsLoggedIn(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	var p api.Pass
	w.want(t, 201, "POST", "/api/v1/passes", resident(), &p)
	for path, body := range map[string]map[string]any{verifyPath: {"code": p.Code}, admitPath: {"ticket": strings.Repeat("0", 32)}} {
		w.refused(t, w.call(t, "", "POST", path, body), 401, "no_token")
		w.refused(t, w.call(t, inSession+strings.Repeat("A", 43), "POST", path, body), 401, "session_ended")
		for _, number := range []string{"T1001", "T1006", "T1008", "T1011", "S26001"} { // staff, desk, statistics, auditor, student
			w.refused(t, w.call(t, enter(number), "POST", path, body), 403, "forbidden")
		}
		w.refused(t, w.call(t, w.token, "POST", path, body), 403, "no_person") // a token stands at no gate
	}
	w.refused(t, w.call(t, enter("T1010"), "POST", verifyPath, map[string]any{"code": p.Code}), 409, "no_gate")
	if n := len(w.events(t)); n != 0 {
		t.Errorf("%d events of calls that were refused", n)
	}
}

func (w *world) events(t testing.TB) []api.Event {
	t.Helper()
	var list struct{ Events []api.Event }
	w.want(t, 200, "GET", "/api/v1/events", nil, &list)
	return list.Events
}

func TestVerify_CQ078_CQ080_CQ081_CQ082_AGuardLooksAndAdmits(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	gate := w.gate(t, "西门", 1)
	w.someone(t, "G2001", people.Post{Role: people.Guard, Gate: gate})
	work := w.workPass(t, enter("T1001"), "做实验", true)
	w.decide(t, enter("T1002"), work.ID, "agree")
	w.as(t, enter("T1001"), 200, "GET", "/api/v1/applications/"+work.ID, nil, &work)
	var home apply.Application
	w.as(t, enter("13800130021"), 201, "POST", "/api/v1/applications", request("cqu.resident_pass", atHome("2026-11-22")), &home)
	var passes struct{ Items []api.MyPass }
	w.as(t, enter("13800130021"), 200, "GET", "/api/v1/me/passes", nil, &passes)
	single := passes.Items[0]

	t.Run("CQ-082 its fields", func(t *testing.T) {
		w.now.Store(time.Date(2026, 12, 20, 8, 0, 0, 0, time.FixedZone("", 8*3600)).UnixMilli())
		var live struct{ Code string }
		w.as(t, enter("T1001"), 200, "GET", "/api/v1/me/passes/"+work.Pass.ID+"/live", nil, &live)
		l := w.look(t, enter("G2001"), live.Code, "granted", "granted")
		if l.Holder == nil || *l.Holder != (api.LookHolder{Number: "T1001", Name: "周敏", Unit: "计算机学院", Reason: "做实验"}) {
			t.Errorf("holder %+v", l.Holder)
		}
		if l.Pass == nil || l.Pass.From != "2026-12-20" || l.Pass.Until != "2026-12-26" || l.Pass.Kind != "work" || l.Gate != (api.LookGate{ID: gate, Name: "西门"}) || l.Ticket == "" {
			t.Errorf("%+v %+v", l, l.Pass)
		}
		w.as(t, enter("G2001"), 200, "POST", admitPath, map[string]any{"ticket": l.Ticket}, &l)
		if l.Verdict.Kind != "granted" || l.EventID == "" {
			t.Errorf("admitted: %+v", l)
		}
	})
	before := len(w.events(t))
	w.now.Store(time.Date(2026, 11, 22, 8, 0, 0, 0, time.FixedZone("", 8*3600)).UnixMilli())
	guard := enter("G2001")
	t.Run("CQ-078 CQ-081 whatever scanned it: the address, or what stands in it", func(t *testing.T) {
		if !strings.HasPrefix(single.URL, w.URL+"/V/") {
			t.Fatalf("the code is no address: %s", single.URL)
		}
		_, segment, _ := strings.Cut(single.URL, "/V/")
		for _, text := range []string{single.Code, single.URL, segment} {
			l := w.look(t, guard, text, "needs_input", "needs_input") // the other gate decides
			if l.Pass == nil || l.Pass.ID != single.ID || l.Verdict.Need != "claim" || l.Decider == 0 || l.Holder.Name != "林国栋" {
				t.Errorf("%+v", l)
			}
		}
		if n := len(w.events(t)); n != before {
			t.Errorf("%d events of looks that nobody acted on", n-before)
		}
	})
	t.Run("CQ-080 refused where the deciding gate is silent, or the pass revoked", func(t *testing.T) {
		l := w.look(t, guard, single.Code, "needs_input", "needs_input")
		w.as(t, guard, 200, "POST", admitPath, map[string]any{"ticket": l.Ticket}, &l)
		if l.Verdict.Kind != "denied" || l.Verdict.Reason != "offline_not_allowed" {
			t.Errorf("silence: %+v", l.Verdict)
		}
		w.want(t, 200, "POST", "/api/v1/passes/"+single.ID+"/revoke", map[string]any{"reason": "迁出"}, nil)
		l = w.look(t, guard, single.Code, "revoked", "denied")
		if l.Ticket != "" || l.EventID == "" {
			t.Errorf("revoked: %+v", l)
		}
		w.look(t, guard, "HTTPS://X/V/NONSENSE", "malformed", "denied")
		w.refused(t, w.call(t, guard, "POST", admitPath, map[string]any{"ticket": strings.Repeat("0", 32)}), 409, "ticket_over")
	})
	t.Run("CQ-080 admitted once, and the record names the guard", func(t *testing.T) {
		request := resident()
		request["owner_gate"] = 0
		var p api.Pass
		w.want(t, 201, "POST", "/api/v1/passes", request, &p)
		l := w.look(t, guard, p.Code, "granted", "granted")
		w.as(t, guard, 200, "POST", admitPath, map[string]any{"ticket": l.Ticket}, &l)
		if l.Verdict.Kind != "granted" || l.EventID == "" {
			t.Fatalf("admitted: %+v", l)
		}
		if l = w.look(t, guard, p.Code, "already_used", "denied"); l.Verdict.First == nil || l.Verdict.First.Gate != gate || l.Holder != nil {
			t.Errorf("again: %+v", l)
		}
		events := w.events(t)
		e := events[len(events)-2]
		if e.PassID != p.ID || e.Reason != "granted" || e.Guard != "G2001" || e.Gate != gate || e.Lane != "phone" || e.At != w.now.Load() {
			t.Errorf("event %+v", e)
		}
		if e = events[len(events)-1]; e.Reason != "already_used" || e.Guard != "G2001" {
			t.Errorf("event %+v", e)
		}
	})
	if log := w.log.String(); strings.Contains(log, single.URL[len(single.URL)-20:]) || strings.Contains(log, "周敏") {
		t.Error("the log has a code or a name")
	}
}
