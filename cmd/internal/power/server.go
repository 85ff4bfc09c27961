package power

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// agents are how many upload at once.
const agents = 3

// databaseName is that of the server's store in its folder.
const databaseName = "server.db"

func openServer(dir string) (*store.Store, error) {
	return store.Open(context.Background(), filepath.Join(dir, databaseName), store.Options{Now: time.Now})
}

func foundServer(dir string) (err error) {
	ctx := context.Background()
	s, err := store.Create(ctx, filepath.Join(dir, databaseName), store.Site{
		Name: site, TimeZone: "Asia/Shanghai", Root: key("root").Public().(ed25519.PublicKey),
	}, store.Options{Now: time.Now, Random: zeros{}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.PutZone(ctx, "power", store.Zone{ID: 1, Name: "A"}); err != nil {
		return err
	}
	for i := range agents {
		name := strconv.Itoa(i + 1)
		g, err := s.AddGate(ctx, "power", store.Gate{Name: name, Zone: 1, Mode: verdict.Owner})
		if err != nil {
			return err
		}
		secret := []byte("secret " + name)
		if err := s.NewEnrolment(ctx, "power", g.ID, secret, time.Now().Add(time.Hour).UnixMilli()); err != nil {
			return err
		}
		if _, err := s.Enrol(ctx, secret, key(name).Public().(ed25519.PublicKey), "pc "+name); err != nil {
			return err
		}
	}
	return nil
}

// zeros is a source of bytes that chance has no part in.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// records is the journal of an agent at its own gate: the same in every process, as
// is that of a real agent that never lost anything.
type records struct {
	agent uint32
	head  wire.Hash
	seq   uint64
}

func (j *records) next() (r wire.Record, err error) {
	j.seq++
	id := passID(uint64(j.agent)<<40 + j.seq)
	r.Seq = j.seq
	r.Body, err = json.Marshal(wire.Event{
		ID: wire.EventID{Agent: j.agent, Epoch: 1, Seq: j.seq}, Type: wire.EventScan, Scan: "s", At: int64(j.seq), Gate: uint16(j.agent),
		Pass: id, Verdict: verdict.Verdict{Reason: verdict.Granted}, Counts: true,
		Case: &verdict.Case{
			Policy: verdict.Policy{Mode: verdict.Owner},
			Code:   verdict.Code{Kind: signing.ResidentSingle, ID: id, Uses: 1, Expires: 1 << 32, Owner: uint16(j.agent)},
		},
	})
	j.head = wire.Chain(j.head, r.Body)
	r.Hash = j.head
	return r, err
}

// workServer has agents upload, each in frames of its own size, and somebody change
// things in the console, which leave a trail.
func workServer(dir string, round int, promises *Promises) error {
	s, err := openServer(dir)
	if err != nil {
		return err
	}
	var parts []func(context.Context) error
	for i := range agents {
		parts = append(parts, func(ctx context.Context) error { return upload(ctx, s, uint32(i+1), promises) })
	}
	parts = append(parts, func(ctx context.Context) error {
		for n := uint64(round) * perRound; ; n++ {
			name := fmt.Sprint("zone-", n)
			if err := s.PutZone(ctx, "power", store.Zone{ID: 1, Name: name}); err != nil {
				return err
			}
			if err := promises.Make("changed", n, name); err != nil {
				return err
			}
		}
	})
	return together(parts...)
}

func upload(ctx context.Context, s *store.Store, agent uint32, promises *Promises) error {
	acked, err := s.Acked(ctx, agent, 1)
	if err != nil {
		return err
	}
	j := records{agent: agent}
	for {
		var frame []wire.Record
		for len(frame) < 4*int(agent) {
			r, err := j.next()
			if err != nil {
				return err
			}
			if r.Seq > acked {
				frame = append(frame, r)
			}
		}
		held, err := s.Ingest(ctx, agent, 1, frame)
		if err != nil {
			return err
		}
		if err := promises.Make("acked", held, strconv.Itoa(int(agent))); err != nil {
			return err
		}
	}
}

func checkServer(dir string, said []Promise) (lost int, err error) {
	if err := soundFile(filepath.Join(dir, databaseName)); err != nil {
		return 0, err
	}
	s, err := openServer(dir)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	ctx := context.Background()
	if _, err := s.VerifyTrail(ctx); err != nil {
		return 0, err
	}
	held := map[string]uint64{}
	for i := range agents {
		if held[strconv.Itoa(i+1)], err = checkUploads(ctx, s, uint32(i+1)); err != nil {
			return 0, err
		}
	}
	trail, err := s.Trail(ctx, 0, 1<<30)
	if err != nil {
		return 0, err
	}
	var names strings.Builder
	for _, e := range trail {
		names.Write(e.Details)
	}
	for _, p := range said {
		switch p.What {
		case "acked":
			if held[p.ID] < p.N {
				lost++
			}
		case "changed":
			if !strings.Contains(names.String(), strconv.Quote(p.ID)) {
				lost++
			}
		}
	}
	return lost, nil
}

// checkUploads compares what the server holds of an agent with its journal: all of it
// up to what the server says that it holds, nothing twice, each use counted once.
func checkUploads(ctx context.Context, s *store.Store, agent uint32) (uint64, error) {
	acked, err := s.Acked(ctx, agent, 1)
	if err != nil {
		return 0, err
	}
	rows, err := s.Reader().QueryContext(ctx, "SELECT seq, hash FROM events WHERE agent = $1 ORDER BY seq", int64(agent))
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	j := records{agent: agent}
	for rows.Next() {
		var seq uint64
		var hash []byte
		if err := rows.Scan(&seq, &hash); err != nil {
			return 0, err
		}
		want, err := j.next()
		if err != nil {
			return 0, err
		}
		if seq != want.Seq || wire.Hash(hash) != want.Hash {
			return 0, fmt.Errorf("agent %d: event %d is there where %d belongs, or is another", agent, seq, want.Seq)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	var uses uint64
	err = s.Reader().QueryRowContext(ctx, "SELECT count(*) FROM uses WHERE gate = $1", int64(agent)).Scan(&uses)
	if err == nil && (j.seq != acked || uses != acked) {
		err = fmt.Errorf("agent %d: %d events and %d uses, %d are acknowledged", agent, j.seq, uses, acked)
	}
	return acked, err
}
