package httprelay_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/devices/httprelay"
	"campusgate/devices/relay"
)

const patience = 20 * time.Second

// box is a relay on the network. It notes what it was told.
type box struct {
	*httptest.Server
	mu     sync.Mutex
	manner func(w http.ResponseWriter, r *http.Request) // nil = as told
	heard  chan string
}

func newBox(t *testing.T) *box {
	b := &box{heard: make(chan string, 100)}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		b.heard <- strings.TrimSuffix(r.Method+" "+r.URL.Path+" "+user+" "+password, "  ")
		b.mu.Lock()
		manner := b.manner
		b.mu.Unlock()
		if manner != nil {
			manner(w, r)
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *box) behave(manner func(http.ResponseWriter, *http.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.manner = manner
}

func (b *box) told(t *testing.T, want string) {
	t.Helper()
	select {
	case got := <-b.heard:
		if got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("never told %q", want)
	}
}

// barrier is the box with the pulse engine.
func (b *box) barrier(t *testing.T, c httprelay.Config) *relay.Barrier {
	t.Helper()
	r, err := httprelay.New(c)
	if err != nil {
		t.Fatal(err)
	}
	barrier, err := relay.New(relay.Config{
		Dial: func() (relay.Port, error) { return r, nil }, Name: r.Name(), Pulse: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = barrier.Close() })
	return barrier
}

func TestAPulseIsOneCallOnAndOneOff(t *testing.T) {
	b := newBox(t)
	with := strings.Replace(b.URL, "http://", "http://gate:s3cret@", 1)
	r := b.barrier(t, httprelay.Config{On: with + "/on", Off: with + "/off", Method: http.MethodPost})
	b.told(t, "POST /off gate s3cret")
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.told(t, "POST /on gate s3cret")
	b.told(t, "POST /off gate s3cret")
}

func TestABoxThatPulsesByItselfIsCalledOnce(t *testing.T) {
	b := newBox(t)
	r := b.barrier(t, httprelay.Config{On: b.URL + "/pulse"})
	for range 2 {
		if err := r.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.told(t, "GET /pulse")
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if len(b.heard) != 0 {
		t.Errorf("told %q too", <-b.heard)
	}
}

// TestOffFollowsWhateverTheBoxDoes plays every fault twice over: "on" fails, and
// "on" is done and then fails. The relay is told to go off until it agrees.
func TestOffFollowsWhateverTheBoxDoes(t *testing.T) {
	for name, manner := range map[string]func(http.ResponseWriter, *http.Request){
		"an error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"no right":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"no answer":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"a cut line": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.9/", http.StatusFound)
		},
		"an endless path": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/on", http.StatusFound) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			r := b.barrier(t, httprelay.Config{On: b.URL + "/on", Off: b.URL + "/off", Timeout: 200 * time.Millisecond})
			b.told(t, "GET /off")
			b.behave(manner)
			start := time.Now()
			if err := r.Open(t.Context()); err == nil {
				t.Error("Open gave no error")
			}
			if took := time.Since(start); took > 1200*time.Millisecond {
				t.Errorf("Open took %v", took)
			}
			b.behave(nil)
			for heard := ""; heard != "GET /off"; {
				select {
				case heard = <-b.heard:
				case <-time.After(patience):
					t.Fatal("it was never told to go off")
				}
			}
		})
	}
}

func TestNoMessageHoldsThePassword(t *testing.T) {
	b := newBox(t)
	b.behave(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	u, err := url.Parse(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	r, err := httprelay.New(httprelay.Config{On: "http://gate:s3cret@" + u.Host + "/open?key=s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	faults := []error{r.Switch(true)}
	b.Close()
	faults = append(faults, r.Switch(true), r.Alive(), httprelay.Config{On: "http://gate:s3cret@%zz/"}.Check(), httprelay.Config{On: "ftp://gate:s3cret@x/"}.Check())
	for i, err := range faults {
		if err == nil || strings.Contains(err.Error()+r.Name(), "s3cret") {
			t.Errorf("fault %d: %v", i, err)
		}
	}
}

func TestARedirectOnTheSameHostIsFollowed(t *testing.T) {
	b := newBox(t)
	b.behave(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/on" {
			http.Redirect(w, r, "/on/", http.StatusFound)
		}
	})
	r, err := httprelay.New(httprelay.Config{On: b.URL + "/on"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Switch(true); err != nil {
		t.Error(err)
	}
	b.told(t, "GET /on")
	b.told(t, "GET /on/")
}

func TestABoxThatIsGoneIsFoundWithoutACall(t *testing.T) {
	b := newBox(t)
	r, err := httprelay.New(httprelay.Config{On: b.URL + "/on"})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Alive(); err != nil {
		t.Error(err)
	}
	b.Close()
	fresh, err := httprelay.New(httprelay.Config{On: b.URL + "/on"})
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Alive(); err == nil {
		t.Error("a box that is gone is alive")
	}
	if len(b.heard) != 0 {
		t.Errorf("told %q", <-b.heard)
	}
}

func TestAConfigurationThatCannotBeIsRefused(t *testing.T) {
	for _, c := range []httprelay.Config{
		{},
		{On: "192.0.2.7/on"},
		{On: "file:///etc/passwd"},
		{On: "http:///on"},
		{On: "http://192.0.2.7/on", Off: "off"},
		{On: "http://192.0.2.7/on", Method: "DELETE"},
	} {
		if err := c.Check(); !errors.Is(err, httprelay.ErrConfig) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
