package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// appPolicy is for the built apps: everything comes from this server. Styles of
// single elements are set by the component libraries.
const appPolicy = "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; " +
	"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// file is one file of a built app, ready to be sent.
type file struct {
	plain  []byte
	packed func() []byte // gzip, made when the first asks; nil where it would hardly be smaller
	kind   string
	etag   string
	cache  string
}

// app serves one built app: its files by name, and its first page for every
// other path below it, since the app itself knows its routes.
type app struct {
	base  string // "/m/"
	index *file
	files map[string]*file // by path below base
}

// newApp reads a built app into memory.
func newApp(base string, built fs.FS) (*app, error) {
	a := &app{base: base, files: map[string]*file{}}
	err := fs.WalkDir(built, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Base(name) == ".gitkeep" {
			return err
		}
		plain, err := fs.ReadFile(built, name)
		if err != nil {
			return err
		}
		a.files[name] = newFile(name, plain)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("page %s: %w", base, err)
	}
	if a.index = a.files["index.html"]; a.index == nil {
		return nil, fmt.Errorf("page %s: %w: index.html", base, fs.ErrNotExist)
	}
	return a, nil
}

func newFile(name string, plain []byte) *file {
	sum := sha256.Sum256(plain)
	f := &file{
		plain: plain, kind: mime.TypeByExtension(path.Ext(name)), etag: hex.EncodeToString(sum[:12]),
		// A page that is kept open for long asks again when it is opened next.
		cache: "no-cache",
	}
	switch path.Ext(name) {
	case ".js":
		f.kind = "text/javascript; charset=utf-8"
	case ".webmanifest":
		f.kind = "application/manifest+json"
	}
	if strings.HasPrefix(name, "assets/") {
		f.cache = "public, max-age=31536000, immutable" // the name holds a hash of the content
	}
	f.packed = sync.OnceValue(f.pack)
	return f
}

// pack gives the file as gzip, or nil where that would hardly be smaller.
func (f *file) pack() []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(f.plain)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil || b.Len() >= len(f.plain)*9/10 {
		return nil // a buffer takes everything: the rest is a matter of size
	}
	return b.Bytes()
}

// ServeHTTP sends a file of the app, or its first page.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", appPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, a.base)
	f := a.files[name]
	switch {
	case f == nil && (strings.HasPrefix(name, "assets/") || path.Ext(name) != "" && !strings.Contains(name, "/")):
		// Never the first page instead of a script of an earlier version. (A route
		// such as apply/cqu.work_pass is no file.)
		h.Set("Cache-Control", "no-store")
		http.NotFound(w, r)
		return
	case f == nil:
		f = a.index
	}
	f.send(w, r)
}

// send answers with the file, packed if the browser takes it so, or says that
// the browser's own copy is still good.
func (f *file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	body, etag := f.plain, f.etag
	if packed := f.packed(); packed != nil {
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			body, etag = packed, f.etag+"-gz"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("Content-Type", f.kind)
	h.Set("Cache-Control", f.cache)
	h.Set("ETag", `"`+etag+`"`)
	if strings.Contains(r.Header.Get("If-None-Match"), `"`+etag+`"`) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}
