package sim

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/server/canteen"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What tills and cards allow without the server.
const (
	tillOfflineFen = 5_000 // of one account on one day at one till
	cardOfflineFen = 6_000 // as the credential has it
)

const lane = "scanner"

// cashier is who answers for batches and voids.
const cashier = "C0001"

// errPower is a power cut before the commit.
var errPower = errors.New("power cut")

// node is a till: its store, and what it has in memory while it has power.
type node struct {
	w        *world
	n        int
	path     string
	gate     uint16
	merchant int64
	skew     int64 // of its PC's clock

	db      *disk.DB
	journal *journal.Journal
	snap    *snapshot.Snapshot
	core    *till.Core
	started int64

	online   bool
	changes  int64 // when the link changes next
	scans    int
	scanned  string // the last code that was shown here
	unseen   bool   // the power went while it was: whoever showed it does so again
	forged   uint64 // the record that is altered on its way; 0 = none
	shown    map[wire.EventID]bool
	crashes  int
	repeats  int
	lastShow *desk.Result
}

func newNode(w *world, n int, merchant int64) (*node, error) {
	ctx, s := context.Background(), w.server
	k := &node{w: w, n: n, path: filepath.Join(w.dir, fmt.Sprintf("till%d.db", n)), merchant: merchant, shown: map[wire.EventID]bool{}}
	k.skew = w.rng.Int64N(4000) - 2000
	made, err := s.canteen.AddTill(ctx, "sim", canteen.Till{
		Name: fmt.Sprintf("%d 号窗口", n+1), Zone: 1, Merchant: merchant, Rules: wire.Till{
			Entry:   wire.EntryAmount,
			Periods: []wire.MealPeriod{{ID: "lunch", Name: "午餐", NameEn: "Lunch", From: 10 * 60, Until: 15 * 60}},
			Offline: wire.OfflineCaps{PerTxFen: 3_000, PerAccountFen: tillOfflineFen, MaxRecords: 400, MaxAgeMS: 3600_000},
		},
	})
	if err != nil {
		return nil, err
	}
	k.gate = made.Gate
	secret := sha256.Sum256(fmt.Append(nil, "enrolment", n))
	if err := s.db.NewEnrolment(ctx, "sim", k.gate, secret[:], w.now+60_000); err != nil {
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	agent, err := s.db.Enrol(ctx, secret[:], public, "till-pc")
	if err != nil {
		return nil, err
	}
	return k, k.install(agent, private)
}

// install makes the till's store as enrolment does.
func (k *node) install(agent store.Agent, private ed25519.PrivateKey) error {
	s := k.w.server
	root := s.root.Public().(ed25519.PublicKey)
	_, signed, err := s.db.Keyring(context.Background())
	if err != nil {
		return err
	}
	err = disk.Create(k.path, func(tx *disk.Tx) error {
		return errors.Join(
			journal.Enrol(tx, journal.Identity{
				Agent: agent.ID, Epoch: agent.Epoch, Gate: k.gate, Site: siteName, TimeZone: k.w.zone.String(), Root: root, Private: private,
			}),
			snapshot.Enrol(tx, root, siteName, signed),
		)
	})
	if err != nil {
		return err
	}
	return k.start()
}

// start opens the store and makes the core anew.
func (k *node) start() (err error) {
	if k.db, err = disk.Open(k.path); err != nil {
		return err
	}
	if k.journal, err = journal.Open(k.db); err != nil {
		return err
	}
	id := k.journal.Identity()
	if k.snap, err = snapshot.OpenTill(k.db, id.Gate, id.Site, id.Root); err != nil {
		return err
	}
	k.started = k.w.now
	return journal.Till{Journal: k.journal}.Update(func(b till.Book) (err error) {
		k.core, err = till.NewCore(till.Config{Gate: id.Gate, Site: id.Site, Lanes: []string{lane}, Zone: k.w.zone}, b)
		return err
	})
}

// crash cuts the power and gives it back at once.
func (k *node) crash() error {
	k.crashes++
	k.unseen = true
	if err := k.db.Close(); err != nil {
		return err
	}
	return k.start()
}

func (k *node) stamp() desk.Stamp {
	return desk.Stamp{Wall: k.w.now + k.skew, Mono: k.w.now - k.started, Offline: !k.online}
}

// step puts an input through the core: the transaction may fail, the power may
// go before or after the commit. It gives the effects that were performed.
func (k *node) step(in desk.Input) error {
	w := k.w
	cut, fail := w.faults && w.trouble(0.002), w.faults && w.trouble(0.003)
	after := w.chance(0.5)
	effects, err := desk.Settle(func(do func(till.Book) error) error {
		return journal.Till{Journal: k.journal}.Update(func(b till.Book) error {
			if err := do(b); err != nil {
				return err
			}
			switch {
			case cut && !after:
				return errPower
			case fail:
				return errDisk
			}
			return nil
		})
	}, k.core, []desk.Input{in})
	switch {
	case cut:
		return k.crash() // nobody saw anything
	case err != nil && !errors.Is(err, errDisk):
		return err
	case err != nil:
		w.result.Faults++
	}
	return k.perform(effects[0])
}

func (k *node) perform(effects []desk.Effect) error {
	for _, e := range effects {
		switch e := e.(type) {
		case desk.Show:
			k.show(e.Result)
		case desk.Ask:
			if err := k.ask(e.Claim); err != nil {
				return err
			}
		case desk.Reject:
			k.w.result.Rejected++
		}
	}
	return nil
}

// show is what the cashier and the holder see.
func (k *node) show(r desk.Result) {
	k.lastShow = &r
	if r.Reason != verdict.Granted || r.Charge == nil || r.Charge.Event == nil {
		return
	}
	if r.Repeat {
		k.repeats++
		return
	}
	k.shown[*r.Charge.Event] = true
}

// ask carries a question to the server and its answer back, or loses either.
func (k *node) ask(c wire.Claim) error {
	w, s := k.w, k.w.server
	answer := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	lost := w.faults && w.trouble(0.03)
	reply := w.faults && w.trouble(0.03)
	if k.online && s.up() && !lost {
		got, err := s.charges.Authorise(context.Background(), c)
		if err == nil && !reply {
			answer = got
		}
		w.now += 2 + w.rng.Int64N(40)
	}
	if answer.State == verdict.ClaimSilent {
		w.now += wire.AskTimeoutMS
	}
	return k.step(desk.ClaimReply{Stamp: k.stamp(), Answer: answer})
}

// sell keys an amount in and scans a code.
func (k *node) sell(text string, fen int64) error {
	rules := k.snap.Till()
	if err := k.step(till.Arm{Stamp: k.stamp(), Order: till.Order{Entry: wire.EntryAmount, AmountFen: fen}, Till: rules}); err != nil {
		return err
	}
	return k.scan(text)
}

func (k *node) scan(text string) error {
	k.scans++
	c, err := code.Read(k.snap.Keyring(), text)
	return k.step(&desk.Scan{
		Stamp: k.stamp(), ID: fmt.Sprintf("%d-%d", k.n, k.scans), Lane: lane, Source: "serial", Code: c, Err: err, Till: k.snap.Till(),
	})
}

// void takes the last charge that was shown back, and now and then once more.
func (k *node) void() error {
	r := k.lastShow
	if r == nil || r.Charge == nil || r.Charge.Event == nil || r.Reason != verdict.Granted {
		return nil
	}
	again, void := k.w.chance(0.3), till.Void{Stamp: k.stamp(), Event: *r.Charge.Event, By: cashier}
	if err := k.step(void); err != nil || !again {
		return err
	}
	return k.step(void)
}

func (k *node) batch(move wire.BatchMove) error {
	return k.step(till.MoveBatch{Stamp: k.stamp(), Move: move, By: cashier})
}

// connect brings the clock, the feed and what is to be uploaded.
func (k *node) connect() error {
	k.online = true
	if err := k.step(desk.Synced{Stamp: k.stamp(), OffsetMS: -k.skew}); err != nil {
		return err
	}
	return k.pull()
}

// pull applies what the server has to tell.
func (k *node) pull() error {
	ctx, s := context.Background(), k.w.server
	for {
		var group []wire.Delta
		cursor := k.snap.Cursor()
		for {
			d, err := s.db.Feed(ctx, cursor, wire.MaxBatch)
			if err != nil {
				return err
			}
			group = append(group, d)
			if cursor = d.Cursor; !d.More {
				break
			}
		}
		if len(group) == 1 && len(group[0].Items) == 0 {
			return k.snap.Current(time.UnixMilli(k.w.now))
		}
		if err := k.snap.Apply(group); err != nil {
			return err
		}
	}
}

// upload sends some of what the server has not acknowledged, as a network does
// that repeats itself.
func (k *node) upload(limit int) error {
	ctx, w := context.Background(), k.w
	id := k.journal.Identity()
	acked := k.journal.Last() - k.journal.Queue()
	from := acked
	switch {
	case !w.faults:
	case w.chance(0.2): // once more what it has
		from -= min(from, uint64(1+w.rng.IntN(20)))
	case w.chance(0.05): // the later before the earlier
		from += uint64(1 + w.rng.IntN(5))
	}
	records, err := k.journal.After(from, limit)
	if err != nil || len(records) == 0 {
		return err
	}
	for i := range records {
		if records[i].Seq == k.forged {
			records[i].Body = bytes.ReplaceAll(records[i].Body, []byte(`"amount_fen":`), []byte(`"amount_fen":1`))
		}
	}
	w.result.Uploads++
	held, err := w.server.db.Ingest(ctx, id.Agent, id.Epoch, records)
	switch {
	case errors.Is(err, errDisk):
		return nil // it comes again
	case err != nil:
		return err
	case w.faults && w.trouble(0.05):
		return nil // the answer was lost
	}
	return k.journal.Ack(held)
}

// accepted lists what the till took, from its own journal.
func (k *node) accepted() ([]wire.Event, error) {
	past, err := k.journal.Recent(int(k.journal.Last()))
	if err != nil {
		return nil, err
	}
	var list []wire.Event
	for i := len(past) - 1; i >= 0; i-- {
		e := past[i].Event
		if e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted || e.Type == wire.EventVoid && e.Annuls != nil {
			list = append(list, e)
		}
	}
	return list, nil
}

// proofOf is the phone's part of a charge.
func proofOf(e *wire.Event) (signing.PhoneID, uint64) {
	return e.Case.Code.Proof.Phone, e.Case.Code.Proof.Counter
}
