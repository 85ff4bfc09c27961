package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// Kept reads what a package keeps as JSON under a name of its own in table
// settings. What was never kept leaves v as it is: its defaults.
func Kept(ctx context.Context, src Source, name string, v any) error {
	var text string
	err := src.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", name).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), v)
}

// Keep writes what Kept reads.
func (t *Tx) Keep(name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return t.Exec("INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
		name, string(text))
}
