package power

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	storeName = "agent.db" // agent.StoreName; package agent is all that an agent is
	gateID    = 1
	laneName  = "主通道"
	perRound  = 1 << 20 // numbers of passes that a round may use
	presenter = 4       // people at once
)

// key is the same in every process.
func key(name string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte(name)[:1], ed25519.SeedSize))
}

func issuer() (signing.Issuer, error) {
	private := key("issuer")
	k, err := signing.NewKey(site, signing.PurposeGate, private.Public().(ed25519.PublicKey))
	return signing.Issuer{Key: k, Private: private}, err
}

// bearer is a pass for one use that the gate decides by itself.
func bearer(by signing.Issuer, n uint64) (string, error) {
	now := time.Now().Unix()
	p := pass.Pass{
		ID: passID(n), Kind: signing.ResidentSingle, Name: "江望舒", Doc4: "118X", Uses: 1, Zones: 1, Owner: gateID,
		NotBefore: now - 3600, Expires: expiry(), IssuedAt: now - 3600,
	}
	signed, err := p.Sign(by)
	return pass.URL("gate.example.edu", signed), err
}

// pc is the inside of a gate's agent.
type pc struct {
	db       *disk.DB
	journal  *journal.Journal
	snapshot *snapshot.Snapshot
}

func openPC(dir string) (p *pc, err error) {
	p = &pc{}
	if p.db, err = disk.Open(filepath.Join(dir, storeName)); err != nil {
		return nil, err
	}
	if p.journal, err = journal.Open(p.db); err == nil {
		id := p.journal.Identity()
		p.snapshot, err = snapshot.Open(p.db, id.Gate, id.Site, id.Root)
	}
	if err != nil {
		return nil, errors.Join(err, p.db.Close())
	}
	return p, nil
}

func foundGate(dir string) (err error) {
	by, err := issuer()
	if err != nil {
		return err
	}
	ring, err := signing.NewKeyring(site, 1, []signing.Key{by.Key})
	if err != nil {
		return err
	}
	root := key("root")
	signed, err := signing.SignKeyring(root, ring)
	if err != nil {
		return err
	}
	id := journal.Identity{
		Agent: 1, Epoch: 1, Gate: gateID, Site: site, TimeZone: "Asia/Shanghai", Server: "http://127.0.0.1:9",
		Root: root.Public().(ed25519.PublicKey), Private: key("agent"),
	}
	err = disk.Create(filepath.Join(dir, storeName), func(tx *disk.Tx) error {
		return errors.Join(journal.Enrol(tx, id), snapshot.Enrol(tx, id.Root, site, signed))
	})
	if err != nil {
		return err
	}
	p, err := openPC(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.db.Close()) }()
	body, err := json.Marshal(wire.Gate{ID: gateID, Name: "东门", Zone: 1, Mode: verdict.Owner})
	if err != nil {
		return err
	}
	err = p.snapshot.Apply([]wire.Delta{{
		Reset: true, Cursor: wire.Cursor{Lineage: "power", Revision: 1},
		Items: []wire.Item{{Kind: wire.ItemGate, Key: strconv.Itoa(gateID), Body: body}},
	}})
	if err != nil {
		return err
	}
	now := time.Now()
	err = p.journal.Update(func(book lane.Book) error {
		return book.SetClock(desk.Clock{Synced: now.UnixMilli(), HighWater: now.UnixMilli()})
	})
	return errors.Join(err, p.snapshot.Current(now))
}

// workGate has people come, a few at a time, each with a new pass or, now and then,
// with one of an earlier round; and the server send revocations meanwhile.
func workGate(dir string, round int, promises *Promises) error {
	by, err := issuer()
	if err != nil {
		return err
	}
	p, err := openPC(dir)
	if err != nil {
		return err
	}
	cfg := lane.Config{
		Gate: gateID, Site: site, Lanes: []lane.Lane{{Name: laneName}},
		ClockMaxAge: desk.DefaultClockMaxAge, PolicyMaxAge: desk.DefaultClockMaxAge,
	}
	d, err := lane.NewDesk(cfg, lane.Deps{Store: p.journal, Keyring: p.snapshot.Keyring, Gate: p.snapshot.Gate})
	if err != nil {
		return err
	}
	parts := []func(context.Context) error{d.Run, func(ctx context.Context) error { return p.revoke(ctx, promises) }}
	for first := range presenter {
		parts = append(parts, func(ctx context.Context) error {
			for n := uint64(first); ; n += presenter {
				number := uint64(round)*perRound + n
				if round > 0 && n%5 == 0 {
					number = uint64(round-1)*perRound + n/5
				}
				if err := present(ctx, d, by, number, promises); err != nil {
					return err
				}
			}
		})
	}
	return together(parts...)
}

