package journal_test

import (
	"path/filepath"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing/wire"
)

func TestPrint_AnIdIsBegunOnceAlsoOverARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.db")
	check(t, disk.Create(path, func(tx *disk.Tx) error { return journal.Enrol(tx, identity()) }))
	open := func() (*disk.DB, *journal.Journal) {
		db := must[*disk.DB](t)(disk.Open(path))
		return db, must[*journal.Journal](t)(journal.Open(db))
	}
	begin := func(j *journal.Journal, id string) (wire.Printed, bool) {
		t.Helper()
		p, fresh, err := j.BeginPrint(id, start)
		check(t, err)
		return p, fresh
	}
	db, j := open()
	for _, id := range []string{"0190aaaa", "0190bbbb", "0190cccc"} {
		if _, fresh := begin(j, id); !fresh {
			t.Errorf("%s was begun before", id)
		}
	}
	done := wire.Printed{ID: "0190aaaa", State: wire.PrintDone}
	failed := wire.Printed{ID: "0190bbbb", State: wire.PrintFailed, Reason: wire.PrintPaperOut, Detail: "out of paper"}
	check(t, j.EndPrint(done))
	check(t, j.EndPrint(failed))
	check(t, db.Close())
	db, j = open()
	defer func() { check(t, db.Close()) }()
	interrupted := wire.Printed{ID: "0190cccc", State: wire.PrintUnknown, Reason: wire.PrintInterrupted}
	for _, want := range []wire.Printed{done, failed, interrupted} {
		if got, fresh := begin(j, want.ID); fresh || got != want {
			t.Errorf("%+v, fresh %t; want %+v", got, fresh, want)
		}
	}
	now := time.UnixMilli(start).Add(31 * 24 * time.Hour)
	check(t, j.Update(func(b lane.Book) error { return b.SetClock(desk.Clock{Synced: now.UnixMilli()}) }))
	must[uint64](t)(j.Prune(now, journal.Keep{}))
	if _, fresh := begin(j, done.ID); !fresh {
		t.Error("it is still remembered after 31 days")
	}
}
