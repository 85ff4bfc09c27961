// Package people keeps who is who on a campus and where they live: campuses,
// compounds, buildings and rooms; households and their members; units with
// their heads; persons, and the posts they hold from one date to another.
//
// ID-card numbers and phone numbers are kept sealed and are found by a keyed
// hash; lists show them masked. Everything that changes somebody leaves an
// entry in the audit trail, without the number itself.
//
// Import reads files that offices keep and says what they would do, row by row;
// Confirm does all of it in one change, or nothing. The reading itself is package
// sheet. At some 50 microseconds a row the writer, and what gates ask of it,
// waits for a large file: best done at night.
//
// Service is safe for concurrent use. Functions that take a store.Source read
// either what was committed or, given a *store.Tx, what the change under way
// sees.
package people
