package settle_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/settle"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const (
	today    = "2026-11-21"
	tomorrow = "2026-11-22"
	minute   = int64(60_000)
	day      = 24 * 60 * minute
	office   = "C0001"
)

// noon is when the clock of a world starts: 12:00 on the campus.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC).UnixMilli()

type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func ok(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holders' cards are all in order.
type holders struct{}

func (holders) Card(context.Context, store.Source, uint64) (charges.Card, bool, error) {
	return charges.Card{State: wire.CardActive, Epoch: 1}, true, nil
}

func (holders) WasLost(context.Context, store.Source, uint64, int64) (bool, error) { return false, nil }

// world is a server's database with ledger, tills, charges and their settlement.
type world struct {
	*settle.Service
	db      *store.Store
	money   *ledger.Ledger
	canteen *canteen.Service
	charges *charges.Service
	clock   atomic.Int64
	names   int
	ends    map[string]int64               // of subsidies
	fault   func() (apply bool, err error) // of the disk; nil = none
}

func newWorld(t tb, dir string) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{ends: map[string]int64{}}
	w.clock.Store(noon)
	now := func() time.Time { return time.UnixMilli(w.clock.Load()) }
	w.db, _ = storetest.Found(t, dir, store.Options{Now: now, Random: rand.Reader, Fault: w.faulty})
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	persons := people.New(people.Config{Store: w.db, Vault: vault, Now: now, Location: campus, Random: rand.Reader})
	w.money = ledger.New(ledger.Config{Store: w.db, Now: now, Location: campus})
	w.canteen = canteen.New(canteen.Config{Store: w.db, People: persons})
	w.charges = charges.New(charges.Config{Store: w.db, Ledger: w.money, Cards: holders{}, Tills: w.canteen, Location: campus})
	w.Service = settle.New(settle.Config{
		Store: w.db, Ledger: w.money, Now: now, Location: campus,
		Ends: func(context.Context, store.Source, uint64) (map[string]int64, error) { return w.ends, nil },
	})
	return w
}

func (w *world) faulty() (apply bool, err error) {
	if w.fault == nil {
		return true, nil
	}
	return w.fault()
}

func open(t *testing.T) *world {
	w := newWorld(t, t.TempDir())
	t.Cleanup(func() { _ = w.db.Close() })
	return w
}

// post puts a transfer into the ledger, as it is.
func (w *world) post(t tb, tr ledger.Transfer) {
	t.Helper()
	ok(t, w.db.Change(context.Background(), func(x *store.Tx) error {
		o, err := w.money.Post(x, tr)
		if err == nil && o.State != ledger.Posted {
			err = fmt.Errorf("%s: %s: %s", tr.ID, o.State, o.Why)
		}
		return err
	}))
}

// top gives a card money at a moment.
func (w *world) top(t tb, card uint64, fen, at int64) {
	t.Helper()
	w.names++
	lines, err := w.money.Refill(context.Background(), w.db.Reader(), card, fen)
	ok(t, err)
	w.post(t, ledger.Transfer{
		ID: fmt.Sprintf("recharge/%d", w.names), Kind: ledger.KindRecharge, At: at, Day: dayOf(at), Card: card,
		Entries: append(lines, ledger.Entry{Account: ledger.Clearing("trial"), Fen: -fen}),
	})
}

func dayOf(at int64) string {
	return time.UnixMilli(at).In(time.FixedZone("", 8*3600)).Format(time.DateOnly)
}

func (w *world) balance(t tb, card uint64) ledger.Balance {
	t.Helper()
	b, err := w.money.Balance(context.Background(), w.db.Reader(), card)
	ok(t, err)
	return b
}

func (w *world) has(t tb, a ledger.Account) int64 {
	t.Helper()
	n, err := w.money.BalanceOf(context.Background(), w.db.Reader(), a)
	ok(t, err)
	return n
}

// till is one with its agent's journal.
type till struct {
	w        *world
	agent    store.Agent
	merchant int64
	version  string
	journal  []wire.Record
	sent     int
	flow     uint64
	sum      int64
	closed   uint32 // batches
}

func (w *world) till(t tb) *till {
	t.Helper()
	w.names++
	ctx := context.Background()
	m, err := w.canteen.AddMerchant(ctx, "test", canteen.Merchant{Name: fmt.Sprintf("第%d食堂", w.names)})
	ok(t, err)
	return w.tillOf(t, m.ID)
}

