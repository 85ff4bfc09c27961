package console_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"campusgate/agent/console"
	"campusgate/agent/web"
)

func textLog(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

func TestPageIsServedWithItsPolicy(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Page = site })
	got := send(t, "GET", srv.URL+"/", "")
	if got.status != 200 || !strings.Contains(got.body, "page") || got.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("page: %d %v %s", got.status, got.header, got.body)
	}
	policy := got.header.Get("Content-Security-Policy")
	for _, part := range []string{"default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, part) {
			t.Errorf("policy %q lacks %q", policy, part)
		}
	}
	if strings.Contains(policy, "'unsafe-eval'") || strings.Contains(policy, "*") {
		t.Errorf("policy %q allows too much", policy)
	}
	if customer := send(t, "GET", srv.URL+"/customer", ""); customer.status != 200 || customer.body != got.body {
		t.Errorf("the customer's screen: %d %s", customer.status, customer.body)
	}
	asset := send(t, "GET", srv.URL+"/assets/main-abc.js", "")
	if asset.status != 200 || !strings.Contains(asset.header.Get("Cache-Control"), "immutable") ||
		!strings.Contains(asset.header.Get("Content-Type"), "javascript") {
		t.Errorf("asset: %d %v", asset.status, asset.header)
	}
	for _, path := range []string{"/nothing", "/assets", "/assets/", "/assets/../../go.mod", "/%2e%2e/go.mod"} {
		if got := send(t, "GET", srv.URL+path, ""); got.status != 404 && got.status != 301 && got.status != 307 {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	if got := send(t, "POST", srv.URL+"/", ""); got.status != 405 {
		t.Errorf("POST /: %d", got.status)
	}
}

func TestUnbuiltPageSaysHowToBuildIt(t *testing.T) {
	unbuilt := fstest.MapFS{".gitkeep": {}} // as in a clone without Node
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Page = unbuilt })
	if got := send(t, "GET", srv.URL+"/", ""); got.status != 503 || !strings.Contains(got.body, "npm ci &amp;&amp; npm run build") {
		t.Errorf("%d %s", got.status, got.body)
	}
	if got := send(t, "GET", srv.URL+"/api/v1/status", ""); got.status != 200 {
		t.Errorf("the API must work all the same: %d", got.status)
	}
}

// CI builds the page before it compiles; a program without its page must not
// get past it.
func TestPageIsBuilt(t *testing.T) {
	built, ok := web.FS()
	if !ok {
		missing(t, "the page was not built: npm ci && npm run build")
	}
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Page = built })
	if got := send(t, "GET", srv.URL+"/", ""); got.status != 200 || !strings.Contains(got.body, `lang="zh-CN"`) {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestFrameAncestorsAreOriginsOnly(t *testing.T) {
	d, g := newDesk(), newGauge()
	srv := served(t, d, g, func(c *console.Config) { c.Page, c.FrameAncestors = site, []string{"'self'", "http://127.0.0.1:9000"} })
	policy := send(t, "GET", srv.URL+"/", "").header.Get("Content-Security-Policy")
	if !strings.HasSuffix(policy, "frame-ancestors 'self' http://127.0.0.1:9000") {
		t.Errorf("policy %q", policy)
	}
	for _, bad := range []string{"", "*", "http://a; script-src *", "http://a b", "ftp://a", "http://a/path", "example.org", "http://'a"} {
		_, err := console.New(console.Config{Lanes: d, Status: g.get, FrameAncestors: []string{bad}})
		if !errors.Is(err, console.ErrBadConfig) {
			t.Errorf("ancestor %q: %v", bad, err)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	d, g := newDesk(), newGauge()
	for name, cfg := range map[string]console.Config{
		"no desk":    {Status: g.get},
		"no status":  {Lanes: d},
		"empty host": {Lanes: d, Status: g.get, Hosts: []string{""}},
		"any host":   {Lanes: d, Status: g.get, Hosts: []string{"*"}},
		"an address": {Lanes: d, Status: g.get, Hosts: []string{"http://gate"}},
	} {
		if _, err := console.New(cfg); !errors.Is(err, console.ErrBadConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServeRefusesOtherThanLoopback(t *testing.T) {
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	c, err := console.New(console.Config{Lanes: newDesk(), Status: newGauge().get})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve(t.Context(), ln); !errors.Is(err, console.ErrNotLoopback) {
		t.Errorf("Serve: %v", err)
	}
}

func TestServeAnswersUntilItIsStopped(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGauge()
	c, err := console.New(console.Config{Lanes: newDesk(), Status: g.get, StatusChanged: g.changed, Page: fstest.MapFS{}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, ln) }()
	home := "http://" + ln.Addr().String()
	feed := dial(t, home, nil)
	feed.next(t) // the state: the hub runs or is about to
	if got := send(t, "GET", home+"/healthz", ""); got.status != 200 {
		t.Errorf("healthz: %d", got.status)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if code := feed.closed(t); code != 1001 {
		t.Errorf("the feed was closed with %d, want 1001 (going away)", code)
	}
}

func TestReadyOnlyWhileResultsAreDelivered(t *testing.T) {
	d, g := newDesk(), newGauge()
	c, err := console.New(console.Config{Lanes: d, Status: g.get})
	if err != nil {
		t.Fatal(err)
	}
	ready := func() int {
		w := newRecorder()
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Handler().ServeHTTP(w, r)
		return w.Code
	}
	if got := ready(); got != 503 {
		t.Errorf("before Run: %d", got)
	}
	done := make(chan error, 1)
	go func() { done <- c.Run(t.Context()) }()
	for ready() != 200 {
	}
	d.stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := ready(); got != 503 {
		t.Errorf("after the lanes stopped: %d", got)
	}
}

func TestMetricsNameReasonsOnly(t *testing.T) {
	d, g := newDesk(), newGauge()
	srv := served(t, d, g, nil)
	feed := dial(t, srv.URL, nil)
	feed.next(t)
	r := d.publish(granted)
	r.Annulled = true
	d.publish(r)
	d.publish(denied)
	for range 3 {
		feed.until(t, "scan")
	}
	g.set(func(s *console.Status) {
		s.Online, s.Queue, s.Snapshot.AgeMS = false, 12, 5000
		s.Lanes[0].Scanner.State = "lost"
	})
	body := send(t, "GET", srv.URL+"/metrics", "").body
	for _, line := range []string{
		`campusgate_scans_total{reason="granted"} 1`, `campusgate_scans_total{reason="annulled"} 1`,
		`campusgate_scans_total{reason="revoked"} 1`, `campusgate_scans_total{reason="expired"} 0`,
		`campusgate_feeds 1`, `campusgate_online 0`, `campusgate_queue_events 12`, `campusgate_snapshot_age_seconds 5`,
		`campusgate_clock_trusted 1`, `campusgate_scanners_lost 1`, `campusgate_barriers_lost 0`,
		`campusgate_devices_unwell{kind="scanner"} 1`, `campusgate_devices_unwell{kind="barrier"} 0`,
	} {
		if !strings.Contains(body, line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
	for _, secret := range []string{granted.Name, granted.Doc4, fmt.Sprint(granted.Pass)} {
		if strings.Contains(body, secret) {
			t.Errorf("metrics tell %q", secret)
		}
	}
}
