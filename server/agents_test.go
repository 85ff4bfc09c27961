package server

import (
	"crypto/ed25519"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestAgents_TellOfEventsAfterTheCommit(t *testing.T) {
	ctx := t.Context()
	root, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Create(ctx, filepath.Join(t.TempDir(), DatabaseFile),
		store.Site{Name: "云岭大学", TimeZone: "Asia/Shanghai", Root: root}, store.Options{Now: time.Now, Random: rand.Reader})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	gate, err := db.AddGate(ctx, "test", store.Gate{Name: "东门", Zone: 1, Mode: verdict.Owner})
	if err != nil {
		t.Fatal(err)
	}
	secret := make([]byte, 32)
	if err := db.NewEnrolment(ctx, "test", gate.ID, secret, time.Now().Add(time.Hour).UnixMilli()); err != nil {
		t.Fatal(err)
	}
	who, err := db.Enrol(ctx, secret, root, "gate-pc")
	if err != nil {
		t.Fatal(err)
	}
	var positions []int64 // of the newest event, whenever it was told
	a := agents{db, nil, func() {
		last, err := db.LastPosition(ctx)
		if err != nil {
			t.Error(err)
		}
		positions = append(positions, last)
	}}
	r, err := wire.Seal(wire.Hash{}, &wire.Event{
		ID: wire.EventID{Agent: who.ID, Epoch: who.Epoch, Seq: 1}, Type: wire.EventScan, Gate: gate.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Ingest(ctx, who.ID+1, 1, []wire.Record{r}); err == nil || len(positions) != 0 {
		t.Fatalf("events of nobody: %v, told %v", err, positions)
	}
	if _, err := a.Ingest(ctx, who.ID, who.Epoch, []wire.Record{r}); err != nil || len(positions) != 1 || positions[0] != 1 {
		t.Fatalf("%v, told %v", err, positions)
	}
}
