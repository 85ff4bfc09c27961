// Package disk is the one SQLite file of an agent: how it is made, opened and
// written. It knows no table but its own list of migrations; packages journal
// and snapshot own the rest, whose definitions lie under migrations.
//
// All writing goes through one connection and one lock, one transaction at a
// time, and a transaction that returned without error is on the disk: the file
// is in WAL mode with synchronous=FULL, or it is not opened at all.
//
// Whoever holds the file holds the agent's private key and can act as this
// agent; it is made readable by its owner only. A copy put back later is an
// agent that has forgotten what it did since: enrol again instead, so that the
// server gives it a new epoch. An agent that the server finds out decides no
// pass any more (snapshot.Disown).
package disk
