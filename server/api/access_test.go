package api_test

import (
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"campusgate/server/api"
	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/signing/wire"
)

func TestDocument_IsWhatIsServed(t *testing.T) {
	w := newWorld(t)
	table := readTable(t)
	r := w.call(t, "", "GET", "/api/openapi.json", nil)
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Summary     string                     `json:"summary"`
			Security    []map[string][]string      `json:"security"`
			Responses   map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
		Components struct {
			SecuritySchemes map[string]json.RawMessage `json:"securitySchemes"`
		} `json:"components"`
	}
	r.into(t, &doc)
	if doc.OpenAPI != "3.1.0" || doc.Components.SecuritySchemes["bearer"] == nil || doc.Components.SecuritySchemes["session"] == nil {
		t.Fatalf("document %s %v", doc.OpenAPI, doc.Components.SecuritySchemes)
	}
	ids := map[string]bool{}
	var documented []string
	for path, item := range doc.Paths {
		for method, op := range item {
			pattern := strings.ToUpper(method) + " " + path
			documented = append(documented, pattern)
			if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" || len(op.Responses) < 2 {
				t.Errorf("%s: id %q, summary %q, %d responses", pattern, op.OperationID, op.Summary, len(op.Responses))
			}
			ids[op.OperationID] = true
			var scopes []string
			for _, way := range op.Security {
				scopes = append(scopes, way["session"]...)
			}
			scope := cmp.Or(strings.Join(scopes, "|"), "public")
			if want := table[pattern].scope; scope != want {
				t.Errorf("%s is documented with scope %q, want %q", pattern, scope, want)
			}
		}
	}
	served := slices.Clone(w.api.Patterns())
	slices.Sort(served)
	slices.Sort(documented)
	if !slices.Equal(served, documented) {
		t.Fatalf("served     %v\ndocumented %v", served, documented)
	}
	if strings.Contains(string(r.body), "https://") {
		t.Error("the document names a foreign host")
	}
}

func TestTokens_NobodyGivesAwayMoreThanTheyHave(t *testing.T) {
	w := newWorld(t)
	limited := w.newToken(t, auth.TokensWrite, auth.PassesRead)
	var made api.Token
	r := w.call(t, limited, "POST", "/api/v1/tokens", map[string]any{"name": "desk", "scopes": []string{"passes:read"}, "expires_in": 60})
	if r.into(t, &made); r.status != http.StatusCreated || made.Token == "" || made.ExpiresAt != w.now.Load()+60_000 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if got := w.call(t, made.Token, "GET", "/api/v1/passes/0123456789abcdef", nil); got.status != http.StatusNotFound {
		t.Fatalf("the new token: %d", got.status)
	}
	for _, scopes := range [][]string{{"admin"}, {"passes:read", "passes:write"}} {
		w.refused(t, w.call(t, limited, "POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": scopes}), http.StatusForbidden, "forbidden")
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []string{"all"}}), 422, "no_such_scope")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/tokens", map[string]any{"name": "x", "scopes": []string{}}), 422, "invalid")

	list := w.call(t, w.token, "GET", "/api/v1/tokens", nil)
	if strings.Contains(string(list.body), "cg_") {
		t.Fatalf("the list shows tokens: %s", list.body)
	}
	w.want(t, http.StatusOK, "POST", fmt.Sprintf("/api/v1/tokens/%d/revoke", made.ID), nil, &made)
	if made.RevokedAt == 0 {
		t.Fatalf("revoked %+v", made)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/tokens/1/revoke", nil), http.StatusConflict, "state")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/tokens/99/revoke", nil), http.StatusNotFound, "not_found")
}

func TestTokens_GuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	var last reply
	for range 30 {
		if last = w.call(t, "cg_guess", "GET", "/api/v1/gates", nil); last.status != http.StatusUnauthorized {
			break
		}
	}
	w.refused(t, last, http.StatusTooManyRequests, "too_many_attempts")
}

