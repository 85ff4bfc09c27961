package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// ErrDamaged: a file is no whole copy of a database.
var ErrDamaged = errors.New("not a whole copy of a database")

// settingCopy marks a copy. It is written last, so what has none was never
// finished, or is no copy.
const settingCopy = "copy"

// Copied is what a copy says of itself.
type Copied struct {
	Site    string `json:"site"`
	At      int64  `json:"at"`    // the moment that it shows, unix ms
	Trail   int64  `json:"trail"` // length of the audit trail
	Events  int64  `json:"events"`
	Version string `json:"version"` // last migration
	Bytes   int64  `json:"-"`
}

// Copy writes the database in the file from, as it is at one moment, into the
// empty file to, compact and without anything that was deleted. Others may
// write meanwhile: it only reads, with a connection of its own, though their log
// cannot be moved into the file before it ends. The caller flushes the file.
func Copy(ctx context.Context, from, to string, now time.Time) (err error) {
	if info, err := os.Stat(from); err != nil || info.IsDir() {
		return fmt.Errorf("%w: %s", ErrNoDatabase, from)
	}
	src, err := sql.Open(driverName, aside(from))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	src.SetMaxOpenConns(1)
	if _, err := src.ExecContext(ctx, "VACUUM INTO $1", to); err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	return mark(ctx, to, now)
}

func mark(ctx context.Context, path string, now time.Time) (err error) {
	db, err := sql.Open(driverName, aside(path))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c := Copied{At: now.UnixMilli()}
	err = db.QueryRowContext(ctx, `SELECT (SELECT value FROM settings WHERE name = $1), (SELECT count(*) FROM trail),
		(SELECT value FROM counters WHERE name = 'position'), (SELECT max(name) FROM migrations)`, settingSite).
		Scan(&c.Site, &c.Trail, &c.Events, &c.Version)
	if err != nil {
		return fmt.Errorf("mark the copy: %w", err)
	}
	text, err := json.Marshal(c)
	if err == nil {
		_, err = db.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, settingCopy, string(text))
	}
	return err
}

// Examine reads a copy from end to end: its pages and indexes, what refers to
// what, its migrations and the chain of its trail. It wraps ErrDamaged, ErrNewer,
// ErrChanged or ErrBroken. The file is not changed.
func Examine(ctx context.Context, path string) (c Copied, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return c, err
	}
	if !info.Mode().IsRegular() || info.Size() == 0 {
		return c, fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	db, err := sql.Open(driverName, readOnly(path))
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	c, err = examine(ctx, db)
	if c.Bytes = info.Size(); err == nil {
		err = sized(ctx, db, c.Bytes)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return c, err
}

// sized refuses a file of another length than its pages come to: for a short last
// page SQLite makes up zeros.
func sized(ctx context.Context, db *sql.DB, bytes int64) error {
	var pages, size int64
	err := errors.Join(
		db.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages),
		db.QueryRowContext(ctx, "PRAGMA page_size").Scan(&size),
	)
	if err == nil && pages*size != bytes {
		err = fmt.Errorf("%w: %d bytes where %d pages of %d should be", ErrDamaged, bytes, pages, size)
	}
	return err
}

func examine(ctx context.Context, db *sql.DB) (c Copied, err error) {
	var text string
	err = db.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", settingCopy).Scan(&text)
	if err == nil {
		err = json.Unmarshal([]byte(text), &c)
	}
	if ctx.Err() != nil {
		return c, ctx.Err()
	}
	if err != nil {
		return c, fmt.Errorf("%w: it has no mark of a finished one (%w)", ErrDamaged, err)
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil || verdict != "ok" {
		return c, fmt.Errorf("%w: %s", ErrDamaged, errors.Join(err, errors.New(verdict)))
	}
	loose, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return c, err
	}
	broken := loose.Next()
	if err := errors.Join(loose.Err(), loose.Close()); err != nil {
		return c, err
	}
	if broken {
		return c, fmt.Errorf("%w: rows refer to what is not there", ErrDamaged)
	}
	if err := knownMigrations(ctx, db); err != nil {
		return c, err
	}
	n, err := verifyTrail(ctx, db)
	if err == nil && n != c.Trail {
		err = fmt.Errorf("%w: the trail has %d entries, the mark says %d", ErrDamaged, n, c.Trail)
	}
	return c, err
}

func knownMigrations(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(sqliteMigrations, migrationsDir)
	if err != nil {
		return err
	}
	ours, err := migrations(dir)
	if err != nil {
		return err
	}
	applied, err := appliedMigrations(ctx, db)
	if err != nil {
		return err
	}
	return known(applied, ours)
}

// How far running numbers jump when a copy takes the database's place: whatever
// was given out since the copy was made must not be given out again.
const (
	spareIDs       = 1_000_000
	spareGates     = 256 // they are in codes, and there are 65,535
	spareEpochs    = 1000
	spareResidents = 10_000 // and cards
	sparePositions = 1 << 32
	spareSerials   = 500
)

