package server

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// caller is a connection that knows whether it was cut.
type caller struct {
	net.Conn
	cut bool
}

func (c *caller) Close() error {
	c.cut = true
	return nil
}

// secret is one with TLS, which is not to be asked to close.
type secret struct {
	net.Conn
	inner *caller
}

func (s secret) NetConn() net.Conn { return s.inner }

func TestCrowd_CutsWhoHasWaitedLongestAndThenWhoHasBeenAnsweredLongest(t *testing.T) {
	var said bytes.Buffer
	c := newCrowd(slog.New(slog.NewTextHandler(&said, nil)))
	all := make([]*caller, maxConns)
	for i := range all {
		all[i] = &caller{}
		c.note(all[i], http.StateNew)
	}
	for _, conn := range all[:maxConns-2] {
		c.note(conn, http.StateActive)
	}
	c.note(all[0], http.StateIdle) // waits, for less long than the last two
	cut := func() string {
		var list []string
		for i, conn := range all {
			if conn.cut {
				list = append(list, fmt.Sprint(i))
				conn.cut = false
			}
		}
		return strings.Join(list, " ")
	}
	arrive := func() net.Conn {
		conn := secret{inner: &caller{}}
		c.note(conn, http.StateNew)
		c.note(conn, http.StateActive)
		return conn
	}
	for _, want := range []int{maxConns - 2, maxConns - 1, 0, 1, 2} {
		arrive()
		if got := cut(); got != fmt.Sprint(want) {
			t.Errorf("cut %q, want %d", got, want)
		}
	}
	// What was cut, has ended or went its own way is not held.
	c.note(all[1], http.StateActive)
	c.note(all[1], http.StateClosed)
	c.note(all[3], http.StateHijacked)
	c.note(all[4], http.StateClosed)
	if len(c.places) != maxConns-2 || c.waiting.Len()+c.busy.Len() != maxConns-2 {
		t.Errorf("%d places, %d waiting, %d busy", len(c.places), c.waiting.Len(), c.busy.Len())
	}
	arrive()
	arrive()
	if got := cut(); got != "" {
		t.Errorf("cut %s though there was room", got)
	}
	if n := strings.Count(said.String(), "too many"); n != 1 {
		t.Errorf("said %d times", n)
	}
}

func TestCrowd_OneWithTLSIsCutBeneathIt(t *testing.T) {
	c := newCrowd(slog.New(slog.DiscardHandler))
	first := secret{inner: &caller{}}
	c.note(first, http.StateNew)
	for range maxConns {
		c.note(&caller{}, http.StateNew)
	}
	if !first.inner.cut {
		t.Error("it is not cut")
	}
}
