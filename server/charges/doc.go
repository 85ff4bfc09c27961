// Package charges moves the money that tills ask for and report.
//
// Online, a till asks before it takes: [Service.Authorise] checks the card and
// promises the money. Whatever a till then reports in its journal was eaten, so
// it is posted, whoever was asked: exactly once, in the order of arrival, behind
// the acknowledgement of uploads, with its place kept in the same transaction.
// A balance that does not suffice becomes a debt. Of several charges with one
// proof of a phone the earliest is the holder's; the others are taken from
// suspense, so that the merchant has its money, until a person decides.
//
// What comes of a set of events does not depend on the order in which they came,
// nor on repeats: each card's total and debt, what merchants are owed, and the
// marks of every charge. Which part was paid from subsidies does, and is set
// right when the day is closed.
package charges
