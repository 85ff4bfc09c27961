// Package settle closes the business days of the canteens.
//
// A day can be closed when it is over and every day before it is closed, when
// no running number of any till is missing, and when the three that count the
// money agree: what the tills say, what the server holds of each of them, and what
// stands on the merchants' accounts. A number that is missing, or a difference,
// stops the close until a person answers for it by name.
//
// A closed day never changes. What a till brings later is posted with its own
// date and settled with a day that is open: the late bucket. Refunds by the
// office are settled with the day on which they are made.
//
// Which part of a charge the subsidy bore depends on the order in which charges
// arrive, and that is chance. When a day is closed the split is worked out again
// in the order in which things happened, and set right with one posting for a
// card (see split.go).
package settle
