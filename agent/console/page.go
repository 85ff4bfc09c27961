package console

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"campusgate/agent/web"
)

// unbuilt is what a clone shows in which nobody built the page.
const unbuilt = `<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>Campusgate</title>
<body style="font:1.25rem/1.6 sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem">
<h1>页面尚未构建</h1>
<p>请在程序源码目录运行 <code>npm ci &amp;&amp; npm run build</code>，然后重新编译。接口与闸机照常工作。</p>
<p lang="en">The page (%s) was not built into this program: run <code>npm ci &amp;&amp; npm run build</code> and compile again.
The API and the gate work all the same.</p>
`

// pages are the addresses that people open; the page itself finds out what to
// show there.
var pages = []string{"/", "/customer", "/guard", "/help/guard", "/help/cashier", "/help/installer"}

// getPage serves the built page. Files under assets/ carry a hash of their
// content in their names, so that they never change; all else is asked for
// again each time.
func (c *Console) getPage(w http.ResponseWriter, r *http.Request) error {
	if c.page == nil {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, unbuilt, web.Source)
		return nil
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if slices.Contains(pages, r.URL.Path) {
		name = "index.html"
	}
	body, err := fs.ReadFile(c.page, name)
	if err != nil {
		// A folder, a name outside the page, or nothing there at all.
		return &notFound
	}
	w.Header().Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(body))
	return nil
}
