package sim

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"campusgate/agent/desk"
	"campusgate/server/ledger"
	"campusgate/server/settle"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func tick(k *node) desk.Input {
	s := k.stamp()
	s.Wall += 2 * desk.ClaimMS
	s.Mono += 2 * desk.ClaimMS
	return desk.Tick{Stamp: s}
}

// broken notes a promise that was broken.
func (w *world) broken(format string, args ...any) {
	if len(w.result.Failures) < 50 {
		w.result.Failures = append(w.result.Failures, fmt.Sprintf(format, args...))
	}
}

// lose1 takes a record of an accepted charge out of the server after it was
// acknowledged and before it was posted: nothing the product does, and something
// that a person at a prompt, or a disk, may do.
func (w *world) lose1() error {
	ctx, db := context.Background(), w.server.db
	type place struct {
		position int64
		id       wire.EventID
	}
	waiting, err := store.List(ctx, db.Reader(), func(rows *sql.Rows) (p place, err error) {
		err = rows.Scan(&p.position, &p.id.Agent, &p.id.Epoch, &p.id.Seq)
		return p, err
	}, `SELECT position, agent, epoch, seq FROM events WHERE type = 'charge' AND reason = 1
		AND position > (SELECT value FROM counters WHERE name = 'charges_followed') ORDER BY position`)
	if err != nil || len(waiting) == 0 {
		return err
	}
	gone := waiting[w.rng.IntN(len(waiting))]
	w.missing[gone.id] = true
	return db.Change(ctx, func(t *store.Tx) error {
		return t.Exec("DELETE FROM events WHERE position = $1", gone.position)
	})
}

// forge1 has one record of an accepted charge altered on its way to the server, by
// somebody who cannot make its hash: it must not count.
func (w *world) forge1() error {
	for _, k := range w.tills {
		id := k.journal.Identity()
		acked, err := w.server.db.Acked(context.Background(), id.Agent, id.Epoch)
		if err != nil {
			return err
		}
		past, err := k.journal.Recent(int(k.journal.Last() - acked))
		if err != nil {
			return err
		}
		for i := range past {
			if e := &past[i].Event; e.Type == wire.EventCharge && e.Verdict.Reason == verdict.Granted && !past[i].Annulled {
				k.forged = e.ID.Seq
				w.missing[e.ID] = true
				return nil
			}
		}
	}
	return nil
}

// posted is a row of the server's charges.
type posted struct {
	kind      string
	account   uint64
	fen       int64
	suspense  int64
	transfer  string
	offline   bool
	afterLoss bool
}

func (w *world) rows() (map[string]posted, error) {
	all := map[string]posted{}
	_, err := store.List(context.Background(), w.server.db.Reader(), func(rows *sql.Rows) (struct{}, error) {
		var event string
		var account int64
		var p posted
		err := rows.Scan(&event, &p.kind, &account, &p.fen, &p.suspense, &p.transfer, &p.offline, &p.afterLoss)
		p.account = uint64(account)
		all[event] = p
		return struct{}{}, err
	}, "SELECT event, kind, account, amount_fen, suspense_fen, coalesce(transfer, ''), offline, after_loss FROM charges")
	return all, err
}

// tally is what the tills' journals come to.
type tally struct {
	merchant map[int64]int64  // fen taken
	card     map[uint64]int64 // fen spent, by whom the server has it
	dark     map[uint64]map[int]bool
	proofs   map[string]int
	voided   map[wire.EventID]bool
}

// check holds what the tills say against what the server has.
func (w *world) check() error {
	r := w.result
	rows, err := w.rows()
	if err != nil {
		return err
	}
	t := tally{map[int64]int64{}, map[uint64]int64{}, map[uint64]map[int]bool{}, map[string]int{}, map[wire.EventID]bool{}}
	for _, k := range w.tills {
		if err := w.checkTill(k, rows, &t); err != nil {
			return err
		}
	}
	for _, p := range rows {
		if p.kind == "declined" {
			r.Declined++
		}
	}
	extra := 0
	for _, n := range t.proofs {
		extra += n - 1
	}
	suspended := 0
	for _, p := range rows {
		if p.kind == "charge" && p.suspense > 0 {
			suspended++
		}
	}
	if r.Suspended = suspended; suspended != extra {
		w.broken("I10: %d charges in suspense, %d were of codes used before", suspended, extra)
	}
	r.Restarts = w.server.restarts
	if err := w.checkMoney(&t); err != nil {
		return err
	}
	return w.checkClose()
}

// checkTill goes through what one till accepted.
func (w *world) checkTill(k *node, rows map[string]posted, t *tally) error {
	r := w.result
	r.TillCrash += k.crashes
	r.Repeats += k.repeats
	events, err := k.accepted()
	if err != nil {
		return err
	}
	here := map[string]bool{}
	known := map[wire.EventID]bool{}
	for i := range events {
		e := &events[i]
		known[e.ID] = true
		p, there := rows[e.ID.String()]
		if w.missing[e.ID] {
			if there {
				w.broken("%v was lost and is there", e.ID)
			}
			continue
		}
		if !there || p.transfer == "" || p.fen != e.Charge.AmountFen {
			w.broken("I4: %v was accepted at till %d and is posted as %+v", e.ID, k.n, p)
			continue
		}
		fen := p.fen
		if e.Type == wire.EventVoid {
			r.Voids++
			fen = -fen
			t.voided[*e.Annuls] = true
			p.account = rows[e.Annuls.String()].account
			p.suspense = rows[e.Annuls.String()].suspense
		} else {
			w.checkCharge(k, e, &p, here, t)
		}
		t.merchant[k.merchant] += fen
		if p.suspense == 0 {
			t.card[p.account] += fen
		}
	}
	for id := range k.shown {
		if !known[id] {
			w.broken("I5: %v was shown as paid and is not in the journal of till %d", id, k.n)
		}
	}
	id := k.journal.Identity()
	if acked, err := w.server.db.Acked(context.Background(), id.Agent, id.Epoch); err != nil || acked != k.journal.Last() {
		r.LostEvents += int(k.journal.Last() - acked)
		w.broken("till %d wrote %d records, the server holds %d (%v)", k.n, k.journal.Last(), acked, err)
	}
	return nil
}

