package store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"

	"campusgate/signing"
)

// The rows of settings.
const (
	settingSite     = "site"
	settingTimeZone = "time_zone"
	settingLineage  = "lineage"
	settingRoot     = "root" // public key, base64
	settingOwn      = "own_journal"
)

// found writes the first rows of a new database.
func (s *Store) found(ctx context.Context, site Site) error {
	lineage, err := s.newLineage()
	if err != nil {
		return err
	}
	err = s.Change(ctx, func(t *Tx) error {
		for _, row := range [][2]string{
			{settingSite, site.Name},
			{settingTimeZone, site.TimeZone},
			{settingLineage, lineage},
			{settingRoot, base64.StdEncoding.EncodeToString(site.Root)},
		} {
			if err := t.Exec("INSERT INTO settings (name, value) VALUES ($1, $2)", row[0], row[1]); err != nil {
				return err
			}
		}
		return t.Trail("init", "site.created", site.Name, map[string]any{"root": signing.Fingerprint(site.Root)})
	})
	if err != nil {
		return err
	}
	return s.loadSite(ctx)
}

func (s *Store) newLineage() (string, error) {
	random := s.random
	if random == nil {
		random = rand.Reader
	}
	var b [8]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("random lineage: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

func (s *Store) loadSite(ctx context.Context) error {
	values := map[string]string{}
	rows, err := s.read.QueryContext(ctx, "SELECT name, value FROM settings")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		values[name] = value
	}
	if err := rows.Err(); err != nil {
		return err
	}
	root, err := base64.StdEncoding.DecodeString(values[settingRoot])
	if err != nil || values[settingSite] == "" || values[settingLineage] == "" {
		return fmt.Errorf("%w: it was never finished", ErrNoDatabase)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.site = Site{
		Name: values[settingSite], TimeZone: values[settingTimeZone], Lineage: values[settingLineage], Root: root,
	}
	return nil
}

// Site gives what the database says of itself.
func (s *Store) Site() Site {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.site
}

// count adds n to a counter and gives its value before.
func (t *Tx) count(name string, n int64) (int64, error) {
	var after int64
	err := t.QueryRowContext(t.ctx,
		"UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value", n, name).Scan(&after)
	return after - n, err
}

func counter(ctx context.Context, src Source, name string) (value int64, err error) {
	err = src.QueryRowContext(ctx, "SELECT value FROM counters WHERE name = $1", name).Scan(&value)
	return value, err
}
