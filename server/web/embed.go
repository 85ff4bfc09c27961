package web

import (
	"embed"
	"io/fs"
)

// The all: prefix takes the .gitkeep files along, the only ones of a clone in
// which no page was built; without it the pattern would match nothing and not
// compile.
//
//go:embed all:dist
var dist embed.FS

// apps are all there are.
var apps = []App{Phone, Console, Verify}

// App is one of the pages that are built from sources beside this file.
type App string

// The apps. Each lives under its own path and has a folder of its own name.
const (
	Phone   App = "phone"   // at /m/
	Console App = "console" // at /console/
	Verify  App = "verify"  // at /V/, the address in every static code
)

// Source is the folder of an app's sources, seen from the root of the
// repository.
func (a App) Source() string { return "server/web/" + string(a) }

// Path is where an app is served.
func (a App) Path() string {
	switch a {
	case Phone:
		return "/m/"
	case Verify:
		return "/V/"
	default:
		return "/console/"
	}
}

// FS gives a built app with index.html at its root. It reports false when it
// was not built into this program.
func (a App) FS() (fs.FS, bool) {
	built, err := fs.Sub(dist, "dist/"+string(a))
	if err != nil {
		return nil, false
	}
	if _, err := fs.Stat(built, "index.html"); err != nil {
		return nil, false
	}
	return built, true
}
