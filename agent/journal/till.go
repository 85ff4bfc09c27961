package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/agent/desk"
	"campusgate/agent/snapshot"
	"campusgate/agent/till"
	"campusgate/signing/wire"
)

// Till is the journal of a till.
type Till struct{ *Journal }

var (
	_ till.Store  = Till{}
	_ till.Ledger = Till{}
	_ till.Book   = tillTx{}
)

// Update runs do in one durable transaction, as Journal.Update does.
func (j Till) Update(do func(till.Book) error) error {
	return j.update(func(t *tx) error { return do(tillTx{t}) })
}

const tillQuery = `SELECT s.revision, s.fresh,
	coalesce((SELECT 1 - r.gone FROM revocations r
		WHERE r.pass = $1 AND r.gen BETWEEN s.base AND s.current ORDER BY r.gen DESC LIMIT 1), 0),
	f.phone, coalesce(f.expires, 0),
	coalesce(a.state, ''), coalesce(a.epoch, 0), coalesce(a.at, 0),
	k.counter IS NOT NULL, coalesce(k.counter, 0),
	coalesce(c.number, 0), coalesce(c.state, 0), coalesce(c.at, 0), c.charge,
	coalesce(l.seq, 0), coalesce(l.at, 0), l.phone, coalesce(l.counter, 0),
	coalesce((SELECT flow FROM batches ORDER BY number DESC LIMIT 1), 0) -
		coalesce((SELECT flow FROM charges WHERE seq <= p.acked ORDER BY seq DESC LIMIT 1), 0)
FROM snapshot s
JOIN progress p ON p.id = 1
LEFT JOIN phones f ON f.pass = $1 AND f.gone = 0 AND f.gen = (SELECT max(x.gen) FROM phones x
	WHERE x.pass = $1 AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN cards a ON a.account = $3 AND a.gone = 0 AND a.gen = (SELECT max(x.gen) FROM cards x
	WHERE x.account = $3 AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN counters k ON k.pass = $1 AND k.phone = $2
LEFT JOIN claims c ON c.pass = $1
LEFT JOIN charges l ON l.seq = (SELECT max(x.seq) FROM charges x WHERE x.account = $3 AND x.stands = 1)
WHERE s.id = 1`

const spentQuery = `SELECT
	coalesce(sum(fen) FILTER (WHERE day = $2), 0),
	coalesce(sum(fen) FILTER (WHERE day = $2 AND period = $3), 0),
	count(*) FILTER (WHERE day = $2 AND period = $3),
	coalesce(sum(fen) FILTER (WHERE offline = 1 AND (day = $2 OR seq > p.acked)), 0),
	count(*) FILTER (WHERE offline = 1 AND seq > p.acked)
FROM charges, progress p WHERE account = $1 AND stands = 1 AND p.id = 1`

// tillTx is a till.Book: a tx with another Standing.
type tillTx struct{ *tx }

func (t tillTx) Standing(q till.Query) (s till.Standing, err error) {
	var (
		account                        = snapshot.AccountKey(q.Account)
		stands, lastPhone, charge      []byte
		hasCounter                     bool
		counter, last, lastCounter     int64
		l                              till.Last
		claimNumber, claimState, asked int64
		backlog                        int64
	)
	ok, err := t.tx.tx.Get(tillQuery, []any{q.Pass[:], q.Phone[:], account[:]},
		&s.Revision, &s.Fresh, &s.Revoked, &stands, &s.Phone.Until, &s.Card.State, &s.Card.Epoch, &s.Card.At,
		&hasCounter, &counter, &claimNumber, &claimState, &asked, &charge,
		&last, &l.At, &lastPhone, &lastCounter, &backlog)
	if err != nil {
		return s, fmt.Errorf("standing: %w", err)
	}
	if !ok {
		return s, fmt.Errorf("standing: %w", ErrNotEnrolled)
	}
	copy(s.Phone.ID[:], stands)
	s.Backlog = uint64(max(backlog, 0))
	if hasCounter {
		s.Counter = new(uint64(counter))
	}
	if last != 0 {
		l.Event, l.Counter = t.eventID(last), uint64(lastCounter)
		copy(l.Phone[:], lastPhone)
		s.Last = &l
	}
	if claimState != 0 {
		s.Asked = &desk.Question{ID: t.claimID(claimNumber), Pass: q.Pass, At: asked, State: desk.ClaimState(claimState)}
	}
	if charge != nil {
		s.Asked.Charge = new(wire.ChargeAsk)
		if err := json.Unmarshal(charge, s.Asked.Charge); err != nil {
			return s, fmt.Errorf("question about money: %w", err)
		}
	}
	_, err = t.tx.tx.Get(spentQuery, []any{account[:], q.Day, q.Period},
		&s.Spent.DayFen, &s.Spent.MealFen, &s.Spent.MealTx, &s.Spent.OfflineFen, &s.Spent.OfflineTx)
	return s, err
}

func (t *tx) eventID(seq int64) wire.EventID {
	return wire.EventID{Agent: t.id.Agent, Epoch: t.id.Epoch, Seq: uint64(seq)}
}

const batchColumns = `SELECT number, closed_at IS NULL, opened_at, opened_by, coalesce(closed_at, 0), closed_by, charges, voids, total_fen,
	flow, sum_fen FROM batches ORDER BY number DESC LIMIT `

func fields(b *till.Batch) []any {
	return []any{
		&b.Number, &b.Open, &b.OpenedAt, &b.OpenedBy, &b.ClosedAt, &b.ClosedBy, &b.Charges, &b.Voids, &b.TotalFen, &b.Flow, &b.SumFen,
	}
}

