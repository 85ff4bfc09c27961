package till_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	random "math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/till"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

var errDisk = errors.New("disk on fire")

// faulty is a store whose commits fail on demand.
type faulty struct {
	till.Store
	fail atomic.Bool
	done bool // the data is there all the same
}

func (f *faulty) Update(do func(till.Book) error) error {
	fail := f.fail.Load()
	err := f.Store.Update(func(book till.Book) error {
		if err := do(book); err != nil || !fail || f.done {
			return err
		}
		return errDisk
	})
	if err == nil && fail {
		return errDisk
	}
	return err
}

// counter runs a desk.
type counter struct {
	*station
	desk *till.Desk
	now  func() time.Time
	stop func()
}

func newCounter(tb testing.TB, rules func(*wire.Till), now func() time.Time) *counter {
	tb.Helper()
	c := &counter{station: newStation(tb, newCampus(tb), rules), now: now}
	return c
}

// run starts the desk. Its clock is the server's, and its batch open.
func (c *counter) run(ctx context.Context, change func(*till.Deps)) {
	c.tb.Helper()
	deps := till.Deps{
		Store: c.book(), Ledger: c.book(), Keyring: c.snap.Keyring, Till: c.snap.Till, Guard: c.snap.Guard,
		Confirmed: c.snap.Confirmed, Corrected: func() int64 { return c.now().UnixMilli() }, Now: c.now,
	}
	if change != nil {
		change(&deps)
	}
	c.desk = must[*till.Desk](c.tb)(till.NewDesk(config(c.tb), deps))
	ctx, cancel := context.WithCancel(ctx)
	var run sync.WaitGroup
	run.Go(func() { _ = c.desk.Run(ctx) })
	c.stop = sync.OnceFunc(func() { cancel(); run.Wait() })
	c.tb.Cleanup(c.stop)
	c.desk.SetOffset(0, c.now())
	check(c.tb, c.snap.Current(c.now()))
	if _, err := c.desk.MoveBatch(ctx, wire.BatchOpens, "C01"); err != nil && !errors.Is(err, till.ErrBatch) {
		c.tb.Fatal(err)
	}
}

func (c *counter) present(ctx context.Context, h *holder) desk.Result {
	c.tb.Helper()
	return must[desk.Result](c.tb)(c.desk.Present(ctx, "a", "serial", h.show(c.tb, c.now().UnixMilli())))
}

// bubble is the clock inside a synctest bubble, whose own begins with 2000.
func bubble() time.Time {
	return time.UnixMilli(noonMS).Add(time.Since(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)))
}

func TestFault_NobodyIsToldOfAFailedCommit(t *testing.T) {
	for name, done := range map[string]bool{"failed": false, "failed but done": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &faulty{done: done}
				c := newCounter(t, nil, bubble)
				c.run(t.Context(), func(d *till.Deps) { f.Store, d.Store = d.Store, f })
				h := c.c.holder(t, 1, nil)
				amount := till.Order{Entry: wire.EntryAmount, AmountFen: 500}
				check(t, c.desk.Arm(t.Context(), amount))
				text := h.show(t, c.now().UnixMilli())
				f.fail.Store(true)
				r := must[desk.Result](t)(c.desk.Present(t.Context(), "a", "serial", text))
				if r.Reason != verdict.Internal || r.Event != nil || r.Charge.Flow != 0 {
					t.Fatalf("%+v %+v", r, r.Charge)
				}
				if _, err := c.desk.MoveBatch(t.Context(), wire.BatchCloses, "C01"); !errors.Is(err, desk.ErrStore) {
					t.Fatal(err)
				}
				if err := c.desk.Arm(t.Context(), amount); !errors.Is(err, desk.ErrStore) {
					t.Fatal(err)
				}
				f.fail.Store(false)
				if done {
					if _, err := c.desk.MoveBatch(t.Context(), wire.BatchOpens, "C01"); err != nil {
						t.Fatal(err) // it was closed after all
					}
					check(t, c.desk.Arm(t.Context(), amount))
				}
				again := must[desk.Result](t)(c.desk.Present(t.Context(), "a", "serial", text))
				if again.Reason != verdict.Granted || again.Repeat != done {
					t.Fatalf("again %+v", again)
				}
				if v := must[till.View](t)(c.desk.View(t.Context())); v.Batch.SumFen != 500 || v.Backlog.Records != 1 {
					t.Fatalf("%+v", v)
				}
				c.events()
				c.stop()
			})
		})
	}
}

