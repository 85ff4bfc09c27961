// Package recharge takes money into card accounts through payment channels.
//
// A holder places an order; the channel says how to pay it; and whatever the
// channel tells of it later, by a notice, when asked, or in its daily bill, goes
// through one function, in one change with the ledger. So an order is credited
// once, whichever of these come, how often and in which order:
//
//	created ──▶ paid (posted to the ledger in the same change) ──▶ refunded
//	   └──────▶ closed, failed ──▶ paid, where the money had been on its way
//
// Money is credited only when amount, currency, merchant and our own order
// agree. What does not agree is kept as an Issue for a person, and raises an
// alarm. The channels are in packages below; none of them can credit anything.
package recharge
