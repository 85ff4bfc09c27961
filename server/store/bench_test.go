package store_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// realEvent is an event as a lane writes it: half of them are admissions that
// use up a single-use pass, a quarter are of passes without limit, a quarter
// are refusals.
func realEvent(agent uint32, n int, now int64) wire.Event {
	var pass signing.PassID
	pass[0], pass[1], pass[4], pass[5], pass[6], pass[7] = byte(n*37), byte(agent), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	offset := int64(120)
	e := wire.Event{
		Type: wire.EventScan, Scan: fmt.Sprintf("s%08d", n), At: now + int64(n)*100, Offset: &offset, Gate: uint16(agent),
		Lane: "主通道", Source: "serial", Pass: pass, Verdict: verdict.Verdict{Reason: verdict.Granted},
		Documents: []string{"id_card"},
		Case: &verdict.Case{
			At: now + int64(n)*100,
			Code: verdict.Code{
				Kind: signing.ResidentSingle, ID: pass, Key: signing.KeyID{1, 2, 3, 4}, Site: "云岭大学",
				NotBefore: now/1000 - 3600, Expires: now/1000 + 86400, IssuedAt: now/1000 - 7200, Uses: 1, Zones: 3, Owner: uint16(agent),
			},
			Lane:     verdict.Lane{Gate: uint16(agent), Site: "云岭大学", Zone: 1, Direction: verdict.Entry, Kinds: signing.GateKinds},
			Clock:    verdict.Clock{HighWater: now + int64(n)*100 - 40, Synced: now, MaxAgeMS: 7 * 86400 * 1000},
			Policy:   verdict.Policy{Revision: 1000, Mode: verdict.Owner, Fresh: now},
			Document: verdict.Documents{Required: true, Shown: "id_card"},
		},
	}
	switch n % 4 {
	case 0, 1:
		e.Counts = true
	case 2:
		e.Case.Code.Kind, e.Case.Code.Uses = signing.Work, 0
	case 3:
		e.Verdict.Reason = verdict.Expired
	}
	return e
}

const benchBatch = 200

// bareStore writes the same rows with the plainest code there is: prepared
// statements, one transaction a batch, no checks, no feed. With uses it writes
// the rows of the counted uses as well.
type bareStore struct {
	db          *sql.DB
	insert, use *sql.Stmt
}

