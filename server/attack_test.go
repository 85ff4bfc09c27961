package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/server"
)

// What one connection does slowly, or without end, holds it up for so long and
// no longer. Time is the bubble's.
func TestAttack_SlowAndEndlessRequestsAreCut(t *testing.T) {
	const post = "POST /api/v1/login/code HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct {
		first string // at once
		drip  string // a second each, without end
		limit time.Duration
		says  string // the beginning of the answer; "" = any, or none
	}{
		"headers, byte by byte":   {"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", "a", 6 * time.Second, ""},
		"headers, line by line":   {"GET / HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n", 6 * time.Second, ""},
		"nothing at all":          {"", "", 6 * time.Second, ""},
		"half of a request":       {"GE", "", 6 * time.Second, ""},
		"body, byte by byte":      {post + "Content-Length: 30000\r\n\r\n", "{", 40 * time.Second, ""},
		"body that never comes":   {post + "Content-Length: 30000\r\n\r\n", "", 40 * time.Second, ""},
		"endless chunks":          {post + "Transfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n", 40 * time.Second, ""},
		"a header of 64 KiB":      {"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n", "", 6 * time.Second, "HTTP/1.1 431"},
		"10,000 headers":          {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: b\r\n", 10_000) + "\r\n", "", 6 * time.Second, "HTTP/1.1 431"},
		"two lengths":             {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "", 6 * time.Second, "HTTP/1.1 400"},
		"length and chunks":       {post + "Transfer-Encoding: chunked, identity\r\n\r\n", "", 6 * time.Second, "HTTP/1.1 501"},
		"a line end in a header":  {"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\nX-B\r\n\r\n", "", 6 * time.Second, "HTTP/1.1 400"},
		"no request after one":    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", 125 * time.Second, "HTTP/1.1 200"},
		"idle after the shutdown": {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "", time.Second, "HTTP/1.1 200"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ln := memnet.Listen("127.0.0.1:80")
				srv := server.NewHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 32<<10)); err != nil {
						w.WriteHeader(http.StatusRequestEntityTooLarge)
					}
				}), slog.New(slog.DiscardHandler))
				served := make(chan error, 1)
				go func() { served <- srv.Serve(ln) }()
				conn, err := ln.Cable("10.0.0.9:5000").Dial(t.Context(), "tcp", "127.0.0.1:80")
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				var answer strings.Builder
				over := make(chan time.Duration)
				go func() {
					_, _ = io.Copy(&answer, conn) // until the server hangs up
					over <- time.Since(began)
				}()
				var writer sync.WaitGroup
				writer.Go(func() {
					if _, err := io.WriteString(conn, c.first); err != nil {
						return
					}
					for c.drip != "" {
						time.Sleep(time.Second)
						if _, err := io.WriteString(conn, c.drip); err != nil {
							return
						}
					}
				})
				select {
				case took := <-over:
					if took > c.limit {
						t.Errorf("it was held for %v", took)
					}
				case <-time.After(time.Hour):
					t.Error("it is held for an hour")
					_ = conn.Close()
					<-over
				}
				if !strings.HasPrefix(answer.String(), c.says) {
					t.Errorf("answered %.100q", answer.String())
				}
				_ = conn.Close()
				writer.Wait()
				_ = srv.Close()
				if err := <-served; !errors.Is(err, http.ErrServerClosed) {
					t.Error(err)
				}
			})
		})
	}
}

// A path that looks like another host, or leads out of the folder of the pages,
// redirects nobody elsewhere and opens no file.
func TestAttack_OpenRedirectsAndPathTraversal(t *testing.T) {
	s := settings(t, filepath.Join(t.TempDir(), "server"))
	found(t, s)
	srv, err := server.New(t.Context(), s, deps())
	if err != nil {
		t.Fatal(err)
	}
	defer run(t, srv)()
	asked := 0
	for _, prefix := range []string{"", "/m", "/console", "/V", "/api", "/m/assets", "/api/v1/login/oidc/x/callback"} {
		for _, tail := range []string{
			"//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/%2f%2fevil.example/..", "/..//evil.example/", "/.//evil.example", "/%09/evil.example",
			"/..", "/../../etc/passwd", "/%2e%2e/%2e%2e/root.key", "/..%2f..%2froot.key", "/..%5c..%5croot.key", "/%00", "/.gitkeep", "/;@evil.example",
			"?to=//evil.example", "?to=https://evil.example", "?to=/\\evil.example", "?to=javascript:alert(1)",
		} {
			// As raw bytes: a client would clean it.
			conn, err := net.Dial("tcp", strings.TrimPrefix(srv.URL(), "http://"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: gate.example.edu\r\nConnection: close\r\n\r\n", prefix+tail); err != nil {
				t.Fatal(err)
			}
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("%s: %v", prefix+tail, err)
			}
			asked++
			body, _ := io.ReadAll(res.Body)
			_, _ = res.Body.Close(), conn.Close()
			to := res.Header.Get("Location")
			if to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`)) {
				t.Errorf("%s leads to %q", prefix+tail, to)
			}
			if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable || strings.Contains(string(body), "root:") || strings.Contains(string(body), "PRIVATE KEY") {
				t.Errorf("%s: %s %.80s", prefix+tail, res.Status, body)
			}
		}
	}
	if asked < 100 {
		t.Errorf("%d paths", asked)
	}
	// The paths are logged nowhere, and the page of a code is the same for all.
	var first string
	for _, code := range []string{"AAAA", "BBBB", strings.Repeat("A", 200)} {
		rec := httptest.NewRecorder()
		srv.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "http://gate.example.edu/V/"+code, nil))
		if first == "" {
			first = rec.Body.String()
		}
		if rec.Body.String() != first {
			t.Error("a random code can be told from another by its page")
		}
	}
}
