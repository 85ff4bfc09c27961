package camera_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/devices"
	"campusgate/devices/camera"
	"campusgate/devices/qr/scene"
)

// limit is far above anything that is waited for; it only ends a broken test.
const limit = 20 * time.Second

var live = "CP1:" + strings.Repeat("6BFOXN*TS0BI$ZD.P9UOL97O4-2HH77HRM3DSPTV9", 8)

func photo(t testing.TB, s scene.Scene) []byte {
	t.Helper()
	frame, err := s.Draw()
	if err != nil {
		t.Fatal(err)
	}
	return compress(t, frame)
}

func compress(t testing.TB, frame *image.Gray) []byte {
	t.Helper()
	colour := image.NewYCbCr(frame.Rect, image.YCbCrSubsampleRatio422)
	copy(colour.Y, frame.Pix)
	for i := range colour.Cb {
		colour.Cb[i], colour.Cr[i] = 120, 135
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, colour, &jpeg.Options{Quality: 70}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shows serves a stream that show writes, a frame a call, until it returns.
func shows(t *testing.T, show func(r *http.Request, put func([]byte))) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=--frame")
		show(r, func(data []byte) {
			_, _ = fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(data), data)
			_ = http.NewResponseController(w).Flush()
		})
	}))
	t.Cleanup(s.Close)
	return s
}

// forever shows pictures by turns at 50 frames a second.
func forever(pictures ...[]byte) func(*http.Request, func([]byte)) {
	return func(r *http.Request, put func([]byte)) {
		for i := 0; r.Context().Err() == nil; i++ {
			put(pictures[i%len(pictures)])
			<-time.After(20 * time.Millisecond)
		}
	}
}

// rig is a running camera.
type rig struct {
	t       *testing.T
	scanner *camera.Scanner
	scans   chan devices.Scan
	opened  chan struct{}
	done    chan error
	stop    context.CancelFunc
}

func run(t *testing.T, c camera.Config) *rig {
	t.Helper()
	s, err := camera.NewScanner(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	r := &rig{t, s, make(chan devices.Scan, 100), make(chan struct{}), make(chan error, 1), cancel}
	t.Cleanup(cancel)
	go func() {
		r.done <- s.RunNotify(ctx, func(s devices.Scan) { r.scans <- s }, func() { close(r.opened) })
	}()
	return r
}

func (r *rig) next() string {
	r.t.Helper()
	select {
	case s := <-r.scans:
		return s.Text
	case err := <-r.done:
		r.t.Fatalf("Run: %v", err)
	}
	return ""
}

// end is why Run returned.
func (r *rig) end() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(limit):
		r.t.Fatal("Run goes on")
		return nil
	}
}

