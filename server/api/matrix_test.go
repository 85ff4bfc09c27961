package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/auth"
	"campusgate/server/people"
)

// line is one of testdata/authorisation.txt.
type line struct {
	scope string
	roles []string
}

var everyone = []string{"person", "guard", "desk", "stats", "auditor", "cards", "merchant", "finance", "admin"}

func readTable(t testing.TB) map[string]line {
	t.Helper()
	data, err := os.ReadFile("testdata/authorisation.txt")
	ok(t, err)
	table := map[string]line{}
	for text := range strings.Lines(string(data)) {
		f := strings.Fields(text)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if len(f) < 3 {
			t.Fatalf("line %q", text)
		}
		l := line{scope: f[2], roles: f[3:]}
		if slices.Contains(l.roles, "everyone") {
			l.roles = append(l.roles, everyone...)
		}
		pattern := f[0] + " " + f[1]
		if _, twice := table[pattern]; twice {
			t.Errorf("%s stands there twice", pattern)
		}
		table[pattern] = l
	}
	return table
}

// everybody is one caller of every sort: tokens by the scope they have, or lack;
// persons by their role.
type everybody struct {
	with    map[string]string
	persons map[string]string
	again   map[string]func() string // sign in once more
}

func newEverybody(t testing.TB, w *world) everybody {
	t.Helper()
	e := everybody{map[string]string{}, map[string]string{}, map[string]func() string{}}
	for _, s := range auth.AllScopes() {
		e.with[string(s)] = w.newToken(t, s)
	}
	gate := w.gate(t, "东门", 1)
	for i, role := range everyone {
		number := fmt.Sprintf("2026%02d", i)
		switch role {
		case "person":
			w.someone(t, number)
		case people.Guard:
			w.someone(t, number, people.Post{Role: role, Gate: gate})
		default:
			w.someone(t, number, people.Post{Role: role})
		}
		e.again[role] = func() string { return w.enter(t, number) }
	}
	w.someone(t, "202699", people.Post{Role: people.Admin})
	password, err := w.doors.Initial(t.Context(), auth.Caller{Actor: "test", Scopes: auth.Scopes{auth.Admin}}, "202699")
	ok(t, err)
	e.again["must_change"] = func() string {
		entry, err := w.doors.EnterByPassword(t.Context(), "202699", password, auth.Client{})
		ok(t, err)
		return inSession + entry.Cookie
	}
	for role, enter := range e.again {
		e.persons[role] = enter()
	}
	return e
}

// lacking is a token with every scope but these and the one for everything.
func (w *world) lacking(t testing.TB, scopes string) string {
	t.Helper()
	without := strings.Split(scopes+"|"+string(auth.Admin), "|")
	return w.newToken(t, slices.DeleteFunc(auth.AllScopes(), func(s auth.Scope) bool { return slices.Contains(without, string(s)) })...)
}

// harmless fills in a path so that it leads to nothing.
func harmless(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		switch {
		case !strings.HasPrefix(p, "{"):
		case i > 0 && parts[i-1] == "passes":
			parts[i] = "0123456789abcdef"
		case p == "{kid}":
			parts[i] = "01234567"
		default:
			parts[i] = "999"
		}
	}
	return strings.Join(parts, "/")
}

// ask makes a call and gives its status and, of a refusal, the code. It does not
// read what is allowed: that may be an endless stream.
func (w *world) ask(t testing.TB, who, method, path string) (int, string, http.Header) {
	t.Helper()
	body, kind := "", "application/json"
	if method != http.MethodGet {
		body = "{}"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	ok(t, err)
	if _, op := operationOf(w.api.OpenAPI(), req); op != nil && op.RequestBody != nil {
		for media := range op.RequestBody.Content {
			kind = media
		}
	}
	if method != http.MethodGet {
		req.Header.Set("Content-Type", kind)
	}
	as(req, who)
	client := *w.Client()
	client.Timeout = 20 * time.Second
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	ok(t, err)
	defer func() { _ = res.Body.Close() }()
	var p problem
	if res.StatusCode >= http.StatusBadRequest {
		ok(t, json.NewDecoder(res.Body).Decode(&p))
	}
	return res.StatusCode, p.Code, res.Header
}

func TestAuthorisation_EveryRouteAsEverybody(t *testing.T) {
	w := newWorld(t)
	table, all := readTable(t), newEverybody(t, w)
	for _, pattern := range w.api.Patterns() {
		l, listed := table[pattern]
		if !listed {
			t.Errorf("%s is served and not in testdata/authorisation.txt", pattern)
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		path = harmless(path)
		check := func(name, who string, want int, code string) {
			t.Helper()
			status, got, header := w.ask(t, who, method, path)
			refused := status == http.StatusUnauthorized || status == http.StatusForbidden
			if want == 0 && refused || want != 0 && (status != want || got != code) {
				t.Errorf("%s as %s: %d %s, want %d %s", pattern, name, status, got, want, code)
			}
			if status == http.StatusUnauthorized && header.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s as %s: no WWW-Authenticate", pattern, name)
			}
			if status >= http.StatusInternalServerError {
				t.Errorf("%s as %s: %d", pattern, name, status)
			}
		}
		if l.scope == "public" {
			check("nobody", "", 0, "")
			check("must_change", all.persons["must_change"], 0, "")
			continue
		}
		check("nobody", "", http.StatusUnauthorized, "no_token")
		check("an ended session", inSession+strings.Repeat("A", 43), http.StatusUnauthorized, "session_ended")
		if l.scope == string(auth.Self) {
			check("a token for everything", all.with[string(auth.Admin)], http.StatusForbidden, "no_person")
		} else {
			for scope := range strings.SplitSeq(l.scope, "|") {
				check("a token with the scope "+scope, all.with[scope], 0, "")
			}
			check("a token for everything", all.with[string(auth.Admin)], 0, "")
			check("a token with every other scope", w.lacking(t, l.scope), http.StatusForbidden, "forbidden")
		}
		for role, who := range all.persons {
			switch {
			case slices.Contains(l.roles, role):
				check(role, who, 0, "")
			case role == "must_change":
				check(role, who, http.StatusForbidden, "must_change_password")
			default:
				check(role, who, http.StatusForbidden, "forbidden")
			}
			if strings.HasSuffix(path, "/logout") {
				all.persons[role] = all.again[role]()
			}
		}
	}
	for pattern := range table {
		if !slices.Contains(w.api.Patterns(), pattern) {
			t.Errorf("%s is in testdata/authorisation.txt and not served", pattern)
		}
	}
}
