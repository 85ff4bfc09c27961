package memnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
)

// pair dials and accepts one connection.
func pair(t *testing.T, l *memnet.Listener, c *memnet.Cable) (near, far net.Conn) {
	t.Helper()
	accepted := make(chan net.Conn)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			t.Errorf("accept: %v", err)
		}
		accepted <- conn
	}()
	near, err := c.Dial(t.Context(), "tcp", "ignored")
	if err != nil {
		t.Fatal(err)
	}
	return near, <-accepted
}

func TestConn_CarriesBytesAndEOF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		near, far := pair(t, l, l.Cable("127.0.0.1:5000"))
		sent := bytes.Repeat([]byte("0123456789abcdef"), 10_000) // more than a buffer
		go func() {
			if _, err := near.Write(sent); err != nil {
				t.Error(err)
			}
			_ = near.Close()
		}()
		got, err := io.ReadAll(far)
		if err != nil || !bytes.Equal(got, sent) {
			t.Fatalf("read %d bytes, %v; want %d", len(got), err, len(sent))
		}
		if far.RemoteAddr().String() != "127.0.0.1:5000" || near.RemoteAddr().String() != "127.0.0.1:80" {
			t.Fatalf("addresses %v and %v", far.RemoteAddr(), near.RemoteAddr())
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, memnet.ErrReset) {
			t.Fatalf("write to a closed end: %v", err)
		}
	})
}

func TestConn_RateAndDelayTakeTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		c := l.Cable("127.0.0.1:5000")
		c.Shape(1000, 20*time.Millisecond)
		near, far := pair(t, l, c)
		start := time.Now()
		if _, err := near.Write(make([]byte, 500)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(far, make([]byte, 500)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 520*time.Millisecond {
			t.Fatalf("500 bytes at 1000/s with 20 ms delay took %v", took)
		}
	})
}

func TestConn_DeadlinesEndWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		near, _ := pair(t, l, l.Cable("127.0.0.1:5000"))
		start := time.Now()
		_ = near.SetDeadline(start.Add(3 * time.Second))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 3*time.Second {
			t.Fatalf("read: %v after %v", err, time.Since(start))
		}
		_ = near.SetDeadline(start.Add(7 * time.Second))
		n, err := near.Write(make([]byte, 1<<20))
		if !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 7*time.Second || n != 64<<10 {
			t.Fatalf("write to one who does not read: %d bytes, %v after %v", n, err, time.Since(start))
		}
		var ne net.Error
		if !errors.As(err, &ne) || !ne.Timeout() {
			t.Fatalf("%v is no timeout", err)
		}
	})
}

func TestCable_CutBreaksAndRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		c := l.Cable("127.0.0.1:5000")
		near, far := pair(t, l, c)
		c.Set(memnet.Cut)
		for name, conn := range map[string]net.Conn{"near": near, "far": far} {
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, memnet.ErrReset) {
				t.Errorf("%s read: %v", name, err)
			}
			if _, err := conn.Write([]byte("x")); !errors.Is(err, memnet.ErrReset) {
				t.Errorf("%s write: %v", name, err)
			}
		}
		if _, err := c.Dial(t.Context(), "", ""); !errors.Is(err, memnet.ErrRefused) {
			t.Fatalf("dial: %v", err)
		}
		c.Set(memnet.Up)
		pair(t, l, c)
		if c.Dials() != 3 {
			t.Fatalf("%d dials", c.Dials())
		}
	})
}

func TestCable_DeafLosesOnlyTheReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		c := l.Cable("127.0.0.1:5000")
		near, far := pair(t, l, c)
		c.Set(memnet.Deaf)
		if _, err := near.Write([]byte("question")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(far, make([]byte, 8)); err != nil {
			t.Fatal(err)
		}
		if _, err := far.Write([]byte("answer")); err != nil {
			t.Fatalf("the server must not notice: %v", err)
		}
		_ = near.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the answer came: %v", err)
		}
		c.Set(memnet.Up)
		if _, err := near.Write([]byte("x")); !errors.Is(err, memnet.ErrReset) {
			t.Fatalf("a connection that lost bytes goes on: %v", err)
		}
	})
}

func TestCable_DarkHangsAndHidesTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen("127.0.0.1:80")
		c := l.Cable("127.0.0.1:5000")
		near, far := pair(t, l, c)
		c.Set(memnet.Dark)
		_ = far.Close()
		_ = near.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("the end was heard: %v", err)
		}
		if _, err := near.Write([]byte("x")); err != nil {
			t.Fatalf("the end was heard: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Dial(ctx, "", ""); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Fatalf("dial: %v after %v", err, time.Since(start))
		}
	})
}
