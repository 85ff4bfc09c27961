package journal

import (
	"context"
	"fmt"
	"time"

	"campusgate/agent/disk"
)

// Keep says how long things stay after their use has ended. Zero fields take
// the defaults.
type Keep struct {
	Events   time.Duration // acknowledged ones; 90 days
	Uses     time.Duration // of passes, after the expiry that was last seen; 400 days
	Counters time.Duration // of phones, after the last admission; 30 days
	Prints   time.Duration // ids of what was printed; 30 days
}

func (k Keep) withDefaults() Keep {
	const day = 24 * time.Hour
	if k.Events == 0 {
		k.Events = 90 * day
	}
	if k.Uses == 0 {
		// A credential that is renewed every few days counts by the same pass id,
		// and may not be shown here for a long time.
		k.Uses = 400 * day
	}
	if k.Counters == 0 {
		k.Counters = 30 * day
	}
	if k.Prints == 0 {
		k.Prints = 30 * day
	}
	return k
}

// prunePart is how many rows one short transaction removes.
const prunePart = 500

// Prune removes what is no longer needed. The computer's clock alone is not
// believed: ages are counted from the last time that it was compared with the
// server's. It gives the number of events removed.
func (j *Journal) Prune(now time.Time, keep Keep) (events uint64, err error) {
	keep = keep.withDefaults()
	var synced int64
	err = j.db.Update(func(tx *disk.Tx) error {
		_, err := tx.Get("SELECT synced FROM clock WHERE id = 1", nil, &synced)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune journal: %w", err)
	}
	at := min(now.UnixMilli(), synced)
	if events, err = j.pruneEvents(at - keep.Events.Milliseconds()); err != nil {
		return events, fmt.Errorf("prune journal: %w", err)
	}
	expired := (at - keep.Uses.Milliseconds()) / 1000
	for _, p := range []stale{
		{
			// What the server still says of our part is read against the row here.
			`SELECT pass FROM uses WHERE expires < $1 AND NOT EXISTS
				(SELECT 1 FROM elsewhere e WHERE e.pass = uses.pass AND e.mine > 0) LIMIT $2`,
			`DELETE FROM uses WHERE expires < $1 AND NOT EXISTS
				(SELECT 1 FROM elsewhere e WHERE e.pass = uses.pass AND e.mine > 0) AND pass = $2`,
			expired,
		},
		{
			"SELECT pass FROM claims WHERE state <> 1 AND expires < $1 LIMIT $2",
			"DELETE FROM claims WHERE state <> 1 AND expires < $1 AND pass = $2", expired,
		},
		{"SELECT claim FROM answers WHERE expires < $1 LIMIT $2", "DELETE FROM answers WHERE expires < $1 AND claim = $2", expired},
		{
			"SELECT pass, phone FROM counters WHERE at < $1 LIMIT $2",
			"DELETE FROM counters WHERE at < $1 AND pass = $2 AND phone = $3", at - keep.Counters.Milliseconds(),
		},
		{
			// Whatever the server does not hold stays, with the last that it does:
			// the backlog is counted from there.
			`SELECT seq FROM charges WHERE at < $1 AND batch < (SELECT max(number) FROM batches)
				AND seq < (SELECT max(seq) FROM charges WHERE seq <= (SELECT acked FROM progress WHERE id = 1)) LIMIT $2`,
			"DELETE FROM charges WHERE at < $1 AND seq = $2", at - keep.Events.Milliseconds(),
		},
		{
			// Who is still out stays, however long.
			"SELECT seq FROM registers WHERE ended_at < $1 LIMIT $2",
			"DELETE FROM registers WHERE ended_at < $1 AND seq = $2", at - keep.Events.Milliseconds(),
		},
		{"SELECT pass FROM moves WHERE expires < $1 LIMIT $2", "DELETE FROM moves WHERE expires < $1 AND pass = $2", expired},
		{"SELECT id FROM prints WHERE at < $1 LIMIT $2", "DELETE FROM prints WHERE at < $1 AND id = $2", at - keep.Prints.Milliseconds()},
	} {
		if err := j.pruneRows(p); err != nil {
			return events, fmt.Errorf("prune journal: %w", err)
		}
	}
	return events, nil
}

// stale finds keys of rows and removes them, where they are still stale.
type stale struct {
	find, remove string
	before       int64
}

// pruneRows looks for keys outside the writer's transaction, where a long walk
// holds nobody up.
func (j *Journal) pruneRows(p stale) error {
	for {
		keys, err := j.staleKeys(p)
		if err != nil {
			return err
		}
		err = j.db.Update(func(tx *disk.Tx) error {
			for _, key := range keys {
				if err := tx.Exec(p.remove, append([]any{p.before}, key...)...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(keys) < prunePart {
			return err
		}
	}
}

func (j *Journal) staleKeys(p stale) (keys [][]any, err error) {
	rows, err := j.db.Read().QueryContext(context.Background(), p.find, p.before, prunePart)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		key, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range key {
			into[i] = &key[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, rows.Err()
}

// pruneEvents removes acknowledged events from the chain's beginning up to the
// first one that is younger, and notes the hash that the rest follows.
func (j *Journal) pruneEvents(before int64) (removed uint64, err error) {
	for {
		var n int64
		err := j.db.Update(func(tx *disk.Tx) error {
			var seq int64
			var hash []byte
			ok, err := tx.Get(`SELECT seq, hash FROM events WHERE seq < coalesce(
				(SELECT min(seq) FROM (SELECT seq, at FROM events ORDER BY seq LIMIT $1) WHERE at >= $2),
				(SELECT max(seq) + 1 FROM (SELECT seq FROM events ORDER BY seq LIMIT $1)))
				AND seq <= (SELECT acked FROM progress WHERE id = 1)
				AND seq < coalesce((SELECT min(seq) FROM charges WHERE batch =
					(SELECT number FROM batches WHERE closed_at IS NULL)), seq + 1)
				ORDER BY seq DESC LIMIT 1`, []any{prunePart, before}, &seq, &hash)
			if err != nil || !ok {
				return err
			}
			if n, err = tx.Count("DELETE FROM events WHERE seq <= $1", seq); err != nil {
				return err
			}
			return tx.Exec("UPDATE progress SET pruned = $1, pruned_hash = $2 WHERE id = 1", seq, hash)
		})
		if err != nil {
			return removed, err
		}
		removed += uint64(n)
		if n < prunePart {
			return removed, nil
		}
	}
}
