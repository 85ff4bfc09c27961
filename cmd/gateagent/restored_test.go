//go:build linux

package main

import (
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/server"
	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// backup copies a database that is in use.
func backup(t *testing.T, database string) (copied string) {
	t.Helper()
	copied = filepath.Join(t.TempDir(), "backup.db")
	db, err := sql.Open("sqlite", database)
	check(t, err)
	_, err = db.Exec("VACUUM INTO $1", copied)
	check(t, err)
	check(t, db.Close())
	return copied
}

// putBack replaces a database, with the log that lies beside it.
func putBack(t *testing.T, copied, database string) {
	t.Helper()
	files, err := filepath.Glob(database + "*")
	check(t, err)
	for _, file := range files {
		check(t, os.Remove(file))
	}
	data, err := os.ReadFile(copied)
	check(t, err)
	check(t, os.WriteFile(database, data, 0o600))
}

// What an agent was told after the backup was made, it must forget.
func TestRestored_EveryGateGetsAWholeSnapshot(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	g.enrol()
	database := filepath.Join(s.settings.Data, server.DatabaseFile)
	saved := filepath.Join(t.TempDir(), "backup.db")
	_, err := server.Backup(t.Context(), s.settings, saved, time.Now, rand.Reader)
	check(t, err)
	for range 3 { // keyrings whose serials the backup will give out again
		check(t, server.Rotate(t.Context(), s.settings, time.Now, rand.Reader, true))
	}
	check(t, s.client.Do(t.Context(), http.MethodPatch, "/api/v1/gates/1", map[string]any{"name": "北门"}, nil))
	g.start()
	told := g.until("the new name", func(st console.Status) bool { return st.Gate.Name == "北门" })
	g.stop()
	s.stop()

	r, err := server.Restore(t.Context(), s.settings, saved, true, time.Now, rand.Reader)
	if err != nil || r.Agents != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	// By the count of changes alone the agent would be up to date.
	db, err := store.Open(t.Context(), database, store.Options{Now: time.Now, Random: rand.Reader})
	check(t, err)
	for {
		revision, err := db.Revision(t.Context())
		check(t, err)
		if revision >= told.Snapshot.Revision {
			break
		}
		_, err = db.AddGate(t.Context(), "test", store.Gate{Name: fmt.Sprintf("西门%d", revision), Zone: 1, Mode: verdict.Owner})
		check(t, err)
	}
	check(t, db.Close())

	s.start()
	g.start()
	g.until("the name that the backup has", func(st console.Status) bool { return st.Online && st.Gate.Name == "东门" })
	if n, err := server.VerifyTrail(t.Context(), s.settings, time.Now, rand.Reader); err != nil || n.Entries == 0 {
		t.Errorf("the trail: %v, %v", n, err)
	}
}
