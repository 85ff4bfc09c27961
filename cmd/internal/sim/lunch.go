package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// Lunch says how large a lunch is. The zero value of a field is the usual size.
type Lunch struct {
	Seed    uint64
	Tills   int    // 8
	Holders int    // 2,000
	Charges int    // 20,000
	Dir     string // for the databases; they are removed. "" = the system's folder
	Trouble int    // 1: disks, power and answers fail so many times as often
}

// Result is what became of a lunch. A promise that was broken is in Failures.
type Result struct {
	Seed       uint64   `json:"seed"`
	Scans      int      `json:"scans"`
	Accepted   int      `json:"accepted"`
	Offline    int      `json:"accepted_offline"`
	Voids      int      `json:"voids"`
	Declined   int      `json:"declined"`
	Unseen     int      `json:"accepted_unseen"` // on the disk, and the power went before anybody saw it
	Repeats    int      `json:"repeats"`         // the same code again at the same till
	Suspended  int      `json:"suspended"`       // the same code at another till
	AfterLoss  int      `json:"after_loss"`
	Debtors    int      `json:"debtors"`
	DebtFen    int64    `json:"debt_fen"`
	BoundFen   int64    `json:"debt_bound_fen"` // of those debtors
	Uploads    int      `json:"uploads"`
	Faults     int      `json:"disk_faults"`
	TillCrash  int      `json:"till_crashes"`
	Restarts   int      `json:"server_restarts"`
	Rejected   int      `json:"rejected"`
	MoneyDelta int64    `json:"money_delta"`
	LostEvents int      `json:"lost_events"`
	Gaps       int      `json:"gaps_found"` // of records that were made to be missing
	Failures   []string `json:"failures"`
}

// shown is a code that somebody showed.
type shown struct {
	text string
	at   int64
}

// fresh is how long a code can be used again elsewhere, less the time that takes.
const fresh = 25_000

// world is one lunch.
type world struct {
	cfg     Lunch
	dir     string
	rng     *rand.Rand
	ids     io.Reader
	zone    *time.Location
	now     int64 // unix ms
	faults  bool
	server  *server
	tills   []*node
	holders []*holder
	recent  []shown // lately
	thief   *holder // comes next, with a phone that was just reported lost; nil = nobody does
	cash    int64   // fen paid in during the meal
	result  *Result
	missing map[wire.EventID]bool // that were made to be lost
}

func (w *world) time() time.Time { return time.UnixMilli(w.now) }

func (w *world) chance(p float64) bool { return w.rng.Float64() < p }

// trouble is chance for what is bad luck.
func (w *world) trouble(p float64) bool { return w.chance(p * float64(w.cfg.Trouble)) }

// opening is when the canteen opens: 11:00 on the campus.
const opening = "2026-11-20T11:00:00+08:00"

