package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// A group is closed when it holds this many rows, some 40 ms of work, so that
// an answer somebody waits for at a gate is never behind more than that.
const groupRows = 1000

// job is one change. Its function runs in the writer goroutine, possibly
// together with others in one transaction.
type job struct {
	ctx  context.Context
	rows int // roughly how many rows it writes
	fn   func(*Tx) error
	err  error
	done chan struct{}
}

// queue holds the changes that wait. Urgent ones, which a person at a gate
// waits for, go first.
type queue struct {
	mu      sync.Mutex // guards the rest
	wake    *sync.Cond
	urgent  []*job
	normal  []*job
	closing bool
	ended   chan struct{}
}

func (q *queue) start(s *Store) {
	q.wake = sync.NewCond(&q.mu)
	q.ended = make(chan struct{})
	go func() {
		defer close(q.ended)
		for {
			group := q.next()
			if group == nil {
				return
			}
			s.commitGroup(group)
		}
	}()
}

func (q *queue) stop() {
	q.mu.Lock()
	q.closing = true
	q.wake.Broadcast()
	q.mu.Unlock()
	<-q.ended
}

// next waits for jobs and takes as many as fit; nil when the queue is closed
// and empty.
func (q *queue) next() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.urgent)+len(q.normal) == 0 {
		if q.closing {
			return nil
		}
		q.wake.Wait()
	}
	var group []*job
	for rows := 0; rows < groupRows; {
		from := &q.urgent
		if len(*from) == 0 {
			from = &q.normal
		}
		if len(*from) == 0 {
			break
		}
		j := (*from)[0]
		*from = (*from)[1:]
		group = append(group, j)
		rows += j.rows
	}
	return group
}

// Change runs fn in a transaction and returns after its commit. fn may run
// twice: what it leaves outside the transaction is what its last run left. When it fails
// nothing of it stays and its error is returned as it is. When the commit
// fails, or ctx ends before the turn came, nothing stays either; but a fault of
// the disk may come after the fact, so a caller must be able to repeat. ErrNoRoom where the disk is full.
func (s *Store) Change(ctx context.Context, fn func(*Tx) error) error {
	return s.submit(&job{ctx: ctx, rows: 4, fn: fn}, false)
}

// Urgent is Change for what a person waits for at a gate or till: it goes before
// all that waits with Change.
func (s *Store) Urgent(ctx context.Context, fn func(*Tx) error) error {
	return s.submit(&job{ctx: ctx, rows: 4, fn: fn}, true)
}

func (s *Store) submit(j *job, urgent bool) error {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	j.done = make(chan struct{})
	q := &s.queue
	q.mu.Lock()
	if q.closing {
		q.mu.Unlock()
		return ErrClosed
	}
	if urgent {
		q.urgent = append(q.urgent, j)
	} else {
		q.normal = append(q.normal, j)
	}
	q.wake.Signal()
	q.mu.Unlock()
	<-j.done
	if isFull(j.err) {
		return fmt.Errorf("%w: %w", ErrNoRoom, j.err)
	}
	return j.err
}

// commitGroup runs the jobs in one transaction. When one of several fails, all
// are taken back and each runs again in a transaction of its own. That is rare;
// savepoints around every job would cost every group more.
func (s *Store) commitGroup(group []*job) {
	if !s.commitJobs(group) {
		for _, j := range group {
			j.err = nil
			s.commitJobs([]*job{j})
		}
	}
	for _, j := range group {
		close(j.done)
	}
}

// commitJobs sets the error of every job. It gives false when one of several
// failed: then nothing was committed, and the errors say nothing.
func (s *Store) commitJobs(group []*job) bool {
	// Not a caller's context: one caller that leaves must not take the
	// transaction of the others with it.
	t := &Tx{ctx: context.Background(), store: s}
	if err := t.Exec(beginWriting); err != nil {
		failAll(group, fmt.Errorf("begin: %w", err))
		return true
	}
	for _, j := range group {
		if j.err = j.ctx.Err(); j.err != nil {
			continue
		}
		t.now = s.now().UnixMilli()
		if j.err = call(j.fn, t); j.err != nil {
			_ = t.Exec("ROLLBACK")
			return len(group) == 1
		}
	}
	if err := t.commit(); err != nil {
		failAll(group, fmt.Errorf("commit: %w", err))
	} else if t.grew {
		s.broadcast()
	}
	return true
}

// commit is where tests put their faults: fault says whether the commit is
// carried out, and what is reported.
func (t *Tx) commit() error {
	apply, fault := true, error(nil)
	if t.store.fault != nil {
		apply, fault = t.store.fault()
	}
	if !apply {
		return errors.Join(fault, t.Exec("ROLLBACK"))
	}
	if err := t.Exec("COMMIT"); err != nil {
		// A commit that failed can leave the transaction open.
		_ = t.Exec("ROLLBACK")
		return err
	}
	return fault
}

// failAll gives the same error to all jobs that have none of their own.
func failAll(group []*job, err error) {
	for _, j := range group {
		if j.err == nil {
			j.err = err
		}
	}
}

// Tx is what a change may use. It belongs to the writer goroutine and to the
// change that runs: never keep it. Other packages keep their own tables with it,
// so that a change of several of them is one transaction.
type Tx struct {
	ctx   context.Context
	store *Store
	now   int64 // unix ms, the same through one job

	grew bool // the feed has new items
}

// Now is the time of the change, unix ms: the same through all of it.
func (t *Tx) Now() int64 { return t.now }

// Context is for the queries of the change. It is not the caller's, who may
// leave while others are in the same transaction.
func (t *Tx) Context() context.Context { return t.ctx }

// call keeps a fault in one change from ending the writer.
func call(fn func(*Tx) error, t *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a change: %v\n%s", p, debug.Stack())
		}
	}()
	return fn(t)
}

// stmt prepares each text once for the life of the store.
func (t *Tx) stmt(query string) (*sql.Stmt, error) {
	if st := t.store.prepared[query]; st != nil {
		return st, nil
	}
	st, err := t.store.write.PrepareContext(t.ctx, bind(query))
	if err == nil {
		t.store.prepared[query] = st
	}
	return st, err
}

// Exec runs a statement. Errors are the driver's; see IsUnique.
func (t *Tx) Exec(query string, args ...any) error {
	_, err := t.Affect(query, args...)
	return err
}

// Affect gives the number of rows that were changed.
func (t *Tx) Affect(query string, args ...any) (int64, error) {
	st, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// QueryContext reads what the change has written so far.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := t.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext is QueryContext for one row.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := t.stmt(query)
	if err != nil {
		// A Row cannot be made to carry an error; the text unprepared meets the
		// same one.
		return t.store.write.QueryRowContext(ctx, bind(query), args...)
	}
	return st.QueryRowContext(ctx, args...)
}

// Source is what reading needs: the writer's transaction, or the pool. Both keep
// queries prepared. SQLite plans one anew at every run whose LIMIT is a bare
// parameter; what is run often says LIMIT 0+$n.
type Source interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Reader reads what has been committed, beside the writer.
func (s *Store) Reader() Source { return s.read }

// Snapshot lets fn read one moment of what has been committed, however long it
// takes. Until it ends the log cannot be moved into the file, and grows.
func (s *Store) Snapshot(ctx context.Context, fn func(Source) error) error {
	at, err := s.read.moment(ctx)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	return errors.Join(fn(at), at.end(ctx))
}

// List runs a query and scans every row.
func List[T any](ctx context.Context, src Source, scan func(*sql.Rows) (T, error), query string, args ...any) ([]T, error) {
	rows, err := src.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
