package sim

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/settle"
	"campusgate/server/store"
)

const siteName = "云岭大学"

// errDisk is a commit that failed, or is said to have.
var errDisk = errors.New("the disk did not take it")

// server is the server's side without its network: started again from its files
// after it went down.
type server struct {
	w       *world
	path    string
	root    ed25519.PrivateKey
	db      *store.Store
	signer  *issue.Service
	people  *people.Service
	ledger  *ledger.Ledger
	cards   *cards.Service
	canteen *canteen.Service
	charges *charges.Service
	settle  *settle.Service

	faults   bool // commits may fail
	upAgain  int64
	restarts int
}

func newServer(w *world) (*server, error) {
	s := &server{w: w, path: filepath.Join(w.dir, "server.db")}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	s.root = private
	db, err := store.Create(context.Background(), s.path,
		store.Site{Name: siteName, TimeZone: w.zone.String(), Root: public}, store.Options{Now: w.time, Random: w.ids})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	return s, s.signer.Found(context.Background(), "sim")
}

// start opens everything from the files.
func (s *server) start() (err error) {
	w := s.w
	s.db, err = store.Open(context.Background(), s.path, store.Options{Now: w.time, Random: w.ids, Fault: s.fault})
	if err != nil {
		return err
	}
	seal, err := issue.NewSealer(make([]byte, 32), rand.Reader)
	if err != nil {
		return err
	}
	s.signer = issue.New(issue.Config{
		Store: s.db, Seal: seal, Random: rand.Reader, Now: w.time, Location: w.zone, Host: "gate.example.edu", Policy: issue.DefaultPolicy,
		Root: func() (ed25519.PrivateKey, error) { return s.root, nil },
	})
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	if err != nil {
		return err
	}
	s.people = people.New(people.Config{Store: s.db, Vault: vault, Now: w.time, Location: w.zone, Random: w.ids})
	s.ledger = ledger.New(ledger.Config{Store: s.db, Now: w.time, Location: w.zone})
	s.cards = cards.New(cards.Config{
		Store: s.db, Issue: s.signer, People: s.people, Vault: vault, Ledger: s.ledger, Now: w.time, Random: w.ids, Location: w.zone,
	})
	s.canteen = canteen.New(canteen.Config{Store: s.db, People: s.people})
	s.charges = charges.New(charges.Config{
		Store: s.db, Ledger: s.ledger, Cards: charges.Holders{Service: s.cards}, Tills: s.canteen, Location: w.zone, Log: slog.New(slog.DiscardHandler),
	})
	s.settle = settle.New(settle.Config{Store: s.db, Ledger: s.ledger, Now: w.time, Location: w.zone, Ends: s.cards.Ends})
	return nil
}

// fault fails some commits, in both forms.
func (s *server) fault() (apply bool, err error) {
	if !s.faults || !s.w.trouble(0.005) {
		return true, nil
	}
	s.w.result.Faults++
	return s.w.chance(0.5), errDisk
}

func (s *server) up() bool { return s.w.now >= s.upAgain }

// crash ends it for a while. What was not committed is gone.
func (s *server) crash(forMS int64) error {
	s.upAgain = s.w.now + forMS
	s.restarts++
	if err := s.db.Close(); err != nil {
		return err
	}
	return s.start()
}

// persist does something until it is done: for what the simulation itself needs.
func (s *server) persist(do func() error) error {
	held := s.faults
	s.faults = false
	defer func() { s.faults = held }()
	return do()
}

func (s *server) close() error { return s.db.Close() }

// found makes people, cards with money and phones, merchants and tills.
func (s *server) found() error {
	ctx, w := context.Background(), s.w
	err := s.cards.PutTerms(ctx, "sim", cards.Terms{
		Limits:  cards.Caps{PerTxFen: 20_000, PerDayFen: 50_000},
		Offline: cards.Offline{Enabled: true, PerTxFen: 3_000, PerDayFen: cardOfflineFen, MaxTx: 8},
	})
	if err != nil {
		return err
	}
	err = s.people.Change(ctx, func(t *store.Tx) error {
		if _, err := s.people.AddUnit(t, "sim", people.Unit{ID: "cs", Name: "计算机学院"}); err != nil {
			return err
		}
		for i := range w.cfg.Holders {
			p := people.Person{ID: fmt.Sprintf("S%05d", i+1), Name: "韩松", Kind: people.Student, Unit: "cs"}
			if _, err := s.people.AddPerson(t, "sim", p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := s.cards.OpenAll(ctx, "sim", people.Student, ""); err != nil {
		return err
	}
	for i := range w.cfg.Holders {
		h, err := s.newHolder(fmt.Sprintf("S%05d", i+1))
		if err != nil {
			return err
		}
		w.holders = append(w.holders, h)
	}
	return s.subsidize()
}

// subsidize grants half of a meal to everybody, which ends in the middle of it.
func (s *server) subsidize() error {
	ctx := context.Background()
	batch := cards.SubsidyRequest{
		ID: "meal-2026-11", Name: "午餐补助", ExpiresOn: time.UnixMilli(s.w.now).In(s.w.zone).Format(time.DateOnly),
		Fen: 600, Kind: people.Student,
	}
	if _, _, err := s.cards.Plan(ctx, "sim", batch); err != nil {
		return err
	}
	if _, err := s.cards.Confirm(ctx, "sim", batch.ID, false); err != nil {
		return err
	}
	return s.cards.Tick(ctx)
}
