package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	tills    = 64 // that take money at once
	perTill  = 32 // people pay at each, once in a turn
	inUpload = 16 // of them come in one upload
)

// charges measures what a server does of a charge: it answers the till's
// question, takes its record in and moves the money. The peer inserts the rows
// that the same charges left in another server before.
func (r *run) charges(ctx context.Context) (err error) {
	e := r.effort(12, 15)
	inTurn := tills * r.size(perTill)
	rehearsal := filepath.Join(r.dir, "rehearsal.db")
	if err := r.rehearse(ctx, rehearsal, e.turns+1); err != nil {
		return fmt.Errorf("rehearsal: %w", err)
	}
	rows, err := newCopies(ctx, filepath.Join(r.dir, "copies.db"), rehearsal,
		"events", "charge_claims", "holds", "charges", "transfers", "postings")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.close()) }()
	b, err := r.newBooks(ctx, filepath.Join(r.dir, "server.db"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()
	// A turn of the peer is some transactions of the size in which posts are made.
	parts := max(1, inTurn/200)
	at, turnsDone := 0, 0
	bare := func() error {
		for range parts {
			if err := rows.part(ctx, at, (e.turns+1)*parts); err != nil {
				return err
			}
			at++
		}
		return nil
	}
	ours := func() error {
		turnsDone++
		return b.turn(ctx, r.size(perTill))
	}
	p, o, err := turns(ctx, e, bare, ours)
	if err != nil {
		return err
	}
	if err := b.check(ctx, turnsDone*inTurn); err != nil {
		return err
	}
	rate := Figure{Value: Number(float64(inTurn) / o.median()), Unit: "charges/s", Min: true}
	ratio, least := rate, rate
	ratio.Name, least.Name = "charges", "charges_least"
	return r.print(
		ratio.against("inserts of the same rows into equal tables, 200 charges in a transaction", float64(inTurn)/p.median(), 0.3),
		least.atMost(2000),
	)
}

// rehearse has a server do so many turns, for its rows.
func (r *run) rehearse(ctx context.Context, path string, turns int) (err error) {
	b, err := r.newBooks(ctx, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.db.Close()) }()
	for range turns {
		if err := b.turn(ctx, r.size(perTill)); err != nil {
			return err
		}
	}
	return b.check(ctx, turns*tills*r.size(perTill))
}

// books is a server's database with tills and cards, and what moves money there.
type books struct {
	*charges.Service
	now   func() time.Time
	db    *store.Store
	money *ledger.Ledger
	cards *cards.Service
	tills []*payee
}

// payee is a till, of which only the journal is real, and who pays there.
type payee struct {
	agent   store.Agent
	version string   // of its rules
	people  []uint64 // their accounts
	head    wire.Hash
	pending []wire.Record
	seq     uint64
	flow    uint64
	sum     int64
}

func (r *run) newBooks(ctx context.Context, path string) (b *books, err error) {
	root, _, err := ed25519.GenerateKey(r.o.Rand)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(zoneName)
	if err != nil {
		return nil, err
	}
	b = &books{now: func() time.Time { return r.o.Now().In(zone) }}
	b.db, err = store.Create(ctx, path, store.Site{Name: site, TimeZone: zoneName, Root: root}, store.Options{Now: r.o.Now, Random: r.o.Rand})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.db.Close())
		}
	}()
	vault, err := people.NewVault(make([]byte, 32), r.o.Rand)
	if err != nil {
		return nil, err
	}
	staff := people.New(people.Config{Store: b.db, Vault: vault, Now: r.o.Now, Location: zone, Random: r.o.Rand})
	b.money = ledger.New(ledger.Config{Store: b.db, Now: r.o.Now, Location: zone})
	b.cards = cards.New(cards.Config{
		Store: b.db, People: staff, Vault: vault, Ledger: b.money, Now: r.o.Now, Random: r.o.Rand, Location: zone,
	})
	shops := canteen.New(canteen.Config{Store: b.db, People: staff})
	b.Service = charges.New(charges.Config{Store: b.db, Ledger: b.money, Cards: charges.Holders{Service: b.cards}, Tills: shops, Location: zone})
	merchant, err := shops.AddMerchant(ctx, actor, canteen.Merchant{Name: "第一食堂"})
	if err != nil {
		return nil, err
	}
	for n := range tills {
		if err := b.addTill(ctx, shops, merchant.ID, n); err != nil {
			return nil, err
		}
	}
	return b, b.addPeople(ctx, staff)
}

const actor = "bench"

func (b *books) addTill(ctx context.Context, shops *canteen.Service, merchant int64, n int) error {
	made, err := shops.AddTill(ctx, actor, canteen.Till{
		Name: fmt.Sprint(n, " 号窗口"), Zone: zone, Merchant: merchant, Rules: wire.Till{Entry: wire.EntryAmount},
	})
	if err != nil {
		return err
	}
	secret := sha256.Sum256([]byte(made.Name))
	if err := b.db.NewEnrolment(ctx, actor, made.Gate, secret[:], b.now().Add(time.Hour).UnixMilli()); err != nil {
		return err
	}
	key := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	agent, err := b.db.Enrol(ctx, secret[:], key, "till-pc")
	b.tills = append(b.tills, &payee{agent: agent, version: made.Rules.Version})
	return err
}