func (t tillTx) Batch() (b till.Batch, err error) {
	_, err = t.tx.tx.Get(batchColumns+"1", nil, fields(&b)...)
	return b, err
}

func (t tillTx) SetBatch(b till.Batch) error {
	var closed any
	if !b.Open {
		closed = b.ClosedAt
	}
	return t.tx.tx.Exec(`INSERT INTO batches (number, opened_at, opened_by, closed_at, closed_by, charges, voids, total_fen, flow, sum_fen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (number) DO UPDATE SET closed_at = excluded.closed_at, closed_by = excluded.closed_by,
			charges = excluded.charges, voids = excluded.voids, total_fen = excluded.total_fen,
			flow = excluded.flow, sum_fen = excluded.sum_fen`,
		int64(b.Number), b.OpenedAt, b.OpenedBy, closed, b.ClosedBy, b.Charges, b.Voids, b.TotalFen, int64(b.Flow), b.SumFen)
}

func (t tillTx) Take(e *wire.Event) error {
	k, c := &e.Case.Code, e.Charge
	account := snapshot.AccountKey(k.Pay.Account)
	err := t.tx.tx.Exec(`INSERT INTO charges (seq, account, pass, phone, counter, at, day, period, batch, fen, offline, stands, flow, sum_fen)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $13)`,
		int64(e.ID.Seq), account[:], e.Pass[:], k.Proof.Phone[:], int64(k.Proof.Counter), e.At, c.Day, c.Period, int64(c.Batch),
		c.AmountFen, e.Offline, int64(c.Flow), c.SumFen)
	if err != nil {
		return err
	}
	return t.Counter(e.Pass, k.Proof.Phone, k.Proof.Counter, e.At)
}

func (t tillTx) Charge(id wire.EventID) (p desk.Past, ok bool, err error) {
	if id != t.eventID(int64(id.Seq)) {
		return p, false, nil
	}
	err = t.tx.tx.Each(`SELECT e.body, e.annulled IS NOT NULL FROM charges c JOIN events e ON e.seq = c.seq
		WHERE c.seq = $1 AND c.fen > 0`, []any{int64(id.Seq)}, func(scan func(...any) error) error {
		ok = true
		p, err = past(scan)
		return err
	})
	return p, ok, err
}

func (t tillTx) ChargeOf(scan string) (p desk.Past, ok bool, err error) {
	err = t.tx.tx.Each(`SELECT e.body, e.annulled IS NOT NULL FROM (SELECT seq FROM charges WHERE fen > 0 ORDER BY seq DESC LIMIT 500) c
		JOIN events e ON e.seq = c.seq WHERE e.scan = $1`, []any{scan}, func(scan func(...any) error) error {
		ok = true
		p, err = past(scan)
		return err
	})
	return p, ok, err
}

func (t tillTx) Void(e *wire.Event) error {
	charged := int64(e.Annuls.Seq)
	err := t.tx.tx.Exec("UPDATE events SET annulled = $1 WHERE seq = $2", int64(e.ID.Seq), charged)
	if err == nil {
		err = t.tx.tx.Exec("UPDATE charges SET stands = 0 WHERE seq = $1", charged)
	}
	if err != nil {
		return err
	}
	return t.tx.tx.Exec(`INSERT INTO charges (seq, account, pass, phone, counter, at, day, period, batch, fen, offline, stands, flow, sum_fen)
		SELECT $1, account, pass, phone, counter, $2, day, period, batch, -fen, offline, 0, $3, $4 FROM charges WHERE seq = $5`,
		int64(e.ID.Seq), e.At, int64(e.Charge.Flow), e.Charge.SumFen, charged)
}

// Charges gives the accepted charges of the last batch, newest first.
func (j Till) Charges(ctx context.Context, limit int) (list []desk.Past, err error) {
	err = j.each(ctx, func(scan func(...any) error) error {
		p, err := past(scan)
		list = append(list, p)
		return err
	}, `SELECT e.body, e.annulled IS NOT NULL FROM charges c JOIN events e ON e.seq = c.seq
		WHERE c.batch = (SELECT max(number) FROM batches) AND c.fen > 0 ORDER BY c.seq DESC LIMIT $1`, limit)
	return list, err
}

// Batches gives the latest batches, newest first.
func (j Till) Batches(ctx context.Context, limit int) (list []till.Batch, err error) {
	err = j.each(ctx, func(scan func(...any) error) error {
		var b till.Batch
		err := scan(fields(&b)...)
		list = append(list, b)
		return err
	}, batchColumns+"$1", limit)
	return list, err
}

// Backlog is what was accepted and the server does not hold. Flow and sum of
// its two ends say so, however many there are.
func (j Till) Backlog(ctx context.Context) (b till.Backlog, err error) {
	var records int64
	err = j.each(ctx, func(scan func(...any) error) error { return scan(&records, &b.Fen, &b.OldestAt) },
		`SELECT coalesce(n.flow, 0) - coalesce(o.flow, 0), coalesce(n.sum_fen, 0) - coalesce(o.sum_fen, 0),
			coalesce((SELECT at FROM charges WHERE seq > p.acked ORDER BY seq LIMIT 1), 0)
		FROM progress p
		LEFT JOIN charges n ON n.seq = (SELECT max(seq) FROM charges)
		LEFT JOIN charges o ON o.seq = (SELECT max(seq) FROM charges WHERE seq <= p.acked)
		WHERE p.id = 1`)
	b.Records = uint64(max(records, 0))
	return b, err
}

// each visits the rows of a query outside the writer's transaction.
func (j Till) each(ctx context.Context, visit func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := j.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for rows.Next() {
		if err = visit(rows.Scan); err != nil {
			break
		}
	}
	if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
