// Package utility pays for electricity and hot water from a card account. The
// meters are behind an [Adapter], for each system of a campus one; a test meter
// is built in.
//
//	money taken (ledger) ──▶ meter credited ──▶ done
//	                           ├─ refused ────▶ money given back
//	                           └─ no answer ──▶ asked again with the same id, until one of the two
//
// The money is taken first and the meter asked afterwards, outside of any
// transaction: so nothing is credited that was not paid, and nothing stays paid
// that was refused. Subsidies are for meals: only the main account pays.
package utility
