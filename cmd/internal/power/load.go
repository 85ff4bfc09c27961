package power

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"campusgate/signing"
)

// Load is work on a store that promises something all the time. Found makes the
// store in a folder; Work opens it, goes on where the last round was cut off, and
// never ends of itself but by an error; Check opens what is left and counts the
// promises that are not kept. An error of Check is damage, or a thing that was done
// twice.
type Load struct {
	Found func(dir string) error
	Work  func(dir string, round int, promises *Promises) error
	Check func(dir string, said []Promise) (lost int, err error)
}

// Loads are all of them, by name.
var Loads = map[string]Load{
	"gate":   {foundGate, workGate, checkGate},
	"server": {foundServer, workServer, checkServer},
}

// Promise is one thing that was said to be done: what, its number, and whom it is
// about.
type Promise struct {
	What string
	N    uint64
	ID   string
}

// Promises writes promises, a line each. Safe for concurrent use.
type Promises struct {
	mu  sync.Mutex
	out io.Writer
}

// NewPromises writes to out.
func NewPromises(out io.Writer) *Promises { return &Promises{out: out} }

// Make writes one promise, in one piece.
func (p *Promises) Make(what string, n uint64, id string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, err := fmt.Fprintf(p.out, "%s %d %s\n", what, n, id)
	return err
}

// ParsePromise reads a line that Make wrote. One that was cut off is no promise.
func ParsePromise(line string) (p Promise, ok bool) {
	n, err := fmt.Sscanf(line, "%s %d %s", &p.What, &p.N, &p.ID)
	return p, n == 3 && err == nil
}

// site is what everything here is of.
const site = "云岭大学"

// together runs parts until the first ends, and gives its error.
func together(parts ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, len(parts))
	for _, part := range parts {
		go func() { ended <- part(ctx) }()
	}
	return <-ended
}

// sound is SQLite's own look at a file.
func sound(db *sql.DB) error {
	rows, err := db.Query("PRAGMA integrity_check")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		if text != "ok" {
			return fmt.Errorf("integrity_check: %s", text)
		}
	}
	return rows.Err()
}

// soundFile is sound for a file that nobody has open.
func soundFile(path string) error {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw")
	if err != nil {
		return err
	}
	return errors.Join(sound(db), db.Close())
}

// passID is the same for the same number, and spread like a random one.
func passID(n uint64) (id signing.PassID) {
	binary.BigEndian.PutUint64(id[:], (n+1)*0x9E3779B97F4A7C15)
	return id
}

// expiry of everything, unix s: passes that expire while a test runs prove nothing.
func expiry() int64 { return time.Now().Add(48 * time.Hour).Unix() }