// Run plays one lunch. An error is a fault of the simulation itself; what the
// product did wrong is in the result.
func (l Lunch) Run() (result *Result, err error) {
	l.Tills, l.Holders, l.Charges, l.Trouble = or(l.Tills, 8), or(l.Holders, 2_000), or(l.Charges, 20_000), or(l.Trouble, 1)
	dir, err := os.MkdirTemp(l.Dir, "lunch")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	start, err := time.Parse(time.RFC3339, opening)
	if err != nil {
		return nil, err
	}
	var seed [32]byte
	for i := range 8 {
		seed[i] = byte(l.Seed >> (8 * i))
	}
	w := &world{
		cfg: l, dir: dir, rng: rand.New(rand.NewPCG(l.Seed, 0)), ids: rand.NewChaCha8(seed), now: start.UnixMilli(),
		result: &Result{Seed: l.Seed, Failures: []string{}}, missing: map[wire.EventID]bool{},
	}
	if w.zone, err = time.LoadLocation("Asia/Shanghai"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for _, step := range []func() error{w.build, w.serve, w.drain, w.check} {
		if err := step(); err != nil {
			return w.result, fmt.Errorf("seed %d at %s: %w", l.Seed, w.time().In(w.zone).Format(time.TimeOnly), err)
		}
	}
	return w.result, nil
}

func or(n, usual int) int {
	if n == 0 {
		return usual
	}
	return n
}

func (w *world) close() error {
	var errs []error
	for _, k := range w.tills {
		errs = append(errs, k.db.Close())
	}
	if w.server != nil {
		errs = append(errs, w.server.close())
	}
	return errors.Join(errs...)
}

func (w *world) build() (err error) {
	if w.server, err = newServer(w); err != nil {
		return err
	}
	if err := w.server.found(); err != nil {
		return err
	}
	ctx := context.Background()
	var merchants []int64
	for i := range max(1, w.cfg.Tills/3) {
		m, err := w.server.canteen.AddMerchant(ctx, "sim", canteen.Merchant{Name: fmt.Sprintf("第%d食堂", i+1), Active: true})
		if err != nil {
			return err
		}
		merchants = append(merchants, m.ID)
	}
	for i := range w.cfg.Tills {
		k, err := newNode(w, i, merchants[i%len(merchants)])
		if err != nil {
			return err
		}
		w.tills = append(w.tills, k)
		if err := errors.Join(k.connect(), k.batch(wire.BatchOpens)); err != nil {
			return err
		}
		k.changes = w.now + w.spell(120_000)
	}
	w.faults, w.server.faults = true, true
	return nil
}

// spell is how long something lasts, about mean ms.
func (w *world) spell(mean float64) int64 { return int64(w.rng.ExpFloat64()*mean) + 1 }

// serve is the lunch itself: an hour and a half.
func (w *world) serve() error {
	apart := 90 * 60_000 / float64(w.cfg.Charges)
	crash := w.now + w.spell(30*60_000) // of the server
	for range w.cfg.Charges {
		w.now += w.spell(apart)
		if w.now >= crash {
			if err := w.server.crash(w.spell(30_000)); err != nil {
				return err
			}
			crash = w.now + w.spell(60*60_000)
		}
		if err := w.links(); err != nil {
			return err
		}
		k := w.tills[w.rng.IntN(len(w.tills))]
		if err := w.customer(k); err != nil {
			return err
		}
		if err := w.background(); err != nil {
			return err
		}
	}
	return nil
}

// links go down and come back, and all of them with the server.
func (w *world) links() error {
	for _, k := range w.tills {
		if k.online && !w.server.up() {
			k.online = false
			k.changes = w.server.upAgain + w.spell(5_000)
		}
		if w.now < k.changes {
			continue
		}
		if k.online {
			k.online = false
			k.changes = w.now + w.spell(30_000)
			continue
		}
		k.changes = w.now + w.spell(120_000)
		if !w.server.up() {
			k.changes = w.server.upAgain + w.spell(5_000)
			continue
		}
		if err := k.connect(); err != nil {
			return err
		}
	}
	return nil
}

// customer is one person at a till: mostly somebody who pays and goes.
func (w *world) customer(k *node) error {
	w.result.Scans++
	w.recent = slices.DeleteFunc(w.recent, func(s shown) bool { return w.now-s.at > fresh })
	fen := 100 + w.rng.Int64N(1900)
	if again := k.unseen; k.scanned != "" && (w.chance(0.02) || again) { // the same code once more
		k.unseen = false
		return k.sell(k.scanned, fen)
	}
	if len(w.recent) > 0 && w.chance(0.03) { // a picture of it at another till
		return k.sell(w.recent[w.rng.IntN(len(w.recent))].text, fen)
	}
	h := w.holders[w.rng.IntN(len(w.holders))]
	if w.thief != nil {
		h, w.thief = w.thief, nil
	}
	text, err := h.show(w.now)
	if err != nil {
		return err
	}
	k.scanned = text
	w.recent = append(w.recent, shown{text, w.now})
	if err := k.sell(text, fen); err != nil {
		return err
	}
	switch {
	case w.chance(0.01):
		return k.void()
	case w.chance(0.003) && h.lostAt == 0 && w.server.up():
		return w.lose(h)
	case w.chance(0.02) && w.server.up():
		return w.top(h, 1_000+w.rng.Int64N(5_000))
	}
	return nil
}

// lose reports a card lost. Whoever has the phone goes on paying.
func (w *world) lose(h *holder) error {
	return w.server.persist(func() error {
		card, err := w.server.cards.ReportLoss(context.Background(), "sim", h.account, "丢失")
		h.lostAt, w.thief = card.LostAt, h
		return err
	})
}

// top pays cash in.
func (w *world) top(h *holder, fen int64) error {
	h.topped += fen
	w.cash += fen
	s := w.server
	return s.persist(func() error {
		return s.db.Change(context.Background(), func(t *store.Tx) error {
			lines, err := s.ledger.Refill(t.Context(), t, h.account, fen)
			if err != nil {
				return err
			}
			o, err := s.ledger.Post(t, ledger.Transfer{
				ID: fmt.Sprintf("cash/%d", w.now*1000+int64(w.result.Scans%1000)), Kind: ledger.KindCash, At: w.now,
				Day: w.time().In(w.zone).Format(time.DateOnly), Card: h.account,
				Entries: append(lines, ledger.Entry{Account: ledger.Drawer(1), Fen: -fen}),
			})
			if err == nil && o.State != ledger.Posted {
				err = fmt.Errorf("cash: %s: %s", o.State, o.Why)
			}
			return err
		})
	})
}

// background is what goes on beside the customers.
func (w *world) background() error {
	k := w.tills[w.rng.IntN(len(w.tills))]
	s := w.server
	if k.online && s.up() && w.chance(0.4) {
		if err := k.upload(1 + w.rng.IntN(60)); err != nil {
			return err
		}
	}
	if k.online && s.up() && w.chance(0.2) {
		if err := k.pull(); err != nil {
			return err
		}
	}
	if s.up() && w.chance(0.05) {
		if err := s.charges.CatchUp(context.Background()); err != nil && !errors.Is(err, errDisk) {
			return err
		}
	}
	if s.up() && w.chance(0.01) {
		if err := s.cards.Tick(context.Background()); err != nil && !errors.Is(err, errDisk) {
			return err
		}
	}
	return nil
}

// drain brings everybody online and everything to the server. Some records are
// made to be missing there: those have to be found.
func (w *world) drain() error {
	ctx, s := context.Background(), w.server
	w.faults, s.faults = false, false
	w.now = max(w.now, s.upAgain) + 60_000
	for _, k := range w.tills {
		if err := errors.Join(k.connect(), k.batch(wire.BatchCloses), k.step(tick(k))); err != nil {
			return err
		}
	}
	if w.cfg.Seed%3 == 1 {
		if err := w.forge1(); err != nil {
			return err
		}
	}
	for _, k := range w.tills {
		for k.journal.Queue() > 0 {
			before := k.journal.Queue()
			if err := k.upload(wire.MaxBatch); err != nil {
				return err
			}
			if k.journal.Queue() == before {
				return fmt.Errorf("till %d does not get rid of %d records", k.n, before)
			}
		}
	}
	if w.cfg.Seed%3 == 0 {
		if err := w.lose1(); err != nil {
			return err
		}
	}
	if err := s.charges.CatchUp(ctx); err != nil {
		return err
	}
	w.now += 20 * 60_000
	return s.ledger.Lapse(ctx)
}