func newBareStore(b *testing.B) *bareStore {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bare.db")
	ok(b, os.WriteFile(path, nil, 0o600))
	db, err := sql.Open(store.DriverName, store.DataSource(path, true))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE events (position INTEGER PRIMARY KEY, agent INTEGER NOT NULL, epoch INTEGER NOT NULL,
		seq INTEGER NOT NULL, hash BLOB NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL, received_at INTEGER NOT NULL,
		gate INTEGER NOT NULL, type TEXT NOT NULL, pass BLOB, reason INTEGER NOT NULL, offline INTEGER NOT NULL, claim TEXT,
		opinion INTEGER, judged_at INTEGER, UNIQUE (agent, epoch, seq)) STRICT;
		CREATE TABLE uses (revision INTEGER PRIMARY KEY, arrival INTEGER NOT NULL, pass BLOB NOT NULL, ref TEXT NOT NULL,
		claim TEXT, gate INTEGER NOT NULL, at INTEGER NOT NULL, allowed INTEGER NOT NULL, expires INTEGER NOT NULL,
		annulled_at INTEGER) STRICT;
		CREATE INDEX uses_pass ON uses (pass)`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(`INSERT INTO events (agent, epoch, seq, hash, body, at, received_at, gate, type, pass,
		reason, offline, claim) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		b.Fatal(err)
	}
	use, err := db.Prepare(`INSERT INTO uses (arrival, pass, ref, gate, at, allowed, expires) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		b.Fatal(err)
	}
	return &bareStore{db, insert, use}
}

func (s *bareStore) write(b *testing.B, agent uint32, batch []wire.Record, counted []signing.PassID) {
	tx, err := s.db.Begin()
	if err != nil {
		b.Fatal(err)
	}
	st := tx.Stmt(s.insert)
	pass := make([]byte, 8)
	for _, r := range batch {
		_, err := st.Exec(agent, 1, int64(r.Seq), r.Hash[:], []byte(r.Body), int64(1), int64(1), int64(1), "scan", pass,
			int64(1), false, nil)
		if err != nil {
			b.Fatal(err)
		}
	}
	use := tx.Stmt(s.use)
	for i := range counted {
		if _, err := use.Exec(int64(i), counted[i][:], "1-1-100000", int64(1), int64(1), int64(1), int64(1)); err != nil {
			b.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkIngest takes in batches of events from several agents, each waiting
// for its ack, and reports events/s and two ratios to bare batched inserts: of
// all the rows that it writes (events and counted uses), and of the event rows
// alone. The three take turns every few batches, so that other load on the
// machine meets all of them.
func BenchmarkIngest(b *testing.B) {
	const turn = 8 // batches
	for _, agents := range []int{1, 8} {
		b.Run(fmt.Sprintf("agents=%d", agents), func(b *testing.B) {
			s, c := newStore(b)
			allRows, eventRows := newBareStore(b), newBareStore(b)
			logs := make([]*agentLog, agents)
			for a := range logs {
				g := addGate(b, s, fmt.Sprintf("gate %d", a), verdict.Owner)
				logs[a] = journalOf(enrol(b, s, c, g.ID, byte(10+a)), c)
			}
			var ours, all, only time.Duration
			events := 0
			for n := 0; n < b.N; n += turn * benchBatch {
				batches := make([][][]wire.Record, agents) // of each agent
				var counted []signing.PassID
				for i := range turn {
					a := i % agents
					batch := make([]wire.Record, benchBatch)
					for j := range batch {
						e := realEvent(logs[a].agent, n+i*benchBatch+j, c.at())
						batch[j] = logs[a].add(b, e)
						if e.Counts {
							counted = append(counted, e.Pass)
						}
					}
					batches[a] = append(batches[a], batch)
				}
				timed := func(do func()) time.Duration {
					begin := time.Now()
					do()
					return time.Since(begin)
				}
				all += timed(func() {
					share := len(counted) / turn
					left := counted
					for a, list := range batches {
						for _, batch := range list {
							allRows.write(b, logs[a].agent, batch, left[:share])
							left = left[share:]
						}
					}
				})
				only += timed(func() {
					for a, list := range batches {
						for _, batch := range list {
							eventRows.write(b, logs[a].agent, batch, nil)
						}
					}
				})
				ours += timed(func() {
					var wg sync.WaitGroup
					for a, list := range batches {
						wg.Go(func() {
							for _, batch := range list {
								if _, err := s.Ingest(b.Context(), logs[a].agent, logs[a].epoch, batch); err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
				})
				events += turn * benchBatch
			}
			b.ReportMetric(0, "ns/op") // it would count the other two as well
			b.ReportMetric(float64(events)/ours.Seconds(), "events/s")
			b.ReportMetric(all.Seconds()/ours.Seconds(), "ratio")
			b.ReportMetric(only.Seconds()/ours.Seconds(), "ratio-event-rows")
		})
	}
}

// BenchmarkDecide answers claims of many gates at once: group commit shares
// the fsync.
func BenchmarkDecide(b *testing.B) {
	for _, askers := range []int{1, 64} {
		b.Run(fmt.Sprintf("askers=%d", askers), func(b *testing.B) {
			s, c := newStore(b)
			var wg sync.WaitGroup
			b.ResetTimer()
			for a := range askers {
				wg.Go(func() {
					for i := a; i < b.N; i += askers {
						claim := wire.Claim{
							ID: fmt.Sprintf("%d-1-%d", a+1, i), Pass: signing.PassID{byte(a), 1, byte(i >> 16), byte(i >> 8), byte(i)},
							Gate: 1, Uses: 1, Expires: c.seconds() + 3600, At: c.at(),
						}
						if _, err := s.Decide(b.Context(), claim); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "claims/s")
		})
	}
}
