// Package web serves what a person's browser may open: the phone pages at /m/,
// the console at /console/, the page behind the address in a printed pass, and
// plain answers elsewhere.
//
// The apps are Vue sources in phone and console, with what they share in
// shared; Vite makes of them what stands in dist, and that is built into the
// program. The other pages need no script. None of them depends on anything in
// the request but its kind. In particular the page of a pass has the same
// bytes, at the same cost, for every code: whoever only has the address learns
// nothing from the server, and nothing of the address is written anywhere. No
// page asks another host for anything.
package web
