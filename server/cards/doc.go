// Package cards keeps the campus cards: whose an account of the ledger is, in
// which state, what it may spend, and which phone pays with it.
//
// A card has three names. The account is a random pseudonym, the only one that
// codes, tills and the ledger know. The display number is for people, with a
// check digit. The person's staff or student number binds both to somebody.
//
// Codes are withdrawn by epoch: every credential carries the epoch of its card
// at the time, and one of a lower epoch is worth nothing at a till that has
// heard of the higher. Another phone, a reissue and switching payments without
// a network off raise it. Tills hear only of cards that are not in order, or
// whose earlier credentials may still be shown (see [Service.tell]).
//
// What people do with money is package ledger's; here are only its transfers
// that belong to a card as such: subsidies granted and taken back, balances
// taken over, and debts written off.
package cards
