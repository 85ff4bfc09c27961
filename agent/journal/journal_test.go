package journal_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const start int64 = 1788235200_000 // unix ms

func identity() journal.Identity {
	private := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32)))
	return journal.Identity{
		Agent: 13, Epoch: 2, Gate: 3, Site: "east", TimeZone: "Asia/Shanghai", Server: "https://gate.example.edu",
		Root: private.Public().(ed25519.PublicKey), Private: private,
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func enrolled(t *testing.T) (*disk.DB, *journal.Journal) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.db")
	check(t, disk.Create(path, func(tx *disk.Tx) error { return journal.Enrol(tx, identity()) }))
	db := must[*disk.DB](t)(disk.Open(path))
	t.Cleanup(func() { check(t, db.Close()) })
	return db, must[*journal.Journal](t)(journal.Open(db))
}

// write appends n refusals, an hour apart.
func write(t *testing.T, j *journal.Journal, n int) {
	t.Helper()
	for range n {
		check(t, j.Update(func(book lane.Book) error {
			return book.Append(&wire.Event{
				Type: wire.EventScan, Scan: "s", At: start + int64(j.Last())*3_600_000,
				Verdict: verdict.Verdict{Reason: verdict.Malformed}, Case: &verdict.Case{},
			})
		}))
	}
}

func synced(t *testing.T, j *journal.Journal, at int64) {
	t.Helper()
	check(t, j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: at, HighWater: at}) }))
}

func TestIdentity_IsKept_AndNeverPrinted(t *testing.T) {
	_, j := enrolled(t)
	id := j.Identity()
	if !id.Private.Equal(identity().Private) || !id.Root.Equal(identity().Root) || id.Epoch != 2 || id.TimeZone != "Asia/Shanghai" {
		t.Fatal("identity differs")
	}
	for _, s := range []string{fmt.Sprint(id), fmt.Sprintf("%+v", id), fmt.Sprintf("%#v", id)} {
		if strings.Contains(s, "107") || strings.Contains(s, "6b6b") {
			t.Errorf("the private key is printed: %s", s)
		}
	}
}

func TestEnrol_RefusesHalfAnIdentity(t *testing.T) {
	for name, spoil := range map[string]func(*journal.Identity){
		"agent": func(id *journal.Identity) { id.Agent = 0 },
		"epoch": func(id *journal.Identity) { id.Epoch = 0 },
		"gate":  func(id *journal.Identity) { id.Gate = 0 },
		"site":  func(id *journal.Identity) { id.Site = "" },
		"root":  func(id *journal.Identity) { id.Root = nil },
		"key":   func(id *journal.Identity) { id.Private = id.Private[:7] },
	} {
		id := identity()
		spoil(&id)
		path := filepath.Join(t.TempDir(), "agent.db")
		if err := disk.Create(path, func(tx *disk.Tx) error { return journal.Enrol(tx, id) }); err == nil {
			t.Errorf("%s: enrolled", name)
		}
	}
}

func TestOpen_RefusesAStoreWithoutAgent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "agent.db")
	check(t, disk.Create(path, func(*disk.Tx) error { return nil }))
	db := must[*disk.DB](t)(disk.Open(path))
	defer func() { check(t, db.Close()) }()
	if _, err := journal.Open(db); !errors.Is(err, journal.ErrNotEnrolled) {
		t.Fatalf("got %v", err)
	}
}

func TestLink_AfterAckQueueAppended(t *testing.T) {
	db, j := enrolled(t)
	select {
	case <-j.Appended():
		t.Fatal("notified of nothing")
	default:
	}
	write(t, j, 5)
	<-j.Appended()
	select {
	case <-j.Appended():
		t.Fatal("notified twice")
	default:
	}
	synced(t, j, start) // writes no event
	select {
	case <-j.Appended():
		t.Fatal("notified of a clock")
	default:
	}
	if j.Last() != 5 || j.Queue() != 5 {
		t.Fatalf("last %d, queue %d", j.Last(), j.Queue())
	}
	list := must[[]wire.Record](t)(j.After(2, 2))
	if len(list) != 2 || list[0].Seq != 3 || list[1].Seq != 4 {
		t.Fatalf("after 2: %+v", list)
	}
	check(t, j.Ack(4))
	check(t, j.Ack(3)) // late
	check(t, j.Ack(4))
	if j.Queue() != 1 {
		t.Fatalf("queue %d", j.Queue())
	}
	if err := j.Ack(6); !errors.Is(err, journal.ErrAck) {
		t.Fatalf("beyond the end: %v", err)
	}
	again := must[*journal.Journal](t)(journal.Open(db))
	if again.Last() != 5 || again.Queue() != 1 {
		t.Fatalf("reopened: last %d, queue %d", again.Last(), again.Queue())
	}
}

