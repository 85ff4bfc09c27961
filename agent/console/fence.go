package console

import (
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

const requestIDHeader = "X-Request-Id"

// fence keeps out what a browser on this computer may be made to send: a name
// that was rebound to loopback, and requests of pages that are not ours. There
// is no login: whoever sits at the gate's computer is the guard.
func (c *Console) fence(next http.Handler) http.Handler {
	page, rest := contentPolicy(" 'wasm-unsafe-eval'", c.frameAncestors), contentPolicy("", c.frameAncestors)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set(requestIDHeader, c.requestID())
		h.Set("Content-Security-Policy", rest)
		if withCamera(r.URL.Path) {
			h.Set("Content-Security-Policy", page)
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
		defer c.recovered(w, r)
		switch {
		case !c.ownHost(r.Host):
			c.fail(w, r, badHost.with("host", r.Host))
		case changes(r) && !sameOrigin(r):
			c.fail(w, r, &crossOrigin)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// recovered turns a panic of one request into an error of that request.
func (c *Console) recovered(w http.ResponseWriter, r *http.Request) {
	switch p := recover(); p {
	case nil:
	case http.ErrAbortHandler:
		panic(p)
	default:
		c.fail(w, r, fault.because(fmt.Errorf("panic: %v", p)))
	}
}

func (c *Console) requestID() string {
	c.randMu.Lock()
	defer c.randMu.Unlock()
	var raw [8]byte
	if _, err := io.ReadFull(c.rand, raw[:]); err != nil {
		return "unnumbered"
	}
	return hex.EncodeToString(raw[:])
}

// ownHost accepts loopback by name or address, and what the configuration
// lists; the port does not matter.
func (c *Console) ownHost(host string) bool {
	if c.hosts[strings.ToLower(host)] {
		return true
	}
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(name, "["), "]"))
	if name == "localhost" || c.hosts[name] {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Unmap().IsLoopback()
}

// changes reports whether a request does more than read: everything but GET
// and HEAD, and the websocket, which browsers let any page open.
func changes(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return true
	}
	return r.Header.Get("Upgrade") != ""
}

// sameOrigin reports whether a request comes from our own page, or from a
// program, which sends neither header.
func sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return true
	}
	u, err := url.Parse(origins[0])
	return err == nil && len(origins) == 1 && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// withCamera are the page and its files, among them the worker that reads the
// frames of a camera with WebAssembly; each brings a policy of its own.
func withCamera(path string) bool { return path == "/" || strings.HasPrefix(path, "/assets/") }

// contentPolicy is what the page may load and run, and who may show it in a frame.
func contentPolicy(run string, ancestors []string) string {
	framed := "'none'"
	if len(ancestors) > 0 {
		framed = strings.Join(ancestors, " ")
	}
	return "default-src 'self'; script-src 'self'" + run + "; style-src 'self' 'unsafe-inline'; " +
		"img-src 'self' data: blob:; font-src 'self' data:; media-src 'self' blob:; object-src 'none'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors " + framed
}

// checkAncestor accepts one source of frame-ancestors: 'self', or an origin.
// Anything looser could end the directive and start another.
func checkAncestor(s string) error {
	if s == "'self'" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.Scheme+"://"+u.Host != s ||
		strings.ContainsAny(s, " \t;,'\"") {
		return fmt.Errorf("frame ancestor %q: want 'self' or an origin such as http://127.0.0.1:8080", s)
	}
	return nil
}

// jsonBody reports whether the request says that it carries JSON. A page of
// another origin cannot say so without asking first.
func jsonBody(r *http.Request) bool {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return false
	}
	charset, given := params["charset"]
	return !given || strings.EqualFold(charset, "utf-8")
}
