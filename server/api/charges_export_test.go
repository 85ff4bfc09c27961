package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
)

// Whoever takes charges away as a file gets those that they may see, masked and
// inert, and the trail says so.
func TestChargesExport_OwnRowsMaskedInertAndInTheTrail(t *testing.T) {
	w := newWorld(t)
	manager := w.someone(t, "M1", people.Post{Role: people.Merchant})
	finance := w.someone(t, "F1", people.Post{Role: people.Finance})
	guard := w.someone(t, "G1", people.Post{Role: people.Guard})
	w.shop(t, "=1+1", `"M1"`, 1250, 800, 300)
	_, till := w.shop(t, "二食堂", "", 500)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		return tx.Exec("UPDATE charges SET cashier = '2006020771', kind = CASE WHEN amount_fen = 800 THEN 'void' ELSE kind END")
	}))
	rows := func(who, query string) [][]string {
		t.Helper()
		r := w.call(t, who, "GET", "/api/v1/charges/export.csv"+query, nil)
		if r.status != 200 || !bytes.HasPrefix(r.body, []byte("\uFEFF")) {
			t.Fatalf("%d %.80q", r.status, r.body)
		}
		all, err := csv.NewReader(bytes.NewReader(r.body[3:])).ReadAll()
		ok(t, err)
		return all[1:]
	}
	own := rows(manager, "")
	if len(own) != 3 || len(rows(finance, "")) != 4 || len(rows(finance, fmt.Sprintf("?till=%d", till))) != 1 ||
		len(rows(manager, fmt.Sprintf("?till=%d", till))) != 0 || len(rows(finance, "?account=99999999")) != 0 || len(rows(finance, "?flag=late")) != 0 {
		t.Fatalf("%q", own)
	}
	for _, row := range own {
		if !strings.HasPrefix(row[5], "'=") || row[15] != "********71" {
			t.Errorf("merchant %q, cashier %q", row[5], row[15])
		}
	}
	if own[0][10] != "3.00" || own[1][10] != "-8.00" || own[1][1] != "撤销" || own[2][10] != "12.50" || own[2][13] != "12.50" {
		t.Errorf("%q", own)
	}
	if r := w.call(t, finance, "GET", "/api/v1/charges/export.xlsx?day=2026-11-21", nil); r.status != 200 || !bytes.HasPrefix(r.body, []byte("PK")) {
		t.Errorf("xlsx: %d %.40q", r.status, r.body)
	}
	w.refused(t, w.call(t, guard, "GET", "/api/v1/charges/export.csv", nil), 403, "forbidden")
	w.refused(t, w.call(t, finance, "GET", "/api/v1/charges/export.csv?day=yesterday", nil), 422, "invalid")
	trail, err := w.db.Trail(t.Context(), 0, 10_000)
	ok(t, err)
	var found []string
	for _, e := range trail {
		if e.Action == "charges.exported" {
			found = append(found, e.Actor+" "+string(e.Details))
		}
	}
	first := `person M1 {"account":false,"day":"","flag":"","format":"csv","merchant":0,"period":"","rows":3,"till":0}`
	last := `person F1 {"account":false,"day":"2026-11-21","flag":"","format":"xlsx","merchant":0,"period":"","rows":4,"till":0}`
	if len(found) != 7 || found[0] != first || found[6] != last {
		t.Errorf("trail %q", found)
	}
}

func TestChargesExport_MoreThanAFileHoldsIsRefusedAndNothingLeftOut(t *testing.T) {
	if storetest.Raced {
		t.Skip("one call: make sweeps runs it without the race detector")
	}
	w := newWorld(t)
	w.shop(t, "一食堂", "", 100)
	ok(t, w.db.Change(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.QueryContext(tx.Context(), "SELECT name FROM pragma_table_info('charges')")
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		var columns, values []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			value := "c." + name
			switch name {
			case "position", "flow":
				value += " + n.i"
			case "event", "transfer":
				value += " || '/' || n.i"
			}
			columns, values = append(columns, name), append(values, value)
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return tx.Exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
			INSERT INTO charges (` + strings.Join(columns, ", ") + ") SELECT " + strings.Join(values, ", ") + " FROM charges c JOIN n")
	}))
	w.refused(t, w.call(t, w.token, "GET", "/api/v1/charges/export.csv", nil), 422, "too_many_rows")
	if r := w.call(t, w.token, "GET", "/api/v1/charges/export.csv?flag=late", nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
