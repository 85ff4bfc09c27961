package soak

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// closed: the store was closed meanwhile.
func closed(err error) bool {
	return errors.Is(err, sql.ErrConnDone) || strings.Contains(err.Error(), "closed")
}

// check holds the gates' journals and snapshots against the server.
func (w *world) check() {
	w.counts.Events = 0
	here := map[wire.EventID]wire.Hash{} // what the server has
	count := map[signing.PassID]int{}    // admissions that stand
	admitted := map[wire.EventID]signing.PassID{}
	scans := map[string]bool{}
	_, err := store.List(context.Background(), w.server.db.Reader(), func(rows *sql.Rows) (struct{}, error) {
		var id wire.EventID
		var hash []byte
		err := rows.Scan(&id.Agent, &id.Epoch, &id.Seq, &hash)
		here[id] = wire.Hash(hash)
		return struct{}{}, err
	}, "SELECT agent, epoch, seq, hash FROM events")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range w.gates {
		last := g.journal.Last()
		w.counts.Events += int(last)
		for seq := uint64(0); seq < last; {
			list, err := g.journal.After(seq, 500)
			if err != nil || len(list) == 0 {
				w.t.Fatalf("gate %d after %d: %d records, %v", g.id, seq, len(list), err)
			}
			for i := range list {
				id := wire.EventID{Agent: g.id, Epoch: 1, Seq: list[i].Seq}
				if here[id] != list[i].Hash {
					w.t.Errorf("event %v is not at the server as it is at the gate", id)
				}
				delete(here, id)
			}
			seq = list[len(list)-1].Seq
		}
		if err := w.walk(g, count, admitted, scans); err != nil {
			w.t.Fatal(err)
		}
		w.same(g)
	}
	if len(here) > 0 {
		w.t.Errorf("%d events at the server are of no gate", len(here))
	}
	for scan := range w.opened {
		if !scans[scan] {
			w.t.Errorf("the barrier was opened for scan %s, which no journal has", scan)
		}
	}
	w.uses(count)
}

// walk counts the admissions of a journal.
func (w *world) walk(g *gate, count map[signing.PassID]int, admitted map[wire.EventID]signing.PassID, scans map[string]bool) error {
	if _, err := g.journal.Verify(context.Background()); err != nil {
		return err
	}
	past, err := g.journal.Recent(int(g.journal.Last()))
	for i := range past {
		e := &past[i].Event
		if e.Type != wire.EventScan || !e.Verdict.Opens() {
			continue
		}
		scans[e.Scan] = true
		if !e.Verdict.Repeat && !past[i].Annulled {
			count[e.Pass]++
			admitted[e.ID] = e.Pass
		}
	}
	return err
}

// uses compares what was admitted with what the passes allow and the server counted.
func (w *world) uses(count map[signing.PassID]int) {
	ctx, src := context.Background(), w.server.db.Reader()
	type row struct {
		id            signing.PassID
		allows, holds int
		over          bool // its dates: what it was used for is forgotten
	}
	rows, err := store.List(ctx, src, func(rows *sql.Rows) (r row, err error) {
		var id []byte
		err = rows.Scan(&id, &r.allows, &r.holds, &r.over)
		copy(r.id[:], id)
		return r, err
	}, "SELECT p.id, p.uses, (SELECT count(*) FROM uses u WHERE u.pass = p.id AND u.annulled_at IS NULL), p.valid_until <= $1 FROM passes p", time.Now().Unix())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, r := range rows {
		if n := count[r.id]; n > r.allows || n != r.holds && !r.over {
			w.t.Errorf("pass %v allows %d uses, %d people went in, the server counts %d", r.id, r.allows, n, r.holds)
		}
	}
	for _, table := range []string{"conflicts", "quarantine"} {
		var n int
		if err := src.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n); err != nil || n > 0 {
			w.t.Errorf("%d %s (%v)", n, table, err)
		}
	}
	doubted, err := w.server.db.Events(ctx, 0, 1)
	if err != nil || len(doubted) == 0 {
		w.t.Errorf("no events at all (%v)", err)
	}
	var n int
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM events WHERE opinion = $1", int64(verdict.Conflict)).Scan(&n); err != nil || n > 0 {
		w.t.Errorf("the audit finds %d conflicts (%v)", n, err)
	}
}

