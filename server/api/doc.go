// Package api is the server's HTTP interface under /api/v1, for consoles,
// scripts and other systems, and the enrolment call of agents. It decides
// nothing: it checks who calls (package auth), reads a request strictly, has
// package issue or package store do the work, and answers in JSON.
//
// The OpenAPI 3.1 document at /api/openapi.json is made from the types of this
// package. Times named …_at are unix milliseconds; from and until of a pass are
// RFC 3339 text with the campus offset, since they are dates to people.
//
// Every error is {code, message, details, request_id}. The code is stable; the
// table in problem.go is the only place that knows which error becomes which
// code and status. Errors that are not in it are internal: the caller gets the
// request id, and the log gets the rest.
package api