// Restored makes a copy fit to take the place of its database. Agents may have
// been told things that the copy lacks, so each gets a whole snapshot; what was
// numbered since is never numbered again; whoever was signed in signs in again;
// and until the agents have sent what they hold, the server decides no pass
// that it might have decided before: see Decide. It gives the number of
// agents that are waited for.
func (s *Store) Restored(ctx context.Context, actor string) (agents int, err error) {
	lineage, err := s.newLineage()
	if err != nil {
		return 0, err
	}
	err = s.Change(ctx, func(t *Tx) error {
		var c Copied
		if err := Kept(t.ctx, t, settingCopy, &c); err != nil {
			return err
		}
		n, err := t.Affect(`INSERT INTO unheard (agent, since) SELECT id, $1 FROM agents WHERE revoked_at IS NULL
			ON CONFLICT (agent) DO UPDATE SET since = excluded.since`, t.now)
		if err != nil {
			return err
		}
		agents = int(n)
		t.grew = true
		return errors.Join(
			t.Exec("UPDATE settings SET value = $1 WHERE name = $2", lineage, settingLineage),
			t.Exec("DELETE FROM settings WHERE name = $1", settingCopy),
			t.jump(),
			t.signOut(),
			t.Trail(actor, "site.restored", "", map[string]any{
				"copy_of": c.At, "trail": c.Trail, "events": c.Events, "lineage": lineage,
			}),
		)
	})
	if err != nil {
		return 0, err
	}
	return agents, s.loadSite(ctx)
}

// jump leaves out the numbers that may have been given out since the copy.
func (t *Tx) jump() error {
	var own ownJournal
	err := Kept(t.ctx, t, settingOwn, &own)
	if err != nil {
		return err
	}
	return errors.Join(
		t.Exec("UPDATE sqlite_sequence SET seq = seq + $1 WHERE name <> 'gates'", spareIDs),
		t.Exec("UPDATE sqlite_sequence SET seq = min(seq + $1, 60000) WHERE name = 'gates' AND seq < 60000", spareGates),
		// A table that never had a row has no sequence yet.
		t.Exec(`INSERT INTO sqlite_sequence (name, seq)
			SELECT m.name, CASE m.name WHEN 'gates' THEN $1 ELSE $2 END FROM sqlite_schema m
			WHERE m.type = 'table' AND m.sql LIKE '%AUTOINCREMENT%' AND m.name NOT IN (SELECT name FROM sqlite_sequence)`,
			spareGates, spareIDs),
		t.Exec("UPDATE agents SET spent_epoch = max(epoch, spent_epoch) + $1", spareEpochs),
		t.Exec("UPDATE counters SET value = value + $1 WHERE name IN ('residents', 'cards')", spareResidents),
		t.Exec("UPDATE counters SET value = value + $1 WHERE name = 'position'", sparePositions),
		t.Exec("UPDATE serials SET last = last + $1", spareSerials),
		t.Keep(settingOwn, ownJournal{Epoch: own.epoch() + spareEpochs}),
	)
}

// signOut ends what was open when the copy was made and may have been ended, or
// used, since.
func (t *Tx) signOut() error {
	return errors.Join(
		t.Exec("DELETE FROM sessions"), t.Exec("DELETE FROM codes"), t.Exec("DELETE FROM nonces"), t.Exec("DELETE FROM card_nonces"),
		t.Exec("UPDATE links SET expires_at = min(expires_at, $1) WHERE used_at IS NULL", t.now),
		t.Exec("UPDATE enrolments SET expires_at = min(expires_at, $1) WHERE used_at IS NULL", t.now),
	)
}

// Heard notes that an agent has sent all that its journal holds.
func (s *Store) Heard(ctx context.Context, agent uint32) error {
	var waited bool
	err := s.read.QueryRowContext(ctx, "SELECT count(*) > 0 FROM unheard WHERE agent = $1", agent).Scan(&waited)
	if err != nil || !waited {
		return err
	}
	return s.Change(ctx, func(t *Tx) error {
		// What an earlier agent of the gate holds is not sent by this one.
		n, err := t.Affect(`DELETE FROM unheard WHERE agent = $1 AND NOT EXISTS
			(SELECT 1 FROM agents a JOIN gates g ON g.id = a.gate WHERE a.id = unheard.agent AND g.draining_since IS NOT NULL)`, agent)
		if err != nil || n == 0 {
			return err
		}
		return t.Trail(fmt.Sprintf("agent %d", agent), "agent.heard", "", nil)
	})
}

// Unheard lists the agents that a restored server waits for.
func (s *Store) Unheard(ctx context.Context) ([]uint32, error) {
	return List(ctx, s.read, func(rows *sql.Rows) (id uint32, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT agent FROM unheard ORDER BY agent")
}

// unheardOf reports whether an admission that the server decided may still be
// unknown to it.
func (t *Tx) unheardOf() (yes bool, err error) {
	err = t.QueryRowContext(t.ctx, "SELECT count(*) > 0 FROM unheard").Scan(&yes)
	return yes, err
}
