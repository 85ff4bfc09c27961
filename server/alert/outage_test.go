package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/alert"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// campus is what a service that watches devices sees, and whom it tells.
type campus struct {
	*world
	gates map[uint16][]wire.Device
	shut  func(time.Time) bool // the gates are closed

	mu    sync.Mutex
	heard []map[string]any
	lost  int // answers that get lost, of the next
}

func (c *campus) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	var m map[string]any
	if json.Unmarshal(body, &m) != nil || m["id"] != req.Header.Get("X-Campusgate-Id") {
		rw.WriteHeader(http.StatusBadRequest)
		return
	}
	if c.lost > 0 {
		c.lost--
		rw.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	c.heard = append(c.heard, m)
}

func newCampus(t *testing.T) *campus {
	return &campus{world: newWorld(t), gates: map[uint16][]wire.Device{}, shut: func(time.Time) bool { return false }}
}

// watcher is a server that has just started.
func (c *campus) watcher(t *testing.T, url string) *alert.Service {
	t.Helper()
	s, err := alert.New(alert.Config{
		Store: c.db, URL: url, Secret: secret, Now: c.now, Random: rand.NewChaCha8([32]byte{1}), Log: slog.New(slog.DiscardHandler),
		Devices:   func(context.Context) (map[uint16][]wire.Device, error) { return c.gates, nil },
		Open:      func(_ context.Context, _ uint16, at time.Time) (bool, error) { return !c.shut(at), nil },
		DownAfter: 2 * time.Minute,
	})
	ok(t, err)
	return s
}

// look lets time go by and has the service look, and tell.
func (c *campus) look(t *testing.T, s *alert.Service, after time.Duration) {
	t.Helper()
	c.mu.Lock()
	c.at = c.at.Add(after)
	c.mu.Unlock()
	ok(t, s.Watch(t.Context()))
	ok(t, s.Tell(t.Context()))
}

// told are the kinds and devices that the program of the campus was told of.
func (c *campus) told() (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.heard {
		list = append(list, strings.TrimRight(m["kind"].(string)+" "+m["lane"].(string)+" "+m["device"].(string)+" "+m["name"].(string), " "))
	}
	return list
}

