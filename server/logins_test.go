package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"campusgate/configs"
	"campusgate/server"
	"campusgate/server/issue"
)

func TestParseConfig_LoginFaultsNameLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"Gateway", "sms: {gateway: pigeon}", "server.yaml:4: sms.gateway:"},
		{"NoURL", "sms: {gateway: http, secret_file: x}", "sms.url:"},
		{"PlainURL", `sms: {gateway: http, url: "http://sms.example.edu", secret_file: x}`, "server.yaml:4: sms.url:"},
		{"URLWithSecret", `sms: {gateway: http, url: "https://u:p@sms.example.edu", secret_file: x}`, "server.yaml:4: sms.url:"},
		{"NoSecret", `sms: {gateway: http, url: "https://sms.example.edu"}`, "sms.secret_file: missing"},
		{"UnknownKey", "sms: {gatway: none}", "unknown field"},
		{"OIDCNoID", `oidc: [{name: x, issuer: "https://a.example", client_id: c}]`, "oidc[0].id:"},
		{"OIDCBadID", `oidc: [{id: "a/b", name: x, issuer: "https://a.example", client_id: c}]`, "server.yaml:4: oidc[0].id:"},
		{"OIDCNoName", `oidc: [{id: a, issuer: "https://a.example", client_id: c}]`, "oidc[0].name: missing"},
		{"OIDCPlain", `oidc: [{id: a, name: x, issuer: "http://a.example", client_id: c}]`, "server.yaml:4: oidc[0].issuer:"},
		{"OIDCNoClient", `oidc: [{id: a, name: x, issuer: "https://a.example"}]`, "oidc[0].client_id: missing"},
		{"OIDCTwice", `oidc: [{id: a, name: x, issuer: "https://a.example", client_id: c}, {id: a, name: y, issuer: "https://b.example", client_id: c}]`, "server.yaml:4: oidc[1].id:"},
		{"CASURL", `cas: [{id: a, name: x, url: "ftp://a.example"}]`, "server.yaml:4: cas[0].url:"},
		{"CASQuery", `cas: [{id: a, name: x, url: "https://a.example?x=1"}]`, "server.yaml:4: cas[0].url:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := server.ParseConfig("server.yaml", []byte(good+c.yaml+"\n"))
			if !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an ErrConfig with %q", err, c.want)
			}
		})
	}
}

func TestParseConfig_LoginDefaults(t *testing.T) {
	s, err := server.ParseConfig("server.yaml", []byte(good+`oidc: [{id: a, name: x, issuer: "http://127.0.0.1:9/x", client_id: c}]`+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if s.SMS.Gateway != "none" || s.OIDC[0].NumberClaim != "sub" {
		t.Errorf("%+v %+v", s.SMS, s.OIDC)
	}
}

// terminal is what whoever runs a demonstration sees.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *terminal) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *terminal) code(t *testing.T) string {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	found := regexp.MustCompile(`\b[0-9]{6}\b`).FindAllString(w.b.String(), -1)
	if len(found) == 0 {
		t.Fatalf("no code on the terminal: %s", &w.b)
	}
	return found[len(found)-1]
}

// browser keeps cookies, as one does.
type browser struct {
	t  *testing.T
	at string
	http.Client
}

func newBrowser(t *testing.T, at string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, at, http.Client{Jar: jar, Timeout: patience}}
}

func (b *browser) call(method, path string, body any, want int) map[string]any {
	b.t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.at+"/api/v1"+path, bytes.NewReader(data))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", b.at)
	res, err := b.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		b.t.Fatalf("%s %s: %d, want %d: %s %v", method, path, res.StatusCode, want, answer, err)
	}
	var got map[string]any
	if len(answer) > 0 {
		if err := json.Unmarshal(answer, &got); err != nil {
			b.t.Fatal(err)
		}
	}
	return got
}

func TestServer_LinkPhoneAndSessionsOutliveARestart(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	s.SMS.Gateway = "terminal"
	key := found(t, s).AdminLink
	link, err := url.Parse(key)
	if err != nil {
		t.Fatal(err)
	}
	seen := &terminal{}
	d := deps()
	d.Terminal = seen
	srv, err := server.New(t.Context(), s, d)
	if err != nil {
		t.Fatal(err)
	}
	end := run(t, srv)
	admin, resident := newBrowser(t, srv.URL()), newBrowser(t, srv.URL())
	admin.call("POST", "/login/link", map[string]any{"key": link.Query().Get("key"), "number": "20260001", "name": "林晓岚", "password": "correct horse battery"}, 200)
	if ways := resident.call("GET", "/login/ways", nil, 200); ways["phone"] != true || ways["demo"] != true || ways["site"] != s.Site {
		t.Errorf("ways %v", ways)
	}
	resident.call("POST", "/login/code", map[string]any{"phone": "13800130001"}, 202)
	resident.call("POST", "/login/phone", map[string]any{"phone": "13800130001", "code": seen.code(t)}, 200)
	end()

	if srv, err = server.New(t.Context(), s, d); err != nil {
		t.Fatal(err)
	}
	end = run(t, srv)
	defer end()
	old, fresh := admin.at, srv.URL()
	for _, b := range []*browser{admin, resident} {
		from, _ := url.Parse(old)
		to, _ := url.Parse(fresh)
		b.Jar.SetCookies(to, b.Jar.Cookies(from))
		b.at = fresh
		b.call("GET", "/me", nil, 200)
	}
	admin.call("GET", "/tokens", nil, 200)
	resident.call("GET", "/tokens", nil, 403)
	resident.call("POST", "/logout", nil, 204)
	resident.call("GET", "/me", nil, 401)
}

func TestServer_CodesGoThroughTheGatewayOfTheSettings(t *testing.T) {
	got := make(chan string, 1)
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m struct{ Phone, Code string }
		_ = json.NewDecoder(r.Body).Decode(&m)
		got <- m.Phone + " " + m.Code
	}))
	defer gateway.Close()
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	s.SMS = server.SMSConfig{Gateway: "http", URL: gateway.URL, SecretFile: filepath.Join(t.TempDir(), "sms.key")}
	found(t, s)
	if _, err := server.New(t.Context(), s, deps()); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("without the secret: %v", err)
	}
	write := func(text string, mode os.FileMode) {
		if err := errors.Join(os.WriteFile(s.SMS.SecretFile, []byte(text), mode), os.Chmod(s.SMS.SecretFile, mode)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		text string
		mode os.FileMode
		want error
	}{{"\n", 0o600, issue.ErrKeyFile}, {"0123456789abcdef\n", 0o644, issue.ErrExposed}} {
		write(c.text, c.mode)
		if _, err := server.New(t.Context(), s, deps()); !errors.Is(err, c.want) {
			t.Fatalf("%q %o: %v, want %v", c.text, c.mode, err, c.want)
		}
	}
	write("0123456789abcdef\n", 0o600)
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	defer run(t, srv)()
	b := newBrowser(t, srv.URL())
	b.call("POST", "/login/code", map[string]any{"phone": "13800130001"}, 202)
	phone, code, _ := strings.Cut(<-got, " ")
	b.call("POST", "/login/phone", map[string]any{"phone": phone, "code": code}, 200)
}

func TestServer_ATerminalIsNeededWhereTheSettingsSaySo(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	s.SMS.Gateway = "terminal"
	found(t, s)
	if _, err := server.New(t.Context(), s, deps()); !errors.Is(err, server.ErrNoTerminal) {
		t.Errorf("got %v", err)
	}
}
