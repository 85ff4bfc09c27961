// Package cash is the cash desk of the card office: money over a counter, from a
// drawer that is counted at the end of a shift. What is in the drawer the ledger
// knows; what was counted, and the difference, are facts of the shift. A desk
// makes the ids of its moves, so a key pressed twice moves money once.
package cash
