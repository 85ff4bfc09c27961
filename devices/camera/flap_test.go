package camera_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/camera"
	"campusgate/devices/qr/scene"
)

var flaps = flag.Int("flaps", 10, "how often a camera is pulled out while codes are shown to it")

// A camera is pulled out while somebody shows a code, and comes back with the next
// person before it. Every code that is shown for a moment is read, once; what the
// camera was pulled out from is read by the time the next one is, or not at all.
func TestACameraThatIsPulledOutReadsEveryCodeOnce(t *testing.T) {
	before := runtime.NumGoroutine()
	small := scene.Straight("")
	small.W, small.H = 160, 120
	address := "127.0.0.1:0"
	plug := func(picture []byte) *httptest.Server {
		t.Helper()
		ln, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		address = ln.Addr().String()
		s := &httptest.Server{Listener: ln, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=--frame")
			forever(picture)(r, func(data []byte) {
				_, _ = fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(data), data)
				_ = http.NewResponseController(w).Flush()
			})
		})}}
		s.Start()
		return s
	}
	code := func(n int) string { return fmt.Sprintf("CP1:FLAP%d", n) }
	picture := func(n int) []byte {
		s := small
		s.Text = code(n)
		return photo(t, s)
	}
	server := plug(picture(0))
	s, err := camera.NewScanner(camera.Config{URL: "http://" + address})
	if err != nil {
		t.Fatal(err)
	}
	scans, states, ended := make(chan string, 100), make(chan string, 1000), make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		ended <- (&devices.Supervisor{}).Run(ctx, s,
			func(s devices.Scan) { scans <- s.Text },
			func(h devices.Health) { states <- h.State })
	}()
	var slowest time.Duration
	for n := range *flaps + 1 {
		select {
		case got := <-scans:
			if got != code(n) {
				t.Fatalf("flap %d: read %q", n, got)
			}
		case <-time.After(limit):
			t.Fatalf("flap %d: not read", n)
		}
		if n == *flaps {
			break
		}
		server.CloseClientConnections()
		server.Close()
		for state := range states {
			if state == devices.Lost {
				break
			}
		}
		server = plug(picture(n + 1))
		back := time.Now()
		for state := range states {
			if state == devices.OK {
				break
			}
		}
		slowest = max(slowest, time.Since(back))
	}
	t.Logf("%d flaps, slowest recovery %v", *flaps, slowest)
	if slowest > 2*time.Second {
		t.Errorf("slowest recovery %v", slowest)
	}
	stop()
	if err := <-ended; !errors.Is(err, ctx.Err()) {
		t.Error(err)
	}
	server.CloseClientConnections()
	server.Close()
	if len(scans) > 0 {
		t.Errorf("read again: %q", <-scans)
	}
	for end := time.Now().Add(limit); runtime.NumGoroutine() > before+2; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}