func (w *world) tillOf(t tb, merchant int64) *till {
	t.Helper()
	w.names++
	ctx := context.Background()
	rules := wire.Till{Entry: wire.EntryAmount, DayStart: 240, Periods: []wire.MealPeriod{{ID: "lunch", Name: "午餐", From: 660, Until: 810}}}
	made, err := w.canteen.AddTill(ctx, "test", canteen.Till{Name: fmt.Sprintf("%d 号窗口", w.names), Zone: 1, Merchant: merchant, Rules: rules})
	ok(t, err)
	k := &till{w: w, merchant: merchant, version: made.Rules.Version}
	secret := sha256.Sum256(fmt.Append(nil, "secret", w.names))
	ok(t, w.db.NewEnrolment(ctx, "test", made.Gate, secret[:], w.clock.Load()+minute))
	key := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	k.agent, err = w.db.Enrol(ctx, secret[:], key, "till-pc")
	ok(t, err)
	return k
}

func (k *till) write(t tb, e wire.Event) wire.EventID {
	t.Helper()
	var head wire.Hash
	if n := len(k.journal); n > 0 {
		head = k.journal[n-1].Hash
	}
	e.ID = wire.EventID{Agent: k.agent.ID, Epoch: k.agent.Epoch, Seq: uint64(len(k.journal) + 1)}
	e.Gate = k.agent.Gate
	r, err := wire.Seal(head, &e)
	ok(t, err)
	k.journal = append(k.journal, r)
	return e.ID
}

// sale is a charge of account at a moment (0 = noon) with the phone's counter.
func (k *till) sale(t tb, account uint64, ctr uint64, fen, at int64) wire.EventID {
	t.Helper()
	if at == 0 {
		at = noon
	}
	k.flow++
	k.sum += fen
	return k.write(t, k.charge(account, ctr, fen, at, verdict.Granted))
}

// declined is a charge that was refused; it says how far the till has come.
func (k *till) declined(t tb, account uint64, ctr uint64, at int64) wire.EventID {
	t.Helper()
	return k.write(t, k.charge(account, ctr, 100, at, verdict.InsufficientBalance))
}

func (k *till) charge(account, ctr uint64, fen, at int64, reason verdict.Reason) wire.Event {
	phone := signing.PhoneID(sha256.Sum256(fmt.Append(nil, "phone", account)))
	return wire.Event{
		Type: wire.EventCharge, At: at, Offline: true, Verdict: verdict.Verdict{Reason: reason},
		Case: &verdict.Case{At: at, Code: verdict.Code{
			Kind: signing.Pay, Pay: &verdict.Pay{Account: account, Epoch: 1}, Proof: &verdict.Proof{Phone: phone, Counter: ctr, Context: 2},
		}},
		Charge: &wire.Charge{
			AmountFen: fen, Entry: wire.EntryAmount, Day: dayOf(at), Period: "lunch", Config: k.version, Batch: k.closed + 1, Flow: k.flow, SumFen: k.sum,
		},
	}
}

func (k *till) void(t tb, of wire.EventID, fen, at int64) wire.EventID {
	t.Helper()
	k.flow++
	k.sum -= fen
	return k.write(t, wire.Event{
		Type: wire.EventVoid, At: at, Annuls: &of, Verdict: verdict.Verdict{Reason: verdict.Annulled},
		Charge: &wire.Charge{AmountFen: fen, Day: dayOf(at), Period: "lunch", Config: k.version, Batch: k.closed + 1, Flow: k.flow, SumFen: k.sum},
	})
}

func (k *till) batch(t tb, move wire.BatchMove, sales, voids int, fen, at int64) wire.EventID {
	t.Helper()
	number := k.closed + 1
	if move == wire.BatchCloses {
		k.closed++
	}
	return k.write(t, wire.Event{
		Type: wire.EventBatch, At: at, Verdict: verdict.Verdict{Reason: verdict.Granted},
		Batch: &wire.Batch{Number: number, Move: move, Charges: sales, Voids: voids, TotalFen: fen, Flow: k.flow, SumFen: k.sum},
	})
}

// upload sends the next n records; 0 = all that are left.
func (k *till) upload(t tb, n int) {
	t.Helper()
	to := len(k.journal)
	if n > 0 {
		to = min(to, k.sent+n)
	}
	for k.sent < to {
		next := min(to, k.sent+wire.MaxBatch)
		_, err := k.w.db.Ingest(context.Background(), k.agent.ID, k.agent.Epoch, k.journal[k.sent:next])
		ok(t, err)
		k.sent = next
	}
}

func (w *world) catchUp(t tb, tills ...*till) {
	t.Helper()
	for _, k := range tills {
		k.upload(t, 0)
	}
	ok(t, w.charges.CatchUp(context.Background()))
}

// drop loses a record between its acknowledgement and its posting.
func (w *world) drop(t tb, id wire.EventID) {
	t.Helper()
	ok(t, w.db.Change(context.Background(), func(x *store.Tx) error {
		return x.Exec("DELETE FROM events WHERE agent = $1 AND epoch = $2 AND seq = $3", id.Agent, id.Epoch, int64(id.Seq))
	}))
}