// same holds what a gate knows against what a new gate PC would be told.
func (w *world) same(g *gate) {
	path := filepath.Join(w.dir, "fresh.db")
	g.install(path, g.journal.Identity().Private)
	defer func() { _ = os.Remove(path) }()
	p, err := open(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = p.db.Close() }()
	var group []wire.Delta
	for cursor := p.snapshot.Cursor(); ; {
		d, err := w.server.db.Feed(context.Background(), cursor, wire.MaxBatch)
		if err != nil {
			w.t.Fatal(err)
		}
		group = append(group, d)
		if cursor = d.Cursor; !d.More {
			break
		}
	}
	if err := p.snapshot.Apply(group); err != nil {
		w.t.Fatal(err)
	}
	if has, want := g.snapshot.Cursor(), p.snapshot.Cursor(); has != want {
		w.t.Errorf("gate %d is at %v, the server at %v", g.id, has, want)
	}
	if has, want := g.snapshot.Gates(), p.snapshot.Gates(); !reflect.DeepEqual(has, want) {
		w.t.Errorf("gate %d knows the gates %v, it should be %v", g.id, has, want)
	}
	for table, columns := range map[string]string{
		"revocations": "hex(pass), expires", "owners": "hex(pass), gate", "elsewhere": "hex(pass), count, first_at, first_gate",
	} {
		has, want := g.rows(w.t, table, columns), p.rows(w.t, table, columns)
		for row := range want {
			if !has[row] {
				w.t.Errorf("gate %d does not know %s %s", g.id, table, row)
			}
		}
		for row := range has {
			if !want[row] {
				w.t.Errorf("gate %d knows %s %s, which the server does not say", g.id, table, row)
			}
		}
	}
}

// rows are those of a table that are in force, of passes that are not out of date.
func (p *process) rows(t *testing.T, table, columns string) map[string]bool {
	list, err := store.List(context.Background(), p.db.Read(), func(rows *sql.Rows) (string, error) {
		names, err := rows.Columns()
		if err != nil {
			return "", err
		}
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		err = rows.Scan(values...)
		text := ""
		for _, v := range values {
			text += fmt.Sprint(*v.(*any), " ")
		}
		return text, err
	}, fmt.Sprintf(`SELECT %s FROM %s x JOIN snapshot s WHERE gone = 0 AND expires > $1 AND gen = (SELECT max(y.gen) FROM %s y
		WHERE y.pass = x.pass AND y.gen BETWEEN s.base AND s.current)`, columns, table, table), time.Now().Unix())
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, row := range list {
		all[row] = true
	}
	return all
}

// size is what the process takes.
type size struct {
	heap, goroutines, files int
	resident                int // 0 = not known here
}

func measure(t *testing.T) size {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := size{heap: int(m.HeapAlloc), goroutines: runtime.NumGoroutine()}
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		s.files = len(list)
	}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var total, resident int
		if n, _ := fmt.Sscan(string(text), &total, &resident); n == 2 {
			s.resident = resident * os.Getpagesize()
		}
	}
	return s
}

func (s size) String() string {
	return fmt.Sprintf("%.1f MB of heap, %.1f MB resident, %d goroutines, %d files", float64(s.heap)/1e6, float64(s.resident)/1e6, s.goroutines, s.files)
}

// What may differ between two moments of rest.
const (
	moreHeap       = 8 << 20 // with what the test itself remembers
	moreResident   = 64 << 20
	moreGoroutines = 8
	moreFiles      = 8
)

// flat fails the test when the later size is larger.
func (s size) flat(t *testing.T, later size) {
	t.Helper()
	if later.heap > s.heap+moreHeap || later.resident > s.resident+moreResident ||
		later.goroutines > s.goroutines+moreGoroutines || later.files > s.files+moreFiles {
		t.Errorf("it has grown from %v to %v", s, later)
	}
}
