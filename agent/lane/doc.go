// Package lane decides who goes through a gate.
//
// [Core] is the decision: one goroutine steps it through inputs, each inside
// the open transaction of the agent's store (its [Book]), and what it did
// depends on nothing but the inputs and the book. [Desk] runs a Core as package
// desk says, and opens barriers: after the commit, and when it fails for nobody.
//
// # What is trusted for the time
//
// A moment is the computer's clock plus the offset that the link measured. The
// highest moment ever seen is kept: a clock below it, or one that was not
// compared with the server for too long, admits nobody (clock_untrusted). While
// the agent has the server's time, that time is believed and may lower the
// mark; between comparisons the computer's clock is believed to run forward.
// Waiting for a guard or a decider is measured with the monotonic clock.
//
// # Proof counters
//
// The counter of a live code is recorded when the code opens a lane, entry or
// exit, and taken back when that admission is annulled. A refused code may be
// shown again while it is fresh: the guard may have found the document
// meanwhile, and the refusal admitted nobody.
package lane
