package soak

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/agent/link/memnet"
	"campusgate/server/audit"
	"campusgate/server/hub"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const address = "127.0.0.1:8080"

var errDisk = errors.New("the disk did not take it")

// world is a server, its gates, and the passes that people hold.
type world struct {
	t      *testing.T
	dice   *dice
	dir    string
	root   ed25519.PrivateKey
	faults atomic.Bool // of commits
	counts counts

	mu     sync.Mutex // guards the rest
	server *server    // nil while it is down
	gates  []*gate
	passes []*pass
	opened map[string]bool // scans for which a barrier was opened
}

// pass is one that people show; the server counts how often it may be used.
type pass struct {
	id    signing.PassID
	code  string
	shown int
}

// server is a process of it.
type server struct {
	db      *store.Store
	hub     *hub.Hub
	signer  *issue.Service
	auditor *audit.Auditor
	net     *memnet.Listener
	cables  map[uint32]*memnet.Cable
	end     func()
}

func newWorld(t *testing.T, seed uint64) *world {
	w := &world{t: t, dice: newDice(seed), dir: folder(t), opened: map[string]bool{}}
	db, root := storetest.Found(t, w.dir, store.Options{Now: time.Now})
	w.root = root
	if err := errors.Join(w.service(db).Found(t.Context(), "soak"), db.Close()); err != nil {
		t.Fatal(err)
	}
	w.up()
	for id := range uint32(gates) {
		w.gates = append(w.gates, w.newGate(id+1))
	}
	return w
}

// folder is in memory, where there is such: what a power cut leaves on a disk is not
// asked here.
func folder(t *testing.T) string {
	base := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		base = "/dev/shm"
	}
	dir, err := os.MkdirTemp(base, "soak")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (w *world) service(db *store.Store) *issue.Service {
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return issue.New(issue.Config{
		Store: db, Seal: seal, Random: rand.Reader, Now: time.Now, Location: time.UTC, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) { return w.root, nil },
	})
}

// fault fails some commits, in both forms.
func (w *world) fault() (apply bool, err error) {
	if !w.faults.Load() || w.dice.below(500) > 0 {
		return true, nil
	}
	w.counts.add(&w.counts.CommitFault)
	return w.dice.below(2) == 0, errDisk
}

// up starts the server.
func (w *world) up() {
	db, err := store.Open(context.Background(), filepath.Join(w.dir, storetest.Database), store.Options{Now: time.Now, Fault: w.fault})
	if err != nil {
		w.t.Fatal(err)
	}
	s := &server{
		db: db, signer: w.service(db), auditor: audit.New(db, nil), net: memnet.Listen(address), cables: map[uint32]*memnet.Cable{},
	}
	s.hub = hub.New(hub.Config{Site: db.Site().Name}, records{db})
	mux := http.NewServeMux()
	mux.Handle(wire.Path, s.hub)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { _ = srv.Serve(s.net) })
	parts.Go(func() { _ = s.hub.Run(ctx) })
	s.end = func() {
		stop()
		_ = srv.Close()
		parts.Wait()
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range w.gates {
		s.cables[g.id] = g.cable(s.net)
	}
	w.server = s
}

// with does something at the server, unless it is down. It waits meanwhile with going
// down.
func (w *world) with(do func(s *server)) {
	w.mu.Lock()
	s := w.server
	w.mu.Unlock()
	if s != nil {
		do(s)
	}
}

// restart takes the server down for a while.
func (w *world) restart() {
	w.mu.Lock()
	s := w.server
	w.server = nil
	w.mu.Unlock()
	<-time.After(time.Minute) // for those who are at it
	for _, c := range s.cables {
		w.counts.mu.Lock()
		w.counts.Dials += c.Dials()
		w.counts.mu.Unlock()
		c.Set(memnet.Cut)
	}
	s.end()
	w.counts.add(&w.counts.ServerRestarts)
	<-time.After(w.dice.between(time.Second, 10*time.Minute))
	w.up()
}

// end stops everything, so that the bubble can end.
func (w *world) end() {
	for _, g := range w.gates {
		g.stop()
	}
	w.server.end()
}

// issue makes a pass of one or two uses, which a gate owns, or nobody.
func (w *world) issue() {
	w.with(func(s *server) {
		owner, uses := uint16(w.dice.below(gates+1)), uint32(1+w.dice.below(2))
		r := issue.Request{
			Kind: signing.ResidentMulti.String(), Name: "林晓岚", Until: time.Now().AddDate(0, 0, 1).Format(time.DateOnly), Uses: &uses, Owner: &owner,
		}
		p, err := s.signer.Prepare(context.Background(), r)
		if err != nil {
			w.t.Error(err)
			return
		}
		made, err := s.signer.Issue(context.Background(), "soak", p)
		if err != nil { // failed, or failed and done: nobody has the code
			return
		}
		w.counts.add(&w.counts.Passes)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.passes = append(w.passes, &pass{id: made.ID, code: made.Code}); len(w.passes) > 60 {
			w.passes = w.passes[1:]
		}
	})
}

// some gives a pass that somebody shows now; nil = nobody comes.
func (w *world) some() *pass {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.passes) == 0 {
		return nil
	}
	p := w.passes[w.dice.below(len(w.passes))]
	if p.shown++; p.shown > 6 {
		return nil
	}
	return p
}

func (w *world) revoke() {
	p := w.some()
	if p == nil {
		return
	}
	w.with(func(s *server) { _ = s.db.RevokePass(context.Background(), "soak", p.id, "挂失") }) // or its commit failed
}

// audit judges again what came; a fault of a commit is made good the next time.
func (w *world) audit() {
	w.with(func(s *server) {
		if err := s.auditor.CatchUp(context.Background()); err != nil && !errors.Is(err, errDisk) {
			w.t.Error(err)
		}
	})
}

// forget drops the history of the feed, so that whoever was away needs a snapshot.
func (w *world) forget() {
	w.with(func(s *server) { _ = s.db.PruneFeed(context.Background(), time.Now().UnixMilli()) })
}

// records is the database as the hub sees it.
type records struct{ *store.Store }

func (r records) Agent(ctx context.Context, id uint32) (hub.Agent, error) {
	a, err := r.Store.Agent(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("%w: %d", hub.ErrUnknownAgent, id)
	}
	return hub.Agent{ID: a.ID, Epoch: a.Epoch, Gate: a.Gate, PublicKey: a.PublicKey, Revoked: a.RevokedAt != 0}, err
}

func (r records) Charge(_ context.Context, c wire.Claim) (wire.Answer, error) {
	return wire.Answer{ID: c.ID, State: verdict.ClaimSilent}, nil
}

func (r records) Seen(ctx context.Context, id uint32, state hub.State) error {
	data, err := json.Marshal(state)
	if err != nil {
		return err
	}
	return r.Store.Seen(ctx, id, data)
}
