package auth

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"campusgate/server/store"
)

// How long things are kept that nobody needs any more.
const (
	strayKept = 24 * time.Hour // tries at numbers that nobody has
)

// Login is an entry of the history of a person's logins.
type Login struct {
	At      int64 // ms
	Way     string
	IP      string
	Device  string
	Result  string // ok, wrong_password, locked, wrong_code
	Session int64  // that it began; 0 = none
}

// record adds to the history. A number that nobody has leaves a row as well:
// otherwise the time it takes would tell that nobody has it.
func record(t *store.Tx, person, way string, c Client, result string, session int64) error {
	who, began := any(person), any(session)
	if person == "" {
		who = nil
	}
	if session == 0 {
		began = nil
	}
	return t.Exec("INSERT INTO logins (person, at, way, ip, device, result, session) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		who, t.Now(), way, c.IP, c.Device, result, began)
}

// Logins gives a page of a person's history, the newest first, and how many
// entries there are. Pages count from 1.
func (a *Accounts) Logins(ctx context.Context, person string, page, size int) ([]Login, int, error) {
	src := a.Store.Reader()
	var total int
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM logins WHERE person = $1", person).Scan(&total); err != nil {
		return nil, 0, err
	}
	scan := func(rows *sql.Rows) (l Login, err error) {
		err = rows.Scan(&l.At, &l.Way, &l.IP, &l.Device, &l.Result, &l.Session)
		return l, err
	}
	list, err := store.List(ctx, src, scan, `SELECT at, way, ip, device, result, coalesce(session, 0) FROM logins
		WHERE person = $1 ORDER BY id DESC LIMIT $2 OFFSET $3`, person, size, (page-1)*size)
	return list, total, err
}

// Prune forgets what is over: sessions, codes, counts. How long the history is
// kept package retention says.
func (a *Accounts) Prune(ctx context.Context) error {
	return a.Store.Change(ctx, func(t *store.Tx) error {
		ago := func(d time.Duration) int64 { return t.Now() - d.Milliseconds() }
		for _, old := range []struct {
			sql  string
			args []any
		}{
			{"DELETE FROM sessions WHERE way = $1 AND seen_at <= $2", []any{WayPhone, ago(lifePhone)}},
			{"DELETE FROM sessions WHERE way <> $1 AND seen_at <= $2", []any{WayPhone, ago(lifeOther)}},
			{"DELETE FROM codes WHERE expires_at <= $1", []any{t.Now()}},
			{"DELETE FROM sent_codes WHERE at <= $1", []any{ago(24 * time.Hour)}},
			{"DELETE FROM attempts WHERE began_at <= $1 AND coalesce(locked_until, 0) <= $2", []any{ago(lockWindow), t.Now()}},
			{"DELETE FROM logins WHERE person IS NULL AND at <= $1", []any{ago(strayKept)}},
		} {
			if err := t.Exec(old.sql, old.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Device says in a few words what a browser calls itself, such as
// "Android WeChat": enough to know one's own phone again.
func Device(userAgent string) string {
	var words []string
	for _, group := range [][][2]string{
		{
			{"iPhone", "iPhone"},
			{"iPad", "iPad"},
			{"HarmonyOS", "HarmonyOS"},
			{"OpenHarmony", "HarmonyOS"},
			{"Android", "Android"},
			{"Windows", "Windows"},
			{"Mac OS X", "macOS"},
			{"Linux", "Linux"},
		},
		{
			{"wxwork", "WeCom"},
			{"MicroMessenger", "WeChat"},
			{"DingTalk", "DingTalk"},
			{"Edg", "Edge"},
			{"Firefox", "Firefox"},
			{"Chrome", "Chrome"},
			{"Safari", "Safari"},
		},
	} {
		for _, sign := range group {
			if strings.Contains(userAgent, sign[0]) {
				words = append(words, sign[1])
				break
			}
		}
	}
	return strings.Join(words, " ")
}
