package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/apply"
	"campusgate/server/notify"
	"campusgate/server/people"
	"campusgate/server/store"
)

func TestMe_CM052_CM053_CM055_ShowsTheAccountWithPhoneAndMailMasked(t *testing.T) {
	w := newWorld(t)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		return w.told.Post(tx, []notify.Message{{Person: "20260001", Kind: "assigned", Subject: "甲"}, {Person: "20260001", Kind: "cc", Subject: "乙"}})
	}))
	me := w.someone(t, "20260001", people.Post{Role: people.Desk}, people.Post{Role: "dean"})
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		return w.staff.SetPhone(tx, "test", "20260001", mobile)
	}))
	r := w.call(t, me, "PUT", "/api/v1/me/mail", map[string]any{"mail": "linxiaolan@example.edu"})
	var got api.Me
	if r.into(t, &got); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if got.Number != "20260001" || got.Name != "林晓岚" || got.Kind != "staff" || got.Phone != "13*******01" || got.Mail != "l***@example.edu" ||
		got.Unread != 2 || got.Password || len(got.Posts) != 2 || got.Posts[0].Name != "窗口工作人员" || got.Posts[1].Name != "dean" {
		t.Errorf("%s", r.body)
	}
	w.refused(t, w.call(t, me, "PUT", "/api/v1/me/mail", map[string]any{"mail": "nobody"}), 422, "invalid")
	if r = w.call(t, me, "PUT", "/api/v1/me/mail", map[string]any{"mail": ""}); !strings.Contains(string(r.body), `"mail":""`) {
		t.Errorf("taken away: %s", r.body)
	}
}

func TestMe_CM051_PasswordChangeEndsTheOtherDevices(t *testing.T) {
	w := newWorld(t)
	first := w.someone(t, "20260001")
	second := w.enter(t, "20260001")
	if r := w.call(t, second, "PUT", "/api/v1/me/password", map[string]any{"old": "", "new": phrase}); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.refused(t, w.call(t, first, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
	w.refused(t, w.call(t, second, "PUT", "/api/v1/me/password", map[string]any{"old": phrase, "new": "20260001.."}), 422, "invalid")
}

func TestMe_CM053_PhoneIsChangedByACodeSentToIt(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001")
	other := w.enter(t, "20260001")
	send := func(phone string) int {
		return w.call(t, me, "POST", "/api/v1/me/phone/code", map[string]any{"phone": phone}).status
	}
	if send(mobile) != http.StatusAccepted || send(mobile) != http.StatusTooManyRequests {
		t.Fatal("sending")
	}
	w.refused(t, w.call(t, me, "PUT", "/api/v1/me/phone", map[string]any{"phone": mobile, "code": "x"}), 422, "bad_code")
	r := w.call(t, me, "PUT", "/api/v1/me/phone", map[string]any{"phone": mobile, "code": w.texts.code(mobile)})
	if r.status != http.StatusOK || !strings.Contains(string(r.body), `"phone":"13*******01"`) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	w.refused(t, w.call(t, other, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
	w.someone(t, "20260002")
	me = w.enter(t, "20260002")
	w.pass(time.Minute)
	send(mobile)
	w.refused(t, w.call(t, me, "PUT", "/api/v1/me/phone", map[string]any{"phone": mobile, "code": w.texts.code(mobile)}), 422, "invalid")
}

func TestMe_CM054_LoginsAndSessionsAreOnesOwn(t *testing.T) {
	w := newWorld(t)
	w.someone(t, "20260001")
	w.someone(t, "20260002")
	w.byPassword(t, "20260001", "wrong")
	me := w.enter(t, "20260001")
	var logins struct {
		Items             []api.LoginEntry
		Total, Page, Size int
	}
	w.call(t, me, "GET", "/api/v1/me/logins?page=1&size=2", nil).into(t, &logins)
	if logins.Total != 3 || logins.Page != 1 || logins.Size != 2 || len(logins.Items) != 2 || !logins.Items[0].Current || logins.Items[0].IP != "192.0.2.1" ||
		logins.Items[1].Current || logins.Items[1].Result != "wrong_password" || logins.Items[1].Way != "password" || logins.Items[1].IP != "127.0.0.1" {
		t.Errorf("%+v", logins)
	}
	for _, bad := range []string{"page=0", "size=201", "page=x", "person=20260002", "page=-1&size=0"} {
		if r := w.call(t, me, "GET", "/api/v1/me/logins?"+bad, nil); r.status != 422 {
			t.Errorf("%s: %d", bad, r.status)
		}
	}
	var sessions struct{ Items []api.SessionEntry }
	w.call(t, me, "GET", "/api/v1/me/sessions", nil).into(t, &sessions)
	if len(sessions.Items) != 2 || !sessions.Items[0].Current || sessions.Items[1].Current {
		t.Fatalf("%+v", sessions)
	}
	other := w.enter(t, "20260002")
	end := func(id string) reply { return w.call(t, other, "DELETE", "/api/v1/me/sessions/"+id, nil) }
	for _, id := range []string{sessions.Items[0].ID, "0", "-1", "x", "99999999999999999999", "1%27"} {
		w.refused(t, end(id), http.StatusNotFound, "not_found")
	}
	if r := w.call(t, me, "DELETE", "/api/v1/me/sessions/"+sessions.Items[1].ID, nil); r.status != http.StatusNoContent {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.call(t, me, "GET", "/api/v1/me/sessions", nil).into(t, &sessions)
	if len(sessions.Items) != 1 {
		t.Errorf("%+v", sessions)
	}
}

func TestInitialPassword_NobodyTakesOverAnAdministrator(t *testing.T) {
	w := newWorld(t)
	admin := w.someone(t, "20260001", people.Post{Role: people.Admin})
	w.someone(t, "20260002")
	clerk := w.newToken(t, "people:write", "people:read")
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/people/20260001/password", nil), http.StatusForbidden, "forbidden")
	if r := w.call(t, clerk, "POST", "/api/v1/people/20260002/password", nil); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
	w.refused(t, w.call(t, clerk, "POST", "/api/v1/people/nobody/password", nil), http.StatusNotFound, "not_found")
	if r := w.call(t, admin, "GET", "/api/v1/me", nil); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}

// A person may enrol a phone for a pass of their own; others' passes are not
// there for them.
func TestPhoneKeys_TheHolderMayEnrolAndNobodyElse(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	holder, head := enter("T1001"), enter("T1002")
	var a apply.Application
	w.as(t, holder, 201, "POST", "/api/v1/applications", request("cqu.work_pass", map[string]any{"start": "2026-11-21", "end": "2026-11-22"}), &a)
	w.as(t, head, 200, "GET", "/api/v1/applications/"+a.ID, nil, &a)
	w.as(t, head, 200, "POST", "/api/v1/applications/"+a.ID+"/act", map[string]any{"verb": "decide", "task": a.Mine.Task, "outcome": "agree"}, &a)
	path := fmt.Sprintf("/api/v1/passes/%s/keys/nonce", a.Pass.ID)
	w.as(t, holder, http.StatusCreated, "POST", path, nil, nil)
	w.refused(t, w.call(t, head, "POST", path, nil), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.newToken(t, "passes:read"), "POST", path, nil), http.StatusForbidden, "forbidden")
}
