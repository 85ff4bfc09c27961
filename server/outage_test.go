//go:build unix

package server_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/server"
	"campusgate/server/alert"
	"campusgate/signing/wire"
)

// From an agent's report to the console and to the program of the campus.
func TestOutage_ALostScannerIsToldAndSoIsItsReturn(t *testing.T) {
	told := make(chan map[string]any, 10)
	program := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m map[string]any
		body, err := io.ReadAll(r.Body)
		if err == nil && json.Unmarshal(body, &m) == nil {
			told <- m
		}
	}))
	defer program.Close()
	dir := t.TempDir()
	secret := filepath.Join(dir, "webhook.key")
	if err := os.WriteFile(secret, []byte("a secret of the campus"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := settings(t, filepath.Join(dir, "server"))
	s.Webhook = server.WebhookConfig{URL: program.URL, SecretFile: secret}
	s.DeviceDown = time.Millisecond
	token := found(t, s).Token
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	defer run(t, srv)()
	agent := enrolled(t, srv.URL(), token)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	ws, err := agent.connected(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.Close() }()
	report := func(state string) {
		t.Helper()
		health := wire.Health{Devices: []wire.Device{{Lane: "进口", Kind: "scanner", Driver: "serial", State: state}}}
		if err := say(ws, wire.TypeClock, wire.Clock{T0: 1, Health: &health}); err != nil {
			t.Fatal(err)
		}
	}
	outages := func() (list []alert.Outage) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL()+"/api/v1/outages", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		var out struct{ Outages []alert.Outage }
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s, %v", res.Status, err)
		}
		return out.Outages
	}
	// An agent reports every few seconds, and so it does here.
	await := func(state, kind string) map[string]any {
		t.Helper()
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for report(state); ; report(state) {
			select {
			case m := <-told:
				if m["kind"] != kind {
					t.Fatalf("told %v, want %s", m, kind)
				}
				return m
			case <-tick.C:
			case <-ctx.Done():
				t.Fatalf("nobody was told of %s", kind)
			}
		}
	}
	m := await("lost", "device_down")
	if m["gate_name"] != "东门" || m["lane"] != "进口" || m["device"] != "scanner" || m["state"] != "lost" {
		t.Errorf("told %v", m)
	}
	if list := outages(); len(list) != 1 || list[0].GateName != "东门" || list[0].State != "lost" {
		t.Errorf("the console is told %+v", list)
	}
	await("ok", "device_up")
	if list := outages(); len(list) != 0 {
		t.Errorf("the console is told %+v", list)
	}
	if !strings.HasPrefix(m["id"].(string), "outage/") {
		t.Errorf("id %v", m["id"])
	}
}