func TestDesk_TheWholeWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t, nil, bubble)
		var state atomic.Value
		state.Store(verdict.ClaimGranted)
		c.run(t.Context(), func(d *till.Deps) {
			d.Online = func() bool { return true }
			d.Ask = func(ctx context.Context, q wire.Claim) wire.Answer {
				a := wire.Answer{ID: q.ID, State: state.Load().(verdict.ClaimState), Charge: yes(8_000)}
				if a.State == verdict.ClaimSilent {
					<-ctx.Done() // nobody answers
				}
				return a
			}
		})
		ctx := t.Context()
		check(t, c.desk.Arm(ctx, till.Order{Entry: wire.EntryMenu, Items: []till.Pressed{{Key: 12, Quantity: 2}}}))
		v := must[till.View](t)(c.desk.View(ctx))
		if v.Mode != "terminal" || v.Till.Name == "" || v.Period.ID != "lunch" || v.Period.Until != noonMS+3600_000 || v.Day != "2026-09-01" ||
			!v.Batch.Open || v.Sale.AmountFen != 1700 || !v.Sale.Armed || v.Offline || v.Cashier != nil || v.Last != nil {
			t.Fatalf("%+v", v)
		}
		first := c.present(ctx, c.c.holder(t, 1, nil))
		if first.Reason != verdict.Granted || *first.Charge.BalanceFen != 8_000 {
			t.Fatalf("%+v", first)
		}
		state.Store(verdict.ClaimSilent)
		check(t, c.desk.Arm(ctx, till.Order{Entry: wire.EntryAmount, AmountFen: 300}))
		begin := time.Now()
		second := c.present(ctx, c.c.holder(t, 2, nil))
		if second.Reason != verdict.Granted || !second.Charge.Offline {
			t.Fatalf("%+v", second)
		}
		if took := time.Since(begin); took != wire.AskTimeoutMS*time.Millisecond {
			t.Fatalf("decided after %v", took)
		}
		must[desk.Shift](t)(c.desk.Begin(ctx, "C01", "何收银"))
		if r := must[desk.Result](t)(c.desk.Void(ctx, *first.Event, "S01")); !r.Charge.Voided {
			t.Fatalf("%+v", r)
		}
		v = must[till.View](t)(c.desk.View(ctx))
		if v.Sale != nil || v.Last.ID != second.ID && v.Last.ID != first.ID || v.Cashier.Number != "C01" ||
			v.Backlog != (till.Backlog{Records: 3, Fen: 300, OldestAt: first.At}) {
			t.Fatalf("%+v", v)
		}
		list := must[[]desk.Result](t)(c.desk.Charges(ctx, 10))
		if len(list) != 2 || list[0].ID != second.ID || !list[1].Charge.Voided || list[0].Charge.Voided {
			t.Fatalf("%+v", list)
		}
		b := must[till.Batch](t)(c.desk.MoveBatch(ctx, wire.BatchCloses, ""))
		if b.Charges != 2 || b.Voids != 1 || b.TotalFen != 300 || b.Open || b.ClosedBy != "C01" {
			t.Fatalf("%+v", b)
		}
		if _, err := c.desk.Confirm(ctx, "unheard of", false); !errors.Is(err, desk.ErrNoScan) {
			t.Fatal(err)
		}
		c.stop()
	})
}

// A power cut leaves the file and some beginning of its log. What had been
// shown as paid when the log was that long must be there, and count.
func TestCrash_NothingThatWasPaidIsMissing(t *testing.T) {
	now := func() time.Time { return time.UnixMilli(noonMS) }
	c := newCounter(t, func(r *wire.Till) { r.Entry = wire.EntryFixed }, now)
	c.run(t.Context(), nil)
	wal := func() int64 { return must[os.FileInfo](t)(os.Stat(c.path + "-wal")).Size() }
	type ack struct {
		log int64
		id  wire.EventID
	}
	var acks []ack
	before := wal()
	for n := range uint64(40) {
		r := c.present(t.Context(), c.c.holder(t, n+1, nil))
		if r.Reason != verdict.Granted {
			t.Fatalf("%+v", r)
		}
		acks = append(acks, ack{wal(), *r.Event})
	}
	c.stop()
	end := wal()
	file, log := must[[]byte](t)(os.ReadFile(c.path)), must[[]byte](t)(os.ReadFile(c.path+"-wal"))
	r := random.New(random.NewPCG(7, 7))
	for range 25 {
		cut := before + r.Int64N(end-before+1)
		path := filepath.Join(t.TempDir(), "agent.db")
		check(t, os.WriteFile(path, file, 0o600))
		check(t, os.WriteFile(path+"-wal", log[:cut], 0o600))
		db := must[*disk.DB](t)(disk.Open(path))
		j := journal.Till{Journal: must[*journal.Journal](t)(journal.Open(db))}
		if _, err := j.Verify(t.Context()); err != nil {
			t.Fatalf("cut at %d of %d: %v", cut, end, err)
		}
		have := map[wire.EventID]bool{}
		var last wire.Event
		for _, rec := range must[[]wire.Record](t)(j.After(0, 1000)) {
			check(t, json.Unmarshal(rec.Body, &last))
			have[last.ID] = true
		}
		b := must[[]till.Batch](t)(j.Batches(t.Context(), 1))[0]
		list := must[[]desk.Past](t)(j.Charges(t.Context(), 1000))
		if len(list) != b.Charges || int64(b.Charges)*300 != b.SumFen || last.Charge != nil && last.Charge.SumFen != b.SumFen {
			t.Fatalf("cut at %d: %d charges, batch %+v", cut, len(list), b)
		}
		for _, a := range acks {
			if a.log <= cut && !have[a.id] {
				t.Fatalf("cut at %d of %d: charge %v is missing", cut, end, a.id)
			}
		}
		check(t, db.Close())
	}
}