func (c *campus) want(t *testing.T, want ...string) {
	t.Helper()
	if got := c.told(); !slices.Equal(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
}

func scanner(state string) wire.Device {
	return wire.Device{Lane: "进口", Kind: "scanner", Driver: "serial", Name: "2", State: state, Detail: "no such file"}
}

func TestWatch_ADeviceIsToldOnceWhenItIsDownForTooLongAndOnceWhenItIsBack(t *testing.T) {
	c := newCampus(t)
	server := httptest.NewServer(c)
	defer server.Close()
	s := c.watcher(t, server.URL)
	began := c.at
	c.gates[1] = []wire.Device{scanner("lost"), {Lane: "进口", Kind: "barrier", Driver: "lcus", State: "ok"}}
	c.look(t, s, 0)
	c.look(t, s, 2*time.Minute-time.Second)
	c.want(t)
	c.look(t, s, time.Second)
	c.want(t, "device_down 进口 scanner 2")
	m := c.heard[0]
	if m["gate"] != 1.0 || m["gate_name"] != "东门" || m["state"] != "lost" || m["since"] != float64(began.UnixMilli()) ||
		m["at"] != float64(c.at.UnixMilli()) || m["driver"] != "serial" || m["detail"] != "no such file" {
		t.Errorf("%v", m)
	}
	open, err := s.Outages(t.Context(), false, 10)
	ok(t, err)
	if len(open) != 1 || open[0].GateName != "东门" || open[0].Since != began.UnixMilli() || open[0].EndedAt != 0 {
		t.Fatalf("%+v", open)
	}
	// It goes on, in another way, through restarts of the server and of the agent.
	c.gates[1][0].State = "stuck"
	c.look(t, s, time.Hour)
	s = c.watcher(t, server.URL)
	for _, devices := range [][]wire.Device{nil, {scanner("starting")}, {scanner("lost")}} {
		c.gates[1] = devices
		c.look(t, s, time.Hour)
	}
	c.want(t, "device_down 进口 scanner 2")
	c.gates[1] = []wire.Device{scanner("ok")}
	c.look(t, s, time.Second)
	c.look(t, s, time.Hour)
	c.want(t, "device_down 进口 scanner 2", "device_up 进口 scanner 2")
	open, err = s.Outages(t.Context(), false, 10)
	ok(t, err)
	all, err := s.Outages(t.Context(), true, 10)
	ok(t, err)
	if len(open) != 0 || len(all) != 1 || all[0].EndedAt == 0 {
		t.Fatalf("%+v, %+v", open, all)
	}
	// Another outage is another one.
	c.gates[1] = []wire.Device{scanner("silent")}
	c.look(t, s, 0)
	c.look(t, s, 2*time.Minute)
	c.want(t, "device_down 进口 scanner 2", "device_up 进口 scanner 2", "device_down 进口 scanner 2")
	if c.heard[2]["id"] == c.heard[0]["id"] {
		t.Error("two outages have the same id")
	}
}

func TestWatch_ShortFaultsStartingDevicesAndClosedGatesAreNotTold(t *testing.T) {
	c := newCampus(t)
	server := httptest.NewServer(c)
	defer server.Close()
	s := c.watcher(t, server.URL)
	for range 10 { // a loose plug
		c.gates[1] = []wire.Device{scanner("lost")}
		c.look(t, s, time.Minute)
		c.gates[1] = []wire.Device{scanner("ok")}
		c.look(t, s, time.Minute)
	}
	c.gates[1] = []wire.Device{scanner("starting")}
	c.look(t, s, 0)
	c.look(t, s, time.Hour)
	opens := c.at.Add(5 * time.Hour)
	c.shut = func(at time.Time) bool { return at.Before(opens) }
	c.gates[1] = []wire.Device{scanner("lost")}
	c.look(t, s, 0)
	c.look(t, s, 5*time.Hour)
	c.look(t, s, 2*time.Minute-time.Second) // whoever opens has as long to switch it on
	c.want(t)
	c.look(t, s, time.Second)
	c.want(t, "device_down 进口 scanner 2")
	c.shut = func(time.Time) bool { return true }
	c.gates[1] = []wire.Device{scanner("ok")}
	c.look(t, s, time.Hour)
	c.want(t, "device_down 进口 scanner 2", "device_up 进口 scanner 2")
}

// What nobody can see any more is over: a device that was taken out, a gate whose
// agent was revoked. An agent that is away says nothing.
func TestWatch_AnOutageEndsWithTheDeviceAndNotWithTheConnection(t *testing.T) {
	c := newCampus(t)
	server := httptest.NewServer(c)
	defer server.Close()
	s := c.watcher(t, server.URL)
	printer := wire.Device{Kind: "printer", Driver: "escpos", State: "lost"}
	c.gates = map[uint16][]wire.Device{1: {scanner("lost"), printer}, 2: {scanner("garbled")}}
	c.look(t, s, 0)
	c.look(t, s, 2*time.Minute)
	got := c.told()
	slices.Sort(got)
	if !slices.Equal(got, []string{"device_down  printer", "device_down 进口 scanner 2", "device_down 进口 scanner 2"}) {
		t.Fatalf("told %q", got)
	}
	c.gates = map[uint16][]wire.Device{1: nil, 2: nil}
	c.look(t, s, time.Hour)
	if open, err := s.Outages(t.Context(), false, 10); err != nil || len(open) != 3 {
		t.Fatalf("%+v, %v", open, err)
	}
	c.gates = map[uint16][]wire.Device{1: {scanner("lost")}}
	c.look(t, s, time.Hour)
	open, err := s.Outages(t.Context(), false, 10)
	ok(t, err)
	if len(open) != 1 || open[0].Gate != 1 || open[0].Kind != "scanner" || len(c.told()) != 5 {
		t.Fatalf("%+v, told %q", open, c.told())
	}
}

func TestWatch_TheEndIsToldAfterTheBeginningWasTaken(t *testing.T) {
	c := newCampus(t)
	server := httptest.NewServer(c)
	defer server.Close()
	s := c.watcher(t, server.URL)
	c.lost = 2
	c.gates[1] = []wire.Device{scanner("lost")}
	c.look(t, s, 0)
	c.look(t, s, 2*time.Minute) // not taken
	c.gates[1] = []wire.Device{scanner("ok")}
	c.look(t, s, 0)
	c.want(t)
	if d, err := s.Standing(t.Context()); err != nil || d.Untold != 2 || d.Failure == "" {
		t.Fatalf("%+v, %v", d, err)
	}
	c.look(t, s, time.Hour) // not taken again
	c.look(t, s, time.Hour)
	c.want(t, "device_down 进口 scanner 2", "device_up 进口 scanner 2")
	if d, err := s.Standing(t.Context()); err != nil || d != (alert.Deliveries{On: true}) {
		t.Fatalf("%+v, %v", d, err)
	}
}

func TestWatch_WithoutAWebhookTheConsoleKnowsAndNothingWaits(t *testing.T) {
	c := newCampus(t)
	s := c.watcher(t, "")
	c.gates[1] = []wire.Device{scanner("lost")}
	c.look(t, s, 0)
	c.look(t, s, 2*time.Minute)
	open, err := s.Outages(t.Context(), false, 10)
	ok(t, err)
	var waiting int
	ok(t, c.db.Reader().QueryRowContext(t.Context(), "SELECT count(*) FROM tidings").Scan(&waiting))
	if len(open) != 1 || waiting != 0 {
		t.Fatalf("%+v, %d wait", open, waiting)
	}
}

func TestPut_TheSameIDIsToldOnceAndNothingOfAChangeThatFailed(t *testing.T) {
	c := newCampus(t)
	server := httptest.NewServer(c)
	defer server.Close()
	s := c.watcher(t, server.URL)
	put := func(fault error) error {
		return c.db.Change(t.Context(), func(tx *store.Tx) error {
			return errors.Join(s.Put(tx, "x/1", "x", "x", map[string]any{"lane": "", "device": "a", "name": ""}), fault)
		})
	}
	if err := put(errors.New("a fault")); err == nil {
		t.Fatal("no fault")
	}
	ok(t, s.Tell(t.Context()))
	c.want(t)
	for range 2 {
		ok(t, put(nil))
		ok(t, s.Tell(t.Context()))
	}
	c.want(t, "x  a")
}
