package server_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/server"
	"campusgate/server/store"
)

// patience bounds every wait.
const patience = 20 * time.Second

func deps() server.Deps {
	return server.Deps{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)}
}

// run runs a server and gives what ends it and looks at how it ended.
func run(t *testing.T, srv *server.Server) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx) }()
	return func() {
		t.Helper()
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the server ended with: %v", err)
			}
		case <-time.After(patience):
			t.Error("the server does not end")
		}
	}
}

func TestServer_ServesUntilItIsToldToEnd(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	found(t, s)
	before := runtime.NumGoroutine()
	for range 2 { // nothing of the first stands in the way of the second
		srv, err := server.New(t.Context(), s, deps())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(srv.URL(), "http://127.0.0.1:") {
			t.Errorf("it is at %s", srv.URL())
		}
		end := run(t, srv)
		transport := &http.Transport{}
		client := http.Client{Transport: transport, Timeout: patience}
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/api/openapi.json", "/"} {
			res, err := client.Get(srv.URL() + path)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", path, res.Status)
			}
			if err := res.Body.Close(); err != nil {
				t.Error(err)
			}
		}
		transport.CloseIdleConnections()
		end()
	}
	settled(t, before)
}

// settled waits until there are no more goroutines than before.
func settled(t *testing.T, before int) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
	}
}

func TestServer_RefusesAPlaceWithoutASite(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		s := settings(t, dir)
		before := tree(t, dir)
		_, err := server.New(t.Context(), s, deps())
		if !errors.Is(err, store.ErrNoDatabase) || !strings.Contains(err.Error(), "gateserver init -config FILE") {
			t.Errorf("%v, want store.ErrNoDatabase with the command to run", err)
		}
		unchanged(t, before, tree(t, dir))
	}
}

func TestServer_TheSecondOnOneFolderIsRefused(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	found(t, s)
	first, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	end := run(t, first)
	if _, err := server.New(t.Context(), s, deps()); !errors.Is(err, server.ErrInUse) || !strings.Contains(err.Error(), s.Data) {
		t.Errorf("a second server: %v, want ErrInUse with the folder", err)
	}
	kept := filepath.Join(t.TempDir(), "b.db")
	if _, err := server.Backup(t.Context(), s, kept, time.Now, rand.Reader); err != nil {
		t.Error(err)
	}
	if _, err := server.Restore(t.Context(), s, kept, true, time.Now, rand.Reader); !errors.Is(err, server.ErrInUse) {
		t.Errorf("a restore under a running server: %v, want ErrInUse", err)
	}
	// What may happen beside it does.
	if head, err := server.VerifyTrail(t.Context(), s, time.Now, rand.Reader); err != nil || head.Entries == 0 {
		t.Errorf("the trail: %v, %v", head, err)
	}
	end()
	second, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatalf("after the end of the first: %v", err)
	}
	run(t, second)()
}

func TestServer_AFailedStartLeavesNothingOpen(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	found(t, s)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	busy := s
	busy.Listen = taken.Addr().String()
	other := s
	other.Site = "别的大学"
	before := runtime.NumGoroutine()
	if _, err := server.New(t.Context(), busy, deps()); err == nil || !strings.Contains(err.Error(), busy.Listen) {
		t.Errorf("a port that is taken: %v", err)
	}
	if _, err := server.New(t.Context(), other, deps()); err == nil || !strings.Contains(err.Error(), "云岭大学") {
		t.Errorf("another site: %v", err)
	}
	settled(t, before)
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	run(t, srv)()
}