func TestCodesInAStreamAreReadHoweverTheyAreShown(t *testing.T) {
	for name, s := range scene.All(live) {
		// One after the other: a camera without a picture for three seconds is lost,
		// and on a busy machine ten of them might be.
		t.Run(name, func(t *testing.T) {
			r := run(t, camera.Config{URL: shows(t, forever(photo(t, s))).URL})
			if got := r.next(); got != live {
				t.Errorf("read %q", got)
			}
			r.stop()
			if err := r.end(); !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestSnapshotsAreAskedForAsOftenAsTheAddressSays(t *testing.T) {
	var asked atomic.Int64
	picture := photo(t, scene.Straight(live))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(picture)
	}))
	defer server.Close()
	wall := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	start := time.Now()
	r := run(t, camera.Config{URL: server.URL + "/snapshot.jpg#fps=25", Now: func() time.Time { return wall }})
	select {
	case s := <-r.scans:
		if want := (devices.Scan{Text: live, At: wall}); s != want {
			t.Errorf("got %+v", s)
		}
	case err := <-r.done:
		t.Fatal(err)
	}
	for r.scanner.Suppressed() < 5 { // the same code, held in view
		<-time.After(5 * time.Millisecond)
	}
	r.stop()
	if err := r.end(); !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if most := int64(time.Since(start)/(40*time.Millisecond)) + 2; asked.Load() > most {
		t.Errorf("asked %d times, at most %d are 25 a second", asked.Load(), most)
	}
	if len(r.scans) > 0 {
		t.Errorf("a code held in view was read again: %v", <-r.scans)
	}
}

func TestAnotherCodeIsAnotherScan(t *testing.T) {
	a, b := photo(t, scene.Straight("CP1:A")), photo(t, scene.Straight("CP1:B"))
	r := run(t, camera.Config{URL: shows(t, forever(a, b)).URL})
	got := []string{r.next(), r.next()}
	slices.Sort(got)
	if !slices.Equal(got, []string{"CP1:A", "CP1:B"}) {
		t.Errorf("read %q", got)
	}
}

func TestWhatNoCodeOfOursHoldsIsMadeHarmless(t *testing.T) {
	r := run(t, camera.Config{URL: shows(t, forever(photo(t, scene.Straight("CP1:A\r\nB\x07")))).URL})
	if got, want := r.next(), "CP1:A\uFFFD\uFFFDB\uFFFD"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The camera is much faster than the decoder: what is read is of now, not of the
// beginning.
func TestTheNewestFrameIsRead(t *testing.T) {
	large := func(text string) []byte {
		s := scene.Straight(text)
		s.W, s.H = 1280, 960
		return photo(t, s)
	}
	none := scene.Straight("")
	none.W, none.H, none.Noise = 1280, 960, 3
	empty, code := photo(t, none), large("CP1:NOW")
	var shown atomic.Int64
	r := run(t, camera.Config{URL: shows(t, func(r *http.Request, put func([]byte)) {
		for range 300 { // seconds of decoding, in no time
			put(empty)
		}
		shown.Store(time.Now().UnixNano())
		forever(code)(r, put)
	}).URL})
	if got := r.next(); got != "CP1:NOW" {
		t.Fatalf("read %q", got)
	}
	if late := time.Since(time.Unix(0, shown.Load())); late > 2*time.Second {
		t.Errorf("read %v after it was shown", late)
	}
}

func TestDamagedFramesAreLeftOut(t *testing.T) {
	good := photo(t, scene.Straight(live))
	huge := image.NewGray(image.Rect(0, 0, 1, 1))
	bomb := compress(t, huge)
	// A tiny file that says it is 65,500 pixels a side.
	at := bytes.Index(bomb, []byte{0xFF, 0xC0})
	copy(bomb[at+5:], []byte{0xFF, 0xDC, 0xFF, 0xDC})
	r := run(t, camera.Config{URL: shows(t, forever(
		[]byte("not a picture"), nil, good[:len(good)/3], bomb, good[:200], good,
	)).URL})
	if got := r.next(); got != live {
		t.Errorf("read %q", got)
	}
}

func TestALostCameraSaysWhy(t *testing.T) {
	picture := photo(t, scene.Straight(live))
	reply := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"password":   {reply(401, "text/html", ""), "it answers 401 Unauthorized"},
		"a page":     {reply(200, "text/html; charset=utf-8", "<p>"), "neither a stream nor a JPEG"},
		"boundary":   {reply(200, "multipart/x-mixed-replace", ""), "neither a stream nor a JPEG"},
		"dashes":     {reply(200, "multipart/x-mixed-replace; boundary=----", ""), "neither a stream nor a JPEG"},
		"ended":      {reply(200, "multipart/x-mixed-replace; boundary=b", "--b\r\n\r\nx\r\n--b--\r\n"), "the stream ended"},
		"huge":       {reply(200, "multipart/x-mixed-replace; boundary=b", "--b\r\nContent-Length: 5000000\r\n\r\n"), "more than 4 MB"},
		"huge still": {reply(200, "image/jpeg", strings.Repeat("x", 5<<20)), "more than 4 MB"},
		"junk":       {reply(200, "multipart/x-mixed-replace; boundary=b", strings.Repeat("junk", 50_000)), "no boundary"},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusFound)
		}, "it sends us elsewhere"},
		"pulled out": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=b")
			_, _ = fmt.Fprintf(w, "--b\r\nContent-Length: %d\r\n\r\n%s", len(picture), picture[:100])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "the stream ended"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(c.answer)
			defer server.Close()
			address := strings.Replace(server.URL, "//", "//guard:s3cret@", 1) + "/video?pwd=s3cret"
			r := run(t, camera.Config{URL: address})
			err := r.end()
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), server.URL+"/video") {
				t.Errorf("Run: %v, want %q", err, c.want)
			}
			_, probed := r.scanner.Probe(t.Context())
			for _, e := range []error{err, probed} {
				if e != nil && strings.Contains(e.Error(), "s3cret") {
					t.Errorf("the password is in %v", e)
				}
			}
			if name != "ended" && probed == nil {
				t.Error("Probe found it")
			}
		})
	}
}

