// Package link is the agent's end of the link: it dials the server, proves who
// it is, and serves the three streams of signing/wire for as long as there is
// a network, and again when there is one. Nothing at a gate waits for it: Ask
// is the only call with an answer, and gives up in 300 ms.
//
// The package also holds what an agent needs before it has a link: which
// servers to trust (TLS) and how to be enrolled (Enrol).
package link