func TestChain_NamesTheFault(t *testing.T) {
	_, j := enrolled(t)
	write(t, j, 4)
	good := must[[]wire.Record](t)(j.After(0, 10))
	walk := func(list []wire.Record) error {
		var c journal.Chain
		for i := range list {
			if err := c.Next(&list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	check(t, walk(good))
	for name, spoil := range map[string]func([]wire.Record) []wire.Record{
		"missing": func(l []wire.Record) []wire.Record { return append(l[:1:1], l[2:]...) },
		"edited": func(l []wire.Record) []wire.Record {
			l[1].Body = []byte(strings.Replace(string(l[1].Body), "malformed", "granted", 1))
			return l
		},
		"swapped":    func(l []wire.Record) []wire.Record { l[1], l[2] = l[2], l[1]; return l },
		"renumbered": func(l []wire.Record) []wire.Record { l[1].Seq = 9; return l },
	} {
		list := make([]wire.Record, len(good))
		copy(list, good)
		if err := walk(spoil(list)); !errors.Is(err, journal.ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerify_FindsAnEditedStore(t *testing.T) {
	db, j := enrolled(t)
	write(t, j, 6)
	r, err := j.Verify(t.Context())
	if err != nil || r.First != 1 || r.Last != 6 || r.Events != 6 {
		t.Fatalf("%+v, %v", r, err)
	}
	check(t, db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'malformed', 'granted') AS BLOB) WHERE seq = 4")
	}))
	r, err = j.Verify(t.Context())
	if !errors.Is(err, journal.ErrBroken) || r.Last != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestPrune_OnlyAckedAndOld_ChainHolds(t *testing.T) {
	db, j := enrolled(t)
	write(t, j, 1200)
	check(t, j.Ack(1100))
	day := 24 * time.Hour
	now := time.UnixMilli(start + 1200*3_600_000)
	keep := journal.Keep{Events: 10 * day}
	// The computer's clock alone is not believed.
	if n := must[uint64](t)(j.Prune(now, keep)); n != 0 {
		t.Fatalf("%d events removed by a clock that was never compared", n)
	}
	synced(t, j, now.UnixMilli())
	if n := must[uint64](t)(j.Prune(now.Add(1000*day), keep)); n != 960 {
		t.Fatalf("%d events removed, want the 960 that are older than ten days", n)
	}
	if n := must[uint64](t)(j.Prune(now, journal.Keep{Events: time.Hour})); n != 140 {
		t.Fatalf("%d events removed, want the other 140 acknowledged ones", n)
	}
	r, err := j.Verify(t.Context())
	if err != nil || r.First != 1101 || r.Last != 1200 {
		t.Fatalf("%+v, %v", r, err)
	}
	check(t, j.Ack(1200))
	must[uint64](t)(j.Prune(now, journal.Keep{Events: time.Nanosecond}))
	again := must[*journal.Journal](t)(journal.Open(db))
	if again.Last() != 1200 {
		t.Fatalf("an emptied journal goes on after %d", again.Last())
	}
	write(t, again, 2)
	if r, err := again.Verify(t.Context()); err != nil || r.First != 1201 || r.Last != 1202 {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestPrune_ForgetsUsesLongAfterExpiry(t *testing.T) {
	db, j := enrolled(t)
	day := int64(86_400)
	use := func(n byte, expires int64) {
		check(t, j.Update(func(book lane.Book) error {
			pass := signing.PassID{n}
			return errors.Join(
				book.Use(lane.Use{Pass: pass, Seq: 1, At: start, Gate: 3, Reason: verdict.Granted, Own: true, Counts: true, Expires: expires}),
				book.Counter(pass, signing.PhoneID{n}, 5, expires*1000),
				book.Answer(lane.Answered{ID: fmt.Sprintf("1-1-%d", n), Pass: pass, State: lane.AnswerGranted, Expires: expires}),
				book.Ask(&wire.Claim{Pass: pass, Expires: expires}),
				book.Settle(pass, desk.ClaimOpened),
			)
		}))
	}
	s := start / 1000
	use(1, s-401*day)
	use(2, s-399*day)
	use(3, s-29*day)
	synced(t, j, start)
	must[uint64](t)(j.Prune(time.UnixMilli(start), journal.Keep{}))
	for table, want := range map[string]int{"uses": 2, "answers": 2, "claims": 2, "counters": 1} {
		var n int
		check(t, db.Read().QueryRow("SELECT count(*) FROM "+table).Scan(&n))
		if n != want {
			t.Errorf("%s: %d rows left, want %d", table, n, want)
		}
	}
}

func TestUpdate_FailedCommitIsReadAgain(t *testing.T) {
	_, j := enrolled(t)
	write(t, j, 1)
	broken := errors.New("no")
	err := j.Update(func(book lane.Book) error {
		return errors.Join(book.Append(&wire.Event{Type: wire.EventScan, Case: &verdict.Case{}}), broken)
	})
	if !errors.Is(err, broken) || j.Last() != 1 {
		t.Fatalf("last %d, %v", j.Last(), err)
	}
	write(t, j, 1)
	if r, err := j.Verify(t.Context()); err != nil || r.Last != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// Two agents on one file must not fork the chain: the one that comes second
// fails, reads the end again, and goes on from there.
// What a commit left on the disk although it failed goes up with the rest, and the
// server's word that it holds it is no word about a journal that went back.
func TestAfter_BringsWhatAFailedCommitLeft(t *testing.T) {
	db, j := enrolled(t)
	write(t, j, 2)
	<-j.Appended()
	broken := errors.New("failed, but done")
	db.Faults(func() (bool, error) { return true, broken })
	err := j.Update(func(book lane.Book) error {
		return book.Append(&wire.Event{Type: wire.EventScan, Scan: "s", At: start, Verdict: verdict.Verdict{Reason: verdict.Malformed}})
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	db.Faults(func() (bool, error) { return true, nil })
	if list := must[[]wire.Record](t)(j.After(2, 10)); len(list) != 1 || list[0].Seq != 3 {
		t.Fatalf("%d records", len(list))
	}
	if j.Last() != 3 || j.Queue() != 3 {
		t.Errorf("last %d, queue %d", j.Last(), j.Queue())
	}
	check(t, j.Ack(3))
	write(t, j, 1)
	<-j.Appended()
	if list := must[[]wire.Record](t)(j.After(3, 10)); len(list) != 1 || list[0].Seq != 4 || j.Queue() != 1 {
		t.Errorf("%d records, queue %d", len(list), j.Queue())
	}
	must[journal.Report](t)(j.Verify(t.Context()))
}

func TestUpdate_TwoJournalsOnOneFileNeverFork(t *testing.T) {
	db, one := enrolled(t)
	two := must[*journal.Journal](t)(journal.Open(db))
	write(t, one, 1)
	event := func(book lane.Book) error {
		return book.Append(&wire.Event{Type: wire.EventScan, Case: &verdict.Case{}})
	}
	if err := two.Update(event); err == nil {
		t.Fatal("wrote an event over another")
	}
	check(t, two.Update(event))
	if r, err := one.Verify(t.Context()); err != nil || r.Last != 2 {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestCounter_HoldsAllSixtyFourBits(t *testing.T) {
	db, j := enrolled(t)
	check(t, db.Update(func(tx *disk.Tx) error {
		return tx.Exec("INSERT INTO snapshot (id, lineage, revision, fresh, base, current, dirty) VALUES (1, '', 0, 0, 0, 0, 0)")
	}))
	check(t, j.Update(func(book lane.Book) error {
		if err := book.Counter(signing.PassID{1}, signing.PhoneID{1}, 1<<64-1, start); err != nil {
			return err
		}
		s, err := book.Standing(signing.PassID{1}, signing.PhoneID{1})
		if err == nil && (s.Record.Counter == nil || *s.Record.Counter != 1<<64-1) {
			err = fmt.Errorf("counter %v", s.Record.Counter)
		}
		return err
	}))
}
