// Package snapshot is what an agent knows from its server: the signed keyring,
// revocations, replaced phone keys, gates with their policies, moved ownership,
// uses elsewhere, released claims, the campus's guideline, the guards of this
// gate and the passes that they may look up, the policy of its lanes, lockdowns
// and who is inside; at a till, its rules and the cards
// that are not in order. The long lists stay on the disk and
// are asked for one key at a time, so that a hundred thousand of them cost
// nothing at start.
//
// # Large groups
//
// A group of deltas comes into force in one transaction together with its
// cursor. Its rows may be many, and the writer belongs to the lanes: so rows of
// a large group are written beforehand, in short transactions, under a
// generation that no query looks at yet; the transaction that sets the cursor
// also sets the generation, and touches no other row of the lists. Superseded
// rows are then removed in short transactions. A crash anywhere leaves rows
// that nobody sees and that the next Apply removes.
package snapshot
