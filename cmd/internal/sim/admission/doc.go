// Package admission plays gates that admit people once, in one process, from a
// seed, against what DESIGN promises of single use.
//
// # What is real
//
// Every gate runs the product's lane.Core, stepped by desk.Settle on the real
// journal and snapshot in a real SQLite file; it is started from that file after
// its power was cut. The server is its real store, opened again from its file
// after it went down: Ingest, Decide, Feed, Enrol. What goes from one to the other
// are the bytes of the frames of package wire, decoded and checked as the link, the
// hub and the peers do. Codes are signed and read.
//
// # What is modelled
//
// Connections: one session of a gate at a time, which its agent begins with an
// Auth and the server accepts with a Welcome (signatures and TLS are proved
// elsewhere). Frames on it may do what no TCP stream does, for the promises may
// not rest on the stream: get lost, come twice, come late and in another order. A
// claim on another gate's pass goes to that gate directly and through the server at
// once, and the first answer that is not silence holds. The clock is a number, and
// every process is stepped by one goroutine from one queue. People are the
// simulation's: see holder.
//
// # What fails
//
// Links, each direction on its own in half of the seeds: down a fifth of the time,
// half a minute at a time. Messages and replies are lost, repeated and late. In half
// of the seeds the server goes down, also in the middle of a commit. Every gate
// loses its power once: at rest, before a commit, after it and before anybody hears
// of it, when the barrier has just opened. Commits fail, and fail and were done all
// the same. Clocks are wrong, are set forward and back, and in half of the seeds run
// up to a twentieth too fast or too slow. With Amnesia gates lose their disks and
// enrol again.
//
// # What has to hold
//
// While it runs: a barrier opens only for an event that is on the disk; no pass is
// admitted while an admission of it stands that was not taken back. In the end,
// with everything up again: every event that was written is held by the server, with
// its hash; the chains verify; every admission has its use, and every double a
// conflict; all gates know what the server knows; and what was answered to the
// claims on each pass could have come from one register that is taken once
// (porcupine).
//
// The same seed gives the same run.
package admission
