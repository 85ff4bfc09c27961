// Package till takes money for payment codes.
//
// [Core] decides, stepped through inputs inside the open transaction of the
// agent's store (its [Book]), by nothing but the inputs and the book. [Desk] runs
// it as package desk says: nobody is told that they have paid before it is on
// the disk, and when the commit fails nobody is told so.
//
// # A sale
//
// A sale is armed with an amount; the next code pays it. Where the till's rules
// have a price, fixed or of the meal period, every code pays that without
// arming, as it does a sale that was armed to stay. Then the same holder within
// ten seconds pays again only when the cashier says so (need confirm): a phone
// left on the scanner shows a new code every ten seconds. A scan for which
// nothing is asked pays nothing and leaves no trace (need amount).
//
// One code is decided at a time: while the server is asked, further codes wait.
//
// # Online and offline
//
// While the link is up the server is asked, after everything that can be judged
// here was judged. Its no stands. Without an answer in time, or without a link,
// the till decides within the offline limits of its rules and of the credential.
// These count what the till accepted without the server today, and what it
// accepted on earlier days as long as the server does not hold it: so what an
// account can owe through a dark till is bounded however long it stays dark.
// The number of payments is counted until the server holds them.
//
// # Never twice
//
// The proof counter of an accepted code is kept, and no code with it or a lower
// one pays again, whatever happens to the clock or the power. The very code that
// paid is shown as paid again for ten seconds, marked repeat, and leaves no
// event. A counter is not given back by a void.
//
// A question that was granted and did not become a charge is given back by an
// event of its own. Flow and sum of an event count accepted charges and voids.
package till
