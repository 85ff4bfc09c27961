package snapshot

import (
	"crypto/ed25519"
	"encoding/binary"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/agent/disk"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// A crash between the short transactions of a large group.

func crashStore(t *testing.T) (*Snapshot, *disk.DB) {
	t.Helper()
	root := ed25519.NewKeyFromSeed([]byte(strings.Repeat("r", 32)))
	public := root.Public().(ed25519.PublicKey)
	ring, err := signing.NewKeyring("east", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signing.SignKeyring(root, ring)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "agent.db")
	if err := disk.Create(path, func(tx *disk.Tx) error { return Enrol(tx, public, "east", signed) }); err != nil {
		t.Fatal(err)
	}
	db, err := disk.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := Open(db, 3, "east", public)
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

func many(from, to uint64, expires int64) *group {
	g := &group{cursor: wire.Cursor{Lineage: "one", Revision: to}}
	for n := from; n < to; n++ {
		r := row{kind: wire.ItemRevocation, expires: expires}
		binary.BigEndian.PutUint64(r.key[:], n)
		g.rows = append(g.rows, r)
	}
	return g
}

// inForce lists how many revocations a lookup would see.
func inForce(t *testing.T, db *disk.DB) (n int) {
	t.Helper()
	err := db.Read().QueryRow(`SELECT count(*) FROM revocations r JOIN snapshot s ON r.gen BETWEEN s.base AND s.current
		WHERE r.gone = 0 AND NOT EXISTS (SELECT 1 FROM revocations n WHERE n.pass = r.pass AND n.gen > r.gen AND n.gen <= s.current)`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func stored(t *testing.T, db *disk.DB) (n int) {
	t.Helper()
	if err := db.Read().QueryRow("SELECT count(*) FROM revocations").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCrash_WhileStagingChangesNothing_AndIsSweptLater(t *testing.T) {
	s, db := crashStore(t)
	g := many(0, 700, 1)
	g.reset = true
	if err := s.apply(g); err != nil {
		t.Fatal(err)
	}
	lost := many(600, 1300, 2)
	if err := s.stage(lost, 2); err != nil { // and no further
		t.Fatal(err)
	}
	if n := inForce(t, db); n != 700 {
		t.Fatalf("%d in force while another group arrives", n)
	}
	// The next group is another one: nothing of the lost one may come with it.
	if err := s.apply(many(2000, 2400, 3)); err != nil {
		t.Fatal(err)
	}
	if n, all := inForce(t, db), stored(t, db); n != 1100 || all != 1100 {
		t.Fatalf("%d in force, %d stored, want 1100", n, all)
	}
}

func TestCrash_BeforeSweepingIsSweptByTheNext(t *testing.T) {
	s, db := crashStore(t)
	first := many(0, 700, 1)
	first.reset = true
	if err := s.apply(first); err != nil {
		t.Fatal(err)
	}
	// Brought into force, and not swept.
	second := many(500, 1000, 2)
	second.reset = true
	if err := s.stage(second, 2); err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *disk.Tx) error { return s.settle(tx, second, 2, 2, true) }); err != nil {
		t.Fatal(err)
	}
	if n, all := inForce(t, db), stored(t, db); n != 500 || all != 1200 {
		t.Fatalf("%d in force, %d stored", n, all)
	}
	small := many(5000, 5001, 3)
	if err := s.apply(small); err != nil {
		t.Fatal(err)
	}
	if n := inForce(t, db); n != 501 {
		t.Fatalf("%d in force after a small group", n)
	}
	if err := s.apply(many(6000, 6300, 3)); err != nil {
		t.Fatal(err)
	}
	if n, all := inForce(t, db), stored(t, db); n != 801 || all != 801 {
		t.Fatalf("%d in force, %d stored, want 801", n, all)
	}
}
