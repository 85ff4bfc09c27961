package api_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/auth/sso"
	"campusgate/server/people"
)

// newCentral is a CAS server where everybody is this user at once.
func newCentral(t *testing.T, user *string) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.FormValue("service")+"&ticket=ST-1", http.StatusFound)
	})
	mux.HandleFunc("GET /p3/serviceValidate", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `<r:serviceResponse xmlns:r="http://www.yale.edu/tp/cas"><r:authenticationSuccess><r:user>%s</r:user></r:authenticationSuccess></r:serviceResponse>`, *user)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// newSSO is a world with that service.
func newSSO(t *testing.T, user *string) *world {
	t.Helper()
	central := newCentral(t, user)
	return newWorld(t, func(w *world, d *api.Deps) {
		d.SSO = &sso.Desk{Seal: w.doors.Vault, Now: w.Now, Random: d.Rand, Providers: []sso.Provider{
			sso.NewCAS(sso.CASConfig{ID: "campus", Name: "统一身份认证", URL: central.URL, Callback: d.Public + "/api/v1/login/cas/campus/callback"}),
		}}
	})
}

// browse follows a way in as a browser does, up to one of our own pages.
func (w *world) browse(t *testing.T, path string) (*http.Response, string, *cookiejar.Jar) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	ok(t, err)
	c := http.Client{Jar: jar, CheckRedirect: func(req *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(req.URL.String(), w.URL) && !strings.HasPrefix(req.URL.Path, "/api/") {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.URL+path, nil)
	ok(t, err)
	req.Header.Set("Accept", "text/html,*/*")
	res, err := c.Do(req)
	ok(t, err)
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	ok(t, err)
	return res, string(body), jar
}

func cookieIn(t *testing.T, jar *cookiejar.Jar, w *world, name, path string) string {
	t.Helper()
	u, err := url.Parse(w.URL + path)
	ok(t, err)
	for _, c := range jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func TestSSO_CQ038_StaffComeInThroughTheCampusService(t *testing.T) {
	user := "20260001"
	w := newSSO(t, &user)
	w.someone(t, "20260001", people.Post{Role: people.Desk})
	var ways api.Ways
	if w.want(t, http.StatusOK, "GET", "/api/v1/login/ways", nil, &ways); len(ways.CAS) != 1 || ways.CAS[0] != (api.WayRef{ID: "campus", Name: "统一身份认证"}) {
		t.Fatalf("%+v", ways)
	}
	res, _, jar := w.browse(t, "/api/v1/login/cas/campus?to=/m/passes")
	if res.StatusCode != http.StatusFound || res.Header.Get("Location") != "/m/passes" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	cookie := cookieIn(t, jar, w, auth.Cookie, "/")
	var me api.Me
	w.call(t, inSession+cookie, "GET", "/api/v1/me", nil).into(t, &me)
	if me.Number != "20260001" || cookieIn(t, jar, w, "cg_login", "/api/v1/login/cas") != "" {
		t.Errorf("me %+v; the ticket is left: %v", me, jar)
	}
	for _, to := range []string{"https://evil.example/", "//evil.example/m/", "/api/v1/logout"} {
		if res, _, _ := w.browse(t, "/api/v1/login/cas/campus?to="+url.QueryEscape(to)); res.Header.Get("Location") != "/m/" {
			t.Errorf("%s leads to %s", to, res.Header.Get("Location"))
		}
	}
}

func TestSSO_WhoIsNobodyHereIsToldSo(t *testing.T) {
	user := "nobody"
	w := newSSO(t, &user)
	res, body, jar := w.browse(t, "/api/v1/login/cas/campus")
	if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "sso_unknown") || !strings.Contains(body, "联系管理员") ||
		!strings.Contains(body, "ask an administrator") || !strings.Contains(body, `lang="zh-CN"`) || cookieIn(t, jar, w, auth.Cookie, "/") != "" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if policy := res.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'; style-src 'sha256-") {
		t.Errorf("policy %s", policy)
	}
	user = `&lt;script&gt;alert(1)&lt;/script&gt;`
	if _, body, _ = w.browse(t, "/api/v1/login/cas/campus"); strings.Contains(body, "<script>") {
		t.Errorf("page %s", body)
	}
}

func TestSSO_CallbacksWithoutTheTicketAreRefused(t *testing.T) {
	user := "20260001"
	w := newSSO(t, &user)
	w.someone(t, "20260001")
	w.refused(t, w.call(t, "", "GET", "/api/v1/login/cas/campus/callback?ticket=ST-1&state=x", nil), http.StatusBadRequest, "sso_state")
	w.refused(t, w.call(t, "", "GET", "/api/v1/login/cas/campus/callback", nil), http.StatusBadRequest, "sso_state")
	w.refused(t, w.call(t, "", "GET", "/api/v1/login/cas/other", nil), http.StatusNotFound, "no_such_way")
	w.refused(t, w.call(t, "", "GET", "/api/v1/login/oidc/campus", nil), http.StatusNotFound, "no_such_way")
	w.refused(t, newWorld(t).call(t, "", "GET", "/api/v1/login/oidc/campus/callback", nil), http.StatusNotFound, "no_such_way")
	if log := w.log.String(); strings.Contains(log, "ST-1") {
		t.Error("the log has a ticket")
	}
}