func present(ctx context.Context, d *lane.Desk, by signing.Issuer, n uint64, promises *Promises) error {
	code, err := bearer(by, n)
	if err != nil {
		return err
	}
	r, err := d.Present(ctx, laneName, "api", code)
	if err != nil {
		return err
	}
	switch {
	case r.Reason == verdict.Internal:
		return errors.New("the store failed") // the power is gone
	case r.Opens && !r.Repeat:
		return promises.Make("admitted", r.Event.Seq, passID(n).String())
	case r.Event != nil:
		return promises.Make("refused", r.Event.Seq, passID(n).String())
	}
	return nil
}

// revoke applies revocations, one group after the other.
func (p *pc) revoke(ctx context.Context, promises *Promises) error {
	for ctx.Err() == nil {
		next := p.snapshot.Cursor().Revision + 1
		body, err := json.Marshal(wire.Revocation{At: time.Now().UnixMilli(), Expires: expiry()})
		if err != nil {
			return err
		}
		err = p.snapshot.Apply([]wire.Delta{{
			Cursor: wire.Cursor{Lineage: "power", Revision: next},
			Items:  []wire.Item{{Kind: wire.ItemRevocation, Key: revoked(next), Body: body}},
		}})
		if err != nil {
			return err
		}
		if err := promises.Make("applied", next, revoked(next)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// revoked is the pass that a revision takes away; nobody ever shows it.
func revoked(revision uint64) string { return passID(1<<60 + revision).String() }

func checkGate(dir string, said []Promise) (lost int, err error) {
	p, err := openPC(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.db.Close()) }()
	if err := sound(p.db.Read()); err != nil {
		return 0, err
	}
	if _, err := p.journal.Verify(context.Background()); err != nil {
		return 0, err
	}
	events, err := p.events()
	if err != nil {
		return 0, err
	}
	for _, s := range said {
		kept := false
		switch s.What {
		case "admitted", "refused":
			e, ok := events[s.N]
			kept = ok && e.Pass.String() == s.ID && admits(&e) == (s.What == "admitted")
		case "applied":
			kept = p.snapshot.Cursor().Revision >= s.N
		}
		if !kept {
			lost++
		}
	}
	// What the snapshot says that it holds, it holds.
	var n uint64
	if err := p.db.Read().QueryRow("SELECT count(DISTINCT pass) FROM revocations").Scan(&n); err != nil {
		return lost, err
	}
	if revision := p.snapshot.Cursor().Revision; n != revision-1 {
		return lost, fmt.Errorf("revision %d with %d revocations", revision, n)
	}
	return lost, nil
}

// admits reports a first admission; the same verdict again, shortly after, is none.
func admits(e *wire.Event) bool {
	return e.Type == wire.EventScan && e.Verdict.Reason == verdict.Granted && !e.Verdict.Repeat
}

// events reads the whole journal by number, and refuses one that let a pass in twice.
func (p *pc) events() (map[uint64]wire.Event, error) {
	all, admitted := map[uint64]wire.Event{}, map[signing.PassID]uint64{}
	for after := uint64(0); ; {
		records, err := p.journal.After(after, 1000)
		if err != nil || len(records) == 0 {
			return all, err
		}
		for _, r := range records {
			var e wire.Event
			if err := json.Unmarshal(r.Body, &e); err != nil {
				return nil, err
			}
			all[r.Seq] = e
			if !admits(&e) {
				continue
			}
			if first, twice := admitted[e.Pass]; twice {
				return nil, fmt.Errorf("pass %v was admitted twice, by events %d and %d", e.Pass, first, r.Seq)
			}
			admitted[e.Pass] = r.Seq
		}
		after = records[len(records)-1].Seq
	}
}
