// Package ledger keeps the money of the campus card: double entry, append only.
//
// A [Transfer] moves fen between accounts; its entries sum to zero. Its id is
// made by whoever asks for it and names it for ever: the same transfer again
// changes nothing, another one under the same id is put aside for a person.
// Nothing is ever updated or deleted, which the database enforces; what was
// wrong is reversed by another transfer.
//
// The sign of a balance: positive is what the campus owes (a holder's money, a
// merchant's takings), negative is what it has (money in a payment channel, in
// a cash drawer) or is owed (a holder's debt). The sum over all accounts is zero
// after every commit, and each balance is the fold of its postings.
package ledger
