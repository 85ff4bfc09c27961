// Package hub is the server's end of the link: it lets enrolled agents in,
// keeps one connection for each, and serves the three streams of
// signing/wire on it. PROTOCOL.md there tells what is said; this package says
// when.
//
// A connection has one goroutine for reading, one for writing, one for each of
// the up and down streams, and one for every claim under way, of which there
// is a bounded number. A stream whose store fails waits and tries again; it
// never stops another one, nor the connection.
package hub
