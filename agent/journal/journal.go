package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/lane"
	"campusgate/signing/wire"
)

// ErrAck: the server acknowledged an event that was never written.
var ErrAck = errors.New("acknowledged beyond the journal")

// Journal is an open journal. All methods are safe for concurrent use.
type Journal struct {
	db       *disk.DB
	id       Identity
	last     atomic.Uint64
	acked    atomic.Uint64
	appended chan struct{}

	mu   sync.Mutex // held while head may move
	head head
	told uint64 // up to where Appended has told

	rules rules // belongs to whoever holds mu
}

// head is the end of the chain. It is read again after a transaction failed,
// since a failed commit may have been done.
type head struct {
	known bool
	seq   uint64
	hash  wire.Hash
}

// Open reads the identity and the end of the journal.
func Open(db *disk.DB) (*Journal, error) {
	j := &Journal{db: db, appended: make(chan struct{}, 1)}
	err := db.Update(func(tx *disk.Tx) (err error) {
		if j.id, err = identity(tx); err != nil {
			return err
		}
		var acked int64
		if _, err := tx.Get("SELECT acked FROM progress WHERE id = 1", nil, &acked); err != nil {
			return err
		}
		j.acked.Store(uint64(acked))
		return j.head.load(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j.last.Store(j.head.seq)
	j.told = j.head.seq
	return j, nil
}

func (h *head) load(tx *disk.Tx) error {
	var seq int64
	var hash []byte
	ok, err := tx.Get("SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1", nil, &seq, &hash)
	if err == nil && !ok {
		_, err = tx.Get("SELECT pruned, pruned_hash FROM progress WHERE id = 1", nil, &seq, &hash)
	}
	if err != nil {
		return err
	}
	if len(hash) != len(h.hash) {
		return fmt.Errorf("event %d: hash of %d bytes", seq, len(hash))
	}
	*h = head{known: true, seq: uint64(seq), hash: wire.Hash(hash)}
	return nil
}

// Update runs do in one durable transaction. After an error nothing that do
// did may be acted upon.
func (j *Journal) Update(do func(lane.Book) error) error {
	return j.update(func(t *tx) error { return do(t) })
}

func (j *Journal) update(do func(*tx) error) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	t := &tx{id: &j.id, rules: &j.rules}
	err := j.db.Update(func(dtx *disk.Tx) error {
		if !j.head.known {
			if err := j.head.load(dtx); err != nil {
				return err
			}
		}
		t.tx, t.head = dtx, j.head
		return do(t)
	})
	if err != nil {
		j.head.known = false
		return fmt.Errorf("journal: %w", err)
	}
	j.head = t.head
	j.reached(t.head.seq)
	if j.told != t.head.seq {
		j.told = t.head.seq
		select {
		case j.appended <- struct{}{}:
		default:
		}
	}
	return nil
}

// reached notes that an event is on the disk.
func (j *Journal) reached(seq uint64) {
	for {
		last := j.last.Load()
		if seq <= last || j.last.CompareAndSwap(last, seq) {
			return
		}
	}
}

// Identity is who this agent is.
func (j *Journal) Identity() Identity { return j.id }

// Last is the highest seq known to be on the disk.
func (j *Journal) Last() uint64 { return j.last.Load() }

// Queue is how many events the server has not acknowledged.
func (j *Journal) Queue() uint64 {
	// Read in this order: acked never passes a last that is read later.
	acked := j.acked.Load()
	return j.last.Load() - acked
}

// Appended delivers one value after events were written since the last one was
// received. There is one channel, for one receiver.
func (j *Journal) Appended() <-chan struct{} { return j.appended }

// After gives at most limit records that follow seq, in order. What a commit left
// on the disk although it failed is among them, and counts in Last from then on:
// the server is going to hold it.
func (j *Journal) After(seq uint64, limit int) ([]wire.Record, error) {
	query, err := j.db.Prepared("SELECT seq, hash, body FROM events WHERE seq > $1 ORDER BY seq LIMIT 0+$2")
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	rows, err := query.Query(int64(seq), limit)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []wire.Record
	for rows.Next() {
		r, err := record(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if len(list) > 0 {
		j.reached(list[len(list)-1].Seq)
	}
	return list, nil
}

func record(scan func(...any) error) (r wire.Record, err error) {
	var seq int64
	var hash, body []byte
	if err := scan(&seq, &hash, &body); err != nil {
		return r, err
	}
	if len(hash) != len(r.Hash) {
		return r, fmt.Errorf("event %d: hash of %d bytes", seq, len(hash))
	}
	return wire.Record{Seq: uint64(seq), Hash: wire.Hash(hash), Body: body}, nil
}

// Ack records that the server holds every event up to seq. A lower seq than
// before changes nothing; one beyond the journal fails with ErrAck.
func (j *Journal) Ack(seq uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if seq <= j.acked.Load() {
		return nil
	}
	if last := j.last.Load(); seq > last {
		return fmt.Errorf("%w: %d after %d", ErrAck, seq, last)
	}
	err := j.db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE progress SET acked = $1 WHERE id = 1", int64(seq))
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.acked.Store(seq)
	return nil
}

// Begins is how far the journal was pruned, and the hash that its first event
// follows.
func (j *Journal) Begins() (seq uint64, hash wire.Hash, err error) {
	var c Chain
	err = j.db.Update(func(tx *disk.Tx) (err error) {
		c, err = begin(tx)
		return err
	})
	if err != nil {
		return 0, hash, fmt.Errorf("journal: %w", err)
	}
	return c.Seq, c.Hash, nil
}

// Resume records what the server says that it holds when a connection begins.
// Less than it had acknowledged is believed: it lost the rest, which is sent
// again and not pruned before it has come. What was pruned counts as held.
func (j *Journal) Resume(acked uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if last := j.last.Load(); acked > last {
		return fmt.Errorf("%w: %d after %d", ErrAck, acked, last)
	}
	if acked == j.acked.Load() {
		return nil
	}
	var held int64
	err := j.db.Update(func(tx *disk.Tx) error {
		_, err := tx.Get("UPDATE progress SET acked = max(pruned, $1) WHERE id = 1 RETURNING acked", []any{int64(acked)}, &held)
		return err
	})
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.acked.Store(uint64(held))
	return nil
}

// Recent gives the latest events, newest first, for a lane.Desk that starts.
func (j *Journal) Recent(limit int) ([]desk.Past, error) {
	rows, err := j.db.Read().QueryContext(context.Background(),
		"SELECT body, annulled IS NOT NULL FROM events ORDER BY seq DESC LIMIT $1", limit)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []desk.Past
	for rows.Next() {
		a, err := past(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return list, nil
}

// past reads the columns body and annulled IS NOT NULL.
func past(scan func(...any) error) (p desk.Past, err error) {
	var body []byte
	if err := scan(&body, &p.Annulled); err != nil {
		return p, err
	}
	if err := json.Unmarshal(body, &p.Event); err != nil {
		return p, fmt.Errorf("event body: %w", err)
	}
	return p, nil
}
