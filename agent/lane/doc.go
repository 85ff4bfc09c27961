// Package lane decides who goes through a gate.
//
// [Core] is the decision: one goroutine steps it through inputs, each inside
// the open transaction of the agent's store (its [Book]), and what it did
// depends on nothing but the inputs and the book. [Desk] runs a Core as package
// desk says, and opens barriers: after the commit, and when it fails for nobody.
//
// # What is trusted for the time
//
// While the server is there, a moment is its time when it last told it, and what
// has passed since by the monotonic clock: setting the computer's clock changes
// nothing. Without the server a moment is the computer's clock plus the offset
// that the link measured. The highest moment ever seen is kept, on the disk within a
// minute and with each event: a clock below it, or one that was not compared with
// the server for too long, admits nobody (clock_untrusted). The server's time is
// believed and may lower the mark.
//
// So a pass that is over is admitted at most by a clock that was set back while the
// agent did not run, to no earlier than the mark: for as long as the agent was off;
// or by one that lags without a jump, for as long as the agent is alone, which is
// clock_max_age at most by that clock. A clock that is set ahead admits nobody too
// late, but may turn people away, and let them in too early, until the server is back.
// Waiting for a guard or a decider is measured with the monotonic clock.
//
// # Proof counters
//
// The counter of a live code is recorded when the code opens a lane, entry or
// exit, and taken back when that admission is annulled. A refused code may be
// shown again while it is fresh: the guard may have found the document
// meanwhile, and the refusal admitted nobody.
package lane
