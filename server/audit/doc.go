// Package audit judges every uploaded scan and entry a second time, with the judge that
// the gate used and with what the server knows better: what was revoked when,
// which keys were compromised, which uses of the pass came before. Its opinion
// is kept beside the gate's decision and never replaces it.
//
// An opinion follows from the events and records that the server holds, not
// from the order in which they came: when an event changes what is known of a
// pass, opinions that this could turn are formed again. So late, repeated and
// reordered uploads all end in the same opinions. What is compared is the
// gates' corrected time; equal times go by gate, then by event.
//
// The work runs behind the acknowledgement of uploads, in batches, and its
// place is kept in the database with the opinions of the batch, in one
// transaction. A batch that is done again comes to the same.
package audit
