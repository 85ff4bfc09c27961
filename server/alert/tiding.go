package alert

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"campusgate/server/store"
)

// Put has the webhook told of something, in the change that makes it so. body is
// an object; its id, which is the delivery's, and its kind are added to it. What
// has the same id is told once. Of what has the same about the earlier goes
// first, and the later waits until that was taken. Without a webhook nothing is
// kept.
func (s *Service) Put(t *store.Tx, id, about, kind string, body map[string]any) error {
	if s.URL == "" {
		return nil
	}
	whole := map[string]any{"id": id, "kind": kind}
	for name, value := range body {
		whole[name] = value
	}
	text, err := json.Marshal(whole)
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO tidings (id, about, body, at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING`,
		id, about, string(text), t.Now())
}

// tiding gives the next message beside conflicts that is due; nil = there is
// none.
func (s *Service) tiding(ctx context.Context) (*message, error) {
	var seq int64
	m := &message{}
	err := s.Store.Reader().QueryRowContext(ctx, `SELECT seq, id, body, attempts FROM tidings t
		WHERE told_at IS NULL AND next_at <= $1 AND NOT EXISTS
			(SELECT 1 FROM tidings e WHERE e.about = t.about AND e.seq < t.seq AND e.told_at IS NULL)
		ORDER BY attempts, next_at, seq LIMIT 1`, s.Now().UnixMilli()).Scan(&seq, &m.id, &m.body, &m.attempts)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	m.told = func(ctx context.Context) error {
		return s.Store.Change(ctx, func(t *store.Tx) error {
			return t.Exec("UPDATE tidings SET told_at = $1, attempts = attempts + 1, failure = '' WHERE seq = $2", t.Now(), seq)
		})
	}
	m.again = func(ctx context.Context, next int64, failure string) error {
		return s.Store.Change(ctx, func(t *store.Tx) error {
			return t.Exec("UPDATE tidings SET attempts = attempts + 1, next_at = $1, failure = $2 WHERE seq = $3", next, failure, seq)
		})
	}
	return m, err
}

// telling says how many of them the webhook has yet to take, and why it did not
// take one of them.
func (s *Service) telling(ctx context.Context) (untold int, failure string, err error) {
	err = s.Store.Reader().QueryRowContext(ctx, "SELECT count(*), coalesce(max(failure), '') FROM tidings WHERE told_at IS NULL").
		Scan(&untold, &failure)
	return untold, failure, err
}
