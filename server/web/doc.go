// Package web serves what a person's browser may open: the page behind the
// address in a printed pass, and plain answers at the root and the console.
//
// No page depends on anything in the request but its kind. In particular the
// page of a pass has the same bytes, at the same cost, for every code: whoever
// only has the address learns nothing from the server, and nothing of the
// address is written anywhere. There is no script, no cookie and no request to
// another host.
package web