func (w *world) checkCharge(k *node, e *wire.Event, p *posted, here map[string]bool, t *tally) {
	r := w.result
	r.Accepted++
	if !k.shown[e.ID] {
		r.Unseen++
	}
	phone, ctr := proofOf(e)
	proof := proofKey(phone, ctr)
	if here[proof] {
		w.broken("I10: till %d took the code of %v twice", k.n, e.ID)
	}
	here[proof] = true
	t.proofs[proof]++
	account := e.Case.Code.Pay.Account
	if p.account != account {
		w.broken("%v is of account %d, posted to %d", e.ID, account, p.account)
	}
	if e.Offline {
		r.Offline++
		if t.dark[account] == nil {
			t.dark[account] = map[int]bool{}
		}
		t.dark[account][k.n] = true
	}
	lost := false
	for _, h := range w.holders {
		if h.account == account {
			lost = h.lostAt != 0 && e.At > h.lostAt
		}
	}
	if lost {
		r.AfterLoss++
	}
	if lost != p.afterLoss {
		w.broken("%v: after the loss %v, marked %v", e.ID, lost, p.afterLoss)
	}
	if lost && !e.Offline {
		w.broken("%v was accepted online after the card was reported lost", e.ID)
	}
}

func proofKey(phone signing.PhoneID, ctr uint64) string { return fmt.Sprintf("%x/%d", phone, ctr) }

// subsidyFen is what everybody was granted.
const subsidyFen = 600

// checkMoney proves that the money is all there, and where.
func (w *world) checkMoney(t *tally) error {
	ctx, s, r := context.Background(), w.server, w.result
	src := s.db.Reader()
	report, err := s.ledger.Verify(ctx, nil)
	if err != nil {
		return err
	}
	for _, f := range report.Faults {
		w.broken("I1: %s: %s", f.Where, f.What)
	}
	if err := src.QueryRowContext(ctx, "SELECT coalesce(sum(balance), 0) FROM accounts").Scan(&r.MoneyDelta); err != nil {
		return err
	}
	if r.MoneyDelta != 0 {
		w.broken("I1: all accounts come to %d fen", r.MoneyDelta)
	}
	for merchant, fen := range t.merchant {
		if has, err := s.ledger.BalanceOf(ctx, src, ledger.Merchant(merchant)); err != nil || has != fen {
			w.broken("merchant %d has %d fen, its tills took %d (%v)", merchant, has, fen, err)
		}
	}
	for _, h := range w.holders {
		b, err := s.ledger.Balance(ctx, src, h.account)
		if err != nil {
			return err
		}
		if want := h.topped + subsidyFen - t.card[h.account]; b.Total() != want || b.HeldFen != 0 {
			w.broken("the card of %s has %d fen and %d held, it should have %d", h.person, b.Total(), b.HeldFen, want)
		}
		w.checkDebt(h, b, len(t.dark[h.account]))
	}
	return nil
}

// checkDebt: nobody owes more than dark tills may let them (I12), and nobody who
// paid online only owes anything.
func (w *world) checkDebt(h *holder, b ledger.Balance, dark int) {
	if b.DebtFen == 0 {
		return
	}
	bound := int64(dark) * min(tillOfflineFen, cardOfflineFen)
	w.result.Debtors++
	w.result.DebtFen -= b.DebtFen
	w.result.BoundFen += bound
	if -b.DebtFen > bound {
		w.broken("I12: %s owes %d fen, %d dark tills allow %d", h.person, -b.DebtFen, dark, bound)
	}
}

// checkClose closes the day: what was made to be missing stops it by name, and
// nothing else does.
func (w *world) checkClose() error {
	ctx, s := context.Background(), w.server
	day := w.time().In(w.zone).Format(time.DateOnly)
	w.now += 24 * 3600_000
	if err := s.cards.Tick(ctx); err != nil { // what is left of subsidies ends
		return err
	}
	_, err := s.settle.Close(ctx, "sim", day)
	var u *settle.Unaccounted
	if errors.As(err, &u) && errors.Is(err, settle.ErrGaps) {
		for _, g := range u.Gaps {
			w.result.Gaps += int(g.To - g.From + 1)
			if _, err := s.settle.Waive(ctx, "sim", day, g, "lost on purpose"); err != nil {
				return err
			}
		}
		_, err = s.settle.Close(ctx, "sim", day)
	}
	if w.result.Gaps != len(w.missing) {
		w.broken("I6: %d records are missing, %d were named", len(w.missing), w.result.Gaps)
	}
	if err != nil {
		w.broken("I9: the day does not close: %v", err)
		return nil
	}
	report, err := s.settle.Report(ctx, day)
	if err != nil {
		return err
	}
	if c := report.Checks; len(w.missing) == 0 && (c.TillFen != c.ServerFen || c.ServerFen != c.MerchantFen) {
		w.broken("I9: tills %d, server %d, merchants %d", c.TillFen, c.ServerFen, c.MerchantFen)
	}
	proof, err := s.ledger.Verify(ctx, nil)
	if err == nil && !proof.Sound() {
		w.broken("I1: unsound after the close: %+v", proof.Faults[0])
	}
	return err
}