// addPeople gives every till people who pay there, with cards and money.
func (b *books) addPeople(ctx context.Context, staff *people.Service) error {
	const plenty = 100_000_000
	number := func(n int) string { return fmt.Sprintf("T%05d", n) }
	err := staff.Change(ctx, func(t *store.Tx) error {
		for n := range tills * perTill {
			if _, err := staff.AddPerson(t, actor, people.Person{ID: number(n), Name: "江望舒", Kind: people.Staff}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if _, err := b.cards.OpenAll(ctx, actor, people.Staff, ""); err != nil {
		return err
	}
	return b.db.Change(ctx, func(t *store.Tx) error {
		for i, k := range b.tills {
			k.people = nil
			for n := i * perTill; n < (i+1)*perTill; n++ {
				card, err := b.cards.OfPerson(ctx, t, number(n))
				if err != nil {
					return err
				}
				k.people = append(k.people, card.Account)
				o, err := b.money.Post(t, ledger.Transfer{
					ID: "recharge/" + number(n), Kind: ledger.KindRecharge, Card: card.Account, Day: b.now().Format(time.DateOnly),
					Entries: []ledger.Entry{
						{Account: ledger.Main(card.Account), Fen: plenty}, {Account: ledger.Clearing(actor), Fen: -plenty},
					},
				})
				if err != nil || o.State != ledger.Posted {
					return errors.Join(err, fmt.Errorf("recharge: %+v", o))
				}
			}
		}
		return nil
	})
}

// turn has every till take money n times, one after the other, and returns when
// everything is posted.
func (b *books) turn(ctx context.Context, n int) error {
	running, stop := context.WithCancel(ctx)
	defer stop()
	followed := make(chan error, 1)
	go func() { followed <- b.Run(running) }()
	errs := make([]error, len(b.tills))
	var all sync.WaitGroup
	for i, k := range b.tills {
		all.Go(func() { errs[i] = b.serve(ctx, k, n) })
	}
	all.Wait()
	stop()
	if err := <-followed; !errors.Is(err, context.Canceled) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, b.CatchUp(ctx))...)
}

func (b *books) serve(ctx context.Context, k *payee, n int) error {
	for i := range n {
		if err := b.charge(ctx, k, k.people[i]); err != nil {
			return err
		}
		if (i+1)%inUpload != 0 && i+1 < n {
			continue
		}
		if _, err := b.db.Ingest(ctx, k.agent.ID, k.agent.Epoch, k.pending); err != nil {
			return err
		}
		k.pending = k.pending[:0]
		b.Wake()
	}
	return nil
}

// charge asks the server and writes the till's record.
func (b *books) charge(ctx context.Context, k *payee, account uint64) error {
	now := b.now()
	phone := sha256.Sum256(binary.BigEndian.AppendUint64(nil, account))
	k.seq++
	day, id := now.Format(time.DateOnly), wire.EventID{Agent: k.agent.ID, Epoch: k.agent.Epoch, Seq: k.seq}
	claim := wire.Claim{
		ID: id.String(), Gate: k.agent.Gate, Expires: now.Add(time.Hour).Unix(), At: now.UnixMilli(),
		Charge: &wire.ChargeAsk{
			Account: account, Epoch: 1, Phone: phone, Counter: k.seq, Context: uint8(signing.ContextPay), AmountFen: mealFen, Day: day,
		},
	}
	a, err := b.Authorise(ctx, claim)
	if err != nil {
		return err
	}
	if a.State != verdict.ClaimGranted {
		return fmt.Errorf("the server says %+v", a.Charge)
	}
	k.flow++
	k.sum += mealFen
	record, err := wire.Seal(k.head, &wire.Event{
		ID: id, Gate: k.agent.Gate, Type: wire.EventCharge, At: now.UnixMilli(), Claim: claim.ID,
		Verdict: verdict.Verdict{Reason: verdict.Granted},
		Case: &verdict.Case{At: now.UnixMilli(), Code: verdict.Code{
			Kind: signing.Pay, Pay: &verdict.Pay{Account: account, Epoch: 1},
			Proof: &verdict.Proof{Phone: phone, Counter: k.seq, Context: uint8(signing.ContextPay)},
		}},
		Charge: &wire.Charge{
			AmountFen: mealFen, Entry: wire.EntryAmount, Day: day, Config: k.version, Batch: 1, Flow: k.flow, SumFen: k.sum,
		},
	})
	k.head = record.Hash
	k.pending = append(k.pending, record)
	return err
}

// check counts what was posted: every charge, and nothing that a person has to
// look at.
func (b *books) check(ctx context.Context, want int) error {
	var posted, trouble, fen int64
	err := b.db.Reader().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM charges WHERE transfer IS NOT NULL),
		(SELECT count(*) FROM charge_problems), (SELECT sum(main_fen) FROM charges)`).Scan(&posted, &trouble, &fen)
	if err == nil && (posted != int64(want) || trouble != 0 || fen != int64(want)*mealFen) {
		err = fmt.Errorf("%d charges of %d fen and %d problems, want %d", posted, fen, trouble, want)
	}
	return err
}