func TestACameraThatIsNotThereIsSaidSoSoon(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	start := time.Now()
	err := run(t, camera.Config{URL: strings.Replace(server.URL, "//", "//u:s3cret@", 1)}).end()
	if err == nil || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "s3cret") || time.Since(start) > 2*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// A stream that stalls, or that shows nothing but damage, is a lost camera.
func TestAStallIsALoss(t *testing.T) {
	picture := photo(t, scene.Straight(live))
	for name, show := range map[string]func(*http.Request, func([]byte)){
		"stall":  func(r *http.Request, put func([]byte)) { put(picture); <-r.Context().Done() },
		"damage": forever([]byte("not a picture")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := run(t, camera.Config{URL: shows(t, show).URL}).end(); err == nil || !strings.Contains(err.Error(), "no picture for 3s") {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestNameAndPasswordAreSentAndNothingElse(t *testing.T) {
	picture := photo(t, scene.Straight(live))
	var header atomic.Value
	r := run(t, camera.Config{URL: strings.Replace(shows(t, func(r *http.Request, put func([]byte)) {
		header.Store(r.Header.Get("Authorization"))
		forever(picture)(r, put)
	}).URL, "//", "//guard:p%40ss@", 1)})
	r.next()
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("guard:p@ss")); header.Load() != want {
		t.Errorf("got %q", header.Load())
	}
}

func TestProbeNamesThePictureAndNoPassword(t *testing.T) {
	server := shows(t, forever(photo(t, scene.Straight(live))))
	s, err := camera.NewScanner(camera.Config{URL: strings.Replace(server.URL, "//", "//guard:s3cret@", 1) + "/video?pwd=s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	if found, err := s.Probe(t.Context()); err != nil || found != server.URL+"/video, 640×480" {
		t.Errorf("Probe: %q, %v", found, err)
	}
}

// A camera that loses its cable a hundred times under a supervisor: every code
// that is shown afterwards is read, and nothing is left behind.
func TestACameraThatFlapsComesBack(t *testing.T) {
	const n = 100
	small := scene.Straight("CP1:A")
	small.W, small.H = 160, 120
	picture := photo(t, small)
	server := shows(t, func(r *http.Request, put func([]byte)) { put(picture); put(picture) })
	s, err := camera.NewScanner(camera.Config{URL: server.URL, Debounce: -1})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for range n {
		if err := s.Run(ctx, func(devices.Scan) {}); err == nil || !strings.Contains(err.Error(), "the stream ended") {
			t.Fatal(err)
		}
	}
	scans, lost := 0, 0
	err = (&devices.Supervisor{}).Run(ctx, s, func(devices.Scan) {
		if scans++; scans == 3 {
			cancel()
		}
	}, func(h devices.Health) {
		if h.State == devices.Lost {
			lost++
		}
	})
	if !errors.Is(err, context.Canceled) || scans < 3 || lost == 0 {
		t.Errorf("%v: %d scans, lost %d times", err, scans, lost)
	}
	server.CloseClientConnections()
	for end := time.Now().Add(limit); runtime.NumGoroutine() > before+2; <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

func TestBadAddressesAreRefusedAndNotRepeated(t *testing.T) {
	for _, address := range []string{
		"", "/dev/video0", "rtsp://u:s3cret@10.0.0.9/", "http://", "http://u:s3cret@/x", "http://u:s3cret@h:port/x", "http://u:s3cret@%zz/",
		"http://u:s3cret@h/x#fps=0", "http://u:s3cret@h/x#fps=26", "http://u:s3cret@h/x#fps=x", "http://u:s3cret@h/x#y",
	} {
		if s, err := camera.NewScanner(camera.Config{URL: address}); err == nil || s != nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", address, err)
		}
		if place := camera.Place(address); strings.Contains(place, "s3cret") {
			t.Errorf("%q is placed at %q", address, place)
		}
	}
}
