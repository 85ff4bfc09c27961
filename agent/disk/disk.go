package disk

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// What can be wrong with a file. Open and Create wrap exactly one of these, or
// the driver's error.
var (
	// ErrMissing: there is no file. Only enrolment makes one.
	ErrMissing = errors.New("no store: enrol this agent first")
	// ErrExists: Create found a file, and leaves it alone.
	ErrExists = errors.New("store exists: this agent is enrolled")
	// ErrNotDurable: the file cannot be opened so that a commit survives a power
	// cut.
	ErrNotDurable = errors.New("store is not durable")
	// ErrForeign: a database, but not of an agent.
	ErrForeign = errors.New("not an agent's store")
	// ErrNewer: written by a later version of the program.
	ErrNewer = errors.New("store is newer than this program")
	// ErrChanged: a migration in the file differs from the program's.
	ErrChanged = errors.New("store was migrated differently")
)

// pragmas in the only spelling that the driver does not ignore.
var pragmas = url.Values{
	"_pragma": {"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(5000)"},
	"_txlock": {"immediate"},
}

// DB is an open store. All methods are safe for concurrent use.
type DB struct {
	path  string
	pool  *sql.DB // of readers; the writer's connection is taken out of it for good
	write *writer

	mu   sync.Mutex // of read
	read map[string]*sql.Stmt
}

// writer is the only connection that changes anything.
type writer struct {
	mu    sync.Mutex // held for one transaction
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// commit is conn's COMMIT; a test puts a failing one here.
	commit func() error
}

// Create makes a store at path and lets fill put in what it begins with. The
// file appears under its name only when all of it is on the disk. It fails with
// ErrExists where there is one.
func Create(path string, fill func(*Tx) error) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = ErrExists
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	dir := filepath.Dir(path)
	draft, err := os.MkdirTemp(dir, ".enrol-*")
	if err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	defer func() { _ = os.RemoveAll(draft) }()
	name := filepath.Join(draft, filepath.Base(path))
	if err := build(name, fill); err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	// A link, unlike a rename, never replaces a file made meanwhile.
	if err := os.Link(name, path); err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	return syncDir(dir)
}

func build(name string, fill func(*Tx) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	db, err := open(name, pragmas)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *Tx) error {
		if err := migrate(tx, true); err != nil {
			return err
		}
		return fill(tx)
	})
	// The last connection that closes moves the log into the file.
	return errors.Join(err, db.Close())
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("create store: %w", err)
	}
	// Some systems cannot sync a folder; the file itself is on the disk.
	_ = d.Sync()
	return d.Close()
}

// Open opens the store at path, which must exist, and migrates it where this
// program is newer than the file.
func Open(path string) (*DB, error) {
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrMissing
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	db, err := open(path, pragmas)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := db.Update(func(tx *Tx) error { return migrate(tx, false) }); err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, db.Close()))
	}
	return db, nil
}

func open(path string, params url.Values) (*DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	slashed := filepath.ToSlash(full)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed
	}
	// mode=rw: a file that vanished is not made again, empty.
	address := url.URL{Scheme: "file", Path: slashed, RawQuery: "mode=rw&" + params.Encode()}
	pool, err := sql.Open("sqlite", address.String())
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(4)
	pool.SetMaxIdleConns(4)
	ctx := context.Background()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	if err := durable(ctx, conn); err != nil {
		return nil, errors.Join(err, conn.Close(), pool.Close())
	}
	db := &DB{path: full, pool: pool, write: &writer{conn: conn, stmts: map[string]*sql.Stmt{}}, read: map[string]*sql.Stmt{}}
	db.write.commit = func() error { return db.write.exec("COMMIT") }
	return db, nil
}

// durable asserts what the address asked for, since a wrong spelling is ignored
// without a word.
func durable(ctx context.Context, conn *sql.Conn) error {
	var mode string
	var level int
	if err := conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if err := conn.QueryRowContext(ctx, "PRAGMA synchronous").Scan(&level); err != nil {
		return err
	}
	if mode != "wal" || level < 2 {
		return fmt.Errorf("%w: journal_mode=%s synchronous=%d, want wal and at least 2", ErrNotDurable, mode, level)
	}
	return nil
}

// Path is where the file is.
func (db *DB) Path() string { return db.path }

// Read is for queries outside a transaction; it sees what was committed.
func (db *DB) Read() *sql.DB { return db.pool }

// Prepared is Read for one query that is run often, with $1, $2 and so on. It is
// prepared once for the life of the store, which closes it, so query should be a
// constant. SQLite plans a query anew at every run whose LIMIT is a bare parameter:
// LIMIT 0+$1 is planned once.
func (db *DB) Prepared(query string) (*sql.Stmt, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if s := db.read[query]; s != nil {
		return s, nil
	}
	s, err := db.pool.Prepare(query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	db.read[query] = s
	return s, nil
}

// Faults has every commit from now on ask first whether it is carried out, and
// what is reported of it. It is for tests and simulations of a disk that fails,
// in both forms, and of power that is cut.
func (db *DB) Faults(ask func() (apply bool, err error)) {
	w := db.write
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commit = func() error {
		apply, fault := ask()
		if !apply {
			return fault
		}
		return errors.Join(w.exec("COMMIT"), fault)
	}
}

// Close waits for a running transaction and closes the file.
func (db *DB) Close() error {
	db.write.mu.Lock()
	defer db.write.mu.Unlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	var errs []error
	for _, s := range db.write.stmts {
		errs = append(errs, s.Close())
	}
	for _, s := range db.read {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, db.write.conn.Close(), db.pool.Close())...)
}