// What a payment without the server costs beyond what cannot be saved: the two
// signatures of the code verified, one page appended, one sync.
func BenchmarkCharge(b *testing.B) {
	now := func() time.Time { return time.UnixMilli(noonMS) }
	c := newCounter(b, func(r *wire.Till) { r.Entry = wire.EntryFixed }, now)
	c.run(context.Background(), nil)
	f := must[*os.File](b)(os.Create(filepath.Join(b.TempDir(), "floor")))
	b.Cleanup(func() { check(b, f.Close()) })
	texts := make([]string, b.N)
	for i := range texts {
		texts[i] = c.c.holder(b, uint64(i+1), nil).show(b, noonMS)
	}
	message := make([]byte, 160)
	signature := ed25519.Sign(c.c.issuer.Private, message)
	phone := c.c.holder(b, 1, nil).key
	digest := sha256.Sum256(message)
	proof := must[[]byte](b)(ecdsa.SignASN1(rand.Reader, phone, digest[:]))
	var page [4096]byte
	var full, raw []time.Duration
	b.ResetTimer()
	for _, text := range texts {
		begin := time.Now()
		if r, err := c.desk.Present(context.Background(), "a", "serial", text); err != nil || r.Reason != verdict.Granted {
			b.Fatalf("%+v, %v", r, err)
		}
		full = append(full, time.Since(begin))
		begin = time.Now()
		if !ed25519.Verify(c.c.issuer.Key.Public, message, signature) || !ecdsa.VerifyASN1(&phone.PublicKey, digest[:], proof) {
			b.Fatal("signature")
		}
		must[int](b)(f.Write(page[:]))
		check(b, datasync(f))
		raw = append(raw, time.Since(begin))
	}
	slices.Sort(full)
	slices.Sort(raw)
	at := func(sorted []time.Duration, share float64) float64 {
		return float64(sorted[int(float64(len(sorted)-1)*share)].Nanoseconds())
	}
	b.ReportMetric(at(full, 0.5)/at(raw, 0.5), "p50-ratio")
	b.ReportMetric(at(full, 0.5)/1e3, "p50-us")
	b.ReportMetric(at(full, 0.99)/1e6, "p99-ms")
	b.ReportMetric(at(raw, 0.99)/1e6, "floor-p99-ms")
}

// A charge that is on the disk though its commit failed is shown as paid after all,
// and the sale is over: the holder's next code does not pay it again.
func TestFault_FailedButDoneIsNotPaidTwice(t *testing.T) {
	b := newBench(t, nil)
	h := b.c.holder(t, 1, nil)
	b.amount(500)
	scan := b.input(h.show(t, b.wall))
	effects, err := desk.Settle(func(do func(till.Book) error) error {
		return errors.Join(b.book().Update(do), errDisk)
	}, b.core, []desk.Input{scan})
	if !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	if r := find[desk.Show](t, effects[0]).Result; r.Reason != verdict.Internal {
		t.Fatalf("result %+v", r)
	}
	b.pass(2000)
	told := b.step(desk.Tick{Stamp: b.stamp()})
	if r := find[desk.Show](t, told).Result; r.Reason != verdict.Granted || r.ID != scan.ID {
		t.Errorf("result %+v", r)
	}
	if r := b.scan(h.show(t, b.wall)); r.Need != verdict.NeedAmount {
		t.Errorf("the next code: %+v", r)
	}
	var charged int
	for _, e := range b.events() {
		if e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted {
			charged++
		}
	}
	if charged != 1 {
		t.Errorf("%d charges of one sale", charged)
	}
}
