package charges_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/charges"
	"campusgate/server/ledger"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/server/store/storetest"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// noon is when the clock of a world starts.
var noon = time.Date(2026, 11, 21, 4, 0, 0, 0, time.UTC).UnixMilli()

const (
	today  = "2026-11-21"
	lunch  = "lunch"
	minute = 60_000
)

type tb interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func ok(t tb, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// box holds cards.
type box struct {
	mu    sync.Mutex
	cards map[uint64]charges.Card
	lost  map[uint64]int64 // since when
	fault func(account uint64) error
}

func (b *box) Card(_ context.Context, _ store.Source, account uint64) (charges.Card, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, found := b.cards[account]
	return c, found, b.failed(account)
}

func (b *box) WasLost(_ context.Context, _ store.Source, account uint64, at int64) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	since, lost := b.lost[account]
	return lost && since < at, b.failed(account)
}

func (b *box) failed(account uint64) error {
	if b.fault == nil {
		return nil
	}
	return b.fault(account)
}

func (b *box) put(account uint64, c charges.Card) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cards[account] = c
}

func (b *box) lose(account uint64, at int64) {
	b.put(account, charges.Card{State: wire.CardLost, Epoch: 1})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lost[account] = at
}

// world is a server's database with its ledger, tills and charges.
type world struct {
	*charges.Service
	db       *store.Store
	money    *ledger.Ledger
	canteen  *canteen.Service
	cards    *box
	clock    atomic.Int64
	accounts uint64
	names    int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	campus, err := time.LoadLocation("Asia/Shanghai")
	ok(t, err)
	w := &world{cards: &box{cards: map[uint64]charges.Card{}, lost: map[uint64]int64{}}}
	w.clock.Store(noon)
	now := func() time.Time { return time.UnixMilli(w.clock.Load()) }
	w.db, _ = storetest.Found(t, t.TempDir(), store.Options{Now: now, Random: rand.Reader})
	t.Cleanup(func() { _ = w.db.Close() })
	vault, err := people.NewVault(make([]byte, 32), rand.Reader)
	ok(t, err)
	persons := people.New(people.Config{Store: w.db, Vault: vault, Now: now, Location: campus, Random: rand.Reader})
	w.money = ledger.New(ledger.Config{Store: w.db, Now: now, Location: campus})
	w.canteen = canteen.New(canteen.Config{Store: w.db, People: persons})
	w.Service = charges.New(charges.Config{Store: w.db, Ledger: w.money, Cards: w.cards, Tills: w.canteen, Location: campus})
	return w
}

// again is the service of a new process, over another store.
func (w *world) again(s charges.Store) *charges.Service {
	c := w.Config
	if s != nil {
		c.Store = s
	}
	return charges.New(c)
}

// account opens a card with money on it.
func (w *world) account(t tb, main, subsidy int64) uint64 {
	t.Helper()
	w.accounts++
	a := 4_000_000_000_000_000 + w.accounts
	w.cards.put(a, charges.Card{State: wire.CardActive, Epoch: 1, Holder: "*晓"})
	w.give(t, a, main, subsidy)
	return a
}

func (w *world) give(t tb, a uint64, main, subsidy int64) {
	t.Helper()
	w.names++
	ok(t, w.db.Change(context.Background(), func(x *store.Tx) error {
		lines, err := w.money.Refill(x.Context(), x, a, main)
		if err != nil {
			return err
		}
		if main > 0 {
			lines = append(lines, ledger.Entry{Account: ledger.Clearing("test"), Fen: -main})
			o, err := w.money.Post(x, ledger.Transfer{ID: fmt.Sprintf("recharge/%d", w.names), Kind: ledger.KindRecharge, Card: a, Day: today, Entries: lines})
			if err != nil || o.State != ledger.Posted {
				return fmt.Errorf("recharge: %v %v", o, err)
			}
		}
		if subsidy > 0 {
			o, err := w.money.Post(x, ledger.Transfer{ID: fmt.Sprintf("subsidy/%d", w.names), Kind: ledger.KindSubsidy, Card: a, Day: today, Entries: []ledger.Entry{
				{Account: ledger.Subsidy(a), Fen: subsidy}, {Account: ledger.Subsidies, Fen: -subsidy},
			}})
			if err != nil || o.State != ledger.Posted {
				return fmt.Errorf("subsidy: %v %v", o, err)
			}
		}
		return nil
	}))
}

func (w *world) balance(t tb, a uint64) ledger.Balance {
	t.Helper()
	b, err := w.money.Balance(context.Background(), w.db.Reader(), a)
	ok(t, err)
	return b
}

func (w *world) has(t tb, a ledger.Account) int64 {
	t.Helper()
	n, err := w.money.BalanceOf(context.Background(), w.db.Reader(), a)
	ok(t, err)
	return n
}

// till is a till with its agent's journal, which is right unless a test spoils it.
type till struct {
	w        *world
	agent    store.Agent
	merchant int64
	version  string
	journal  []wire.Record
	sent     int
	flow     uint64
	sum      int64
	asked    int
	spoil    func(e *wire.Event) // what goes into the journal
}

func (w *world) till(t tb, rules ...func(*wire.Till)) *till {
	t.Helper()
	w.names++
	ctx := context.Background()
	m, err := w.canteen.AddMerchant(ctx, "test", canteen.Merchant{Name: fmt.Sprintf("第%d食堂", w.names)})
	ok(t, err)
	r := wire.Till{Entry: wire.EntryAmount, Periods: []wire.MealPeriod{{ID: lunch, Name: "午餐", From: 660, Until: 810}}}
	for _, f := range rules {
		f(&r)
	}
	made, err := w.canteen.AddTill(ctx, "test", canteen.Till{Name: fmt.Sprintf("%d 号窗口", w.names), Zone: 1, Merchant: m.ID, Rules: r})
	ok(t, err)
	k := &till{w: w, merchant: m.ID, version: made.Rules.Version}
	k.enrol(t, made.Gate)
	return k
}

