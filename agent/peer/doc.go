// Package peer lets gates ask each other directly, over the campus network and
// with no server between: TLS 1.3 on which both ends prove the key that they
// were enrolled with, and on it the claims and answers of the link
// (signing/wire/PROTOCOL.md, "Between gates").
//
// A question goes on a connection of the gate that asks, which is made when
// the first question needs it and kept; the answer comes back on it. So a
// connection carries claims one way and answers the other, and a gate holds at
// most two for each other gate.
package peer
