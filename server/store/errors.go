package store

import "errors"

// What the methods of a Store wrap. Everything else is a fault of the
// database.
var (
	// ErrNotDurable: the database could lose a commit; it is not used.
	ErrNotDurable = errors.New("database is not durable")
	// ErrNoDatabase: there is no database where one should be.
	ErrNoDatabase = errors.New("no database here")
	// ErrExists: there is a database already where one should be made.
	ErrExists = errors.New("there is a database already")
	// ErrNewer: a newer version of this program has changed the database.
	ErrNewer = errors.New("database is newer than this program")
	// ErrChanged: a migration that was applied is not the one this program has.
	ErrChanged = errors.New("database was migrated by another text")
	// ErrClosed: the store is closed or closing.
	ErrClosed = errors.New("store is closed")

	// ErrNotFound: no such row.
	ErrNotFound = errors.New("not found")
	// ErrTaken: a row with this name or id is there already.
	ErrTaken = errors.New("already taken")
	// ErrUsed: a one-time thing was used before.
	ErrUsed = errors.New("used before")
	// ErrEnded: it has expired or was revoked.
	ErrEnded = errors.New("expired or revoked")
	// ErrState: the thing is not in a state that allows this.
	ErrState = errors.New("not possible in this state")
	// ErrFull: no number is left.
	ErrFull = errors.New("no number left")
	// ErrNoRoom: the disk is full; nothing was stored.
	ErrNoRoom = errors.New("no room on the disk")
	// ErrGap: events are missing among the ones offered; nothing was stored.
	ErrGap = errors.New("events are missing")
	// ErrBroken: a hash chain does not add up.
	ErrBroken = errors.New("hash chain is broken")
)