// enrol gives the till a new, empty journal.
func (k *till) enrol(t tb, gate uint16) {
	t.Helper()
	k.w.names++
	secret := sha256.Sum256(fmt.Append(nil, "secret", k.w.names))
	ok(t, k.w.db.NewEnrolment(context.Background(), "test", gate, secret[:], k.w.clock.Load()+minute))
	key := ed25519.NewKeyFromSeed(secret[:]).Public().(ed25519.PublicKey)
	var err error
	k.agent, err = k.w.db.Enrol(context.Background(), secret[:], key, "till-pc")
	ok(t, err)
	k.journal, k.sent, k.flow, k.sum = nil, 0, 0, 0
}

func (k *till) write(t tb, e wire.Event) wire.EventID {
	t.Helper()
	var head wire.Hash
	if n := len(k.journal); n > 0 {
		head = k.journal[n-1].Hash
	}
	e.ID = wire.EventID{Agent: k.agent.ID, Epoch: k.agent.Epoch, Seq: uint64(len(k.journal) + 1)}
	e.Gate = k.agent.Gate
	if k.spoil != nil {
		k.spoil(&e)
	}
	r, err := wire.Seal(head, &e)
	ok(t, err)
	k.journal = append(k.journal, r)
	return e.ID
}

// sale is what a test says of a charge.
type sale struct {
	account uint64
	ctr     uint64 // of the phone that is the account's own
	fen     int64
	at      int64 // 0 = noon
	claim   string
	offline bool
	reason  verdict.Reason // 0 = granted
}

func phoneOf(account uint64) signing.PhoneID {
	return sha256.Sum256(fmt.Append(nil, "phone", account))
}

func (k *till) charge(t tb, s sale) wire.EventID {
	t.Helper()
	if s.at == 0 {
		s.at = noon
	}
	if s.reason == 0 {
		s.reason = verdict.Granted
		k.flow++
		k.sum += s.fen
	}
	return k.write(t, wire.Event{
		Type: wire.EventCharge, At: s.at, Offline: s.offline, Claim: s.claim, Verdict: verdict.Verdict{Reason: s.reason},
		Case: &verdict.Case{At: s.at, Code: verdict.Code{
			Kind: signing.Pay, Pay: &verdict.Pay{Account: s.account, Epoch: 1},
			Proof: &verdict.Proof{Phone: phoneOf(s.account), Counter: s.ctr, Context: 2},
		}},
		Charge: &wire.Charge{AmountFen: s.fen, Entry: wire.EntryAmount, Day: today, Period: lunch, Config: k.version, Batch: 1, Flow: k.flow, SumFen: k.sum},
	})
}

func (k *till) void(t tb, of wire.EventID, fen int64) wire.EventID {
	t.Helper()
	k.flow++
	k.sum -= fen
	return k.write(t, wire.Event{
		Type: wire.EventVoid, At: noon + minute, Annuls: &of, Verdict: verdict.Verdict{Reason: verdict.Annulled},
		Charge: &wire.Charge{AmountFen: fen, Day: today, Period: lunch, Config: k.version, Batch: 1, Flow: k.flow, SumFen: k.sum},
	})
}

// upload sends up to n records that were not sent before; 0 = all. Before them
// it sends some again.
func (k *till) upload(t tb, n, again int) {
	t.Helper()
	to := len(k.journal)
	if n > 0 {
		to = min(to, k.sent+n)
	}
	from := max(0, k.sent-again)
	for from < to {
		next := min(to, from+wire.MaxBatch)
		_, err := k.w.db.Ingest(context.Background(), k.agent.ID, k.agent.Epoch, k.journal[from:next])
		ok(t, err)
		from = next
	}
	k.sent = max(k.sent, to)
}

// post sends everything and has it posted.
func (k *till) post(t tb) {
	t.Helper()
	k.upload(t, 0, 0)
	ok(t, k.w.CatchUp(context.Background()))
}

// ask makes a question of the till.
func (k *till) ask(s sale) wire.Claim {
	k.asked++
	return wire.Claim{
		ID: fmt.Sprintf("%d-%d-%d", k.agent.ID, k.agent.Epoch, k.asked), Gate: k.agent.Gate, Expires: noon/1000 + 3600, At: noon,
		Charge: &wire.ChargeAsk{
			Account: s.account, Epoch: 1, Phone: phoneOf(s.account), Counter: s.ctr, Context: 2, AmountFen: s.fen, Day: today, Period: lunch,
		},
	}
}

// row gives columns of charges as text, by event.
func (w *world) row(t tb, id wire.EventID, columns string) (text string) {
	t.Helper()
	err := w.db.Reader().QueryRowContext(context.Background(), "SELECT concat_ws(' ', "+columns+") FROM charges WHERE event = $1", id.String()).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "none"
	}
	ok(t, err)
	return text
}

// list runs a query of one text column.
func (w *world) list(t tb, query string, args ...any) []string {
	t.Helper()
	all, err := store.List(context.Background(), w.db.Reader(), func(rows *sql.Rows) (s string, err error) {
		err = rows.Scan(&s)
		return s, err
	}, query, args...)
	ok(t, err)
	return all
}

func (w *world) problems(t tb) []string {
	t.Helper()
	return w.list(t, "SELECT concat_ws(' ', kind, expected, got) FROM charge_problems WHERE settled_at IS NULL ORDER BY id")
}

var everything = canteen.Sight{All: true}

type tillChange = canteen.TillChange
