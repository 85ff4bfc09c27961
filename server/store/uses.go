package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// use is one counted admission of a counted pass.
type use struct {
	pass    signing.PassID
	ref     string // event id, or claimRef
	claim   string // of the gate that asked, or under which it admitted; "" = none
	gate    uint16 // where the person went through
	at      int64
	allowed uint32
	expires int64 // seconds
}

func claimRef(id string) string { return claimPrefix + id }

// claimOf is the claim that a claimRef is of.
func claimOf(ref string) (id string, ok bool) { return strings.CutPrefix(ref, claimPrefix) }

const claimPrefix = "claim:"

// addUses counts admissions. Each comes here once: with the event or the
// decision that counts it, in the transaction that first stores that.
func (t *Tx) addUses(uses []use) error {
	if len(uses) == 0 {
		return nil
	}
	first, err := t.revisions(len(uses))
	if err != nil {
		return err
	}
	for i, u := range uses {
		revision := first + int64(i)
		err := t.Exec(`INSERT INTO uses (pass, ref, claim, gate, at, allowed, expires, arrival, revision)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			u.pass[:], u.ref, nullText(u.claim), u.gate, u.at, u.allowed, u.expires, revision, revision)
		if err != nil {
			return err
		}
	}
	return t.findConflicts(first)
}

// annulUse takes a counted admission back, once. What is not there is no
// error: it may have been pruned, or never counted.
func (t *Tx) annulUse(pass signing.PassID, ref string) error {
	revision, err := t.revisions(1)
	if err != nil {
		return err
	}
	n, err := t.Affect(`UPDATE uses SET annulled_at = $1, revision = $2
		WHERE pass = $3 AND ref = $4 AND annulled_at IS NULL`, t.now, revision, pass[:], ref)
	if err != nil || n == 0 {
		return err
	}
	return t.endConflict(pass)
}

// standing gives the uses of a pass that hold, and the first of them.
func standing(ctx context.Context, src Source, pass signing.PassID) (count uint32, first *verdict.Use, err error) {
	rows, err := src.QueryContext(ctx, `SELECT at, gate FROM uses WHERE pass = $1 AND annulled_at IS NULL
		ORDER BY at, arrival`, pass[:])
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var u verdict.Use
		if err := rows.Scan(&u.At, &u.Gate); err != nil {
			return 0, nil, err
		}
		if count++; first == nil {
			first = &u
		}
	}
	return count, first, rows.Err()
}

// useItemsAfter gives the use items that changed after a revision: for every
// changed row, at most limit of them, its pass, added up as it stands now.
func useItemsAfter(ctx context.Context, src Source, revision int64, limit int) ([]feedRow, error) {
	return useItems(ctx, src, `SELECT n.revision, u.pass, u.ref, u.gate, u.at, u.expires, u.annulled_at
		FROM (SELECT pass, revision FROM uses WHERE revision > $1 ORDER BY revision LIMIT 0+$2) n
		JOIN uses u ON u.pass = n.pass
		ORDER BY n.revision, u.at, u.arrival`, revision, limit)
}

// useItemsFrom gives the use items of a snapshot that follow the item of the
// given key ("" = from the beginning), in order of their passes.
func useItemsFrom(ctx context.Context, src Source, key string, limit int) ([]feedRow, error) {
	after, err := hex.DecodeString(key)
	if err != nil {
		return nil, fmt.Errorf("place in a snapshot: %w", err)
	}
	return useItems(ctx, src, `SELECT 0, u.pass, u.ref, u.gate, u.at, u.expires, u.annulled_at
		FROM (SELECT DISTINCT pass FROM uses WHERE pass > $1 AND annulled_at IS NULL ORDER BY pass LIMIT 0+$2) n
		JOIN uses u ON u.pass = n.pass
		WHERE u.annulled_at IS NULL
		ORDER BY u.pass, u.at, u.arrival`, after, limit)
}

// useItems adds up rows that come grouped by revision and pass, earliest use
// first.
func useItems(ctx context.Context, src Source, query string, args ...any) ([]feedRow, error) {
	rows, err := src.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var (
		items []feedRow
		sums  []wire.Use
		last  signing.PassID
	)
	for rows.Next() {
		var revision int64
		var u useRow
		if err := rows.Scan(&revision, &u.pass, &u.ref, &u.Gate, &u.At, &u.expires, &u.annulled); err != nil {
			return nil, err
		}
		pass := signing.PassID(u.pass)
		if n := len(items); n == 0 || items[n-1].revision != revision || last != pass {
			items = append(items, feedRow{
				rank: rankUse, revision: revision,
				item: wire.Item{Kind: wire.ItemUse, Key: pass.String(), Gone: true},
			})
			sums = append(sums, wire.Use{Expires: u.expires})
			last = pass
		}
		if u.annulled.Valid {
			continue
		}
		i := len(items) - 1
		if sums[i].Count++; sums[i].Count == 1 {
			sums[i].First, items[i].item.Gone = u.Use, false
		}
		// A claimRef is no event id: the server counted that use, and no journal.
		if id, err := wire.ParseEventID(u.ref); err == nil {
			if sums[i].By == nil {
				sums[i].By = map[string]uint32{}
			}
			sums[i].By[wire.JournalKey(id.Agent, id.Epoch)]++
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range items {
		if items[i].item.Gone {
			continue
		}
		if items[i].item.Body, err = json.Marshal(sums[i]); err != nil {
			return nil, err
		}
	}
	return items, nil
}

type useRow struct {
	verdict.Use
	pass     []byte
	ref      string
	expires  int64
	annulled sql.NullInt64
}

// nullText stores "" as NULL.
func nullText(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }
