package charges

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"campusgate/server/canteen"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// batch posts some events in one transaction. It reads each till, day and journal
// once; what it knows ends with it.
type batch struct {
	*Service
	tills    map[tillOf]canteen.Till
	days     map[string]string
	journals map[wire.EventID]*journal // of Seq 0
	tally    tally
	again    bool   // an event that was put aside is posted: the numbers after it were held already
	failed   string // why it cannot be still
}

type tillOf struct {
	gate   uint16
	config string
}

func (s *Service) newBatch() *batch {
	return &batch{
		Service: s, tills: map[tillOf]canteen.Till{}, days: map[string]string{},
		journals: map[wire.EventID]*journal{},
	}
}

// apply does what one event says.
func (b *batch) apply(t *store.Tx, r *record) error {
	if r.fault != nil {
		return b.trouble(t, r, problem{kind: problemQuarantined, detail: r.fault.Error(), alarm: true})
	}
	e := &r.event
	config := ""
	if e.Charge != nil {
		config = e.Charge.Config
	}
	till, is, err := b.till(t, e.Gate, config)
	if err != nil {
		return err
	}
	if !is {
		return b.trouble(t, r, problem{kind: problemQuarantined, detail: "the gate is no till", alarm: true})
	}
	if err := b.settleClaim(t, r); err != nil {
		return err
	}
	switch {
	case e.Type == wire.EventBatch:
		if err := b.runs(t, r, e.Batch.Flow, e.Batch.SumFen, 0, 0); err != nil {
			return err
		}
		return b.moveBatch(t, r, &till)
	case e.Type == wire.EventVoid && e.Annuls == nil: // its claim was all
		return nil
	case e.Type == wire.EventVoid:
		if err := b.runs(t, r, e.Charge.Flow, e.Charge.SumFen, 1, -e.Charge.AmountFen); err != nil {
			return err
		}
		return b.void(t, r, &till)
	case !r.accepted():
		if e.Charge == nil {
			return nil
		}
		return b.declined(t, r, &till)
	}
	if err := b.runs(t, r, e.Charge.Flow, e.Charge.SumFen, 1, e.Charge.AmountFen); err != nil {
		return err
	}
	return b.charge(t, r, &till)
}

func (b *batch) till(t *store.Tx, gate uint16, config string) (canteen.Till, bool, error) {
	key := tillOf{gate, config}
	if till, known := b.tills[key]; known {
		return till, till.Gate != 0, nil
	}
	till, is, err := b.Tills.At(t.Context(), t, gate, config)
	if err == nil {
		if !is {
			till = canteen.Till{}
		}
		b.tills[key] = till
	}
	return till, is, err
}

// settleDay is the day that a charge of a business day is settled with: that
// day, or the open one where it was closed.
func (b *batch) settleDay(ctx context.Context, t *store.Tx, day string, till *canteen.Till) (string, error) {
	if known, ok := b.days[day]; ok {
		return known, nil
	}
	settle := day
	over, err := closed(ctx, t, day)
	at := time.UnixMilli(t.Now()).In(b.Location)
	for n := 0; over && err == nil; n++ {
		settle = wire.BusinessDay(at.AddDate(0, 0, n), till.Rules.DayStart)
		over, err = closed(ctx, t, settle)
	}
	b.days[day] = settle
	return settle, err
}

// settleClaim ends the question that led to a record: what was held for it is
// let go. One that comes only now gets no answer.
func (b *batch) settleClaim(t *store.Tx, r *record) error {
	claim := r.event.Claim
	if id, err := wire.ParseEventID(claim); err != nil || id.Agent != r.event.ID.Agent {
		return nil // it asked nothing, or names what is not its own
	}
	held, err := b.Ledger.Release(t, claim)
	if err != nil || held {
		return err
	}
	var none [0]byte
	return t.Exec(`INSERT INTO charge_claims (id, sum, gate, account, phone, ctr, amount_fen, day, period, decided_at, answer)
		VALUES ($1, $2, $3, $4, $5, 0, 0, '', '', $6, '') ON CONFLICT (id) DO NOTHING`,
		claim, none[:], r.event.Gate, int64(r.account), none[:], t.Now())
}

// journal is how far the running numbers of a till's journal have come.
type journal struct {
	flow    uint64
	sum     int64
	changed bool
}

// runs holds the running numbers of a record against those before it: n more
// charges and voids, and fen more. A difference is put before a person and
// stops nothing; what follows is held against what the till says.
func (b *batch) runs(t *store.Tx, r *record, flow uint64, sum int64, n uint64, fen int64) error {
	if b.again {
		return nil
	}
	key := wire.EventID{Agent: r.event.ID.Agent, Epoch: r.event.ID.Epoch}
	j := b.journals[key]
	if j == nil {
		j = &journal{}
		var at int64
		err := t.QueryRowContext(t.Context(), "SELECT flow, sum_fen FROM till_journals WHERE agent = $1 AND epoch = $2", key.Agent, key.Epoch).
			Scan(&at, &j.sum)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		j.flow = uint64(at)
		b.journals[key] = j
	}
	wantFlow, wantSum := int64(j.flow+n), j.sum+fen
	gotFlow := int64(flow)
	if gotFlow != wantFlow {
		if err := b.trouble(t, r, problem{kind: problemFlow, expected: &wantFlow, got: &gotFlow}); err != nil {
			return err
		}
	}
	if sum != wantSum {
		if err := b.trouble(t, r, problem{kind: problemSum, expected: &wantSum, got: &sum}); err != nil {
			return err
		}
	}
	j.flow, j.sum, j.changed = flow, sum, true
	return nil
}

// keep writes how far the journals have come.
func (b *batch) keep(t *store.Tx) error {
	for key, j := range b.journals {
		if !j.changed {
			continue
		}
		err := t.Exec(`INSERT INTO till_journals (agent, epoch, flow, sum_fen) VALUES ($1, $2, $3, $4)
			ON CONFLICT (agent, epoch) DO UPDATE SET flow = excluded.flow, sum_fen = excluded.sum_fen`,
			key.Agent, key.Epoch, int64(j.flow), j.sum)
		if err != nil {
			return err
		}
	}
	return nil
}

// moveBatch opens or closes a batch of a till. On closing, the till's totals are
// held against what is here; a difference is put before a person.
func (b *batch) moveBatch(t *store.Tx, r *record, till *canteen.Till) error {
	e, m := &r.event, r.event.Batch
	if m.Move == wire.BatchOpens {
		return t.Exec(`INSERT INTO batches (agent, epoch, number, gate, merchant, opened_at, flow_from) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (agent, epoch, number) DO UPDATE SET opened_at = excluded.opened_at, flow_from = excluded.flow_from`,
			e.ID.Agent, e.ID.Epoch, m.Number, e.Gate, till.Merchant, e.At, int64(m.Flow))
	}
	var charges, voids int
	var fen int64
	err := t.QueryRowContext(t.Context(), `SELECT coalesce(sum(kind = 'charge'), 0), coalesce(sum(kind = 'void'), 0),
		coalesce(sum(CASE kind WHEN 'charge' THEN amount_fen ELSE -amount_fen END), 0)
		FROM charges WHERE agent = $1 AND epoch = $2 AND flow > coalesce(
			(SELECT flow_from FROM batches WHERE agent = $3 AND epoch = $4 AND number = $5), 0)
		AND batch = $6 AND kind IN ('charge', 'void')`,
		e.ID.Agent, e.ID.Epoch, e.ID.Agent, e.ID.Epoch, m.Number, m.Number).Scan(&charges, &voids, &fen)
	if err != nil {
		return err
	}
	err = t.Exec(`INSERT INTO batches (agent, epoch, number, gate, merchant, closed_at, flow_to, charges, voids, total_fen,
			server_charges, server_voids, server_fen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (agent, epoch, number) DO UPDATE SET closed_at = excluded.closed_at, flow_to = excluded.flow_to,
			charges = excluded.charges, voids = excluded.voids, total_fen = excluded.total_fen,
			server_charges = excluded.server_charges, server_voids = excluded.server_voids, server_fen = excluded.server_fen`,
		e.ID.Agent, e.ID.Epoch, m.Number, e.Gate, till.Merchant, e.At, int64(m.Flow), m.Charges, m.Voids, m.TotalFen, charges, voids, fen)
	if err != nil || charges == m.Charges && voids == m.Voids && fen == m.TotalFen {
		return err
	}
	return b.trouble(t, r, problem{kind: problemBatch, expected: &fen, got: &m.TotalFen})
}

// tally counts what a batch has done, for metrics.
type tally struct{ posted, voids, late, duplicates, debts, afterLoss, quarantined uint64 }

func (n *tally) add(r *row) {
	if r.transfer == "" {
		return
	}
	n.posted++
	for mark, of := range map[*uint64]bool{&n.late: r.late, &n.debts: r.paid.debt > 0, &n.afterLoss: r.afterLoss} {
		if of {
			*mark++
		}
	}
}
