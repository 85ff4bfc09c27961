package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
)

type requestKey struct{}

// requestID is the id of the call that ctx belongs to.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// around is what happens to every call: an id, headers, a line in the log,
// and an answer in JSON also when there is no such route or something panics.
func (a *API) around(m *mux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := a.Now()
		id := a.newID()
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, id))
		rec := &recorder{ResponseWriter: w}
		h := rec.Header()
		h.Set("X-Request-Id", id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		_, pattern := m.Handler(r)
		// All that counts of it is whether a person looks; huma panics over a ";,0".
		if page := "text/html"; strings.Contains(r.Header.Get("Accept"), page) {
			r.Header.Set("Accept", page)
		} else {
			r.Header.Del("Accept")
		}
		defer func() {
			p := recover()
			if p == http.ErrAbortHandler {
				defer panic(p) // meant: an answer that was begun breaks off
			} else if p != nil {
				a.counts.internal.Add(1)
				a.Log.Error("panic", "request_id", id, "route", pattern, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if rec.status == 0 {
					a.write(rec, newProblem(r.Context(), http.StatusInternalServerError, "internal", "服务器内部错误 an internal error"))
				}
			}
			a.counts.requests.Add(1)
			// The route, not the path: nothing that a caller wrote goes into the log.
			a.Log.Log(r.Context(), level(r.Method, rec.status), "call", "request_id", id, "method", r.Method, "route", pattern,
				"status", rec.status, "ms", a.Now().Sub(began).Milliseconds(), "remote", host(r.RemoteAddr))
		}()
		if pattern == "" {
			a.noRoute(rec, m, r)
			return
		}
		m.ServeHTTP(rec, r)
	})
}

// noRoute answers in JSON what the mux would answer in plain text: 404, or 405
// with the methods that there are.
func (a *API) noRoute(w http.ResponseWriter, m *mux, r *http.Request) {
	said := &discard{header: http.Header{}}
	m.ServeHTTP(said, r)
	if said.status != http.StatusMethodNotAllowed {
		said.status = http.StatusNotFound
	}
	if allow := said.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	a.write(w, libraryProblem(r.Context(), said.status, nil))
}

func (a *API) write(w http.ResponseWriter, p *Problem) {
	var body bytes.Buffer
	if err := strictJSON.Marshal(&body, p); err != nil {
		a.Log.Error("problem not encoded", "err", err)
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(p.status)
	if _, err := w.Write(body.Bytes()); err != nil {
		a.Log.Debug("answer not written", "err", err)
	}
}

func (a *API) newID() string {
	var b [8]byte
	if _, err := io.ReadFull(a.Rand, b[:]); err != nil {
		return "none"
	}
	return hex.EncodeToString(b[:])
}

func level(method string, status int) slog.Level {
	switch {
	case status >= 500:
		return slog.LevelError
	case method == http.MethodGet && status < 400:
		return slog.LevelDebug // consoles ask all the time
	}
	return slog.LevelInfo
}

// host is the address without its port.
func host(remote string) string {
	h, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return h
}

// recorder remembers the status.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// discard takes an answer nobody reads.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
