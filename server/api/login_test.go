package api_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/store"
)

const (
	mobile = "13800130001"
	phrase = "correct horse battery"
)

// cookieOf is the session cookie that an answer sets.
func cookieOf(t testing.TB, r reply) *http.Cookie {
	t.Helper()
	for _, c := range (&http.Response{Header: r.header}).Cookies() {
		if c.Name == auth.Cookie {
			return c
		}
	}
	t.Fatalf("no session cookie: %d %v", r.status, r.header)
	return nil
}

// byPhone signs in by phone over HTTP.
func (w *world) byPhone(t testing.TB, phone string) (reply, string) {
	t.Helper()
	if r := w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": phone}); r.status != http.StatusAccepted {
		t.Fatalf("code: %d %s", r.status, r.body)
	}
	r := w.call(t, "", "POST", "/api/v1/login/phone", map[string]any{"phone": phone, "code": w.texts.code(phone)})
	if r.status != http.StatusOK {
		t.Fatalf("login: %d %s", r.status, r.body)
	}
	return r, inSession + cookieOf(t, r).Value
}

func (w *world) initial(t testing.TB, number string) string {
	t.Helper()
	var p api.InitialPassword
	w.want(t, http.StatusOK, "POST", "/api/v1/people/"+number+"/password", nil, &p)
	return p.Password
}

func (w *world) byPassword(t testing.TB, number, password string) reply {
	t.Helper()
	return w.call(t, "", "POST", "/api/v1/login/password", map[string]any{"number": number, "password": password})
}

func (w *world) pass(d time.Duration) { w.now.Add(d.Milliseconds()) }

func TestLogin_WaysAreThoseThatAreSetUp(t *testing.T) {
	var ways api.Ways
	newWorld(t).want(t, http.StatusOK, "GET", "/api/v1/login/ways", nil, &ways)
	if !ways.Phone || !ways.Password || ways.Demo || ways.Site != "云岭大学" || len(ways.OIDC)+len(ways.CAS) != 0 {
		t.Errorf("%+v", ways)
	}
	w := newWorld(t, func(w *world, d *api.Deps) { w.doors.Texter, d.Demo = nil, true })
	if w.want(t, http.StatusOK, "GET", "/api/v1/login/ways", nil, &ways); ways.Phone || !ways.Demo {
		t.Errorf("%+v", ways)
	}
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": mobile}), http.StatusNotFound, "no_such_way")
}

func TestLogin_CQ041_PhoneAndCodeGiveASession(t *testing.T) {
	w := newWorld(t)
	r, me := w.byPhone(t, mobile)
	var in api.LoggedIn
	if r.into(t, &in); in.Me.Number == "" || in.Me.Kind != "resident" || in.Me.Phone != "13*******01" || fmt.Sprint(in.Me.Scopes) != "[self]" {
		t.Errorf("me %s", r.body)
	}
	c := cookieOf(t, r)
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge < 90*24*3600 || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	var again api.Me
	w.call(t, me, "GET", "/api/v1/me", nil).into(t, &again)
	if again.Number != in.Me.Number {
		t.Errorf("me %+v", again)
	}
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/phone", map[string]any{"phone": mobile, "code": w.texts.code(mobile)}), 422, "bad_code")
}

func TestLogin_CookieIsSecureUnderTLS(t *testing.T) {
	w := newWorld(t, func(_ *world, d *api.Deps) { d.Public = "https://gate.example.edu" })
	if r, _ := w.byPhone(t, mobile); !cookieOf(t, r).Secure {
		t.Error("it goes over plain connections too")
	}
}

func TestLogin_TheAnswerDoesNotTellWhetherAPhoneIsKnown(t *testing.T) {
	w := newWorld(t)
	w.byPhone(t, mobile)
	w.pass(time.Hour)
	known := w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": mobile})
	unknown := w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": "13800130002"})
	if known.status != unknown.status || string(known.body) != string(unknown.body) ||
		strings.TrimSpace(string(known.body)) != `{"resend_after":60,"expires_in":300}` {
		t.Errorf("%d %s, %d %s", known.status, known.body, unknown.status, unknown.body)
	}
	r := w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": mobile})
	p := w.refused(t, r, http.StatusTooManyRequests, "too_many_attempts")
	if r.header.Get("Retry-After") != "60" || !strings.Contains(string(r.body), `"retry_after":60`) || p.Message == "" {
		t.Errorf("%v %s", r.header, r.body)
	}
	w.pass(time.Hour)
	w.texts.fault = errors.New("down")
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": mobile}), http.StatusServiceUnavailable, "sms_unavailable")
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": "=1+1"}), 422, "invalid")
}

