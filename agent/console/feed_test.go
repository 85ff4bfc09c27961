package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// feed is a page's end of the websocket.
type feed struct{ conn *websocket.Conn }

// told is a message of the feed.
type told struct {
	Type   string
	Status *console.Status
	Scans  []desk.Result
	Scan   *desk.Result
	Texts  *struct {
		Reasons   map[string]map[string]verdict.Text
		Documents []console.Document
	}
}

func dial(t *testing.T, home string, via func(ctx context.Context, network, addr string) (net.Conn, error)) *feed {
	t.Helper()
	d := websocket.Dialer{NetDialContext: via, HandshakeTimeout: 5 * time.Second}
	conn, resp, err := d.DialContext(t.Context(), "ws"+strings.TrimPrefix(home, "http")+"/api/v1/feed", http.Header{"Origin": {home}})
	if err != nil {
		if resp != nil {
			t.Fatalf("feed: %v: %s", err, resp.Status)
		}
		t.Fatalf("feed: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &feed{conn}
}

func (f *feed) next(t *testing.T) (m told) {
	t.Helper()
	_, b, err := f.conn.ReadMessage()
	if err != nil {
		t.Fatalf("feed: %v", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("feed: %v in %s", err, b)
	}
	return m
}

// until reads on to the next message of a type.
func (f *feed) until(t *testing.T, kind string) told {
	t.Helper()
	for {
		if m := f.next(t); m.Type == kind {
			return m
		}
	}
}

// closed reads to the end and gives the code of the goodbye.
func (f *feed) closed(t *testing.T) int {
	t.Helper()
	for {
		_, _, err := f.conn.ReadMessage()
		var bye *websocket.CloseError
		if errors.As(err, &bye) {
			return bye.Code
		}
		if err != nil {
			t.Fatalf("feed ended without goodbye: %v", err)
		}
	}
}

func TestFeedBeginsWithTheWholeStateAndGoesOn(t *testing.T) {
	d, g := newDesk(), newGauge()
	d.publish(denied)
	d.publish(granted)
	srv := served(t, d, g, func(c *console.Config) { c.Refresh = time.Hour })
	f := dial(t, srv.URL, nil)
	first := f.next(t)
	if first.Type != "state" || first.Status.Gate.Name != "北门" || len(first.Scans) != 2 || first.Scans[0].Name != granted.Name ||
		first.Texts.Reasons["zh"]["granted"].Word == "" {
		t.Fatalf("first message %+v", first)
	}
	q := d.publish(question)
	if m := f.next(t); m.Type != "scan" || m.Scan.ID != q.ID || m.Scan.Need != verdict.NeedDocument {
		t.Errorf("scan %+v", m)
	}
	g.set(func(s *console.Status) { s.Online = false })
	if m := f.next(t); m.Type != "status" || m.Status.Online {
		t.Errorf("status %+v", m)
	}
}

func TestStatusIsRepeatedWhileNothingHappens(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Refresh = 5 * time.Millisecond })
	f := dial(t, srv.URL, nil)
	f.next(t)
	before := f.until(t, "status").Status.Now
	if after := f.until(t, "status").Status.Now; after < before {
		t.Errorf("the agent's clock went from %d to %d", before, after)
	}
}

// pipes is a listener whose connections hold nothing: what is not read is not
// written either.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	close(p.done)
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p.conns <- theirs
	return ours, nil
}

func TestSlowFeedIsClosedAndHoldsUpNobody(t *testing.T) {
	d, g := newDesk(), newGauge()
	c, err := console.New(console.Config{Lanes: d, Status: g.get, Refresh: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ln := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Serve(ctx, ln) }()
	slow, quick := dial(t, "http://localhost", ln.dial), dial(t, "http://localhost", ln.dial)
	slow.next(t)
	quick.next(t)
	for range 100 {
		r := d.publish(granted)
		if m := quick.until(t, "scan"); m.Scan.ID != r.ID {
			t.Fatalf("the quick page got %s, want %s", m.Scan.ID, r.ID)
		}
	}
	read := 0
	for {
		if _, _, err := slow.conn.ReadMessage(); err != nil {
			break
		}
		read++
	}
	if read > 40 {
		t.Errorf("%d messages waited for a page that read none", read)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestFeedsAreBounded(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), nil)
	for range 16 {
		dial(t, srv.URL, nil).next(t)
	}
	_, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws"+strings.TrimPrefix(srv.URL, "http")+"/api/v1/feed", nil)
	if err == nil || resp == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the seventeenth page: %v %v", resp, err)
	}
}

// A desk that cuts off a subscriber which fell behind has not stopped.
func TestPagesComeBackAfterTheDeskCutTheConsoleOff(t *testing.T) {
	d := newDesk()
	srv := served(t, d, newGauge(), func(c *console.Config) { c.Refresh = time.Hour })
	f := dial(t, srv.URL, nil)
	f.next(t)
	d.publish(granted)
	f.until(t, "scan")
	d.stop()
	if code := f.closed(t); code != 1013 {
		t.Errorf("closed with %d, want 1013 (try again later)", code)
	}
	again := dial(t, srv.URL, nil)
	if m := again.next(t); len(m.Scans) != 1 {
		t.Errorf("state %+v", m)
	}
	r := d.publish(denied)
	if m := again.until(t, "scan"); m.Scan.ID != r.ID {
		t.Errorf("scan %+v", m)
	}
}
