package notify_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"campusgate/server/notify"
)

const secret = "0123456789abcdef"

// carrier is a real HTTP service that answers in turn, and keeps what it got.
type carrier struct {
	*httptest.Server
	mu      sync.Mutex
	calls   []*http.Request
	bodies  []string
	answers []func(http.ResponseWriter)
}

func newCarrier(t *testing.T, answers ...func(http.ResponseWriter)) *carrier {
	t.Helper()
	c := &carrier{answers: answers}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls, c.bodies = append(c.calls, r), append(c.bodies, string(body))
		if n := len(c.calls); n <= len(c.answers) {
			c.answers[n-1](w)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// taken gives the calls so far, and their bodies.
func (c *carrier) taken() ([]*http.Request, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls), slices.Clone(c.bodies)
}

func status(code int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(code) }
}

// cut ends the connection after the call has been read: it was taken, and
// nobody hears of it.
func cut(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func (c *carrier) gateway(t *testing.T) *notify.Gateway {
	t.Helper()
	g, err := notify.NewGateway(c.URL+"/send", []byte(secret), func() time.Time { return time.Unix(1_788_000_000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGateway_SendsWhatItsFormatSays(t *testing.T) {
	c := newCarrier(t, status(http.StatusAccepted))
	if err := c.gateway(t).Text(t.Context(), "13800130000", "482913"); err != nil {
		t.Fatal(err)
	}
	calls, bodies := c.taken()
	r := calls[0]
	if bodies[0] != `{"phone":"13800130000","code":"482913"}` || r.Method != http.MethodPost || r.URL.Path != "/send" ||
		r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Campusgate-Timestamp") != "1788000000" {
		t.Errorf("%s %s %v: %s", r.Method, r.URL, r.Header, bodies[0])
	}
	id := r.Header.Get("X-Campusgate-Id")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("1788000000." + id + "." + bodies[0]))
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); len(id) != 32 || r.Header.Get("X-Campusgate-Signature") != want {
		t.Errorf("id %q, signature %q, want %q", id, r.Header.Get("X-Campusgate-Signature"), want)
	}
}

func TestGateway_FailedAndFailedButDoneAreTriedOnceMoreUnderTheSameID(t *testing.T) {
	for name, first := range map[string]func(http.ResponseWriter){
		"failed": status(http.StatusBadGateway), "busy": status(http.StatusTooManyRequests), "failed but done": cut,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCarrier(t, first, status(http.StatusOK))
			if err := c.gateway(t).Text(t.Context(), "13800130000", "482913"); err != nil {
				t.Fatal(err)
			}
			calls, bodies := c.taken()
			if len(calls) != 2 || calls[0].Header.Get("X-Campusgate-Id") != calls[1].Header.Get("X-Campusgate-Id") || bodies[0] != bodies[1] {
				t.Errorf("%d calls, which a receiver cannot tell for one", len(calls))
			}
		})
	}
}

func TestGateway_RefusalsAreFinalAndTellNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		calls   int
	}{
		{"refused", []func(http.ResponseWriter){status(http.StatusForbidden)}, 1},
		{"moved", []func(http.ResponseWriter){func(w http.ResponseWriter) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}}, 1},
		{"down", []func(http.ResponseWriter){status(503), status(503)}, 2},
		{"cut twice", []func(http.ResponseWriter){cut, cut}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newCarrier(t, c.answers...)
			err := k.gateway(t).Text(t.Context(), "13800130000", "482913")
			if calls, _ := k.taken(); !errors.Is(err, notify.ErrGateway) || len(calls) != c.calls {
				t.Fatalf("%v after %d calls", err, len(calls))
			}
			for _, hidden := range []string{"13800130000", "482913", secret} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error tells: %v", err)
				}
			}
		})
	}
}

func TestGateway_OneThatNeverAnswersIsGivenUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it takes connections, and that is all
	g, err := notify.NewGateway("http://"+l.Addr().String(), []byte(secret), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := g.Text(ctx, "13800130000", "482913"); !errors.Is(err, notify.ErrGateway) {
		t.Errorf("got %v", err)
	}
}

func TestGateway_ShortSecretIsRefused(t *testing.T) {
	if _, err := notify.NewGateway("https://sms.example.edu", []byte("short"), time.Now); !errors.Is(err, notify.ErrGateway) {
		t.Errorf("got %v", err)
	}
}

func TestTerminal_ShowsTheCodeAndNotThePhone(t *testing.T) {
	var out bytes.Buffer
	for _, phone := range []string{"13800130000", "12"} {
		if err := (notify.Terminal{W: &out}).Text(t.Context(), phone, "482913"); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(out.String(), "482913") || strings.Contains(out.String(), "13800130000") {
		t.Errorf("%s", &out)
	}
}
