package lane_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// A power cut leaves the file and some beginning of its log. What had been
// shown as admitted when the log was that long must be there.
func TestCrash_NoAdmissionIsMissing(t *testing.T) {
	s := newStation(t, newCampus(t), home, nil)
	now := func() time.Time { return time.UnixMilli(noonMS) }
	d := must[*lane.Desk](t)(lane.NewDesk(gateConfig(), lane.Deps{Store: s, Keyring: s.snap.Keyring, Now: now}))
	ctx, cancel := context.WithCancel(t.Context())
	var desk sync.WaitGroup
	desk.Go(func() { _ = d.Run(ctx) })
	d.SetOffset(0, now())

	type ack struct {
		log  int64 // length of the log once this was shown
		seq  uint64
		scan string
	}
	var mu sync.Mutex
	var acks []ack
	before := size(t, s.path+"-wal")
	var lanes sync.WaitGroup
	for l := range 4 {
		lanes.Go(func() {
			for n := range 12 {
				text := s.c.static(t, single(uint64(100*l+n+1)))
				r, err := d.Present(ctx, "a", "serial", text)
				if err != nil || r.Reason != verdict.Granted {
					t.Errorf("present: %+v, %v", r, err)
					return
				}
				mu.Lock()
				acks = append(acks, ack{size(t, s.path+"-wal"), r.Event.Seq, r.ID})
				mu.Unlock()
			}
		})
	}
	lanes.Wait()
	cancel()
	desk.Wait()
	if len(acks) != 48 {
		t.Fatalf("%d admissions", len(acks))
	}
	end := size(t, s.path+"-wal")
	if end <= before {
		t.Fatalf("the log did not grow from %d: this test needs it whole", before)
	}
	r := rand.New(rand.NewPCG(7, 7))
	for range 25 {
		cut := before + r.Int64N(end-before+1)
		path := filepath.Join(t.TempDir(), "agent.db")
		copyFile(t, path, s.path, -1)
		copyFile(t, path+"-wal", s.path+"-wal", cut)
		db := must[*disk.DB](t)(disk.Open(path))
		j := must[*journal.Journal](t)(journal.Open(db))
		if _, err := j.Verify(t.Context()); err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
		have := map[string]bool{}
		for _, rec := range must[[]wire.Record](t)(j.After(0, 1000)) {
			var e wire.Event
			check(t, json.Unmarshal(rec.Body, &e))
			have[e.Scan] = true
			// The use came with the event.
			var uses int
			check(t, db.Read().QueryRow("SELECT count FROM uses WHERE pass = $1", e.Pass[:]).Scan(&uses))
			if uses != 1 {
				t.Fatalf("cut at %d: event %v without its use", cut, e.ID)
			}
		}
		for _, a := range acks {
			if a.log <= cut && !have[a.scan] {
				t.Fatalf("cut at %d of %d: admission %d is missing", cut, end, a.seq)
			}
		}
		check(t, db.Close())
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Error(err)
		return 0
	}
	return info.Size()
}

// copyFile copies n bytes, all of them where n is negative.
func copyFile(t *testing.T, to, from string, n int64) {
	t.Helper()
	in := must[*os.File](t)(os.Open(from))
	defer func() { _ = in.Close() }()
	var source io.Reader = in
	if n >= 0 {
		source = io.LimitReader(in, n)
	}
	check(t, os.WriteFile(to, must[[]byte](t)(io.ReadAll(source)), 0o600))
}
