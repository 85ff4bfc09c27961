package till_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/paycode"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Everything below happens around noon of 2026-09-01 in Shanghai.
const (
	noon   int64 = 1788235200 // unix s
	noonMS       = noon * 1000
	home         = 7 // the till under test
	site         = "east"
)

func must[T any](tb testing.TB) func(T, error) T {
	return func(v T, err error) T {
		tb.Helper()
		check(tb, err)
		return v
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func keyOf(seed string) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte("till fixture " + seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

// campus signs payment credentials with keys from fixed seeds.
type campus struct {
	root   ed25519.PrivateKey
	issuer signing.Issuer
	signed []byte
}

func newCampus(tb testing.TB) *campus {
	tb.Helper()
	c := &campus{root: keyOf("root")}
	private := keyOf("issuer")
	key := must[signing.Key](tb)(signing.NewKey(site, signing.PurposePay, private.Public().(ed25519.PublicKey)))
	c.issuer = signing.Issuer{Key: key, Private: private}
	ring := must[*signing.Keyring](tb)(signing.NewKeyring(site, 4, []signing.Key{key}))
	c.signed = must[[]byte](tb)(signing.SignKeyring(c.root, ring))
	return c
}

// holder is somebody with a phone that pays.
type holder struct {
	c    *campus
	pay  paycode.Pay
	key  *ecdsa.PrivateKey
	next uint64
}

func (c *campus) holder(tb testing.TB, account uint64, change func(*paycode.Pay)) *holder {
	tb.Helper()
	seed := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("till fixture phone"), account))
	h := &holder{c: c, key: must[*ecdsa.PrivateKey](tb)(ecdsa.ParseRawPrivateKey(elliptic.P256(), seed[:]))}
	h.pay = paycode.Pay{
		Account: account, Epoch: 2, PerTxFen: 5_000, PerDayOfflineFen: 6_000, MaxOfflineTx: 4,
		IssuedAt: noon - 3600, Expires: noon + 3*24*3600, Phone: must[signing.PhoneKey](tb)(signing.PhoneKeyOf(&h.key.PublicKey)),
	}
	binary.BigEndian.PutUint64(h.pay.ID[:], account<<16|1)
	if change != nil {
		change(&h.pay)
	}
	return h
}

// show is the phone's next code, made at t (unix ms).
func (h *holder) show(tb testing.TB, at int64) string { return h.code(tb, at, signing.ContextPay) }

func (h *holder) code(tb testing.TB, at int64, ctx signing.Context) string {
	tb.Helper()
	h.next++
	cred := must[[]byte](tb)(h.pay.Sign(h.c.issuer))
	proof := signing.Proof{T: at / 1000, Counter: h.next, Context: ctx}
	return paycode.LiveText(must[[]byte](tb)(signing.MakeProof(h.key, nil, cred, proof)))
}

// station is one till's store.
type station struct {
	tb     testing.TB
	c      *campus
	path   string
	db     *disk.DB
	j      *journal.Journal
	snap   *snapshot.Snapshot
	closed bool
}

// lunchtime is rules with some of everything.
func lunchtime() wire.Till {
	return wire.Till{
		Version: "v1", Name: "一食堂三号窗口", Merchant: "一食堂", Entry: wire.EntryAmount, FixedFen: 300,
		Menu: []wire.MenuKey{{Key: 1, Name: "米饭", PriceFen: 50}, {Key: 12, Name: "红烧肉", PriceFen: 850}},
		Periods: []wire.MealPeriod{
			{ID: "lunch", Name: "午餐", From: 10*60 + 30, Until: 13 * 60, PriceFen: 1200},
			{ID: "night", Name: "夜宵", From: 21 * 60, Until: 1 * 60, PriceFen: 800},
		},
		DayStart: 4 * 60,
		Offline:  wire.OfflineCaps{PerTxFen: 3_000},
	}
}

func newStation(tb testing.TB, c *campus, rules func(*wire.Till)) *station {
	tb.Helper()
	s := &station{tb: tb, c: c, path: filepath.Join(tb.TempDir(), "agent.db")}
	root := c.root.Public().(ed25519.PublicKey)
	check(tb, disk.Create(s.path, func(tx *disk.Tx) error {
		if err := journal.Enrol(tx, journal.Identity{
			Agent: 17, Epoch: 1, Gate: home, Site: site, TimeZone: "Asia/Shanghai",
			Server: "https://gate.example.edu", Root: root, Private: keyOf("agent"),
		}); err != nil {
			return err
		}
		return snapshot.Enrol(tx, root, site, c.signed)
	}))
	s.open()
	tb.Cleanup(s.close)
	r := lunchtime()
	if rules != nil {
		rules(&r)
	}
	s.apply(wire.Delta{Reset: true, Items: []wire.Item{s.till(r)}})
	return s
}

func (s *station) till(r wire.Till) wire.Item { return s.item(wire.ItemTill, strconv.Itoa(home), r) }

func (s *station) card(account uint64, card wire.Card) {
	s.tb.Helper()
	s.apply(wire.Delta{Items: []wire.Item{s.item(wire.ItemCard, strconv.FormatUint(account, 10), card)}})
}

func (s *station) item(kind wire.ItemKind, key string, body any) wire.Item {
	s.tb.Helper()
	return wire.Item{Kind: kind, Key: key, Body: must[[]byte](s.tb)(json.Marshal(body))}
}

func (s *station) apply(d wire.Delta) {
	s.tb.Helper()
	d.Cursor = wire.Cursor{Lineage: "lineage", Revision: s.snap.Cursor().Revision + 1}
	check(s.tb, s.snap.Apply([]wire.Delta{d}))
}

func (s *station) open() {
	s.tb.Helper()
	s.closed = false
	s.db = must[*disk.DB](s.tb)(disk.Open(s.path))
	s.j = must[*journal.Journal](s.tb)(journal.Open(s.db))
	id := s.j.Identity()
	s.snap = must[*snapshot.Snapshot](s.tb)(snapshot.OpenTill(s.db, id.Gate, id.Site, id.Root))
}

func (s *station) close() {
	s.tb.Helper()
	if !s.closed {
		s.closed = true
		check(s.tb, s.db.Close())
	}
}

func (s *station) reopen() {
	s.tb.Helper()
	s.close()
	s.open()
}

func (s *station) book() journal.Till { return journal.Till{Journal: s.j} }

// events reads the whole journal, verifies its chain, and that flow and sum are
// what came before (I6).
func (s *station) events() []wire.Event {
	s.tb.Helper()
	records := must[[]wire.Record](s.tb)(s.j.After(0, 1<<20))
	var chain journal.Chain
	var flow uint64
	var sum int64
	list := make([]wire.Event, len(records))
	for i := range records {
		check(s.tb, chain.Next(&records[i]))
		e := &list[i]
		check(s.tb, json.Unmarshal(records[i].Body, e))
		switch {
		case e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted:
			flow++
			sum += e.Charge.AmountFen
		case e.Type == wire.EventVoid && e.Annuls != nil:
			flow++
			sum -= e.Charge.AmountFen
		}
		if c := e.Charge; c != nil && (c.Flow != flow || c.SumFen != sum) {
			s.tb.Fatalf("event %v says flow %d and %d fen, want %d and %d", e.ID, c.Flow, c.SumFen, flow, sum)
		}
		if b := e.Batch; b != nil && (b.Flow != flow || b.SumFen != sum) {
			s.tb.Fatalf("batch %v says flow %d and %d fen, want %d and %d", e.ID, b.Flow, b.SumFen, flow, sum)
		}
	}
	return list
}

// bench steps a core by hand.
type bench struct {
	*station
	cfg     till.Config
	core    *till.Core
	wall    int64 // unix ms
	mono    int64
	offline bool
	n       int
}

func config(tb testing.TB) till.Config {
	tb.Helper()
	return till.Config{
		Gate: home, Site: site, Lanes: []string{"a", "b"}, Zone: must[*time.Location](tb)(time.LoadLocation("Asia/Shanghai")),
		ClockMaxAge: desk.DefaultClockMaxAge, PolicyMaxAge: desk.DefaultClockMaxAge,
	}
}

// newBench is a till with an open batch, whose clock and snapshot are good, and
// which has no link.
func newBench(tb testing.TB, rules func(*wire.Till)) *bench {
	tb.Helper()
	b := &bench{station: newStation(tb, newCampus(tb), rules), cfg: config(tb), wall: noonMS, offline: true}
	b.restart()
	b.step(desk.Synced{Stamp: b.stamp()})
	check(tb, b.snap.Current(time.UnixMilli(b.wall)))
	b.step(till.MoveBatch{Stamp: b.stamp(), Move: wire.BatchOpens, By: "C01"})
	return b
}

func (b *bench) restart() {
	b.tb.Helper()
	check(b.tb, b.book().Update(func(book till.Book) (err error) {
		b.core, err = till.NewCore(b.cfg, book)
		return err
	}))
}

func (b *bench) stamp() desk.Stamp { return desk.Stamp{Wall: b.wall, Mono: b.mono, Offline: b.offline} }

func (b *bench) pass(ms int64) { b.wall += ms; b.mono += ms }

func (b *bench) step(in desk.Input) []desk.Effect {
	b.tb.Helper()
	effects, err := desk.Settle(b.book().Update, b.core, []desk.Input{in})
	check(b.tb, err)
	return effects[0]
}

func (b *bench) input(text string) *desk.Scan {
	c, err := code.Read(b.snap.Keyring(), text)
	b.n++
	return &desk.Scan{
		Stamp: b.stamp(), ID: "s" + strconv.Itoa(b.n), Lane: "a", Source: "serial", Code: c, Err: err, Till: b.snap.Till(),
	}
}

func (b *bench) arm(o till.Order) []desk.Effect {
	b.tb.Helper()
	return b.step(till.Arm{Stamp: b.stamp(), Order: o, Till: b.snap.Till()})
}

func (b *bench) amount(fen int64) {
	b.tb.Helper()
	find[desk.Done](b.tb, b.arm(till.Order{Entry: wire.EntryAmount, AmountFen: fen}))
}

// scan presents a code and gives what is shown.
func (b *bench) scan(text string) desk.Result {
	b.tb.Helper()
	return find[desk.Show](b.tb, b.step(b.input(text))).Result
}

// charge keys an amount, has the holder pay it, and wants this reason.
func (b *bench) charge(h *holder, fen int64, want verdict.Reason) desk.Result {
	b.tb.Helper()
	b.amount(fen)
	r := b.scan(h.show(b.tb, b.wall))
	if r.Reason != want {
		b.tb.Fatalf("%d fen: %v, want %v: %+v", fen, r.Reason, want, r)
	}
	return r
}

func find[T any](tb testing.TB, effects []desk.Effect) (found T) {
	tb.Helper()
	n := 0
	for _, e := range effects {
		if e, ok := e.(T); ok {
			found, n = e, n+1
		}
	}
	if n != 1 {
		tb.Fatalf("%d effects of type %T in %+v, want 1", n, found, effects)
	}
	return found
}

func (b *bench) batch() (last till.Batch) {
	b.tb.Helper()
	return must[[]till.Batch](b.tb)(b.book().Batches(b.tb.Context(), 1))[0]
}
