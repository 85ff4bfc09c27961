// Package web holds the page that a guard or a cashier looks at: Vue sources
// under src, and what Vite made of them under dist. A fresh clone has no built
// page, and builds all the same.
package web

import (
	"embed"
	"io/fs"
)

// The all: prefix takes .gitkeep along, the only file of a clone in which no
// page was built; without it the pattern would match nothing and not compile.
//
//go:embed all:dist
var dist embed.FS

// Source is the folder of the sources, seen from the root of the repository.
// Messages about a page that was not built name it.
const Source = "agent/web"

// FS gives the built page with index.html at its root. It reports false when
// no page was built into this program.
func FS() (fs.FS, bool) {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return nil, false
	}
	return built, true
}