func TestKeys_RotateAndCompromise(t *testing.T) {
	w := newWorld(t)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	var keys api.Keys
	w.want(t, http.StatusOK, "GET", "/api/v1/keys", nil, &keys)
	if keys.Serial != 1 || len(keys.Keys) != 4 || keys.Root == "" {
		t.Fatalf("keys %+v", keys)
	}
	i := slices.IndexFunc(keys.Keys, func(k api.Key) bool { return k.State == "active" && k.Purpose == "gate" })
	if k := keys.Keys[i]; k.ID != p.Key || k.LivePasses != 1 || !slices.Contains(k.Kinds, "work") {
		t.Fatalf("active %+v", k)
	}
	refusal := w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/rotate", nil), http.StatusConflict, "key_not_ready")
	if !strings.Contains(refusal.Details.What, "2026-12-05T12:00:00+08:00") {
		t.Errorf("it does not say from when: %q", refusal.Details.What)
	}
	w.want(t, http.StatusOK, "POST", "/api/v1/keys/rotate", map[string]any{"force": true}, &keys)
	if keys.Serial != 2 {
		t.Fatalf("serial %d", keys.Serial)
	}
	w.want(t, http.StatusOK, "POST", "/api/v1/keys/"+p.Key+"/compromise", nil, &keys)
	if keys.Serial != 3 {
		t.Fatalf("serial %d", keys.Serial)
	}
	if w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, &p); p.State != "revoked" {
		t.Fatalf("a pass of a compromised key is %s", p.State)
	}
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/"+p.Key+"/compromise", nil), http.StatusConflict, "key_state")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/00000000/compromise", nil), http.StatusNotFound, "not_found")
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/xyz/compromise", nil), 422, "invalid")

	ok(t, os.Rename(filepath.Join(w.dir, issue.RootFile), filepath.Join(w.dir, "elsewhere")))
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/rotate", map[string]any{"force": true}), http.StatusConflict, "root_key_absent")
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), nil)
	force := map[string]any{"force": true}
	ok(t, os.WriteFile(filepath.Join(w.dir, issue.RootFile), []byte("damaged"), 0o600))
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/rotate", force), http.StatusConflict, "root_key_unusable")
	ok(t, os.Chmod(filepath.Join(w.dir, issue.RootFile), 0o644))
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/keys/rotate", force), http.StatusConflict, "root_key_exposed")
}

func TestAudit_TellsWhoChangedWhat(t *testing.T) {
	w := newWorld(t)
	w.gate(t, "东门", 1)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	var trail struct {
		Entries []api.Entry
		Next    int64
	}
	w.want(t, http.StatusOK, "GET", "/api/v1/audit?limit=1000", nil, &trail)
	last := trail.Entries[len(trail.Entries)-1]
	if last.Action != "pass.issued" || last.Target != "pass "+p.ID || last.Actor != "token 1 (test)" || trail.Next != last.ID {
		t.Fatalf("last entry %+v", last)
	}
	for _, e := range trail.Entries {
		if text := fmt.Sprint(e); strings.Contains(text, "林晓") || strings.Contains(text, "204X") {
			t.Errorf("the trail names the holder: %+v", e)
		}
	}
	w.want(t, http.StatusOK, "GET", fmt.Sprintf("/api/v1/audit?after=%d", last.ID), nil, &trail)
	if len(trail.Entries) != 0 || trail.Next != last.ID {
		t.Fatalf("after the last: %+v", trail)
	}
}

func TestSystem_HealthReadinessAndInternalErrors(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		var s api.Status
		if w.want(t, http.StatusOK, "GET", path, nil, &s); s.Status != "ok" || s.Version != "test/1" {
			t.Fatalf("%s %+v", path, s)
		}
	}
	// A key that no longer opens: not ready, and issuing is an internal error
	// whose cause is in the log only.
	w.want(t, http.StatusOK, "GET", "/api/v1/keys", nil, nil)
	ok(t, w.spoilKeys())
	w.refused(t, w.call(t, "", "GET", "/readyz", nil), http.StatusServiceUnavailable, "not_ready")
	p := w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes", resident()), http.StatusInternalServerError, "internal")
	if strings.Contains(p.Message, "seal") || p.Details.What != "" {
		t.Errorf("an internal error tells too much: %+v", p)
	}
	if log := w.log.String(); !strings.Contains(log, p.RequestID) || !strings.Contains(log, "sealed key does not open") {
		t.Errorf("the log lacks the cause of %s", p.RequestID)
	}
	w.want(t, http.StatusOK, "GET", "/healthz", nil, nil)
}

func TestLog_HasNoNamesCodesOrTokens(t *testing.T) {
	w := newWorld(t)
	gate := w.gate(t, "东门", 1)
	var p api.Pass
	w.want(t, http.StatusCreated, "POST", "/api/v1/passes", resident(), &p)
	w.want(t, http.StatusOK, "GET", "/api/v1/passes/"+p.ID, nil, nil)
	bad := resident()
	bad["doc4"] = "204XY"
	w.refused(t, w.call(t, w.token, "POST", "/api/v1/passes", bad), 422, "invalid")
	w.call(t, w.token, "GET", "/api/v1/passes/"+p.Code[len(p.Code)-20:], nil)
	w.call(t, "cg_wrong", "GET", "/api/v1/gates?x="+p.Code, nil)
	var code api.Enrolment
	w.want(t, http.StatusCreated, "POST", fmt.Sprintf("/api/v1/gates/%d/enrolments", gate), nil, &code)
	w.call(t, "", "POST", wire.EnrolPath, wire.Enrol{Code: code.Code, PublicKey: make([]byte, ed25519.PublicKeySize)})
	log := w.log.String()
	if !strings.Contains(log, "POST /api/v1/passes") {
		t.Fatalf("the log has no calls: %s", log)
	}
	for _, secret := range []string{"林晓", "204X", p.Code[len(p.Code)-20:], w.token, "cg_wrong", code.Code} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/api/v1/gates", "/nothing", "/healthz"} {
		h := w.call(t, w.token, "GET", path, nil).header
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
	}
}
