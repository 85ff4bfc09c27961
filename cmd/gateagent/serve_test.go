//go:build linux

package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent"
)

func TestLog_GoesToAFileThatIsBounded(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	g.enrol()
	log := filepath.Join(t.TempDir(), "logs", "agent.log")
	g.start("-log", log)
	g.untilOnline()
	g.stop()
	said, err := os.ReadFile(log)
	check(t, err)
	if !strings.Contains(string(said), "msg=device") || strings.Contains(g.said.String(), "msg=device") {
		t.Errorf("the file holds %q", said)
	}
	if total := logFileMB * (logFiles + 1); total > 60 {
		t.Errorf("the log may take %d MB", total)
	}
}

func TestTail_KeepsTheEndInWholeLines(t *testing.T) {
	tail := &tail{limit: 1000}
	for range 1000 {
		_, err := tail.Write([]byte("a line of the log\n"))
		check(t, err)
	}
	kept := tail.bytes()
	if len(kept) < 900 || len(kept) > 1250 || !strings.HasPrefix(string(kept), "a line") || !strings.HasSuffix(string(kept), "log\n") {
		t.Errorf("%d bytes: %.30q", len(kept), kept)
	}
}

// heard listens as systemd does.
func heard(t *testing.T) <-chan string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	check(t, err)
	t.Cleanup(func() { _ = c.Close() })
	t.Setenv("NOTIFY_SOCKET", path)
	said := make(chan string, 64)
	go func() {
		defer close(said)
		buf := make([]byte, 1024)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			said <- string(buf[:n])
		}
	}()
	return said
}

func TestWatch_TellsSystemdAsLongAsTheAgentIsAlive(t *testing.T) {
	said := heard(t)
	t.Setenv("WATCHDOG_USEC", "30000") // every 10 ms
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	g.enrol()
	g.start()
	next := func() string {
		t.Helper()
		select {
		case line := <-said:
			return line
		case <-time.After(patience):
			t.Fatal("nothing was said")
		}
		return ""
	}
	if got := next(); got != "READY=1\nWATCHDOG=1" {
		t.Errorf("first %q", got)
	}
	for range 3 {
		if got := next(); got != "WATCHDOG=1" {
			t.Errorf("then %q", got)
		}
	}
	go g.stop()
	last := next()
	for last == "WATCHDOG=1" {
		last = next()
	}
	if last != "STOPPING=1" {
		t.Errorf("at last %q", last)
	}
	g.stop()
}

func TestWatch_SaysNothingOfAnAgentThatHangs(t *testing.T) {
	said := heard(t)
	t.Setenv("WATCHDOG_USEC", "30000")
	ctx, cancel := context.WithCancelCause(t.Context())
	calls := make(chan int, 100)
	n := 0
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		watch(ctx, func(context.Context) error {
			n++
			calls <- n
			return agent.ErrHung
		}, slog.New(slog.DiscardHandler), cancel)
	}()
	for range 5 {
		<-calls
	}
	cancel(nil)
	<-ended
	if got := <-said; got != "STOPPING=1" {
		t.Errorf("said %q", got)
	}
}

func TestWatch_WithoutAManagerThereIsNothingToTell(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	ctx, cancel := context.WithCancelCause(t.Context())
	watch(ctx, func(context.Context) error { return errors.New("asked") }, slog.New(slog.DiscardHandler), cancel)
	if ctx.Err() != nil {
		t.Error("it was ended")
	}
}

// A browser that ends is started again, once the page is there.
func TestKiosk_ShowsThePageAgainWheneverTheBrowserEnds(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\necho \"$@\" >> " + filepath.Join(dir, "ran") + "\n"
	check(t, os.WriteFile(filepath.Join(dir, "chromium"), []byte(script), 0o755))
	t.Setenv("PATH", dir+":/bin:/usr/bin")
	t.Setenv("XDG_CACHE_HOME", dir)
	s := newSite(t, "云岭大学")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	env := Env{Stdout: &transcript{}, Stderr: &transcript{}}
	go func() { ended <- kiosk(ctx, env, options{url: s.client.Base + "/"}) }()
	deadline := time.After(patience)
	for runs := 0; runs < 2; {
		select {
		case <-deadline:
			t.Fatal("the browser was not started again")
		case <-time.After(20 * time.Millisecond):
		}
		ran, _ := os.ReadFile(filepath.Join(dir, "ran"))
		runs = strings.Count(string(ran), "--kiosk")
		if runs > 0 && (!strings.Contains(string(ran), "--app="+s.client.Base) || !strings.Contains(string(ran), "--user-data-dir="+dir)) {
			t.Fatalf("ran %s", ran)
		}
	}
	cancel()
	check(t, <-ended)
	t.Setenv("PATH", t.TempDir())
	if err := kiosk(t.Context(), env, options{url: s.client.Base}); !errors.Is(err, errNoBrowser) {
		t.Errorf("without a browser: %v", err)
	}
	if err := kiosk(t.Context(), env, options{url: "file:///etc/passwd"}); err == nil {
		t.Error("a file was shown")
	}
}

func TestPause_EndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if !pause(ctx, time.Millisecond) || pause(ctx, time.Hour) {
			t.Error("it paused otherwise")
		}
	})
}
