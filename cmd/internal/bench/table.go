package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/url"
	"path/filepath"

	"campusgate/signing/wire"
)

// tables is an SQLite file with nothing but the server's tables of events and
// of counted uses, and a prepared insert for each.
type tables struct {
	db      *sql.DB
	conn    *sql.Conn
	inserts [2]*sql.Stmt
	rows    [][2][]any // of events and of uses
	filled  int
}

var inserts = [2]string{
	`INSERT INTO events (position, agent, epoch, seq, hash, body, at, received_at, gate, type, pass, reason, offline, claim)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
	`INSERT INTO uses (pass, ref, claim, gate, at, allowed, expires, arrival, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
}

// newTables makes tables equal to those in the store at like, for the rows that
// these records become there.
func newTables(ctx context.Context, path, like string, records []wire.Record) (t *tables, err error) {
	t = &tables{}
	if t.rows, err = rowsOf(records); err != nil {
		return nil, err
	}
	if t.db, err = sql.Open("sqlite", address(path, "rwc")); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.close())
		}
	}()
	if t.conn, err = t.db.Conn(ctx); err != nil {
		return t, err
	}
	statements, err := definitions(ctx, like, "events", "uses")
	if err != nil {
		return t, err
	}
	for _, s := range statements {
		if _, err := t.conn.ExecContext(ctx, s); err != nil {
			return t, err
		}
	}
	for i, insert := range inserts {
		if t.inserts[i], err = t.conn.PrepareContext(ctx, insert); err != nil {
			return t, err
		}
	}
	return t, nil
}

// address asks for the durability of the stores.
func address(path, mode string) string {
	q := url.Values{
		"mode":    {mode},
		"_pragma": {"journal_mode(WAL)", "synchronous(FULL)"},
	}
	return (&url.URL{Scheme: "file", Opaque: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// definitions gives the statements that made some tables and their indexes.
func definitions(ctx context.Context, path string, tables ...string) (list []string, err error) {
	names, err := json.Marshal(tables)
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", address(path, "rw"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	rows, err := db.QueryContext(ctx, `SELECT sql FROM sqlite_master
		WHERE tbl_name IN (SELECT value FROM json_each(?)) AND type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC`, string(names))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// rowsOf gives the columns of what each record becomes, as the inserts take
// them.
func rowsOf(records []wire.Record) ([][2][]any, error) {
	rows := make([][2][]any, len(records))
	for i := range records {
		r := &records[i]
		var e wire.Event
		if err := json.Unmarshal(r.Body, &e); err != nil {
			return nil, err
		}
		n := int64(i + 1)
		rows[i] = [2][]any{
			{
				n, int64(e.ID.Agent), int64(e.ID.Epoch), int64(r.Seq), r.Hash[:], []byte(r.Body), e.At, e.At,
				int64(e.Gate), string(e.Type), e.Pass[:], int64(e.Verdict.Reason), e.Offline, nil,
			},
			{
				e.Pass[:], e.ID.String(), nil, int64(e.Gate), e.At, int64(e.Case.Code.Uses), e.Case.Code.Expires, n, n,
			},
		}
	}
	return rows, nil
}

// insert adds what the next n records become, in one transaction.
func (t *tables) insert(ctx context.Context, n int) error {
	if _, err := t.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for range n {
		for i, stmt := range t.inserts {
			if _, err := stmt.ExecContext(ctx, t.rows[t.filled][i]...); err != nil {
				return err
			}
		}
		t.filled++
	}
	_, err := t.conn.ExecContext(ctx, "COMMIT")
	return err
}

func (t *tables) close() error {
	var errs []error
	for _, stmt := range t.inserts {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	if t.conn != nil {
		errs = append(errs, t.conn.Close())
	}
	return errors.Join(append(errs, t.db.Close())...)
}