func TestLogin_AnAddressThatGuessesOrSendsTooMuchWaits(t *testing.T) {
	w := newWorld(t)
	var last reply
	for i := range 40 {
		if last = w.byPassword(t, fmt.Sprint("n", i), "wrong"); last.status != 422 {
			break
		}
	}
	w.refused(t, last, http.StatusTooManyRequests, "too_many_attempts")
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/link", map[string]any{"key": "x", "number": "1", "name": "x", "password": phrase}), http.StatusTooManyRequests, "too_many_attempts")
	for i := range 40 {
		if last = w.call(t, "", "POST", "/api/v1/login/code", map[string]any{"phone": fmt.Sprintf("138%08d", i)}); last.status != http.StatusAccepted {
			break
		}
	}
	w.refused(t, last, http.StatusTooManyRequests, "too_many_attempts")
	if n := len(w.texts.codes); n != 30 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestLogin_CM013_CM014_InitialPasswordOpensNothingButItsChange(t *testing.T) {
	w := newWorld(t)
	w.someone(t, "20260001", people.Post{Role: people.Admin})
	initial := w.initial(t, "20260001")
	w.refused(t, w.byPassword(t, "20260001", "wrong"), 422, "bad_credentials")
	w.refused(t, w.byPassword(t, "nobody", "wrong"), 422, "bad_credentials")
	r := w.byPassword(t, "20260001", initial)
	var in api.LoggedIn
	if r.into(t, &in); r.status != http.StatusOK || !in.Me.MustChange {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if c := cookieOf(t, r); c.MaxAge != 0 || !c.Expires.IsZero() {
		t.Errorf("the cookie of a password stays on the PC: %+v", c)
	}
	me := inSession + cookieOf(t, r).Value
	w.refused(t, w.call(t, me, "GET", "/api/v1/gates", nil), http.StatusForbidden, "must_change_password")
	w.refused(t, w.call(t, me, "GET", "/api/v1/me/logins", nil), http.StatusForbidden, "must_change_password")
	p := w.refused(t, w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": initial, "new": "12345678"}), 422, "invalid")
	if len(p.Details.Faults) != 1 || p.Details.Faults[0].Field != "new" {
		t.Errorf("%+v", p)
	}
	w.refused(t, w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": "not it", "new": phrase}), 422, "bad_credentials")
	r = w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": initial, "new": phrase})
	var now api.Me
	if r.into(t, &now); r.status != http.StatusOK || now.MustChange || !now.Password {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r = w.call(t, me, "GET", "/api/v1/gates", nil); r.status != http.StatusOK {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
	for range 5 {
		w.refused(t, w.byPassword(t, "20260001", "wrong"), 422, "bad_credentials")
	}
	w.refused(t, w.byPassword(t, "20260001", phrase), http.StatusTooManyRequests, "too_many_attempts")
}

func TestLogin_LinkOfInitMakesTheFirstAdministrator(t *testing.T) {
	w := newWorld(t)
	add := func(key string) {
		sum := sha256.Sum256([]byte(key))
		ok(t, w.db.AddLink(t.Context(), "init", auth.LinkPurpose, sum[:], w.Now().Add(24*time.Hour).UnixMilli()))
	}
	add("one")
	add("two")
	body := map[string]any{"key": "one", "number": "20260001", "name": "林晓岚", "password": phrase}
	r := w.call(t, "", "POST", "/api/v1/login/link", body)
	var in api.LoggedIn
	if r.into(t, &in); r.status != http.StatusOK || fmt.Sprint(in.Me.Scopes) != "[self admin]" || in.Me.Posts[0].Name != "管理员" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := w.call(t, inSession+cookieOf(t, r).Value, "GET", "/api/v1/tokens", nil); r.status != http.StatusOK {
		t.Errorf("the administrator may not: %d", r.status)
	}
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/link", body), http.StatusConflict, "used")
	body["key"] = "none"
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/link", body), http.StatusNotFound, "link_unknown")
	body["key"] = "two"
	w.pass(24 * time.Hour)
	w.refused(t, w.call(t, "", "POST", "/api/v1/login/link", body), http.StatusGone, "ended")
}

func TestLogin_CQ079_AGuardSignsInAndStandsAtTheirGate(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	w.someone(t, "20260001", people.Post{Role: people.Guard, Gate: gate})
	initial := w.initial(t, "20260001")
	me := inSession + cookieOf(t, w.byPassword(t, "20260001", initial)).Value
	r := w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": initial, "new": phrase})
	var guard api.Me
	if r.into(t, &guard); guard.Gate != gate || fmt.Sprint(guard.Scopes) != "[self guard]" || guard.Posts[0].Name != "门卫" || guard.Posts[0].Gate != gate {
		t.Errorf("%s", r.body)
	}
}

func TestLogout_EndsTheSessionAndClearsTheCookie(t *testing.T) {
	w := newWorld(t)
	_, me := w.byPhone(t, mobile)
	r := w.call(t, me, "POST", "/api/v1/logout", "{}")
	if c := cookieOf(t, r); r.status != http.StatusNoContent || c.Value != "" || c.MaxAge >= 0 || c.Path != "/" {
		t.Errorf("%d %+v", r.status, c)
	}
	w.refused(t, w.call(t, me, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
}

func TestLogin_MakesANewSessionAndEndsTheOneOfTheBrowser(t *testing.T) {
	w := newWorld(t)
	_, old := w.byPhone(t, mobile)
	w.pass(time.Hour)
	ok(t, w.doors.SendCode(t.Context(), "13800130002"))
	r := w.call(t, old, "POST", "/api/v1/login/phone", map[string]any{"phone": "13800130002", "code": w.texts.code("13800130002")})
	if cookie := inSession + cookieOf(t, r).Value; cookie == old {
		t.Error("the same cookie goes on")
	}
	w.refused(t, w.call(t, old, "GET", "/api/v1/me", nil), http.StatusUnauthorized, "session_ended")
}

func TestCrossOrigin_CallsThatChangeSomethingAreRefused(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001", people.Post{Role: people.Admin})
	for _, c := range []struct {
		name, who, method, path, header, value string
		refused                                bool
	}{
		{"another origin", me, "PUT", "/api/v1/me/mail", "Origin", "https://evil.example", true},
		{"a page without one", me, "PUT", "/api/v1/me/mail", "Origin", "null", true},
		{"another site", me, "PUT", "/api/v1/me/mail", "Sec-Fetch-Site", "cross-site", true},
		{"another host of the site", me, "DELETE", "/api/v1/me/sessions/99", "Sec-Fetch-Site", "same-site", true},
		{"signing somebody in", "", "POST", "/api/v1/login/code", "Origin", "https://evil.example", true},
		{"signing out", me, "POST", "/api/v1/logout", "Origin", "https://evil.example", true},
		{"reading", me, "GET", "/api/v1/me", "Origin", "https://evil.example", false},
		{"our own", me, "PUT", "/api/v1/me/mail", "Origin", w.URL, false},
		{"our own, by the browser's word", me, "PUT", "/api/v1/me/mail", "Sec-Fetch-Site", "same-origin", false},
		{"a token", w.token, "POST", "/api/v1/keys/rotate", "Origin", "https://evil.example", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequestWithContext(t.Context(), c.method, w.URL+c.path, strings.NewReader(`{"mail":""}`))
			ok(t, err)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set(c.header, c.value)
			as(req, c.who)
			var p problem
			r := w.do(t, req)
			r.into(t, &p)
			if got := r.status == http.StatusForbidden && p.Code == "cross_origin"; got != c.refused {
				t.Errorf("%d %s", r.status, r.body)
			}
		})
	}
}

// A form of another site may send these types without asking first.
func TestContentType_OnlyWhatTheCallTakes(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001")
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json+x", "*/*", "\x7f"} {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", w.URL+"/api/v1/me/mail", strings.NewReader(`{"mail":"a@example.edu"}`))
		ok(t, err)
		if kind != "" && kind != "\x7f" {
			req.Header.Set("Content-Type", kind)
		}
		as(req, me)
		w.refused(t, w.do(t, req), http.StatusUnsupportedMediaType, "not_json")
	}
	if r := w.call(t, me, "PUT", "/api/v1/me/mail", map[string]any{"mail": "a@example.edu"}); r.status != http.StatusOK {
		t.Errorf("%d %s", r.status, r.body)
	}
}

func TestLogin_NeitherLogNorTrailHasPhonesCodesOrPasswords(t *testing.T) {
	w := newWorld(t)
	r, me := w.byPhone(t, mobile)
	code := w.texts.code(mobile)
	var in api.LoggedIn
	r.into(t, &in)
	w.call(t, me, "PUT", "/api/v1/me/password", map[string]any{"old": "", "new": phrase})
	w.byPassword(t, in.Me.Number, "a wrong phrase")
	initial := w.initial(t, in.Me.Number)
	w.byPassword(t, in.Me.Number, initial)
	w.call(t, "", "POST", "/api/v1/login/phone", map[string]any{"phone": "13800130009", "code": "918273"})
	w.call(t, "", "POST", "/api/v1/login/phone", map[string]any{"phone": "1380013000", "code": "918273"})
	w.call(t, "", "POST", "/api/v1/login/link", map[string]any{"key": "the-link-key", "number": "1", "name": "某某", "password": phrase})
	entries, err := w.db.Trail(t.Context(), 0, 1000)
	ok(t, err)
	said := w.log.String()
	actions := map[string]bool{}
	for _, e := range entries {
		said += fmt.Sprintf("%+v %s", e, e.Details)
		actions[e.Action] = true
	}
	if !actions["password.changed"] || !actions["password.reset"] || !actions["person.added"] {
		t.Errorf("the trail lacks something: %v", actions)
	}
	for _, secret := range []string{
		mobile, code, phrase, "a wrong phrase", initial, "13800130009", "918273", "1380013000", "the-link-key", "某某", strings.TrimPrefix(me, inSession),
	} {
		if strings.Contains(said, secret) {
			t.Errorf("%q is there", secret)
		}
	}
}

func TestLogin_HostileInputIsRefusedClearly(t *testing.T) {
	w := newWorld(t)
	for _, text := range []string{
		"=1+1", "@x", "+1", "-1", "\t1", "a\r\nb", "<script>alert(1)</script>", "'; DROP TABLE sessions; --", "📱😀", "\u202e1",
		strings.Repeat("长", 10_000), `\ud800`,
	} {
		for path, body := range map[string]map[string]any{
			"code":     {"phone": text},
			"phone":    {"phone": text, "code": text},
			"password": {"number": text, "password": text},
			"link":     {"key": text, "number": text, "name": text, "password": text},
		} {
			r := w.call(t, "", "POST", "/api/v1/login/"+path, body)
			if r.status != 422 && r.status != http.StatusNotFound && r.status != http.StatusTooManyRequests && r.status != http.StatusRequestEntityTooLarge {
				t.Errorf("%s with %.20q: %d %s", path, text, r.status, r.body)
			}
		}
		w.pass(time.Hour)
	}
	for _, body := range []string{"", "null", "[]", `{"phone":1}`, `{"phone":"13800130001","phone":"13800130002"}`, `{"phone":"13800130001","x":1}`, "\xff", strings.Repeat("[", 1000)} {
		if r := w.call(t, "", "POST", "/api/v1/login/code", body); r.status < 400 || r.status >= 500 {
			t.Errorf("%.20q: %d %s", body, r.status, r.body)
		}
	}
	if n := len(w.texts.codes); n != 0 {
		t.Errorf("%d codes were sent", n)
	}
}

func TestSession_APersonWhoLeavesMayNothingMoreAtOnce(t *testing.T) {
	w := newWorld(t)
	me := w.someone(t, "20260001", people.Post{Role: people.Auditor})
	if r := w.call(t, me, "GET", "/api/v1/events", nil); r.status != http.StatusOK {
		t.Fatalf("%d %s", r.status, r.body)
	}
	left := people.Left
	ok(t, w.staff.Change(t.Context(), func(tx *store.Tx) error {
		_, err := w.staff.UpdatePerson(tx, "test", "20260001", people.PersonChange{State: &left})
		return err
	}))
	w.refused(t, w.call(t, me, "GET", "/api/v1/events", nil), http.StatusUnauthorized, "session_ended")
}
