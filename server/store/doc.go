// Package store is the server's database: plain database/sql over SQLite, with
// SQL that PostgreSQL could run too; what differs is in dialect.go.
//
// Every change runs in one goroutine, the writer, which puts changes that wait
// at the same time into one transaction, so that they share one fsync (group
// commit). A method that returns nil has been committed and synced. Reads go
// to a pool of their own and see the last commit.
//
// Times are unix milliseconds unless a name or comment says seconds. Whoever
// holds the database file reads names, document endings and events, and can
// make nobody believe a pass: issuer keys are sealed (see package issue) and
// API tokens are kept as hashes. Whoever can write it can void passes and
// forge the records, but the hash-chained trail then no longer adds up.
package store
