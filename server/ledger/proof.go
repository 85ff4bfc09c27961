package ledger

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"campusgate/server/store"
)

// provedFrom is the hour of the campus from which a day's proof is made.
const provedFrom = 2

// guards are the triggers that keep the tables as they must be, and the first
// half of the SHA-256 of their text.
var guards = map[string]string{
	"accounts_begin":  "2e20bb2529023ac5b5af7dd353626cad",
	"accounts_last":   "576ca6d8749c90dffa6513995721f7f6",
	"accounts_stay":   "c65cc80e44ae6c2951b96bf47b96c9a2",
	"holds_last":      "dfd30570d2c9be55ce90de3207288106",
	"holds_stay":      "0af505bce04dd24374e7e9a59d452995",
	"postings_follow": "6e12b97703b3eff6a6a742a5978350b3",
	"postings_last":   "bd462c1d1d6ffb2dbb12bfaa7fe4b344",
	"postings_stay":   "d435fbe12d378ed24e7b99d5b19e48c0",
	"transfers_last":  "bf1b14034447ea325f5e62533756a501",
	"transfers_stay":  "15f52f310f68b7590532eda4b3a45d53",
}

// triggers proves that the guards are there, word for word.
func (p *proof) triggers(ctx context.Context, src store.Source) error {
	there, err := store.Triggers(ctx, src)
	for _, name := range slices.Sorted(maps.Keys(guards)) {
		sum := sha256.Sum256([]byte(there[name]))
		switch {
		case err != nil:
		case there[name] == "":
			p.fault("trigger "+name, "it is gone")
		case hex.EncodeToString(sum[:16]) != guards[name]:
			p.fault("trigger "+name, "it is another")
		}
	}
	return err
}

// Prove verifies the ledger and keeps the report for LastProof. A fault raises
// the alarm and is in the trail.
func (l *Ledger) Prove(ctx context.Context) (Report, error) {
	r, err := l.Verify(ctx, nil)
	if err != nil {
		return r, err
	}
	err = l.Store.Change(ctx, func(t *store.Tx) error {
		body, err := json.Marshal(r)
		if err != nil {
			return err
		}
		err = t.Exec(`INSERT INTO proofs (at, faults, report) VALUES ($1, $2, $3)
			ON CONFLICT (at) DO UPDATE SET faults = excluded.faults, report = excluded.report`, r.At, r.FaultsAll, string(body))
		if err != nil || r.Sound() {
			return err
		}
		return t.Trail("ledger", "ledger.unsound", r.Faults[0].Where, map[string]any{"what": r.Faults[0].What, "faults": r.FaultsAll})
	})
	if err == nil && !r.Sound() {
		l.alarm(fmt.Sprintf("ledger: %d faults, the first in %s: %s", r.FaultsAll, r.Faults[0].Where, r.Faults[0].What))
	}
	return r, err
}

// LastProof is the newest report of Prove.
func (l *Ledger) LastProof(ctx context.Context, src store.Source) (r Report, found bool, err error) {
	var body string
	err = src.QueryRowContext(ctx, "SELECT report FROM proofs ORDER BY at DESC LIMIT 1").Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(body), &r)
	}
	return r, err == nil, err
}

// Nightly proves the ledger once a night. A schedule calls it often: a night
// that was missed is made up for.
func (l *Ledger) Nightly(ctx context.Context) error {
	last, _, err := l.LastProof(ctx, l.Store.Reader())
	if err != nil {
		return err
	}
	now := l.Now().In(l.Location)
	due := time.Date(now.Year(), now.Month(), now.Day(), provedFrom, 0, 0, 0, l.Location)
	if now.Before(due) || last.At >= due.UnixMilli() {
		return nil
	}
	_, err = l.Prove(ctx)
	return err
}
