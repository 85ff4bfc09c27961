package store

import (
	"context"
	"database/sql"
	"time"
)

// SetCommitFault makes the next commits fail as fault says: apply = the commit
// is carried out all the same. nil ends it. Only between changes.
func (s *Store) SetCommitFault(fault func() (apply bool, err error)) { s.fault = fault }

// Exec writes into the database behind the store's back.
func (s *Store) Exec(query string, args ...any) error {
	return s.Change(context.Background(), func(t *Tx) error { return t.Exec(query, args...) })
}

// Hold keeps the writer busy until release is called, so that changes queue.
func (s *Store) Hold() (release func()) {
	held, free := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.Change(context.Background(), func(*Tx) error {
			close(held)
			<-free
			return nil
		})
	}()
	<-held
	return func() { close(free) }
}

// Waiting counts the changes in the queue.
func (s *Store) Waiting() int {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return len(s.queue.urgent) + len(s.queue.normal)
}

// Fail runs a change that ends with err after it wrote.
func (s *Store) Fail(err error) error {
	return s.Change(context.Background(), func(t *Tx) error {
		if err := t.Exec("INSERT INTO zones (id, name) VALUES (32, 'half')"); err != nil {
			return err
		}
		if err == nil {
			panic("on purpose")
		}
		return err
	})
}

// AssertDurable, DataSource and Bind are for the tests of the dialect.
var (
	AssertDurable = assertDurable
	DataSource    = dataSource
	Bind          = bind
)

const DriverName = driverName

// Step is a migration by name and text.
type Step struct{ Name, Text string }

// MigrateTo applies steps to a database.
func MigrateTo(db *sql.DB, steps ...Step) error {
	var list []migration
	for _, s := range steps {
		list = append(list, newMigration(s.Name, s.Text))
	}
	return migrateTo(context.Background(), db, list, time.Now)
}
