package campus_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
	"campusgate/server/store"
)

// keeping is what GET /keeping says.
type keeping struct {
	Unheard []uint32
	Gaps    []store.JournalGap
}

// restored puts a backup back after the server's data folder lost its database,
// and waits until every agent was heard.
func restored(t *testing.T, c *campus.Campus, from string) {
	t.Helper()
	c.Server.Kill()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(c.Database + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if out, err := c.Administer(t.Context(), "restore", "-from", from); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := c.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Network.Cut(false)
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	var k keeping
	err := campus.Until(ctx, func() (bool, error) {
		k = keeping{}
		err := c.Client.Do(ctx, http.MethodGet, "/api/v1/keeping", nil, &k)
		return len(k.Unheard) == 0, err
	})
	if err != nil || len(k.Gaps) > 0 {
		t.Fatalf("after the restore: %+v, %v", k, err)
	}
}

// TestRestore_LosesNoAdmissionAndNoCharge destroys the server's database after
// more was admitted and charged than its backup knows, with the network and
// without. What agents hold comes back, each once; a pass that was used stays
// used; nothing is numbered twice; and a pass that only the lost database knew is
// genuine still.
func TestRestore_LosesNoAdmissionAndNoCharge(t *testing.T) {
	t.Parallel()
	c, cashiers, _ := moneyWorld(t, moments(t), "一号窗口 Till 1")
	gate, kept := c.Gates[0], filepath.Join(t.TempDir(), "b.db")
	relay, s := campustest.Watch(t, gate), plug(t, gate)
	sell := func(until int) {
		t.Helper()
		stop := make(chan struct{})
		served := serveAll(t, cashiers, stop)
		for t.Context().Err() == nil {
			cashiers[0].list(t)
			if len(cashiers[0].listed) >= until {
				break
			}
			pause(t, 10*time.Millisecond)
		}
		close(stop)
		if err := <-served; err != nil {
			t.Fatal(err)
		}
	}
	before := campustest.Issue(t, c, gate, 4)
	s.scan(t, before[0].Code)
	relay.Await(t, 1)
	sell(3)
	drained(t, gate)
	if out, err := c.Administer(t.Context(), "backup", "-out", kept); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}

	after := campustest.Issue(t, c, gate, 2)
	s.scan(t, before[1].Code)
	s.scan(t, after[0].Code)
	relay.Await(t, 3)
	sell(6)
	drained(t, gate)
	c.Network.Cut(true)
	s.scan(t, before[2].Code)
	relay.Await(t, 4)
	awaitTills(t, c, func(v campus.TillView) bool { return v.Offline })
	sell(9)
	restored(t, c, kept)

	// Used passes stay used; the one that the backup does not know opens once.
	for _, p := range []campus.Pass{before[0], before[1], before[2], after[0], after[1], before[3], after[1]} {
		s.scan(t, p.Code)
	}
	relay.Await(t, 6)
	var refused *campus.Refusal
	err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/passes/"+after[1].ID, nil, nil)
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
		t.Errorf("a pass that the backup does not know: %v", err)
	}
	var made struct{ ID int64 }
	if err := c.Client.Do(t.Context(), http.MethodPost, "/api/v1/gates", map[string]any{"name": "新门", "zone": 1, "policy": "owner"}, &made); err != nil {
		t.Fatal(err)
	}
	if made.ID < 200 {
		t.Errorf("a new gate has number %d: another may have been given it since the backup", made.ID)
	}
	drained(t, gate)
	accounted(t, c, cashiers, nil)
	gate.Agent.Stop()
	rows := campustest.Journal(t, gate.Data)
	if n := once(t, rows); n != 6 {
		t.Errorf("%d admissions, want 6", n)
	}
	heldOnce(t, c, rows)
}

// heldOnce checks that the server holds each of the journal's rows, once.
func heldOnce(t *testing.T, c *campus.Campus, rows []campustest.Event) {
	t.Helper()
	held := map[string]int{}
	for after := int64(0); ; {
		events, next, err := c.Client.Events(t.Context(), after)
		if err != nil {
			t.Fatal(err)
		}
		if len(events) == 0 || next == after {
			break
		}
		for _, e := range events {
			held[e.ID]++
		}
		after = next
	}
	for _, row := range rows {
		if n := held[row.ID.String()]; n != 1 {
			t.Errorf("event %v: %d times at the server, want 1", row.ID, n)
		}
	}
	var conflicts struct{ Conflicts []any }
	if err := c.Client.Do(t.Context(), http.MethodGet, "/api/v1/conflicts", nil, &conflicts); err != nil || len(conflicts.Conflicts) > 0 {
		t.Errorf("conflicts: %v, %v", conflicts.Conflicts, err)
	}
}

// TestRestore_Kill kills backups and restores at random moments. A file that has
// the name of a backup is a whole one, and where there is a database it is whole:
// the old one or the new.
func TestRestore_Kill(t *testing.T) {
	t.Parallel()
	random := moments(t)
	c := start(t, campus.Options{Gates: []string{"东门 East Gate"}})
	campustest.Issue(t, c, c.Gates[0], 40)
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.db")
	began := time.Now()
	if out, err := c.Administer(t.Context(), "backup", "-out", whole); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	life := time.Since(began)
	cut := func(verb string, more ...string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(2*life))))
		defer cancel()
		if _, err := c.Administer(ctx, verb, more...); err != nil && ctx.Err() == nil {
			t.Fatal(err)
		}
	}
	const kills = 12
	made := 0
	for range kills {
		out := filepath.Join(dir, "b.db")
		cut("backup", "-out", out)
		if _, err := os.Stat(out); err != nil {
			continue
		}
		made++
		if _, err := store.Examine(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(out); err != nil {
			t.Fatal(err)
		}
	}
	c.Server.Kill()
	old, fresh, none := 0, 0, 0
	for range kills {
		cut("restore", "-from", whole, "-force")
		if _, err := os.Stat(c.Database); err != nil {
			none++ // the next one puts it there, and nothing is taken for a site meanwhile
			continue
		}
		out, err := c.Administer(t.Context(), "audit")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		entries, err := filepath.Glob(filepath.Join(filepath.Dir(c.Database), "before-restore-*"))
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) > old+fresh {
			fresh++
		} else {
			old++
		}
	}
	t.Logf("%d of %d backups came to their end; restores: %d whole, %d undone, %d between", made, kills, fresh, old, none)
	if out, err := c.Administer(t.Context(), "restore", "-from", whole, "-force"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := c.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
}
