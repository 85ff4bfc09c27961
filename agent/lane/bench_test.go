package lane_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What a decision costs beyond what cannot be saved: one signature verified,
// one page appended, one sync. The two run in turns, so that other load on the
// machine meets both alike.

// floor appends 4 KiB pages durably.
type floor struct {
	f    *os.File
	page [4096]byte
}

func newFloor(b *testing.B) *floor {
	b.Helper()
	f := &floor{f: must[*os.File](b)(os.Create(filepath.Join(b.TempDir(), "floor")))}
	b.Cleanup(func() { check(b, f.f.Close()) })
	return f
}

func (f *floor) append(b *testing.B) {
	if _, err := f.f.Write(f.page[:]); err != nil {
		b.Fatal(err)
	}
	if err := datasync(f.f); err != nil {
		b.Fatal(err)
	}
}

func benchDesk(b *testing.B) (*station, *lane.Desk) {
	b.Helper()
	s := newStation(b, newCampus(b), home, nil)
	now := func() time.Time { return time.UnixMilli(noonMS) }
	cfg := gateConfig()
	deps := lane.Deps{Store: s, Keyring: s.snap.Keyring, Gate: s.snap.Gate, Now: now, Barriers: map[string]func(context.Context) error{}}
	for i := range 8 {
		name := strconv.Itoa(i)
		cfg.Lanes = append(cfg.Lanes, lane.Lane{Name: name})
		deps.Barriers[name] = func(context.Context) error { return nil }
	}
	d := must[*lane.Desk](b)(lane.NewDesk(cfg, deps))
	ctx, cancel := context.WithCancel(context.Background())
	var run sync.WaitGroup
	run.Go(func() { _ = d.Run(ctx) })
	b.Cleanup(func() { cancel(); run.Wait() })
	d.SetOffset(0, now())
	return s, d
}

// texts are the codes of n passes for one use each.
func texts(b *testing.B, c *campus, n int) []string {
	b.Helper()
	list := make([]string, n)
	for i := range list {
		list[i] = c.static(b, single(uint64(i+1)*0x9e3779b97f4a7c15))
	}
	return list
}

func admit(b *testing.B, d *lane.Desk, at, text string) {
	if r, err := d.Present(context.Background(), at, "serial", text); err != nil || r.Reason != verdict.Granted {
		b.Errorf("present: %+v, %v", r, err)
	}
}

func at(sorted []time.Duration, share float64) float64 {
	return float64(sorted[int(float64(len(sorted)-1)*share)].Nanoseconds())
}

func BenchmarkScan(b *testing.B) {
	s, d := benchDesk(b)
	f := newFloor(b)
	message := make([]byte, 160)
	signature := ed25519.Sign(s.c.issuer.Private, message)
	list := texts(b, s.c, b.N)
	var full, raw []time.Duration
	b.ResetTimer()
	for i := range b.N {
		begin := time.Now()
		admit(b, d, "0", list[i])
		full = append(full, time.Since(begin))
		begin = time.Now()
		if !ed25519.Verify(s.c.issuer.Key.Public, message, signature) {
			b.Fatal("signature")
		}
		f.append(b)
		raw = append(raw, time.Since(begin))
	}
	slices.Sort(full)
	slices.Sort(raw)
	b.ReportMetric(at(full, 0.5)/at(raw, 0.5), "p50-ratio")
	b.ReportMetric(at(full, 0.5)/1e3, "p50-us")
	b.ReportMetric(at(full, 0.99)/1e6, "p99-ms")
	b.ReportMetric(at(raw, 0.99)/1e6, "floor-p99-ms")
}

func BenchmarkLanes(b *testing.B) {
	const lanes, round = 8, 40
	s, d := benchDesk(b)
	f := newFloor(b)
	list := texts(b, s.c, b.N*lanes*round)
	var full, raw []time.Duration
	b.ResetTimer()
	for n := range b.N {
		begin := time.Now()
		var all sync.WaitGroup
		for l := range lanes {
			mine := list[(n*lanes+l)*round:][:round]
			all.Go(func() {
				for _, text := range mine {
					admit(b, d, strconv.Itoa(l), text)
				}
			})
		}
		all.Wait()
		full = append(full, time.Since(begin))
		begin = time.Now()
		for range lanes * round {
			f.append(b)
		}
		raw = append(raw, time.Since(begin))
	}
	slices.Sort(full)
	slices.Sort(raw)
	b.ReportMetric(at(raw, 0.5)/at(full, 0.5), "of-floor-ratio")
	b.ReportMetric(lanes*round*1e9/at(full, 0.5), "decisions/s")
	b.ReportMetric(lanes*round*1e9/at(raw, 0.5), "floor/s")
}

// BenchmarkStart opens a store with 100,000 revocations and 100,000 uses, up to
// a desk that could decide.
func BenchmarkStart(b *testing.B) {
	s := newStation(b, newCampus(b), home, nil)
	var items []wire.Item
	for n := range uint64(100_000) {
		p := single(n * 7919)
		revoked := must[[]byte](b)(json.Marshal(wire.Revocation{Expires: p.Expires}))
		items = append(items, wire.Item{Kind: wire.ItemRevocation, Key: p.ID.String(), Body: revoked})
	}
	check(b, s.snap.Apply([]wire.Delta{{Cursor: wire.Cursor{Lineage: "lineage", Revision: 2}, Items: items}}))
	for n := range uint64(100) {
		check(b, s.j.Update(func(book lane.Book) error {
			for i := range uint64(1000) {
				p := single((n*1000 + i) * 104_729)
				u := lane.Use{Pass: p.ID, Seq: 1, At: noonMS, Gate: home, Reason: verdict.Granted, Own: true, Counts: true, Expires: p.Expires}
				if err := book.Use(u); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	s.close()
	var list []time.Duration
	for b.Loop() {
		begin := time.Now()
		db := must[*disk.DB](b)(disk.Open(s.path))
		j := must[*journal.Journal](b)(journal.Open(db))
		id := j.Identity()
		snap := must[*snapshot.Snapshot](b)(snapshot.Open(db, id.Gate, id.Site, id.Root))
		past := must[[]desk.Past](b)(j.Recent(50))
		must[*lane.Desk](b)(lane.NewDesk(gateConfig(), lane.Deps{Store: j, Keyring: snap.Keyring, Past: past}))
		list = append(list, time.Since(begin))
		check(b, db.Close())
	}
	s.open() // for the cleanup
	slices.Sort(list)
	b.ReportMetric(at(list, 0.5)/1e6, "p50-ms")
	b.ReportMetric(at(list, 1)/1e6, "worst-ms")
}
