package store

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// Options are what a Store takes from outside.
type Options struct {
	Now    func() time.Time // wall clock; required
	Random io.Reader        // for the lineage; required by Create

	// Fault is for tests, and asked before each commit: whether it is carried
	// out, and what is reported of it. nil = all is well.
	Fault func() (apply bool, err error)
}

// Site is what the database says of itself.
type Site struct {
	Name     string
	TimeZone string // IANA name
	Lineage  string // changes when the data are replaced: see wire.Cursor
	Root     ed25519.PublicKey
}

// Store is an open database. Safe for concurrent use.
type Store struct {
	now    func() time.Time
	random io.Reader

	writing *sql.DB
	write   *sql.Conn // the one connection of writing, owned by the writer goroutine
	read    *reader
	queue   queue

	prepared map[string]*sql.Stmt // of write; owned by the writer goroutine
	fault    func() (apply bool, err error)

	stats  stats
	leased leasing

	mu      sync.Mutex // guards site and changed
	site    Site
	changed chan struct{} // closed when the feed grows
}

// Create makes a database and opens it. It wraps ErrExists, and touches
// nothing, when there is a file already.
func Create(ctx context.Context, path string, site Site, o Options) (*Store, error) {
	if err := createFile(path); err != nil {
		if errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("%w: %s", ErrExists, path)
		}
		return nil, fmt.Errorf("create database: %w", err)
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := s.found(ctx, site); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Open opens an existing database and brings its schema up to date. It wraps
// ErrNoDatabase, ErrNotDurable, ErrNewer or ErrChanged. It never creates a
// file: a wrong path must not look like an empty campus.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return nil, fmt.Errorf("%w: %s", ErrNoDatabase, path)
	}
	s, err := open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if err := s.loadSite(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, path string, o Options) (*Store, error) {
	keepSlabs()
	s := &Store{
		now: o.Now, random: o.Random, fault: o.Fault, changed: make(chan struct{}), prepared: map[string]*sql.Stmt{},
	}
	var err error
	if s.writing, err = sql.Open(driverName, dataSource(path, true)); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s.writing.SetMaxOpenConns(1)
	read, err := sql.Open(driverName, dataSource(path, false))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s.read = &reader{DB: read, prepared: map[string]*sql.Stmt{}}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)
	err = assertDurable(ctx, s.writing)
	if err == nil {
		err = migrate(ctx, s.writing, s.now)
	}
	if err == nil {
		s.write, err = s.writing.Conn(context.WithoutCancel(ctx))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, err), s.read.Close(), s.writing.Close())
	}
	s.queue.start(s)
	return s, nil
}

// Close waits for the changes that are under way and closes the database.
// Later changes fail with ErrClosed.
func (s *Store) Close() error {
	s.queue.stop()
	// A statement that stays open keeps SQLite from moving its log into the
	// file, and a copy of the file alone would be an empty backup.
	var errs []error
	for _, st := range s.prepared {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, s.read.Close(), s.write.Close(), s.writing.Close())...)
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.read.QueryRowContext(ctx, "SELECT 1 FROM settings").Scan(&one)
}
