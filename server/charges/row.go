package charges

import (
	"database/sql"
	"encoding/json"
	"errors"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// The kinds of a row of charges.
const (
	kindCharge   = "charge"
	kindVoid     = "void"
	kindDeclined = "declined"
)

// split is who paid a charge: parts of its amount.
type split struct{ main, subsidy, debt, suspense int64 }

// row is a row of charges.
type row struct {
	*record
	kind      string
	merchant  int64
	settleDay string
	transfer  string // "" = no money was moved
	paid      split
	voids     string
	voidedBy  string
	late      bool
	afterLoss bool
	duplicate bool
}

func (r *row) insert(t *store.Tx) error {
	e, c := &r.event, r.event.Charge
	items, err := json.Marshal(c.Items)
	if err != nil {
		return err
	}
	var phone, ctr any
	if r.proof != nil {
		phone, ctr = r.proof.Phone[:], int64(r.proof.Counter)
	}
	return t.Exec(`INSERT INTO charges (position, event, agent, epoch, seq, kind, gate, merchant, account, phone, ctr, at, received_at,
		day, settle_day, period, batch, flow, sum_fen, amount_fen, entry, items, config, offline, reason, claim, cashier, transfer,
		main_fen, subsidy_fen, debt_fen, suspense_fen, voids, late, after_loss, duplicate)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
			$26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36)`,
		r.position, r.id(), e.ID.Agent, e.ID.Epoch, int64(e.ID.Seq), r.kind, e.Gate, r.merchant, int64(r.account), phone, ctr, e.At,
		r.received, c.Day, r.settleDay, c.Period, c.Batch, int64(c.Flow), c.SumFen, c.AmountFen, string(c.Entry), string(items), c.Config,
		e.Offline, int64(e.Verdict.Reason), nullText(e.Claim), e.Guard, nullText(r.transfer),
		r.paid.main, r.paid.subsidy, r.paid.debt, r.paid.suspense, nullText(r.voids), r.late, r.afterLoss, r.duplicate)
}

// find gives the one row that a condition is true of; nil = none, which is mostly
// so: a row, of many columns, is read only where there is one.
func find(t *store.Tx, where string, args ...any) (*row, error) {
	var position int64
	err := t.QueryRowContext(t.Context(), "SELECT c.position FROM charges c WHERE "+where+" ORDER BY c.position LIMIT 1", args...).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readRow(t, position)
}

func readRow(t *store.Tx, position int64) (*row, error) {
	r := &row{record: &record{}}
	e := &r.event
	e.Charge = &wire.Charge{}
	var id, items string
	var account, flow int64
	var phone []byte
	var ctr sql.NullInt64
	err := t.QueryRowContext(t.Context(), `SELECT c.position, c.event, c.kind, c.gate, c.merchant, c.account, c.phone, c.ctr, c.at,
		c.received_at, c.day, c.settle_day, c.period, c.batch, c.flow, c.sum_fen, c.amount_fen, c.entry, c.items, c.config, c.offline,
		coalesce(c.transfer, ''), c.main_fen, c.subsidy_fen, c.debt_fen, c.suspense_fen, coalesce(c.voids, ''), coalesce(c.voided_by, ''),
		c.late, c.after_loss, c.duplicate FROM charges c WHERE c.position = $1`, position).
		Scan(&r.position, &id, &r.kind, &e.Gate, &r.merchant, &account, &phone, &ctr, &e.At, &r.received, &e.Charge.Day, &r.settleDay,
			&e.Charge.Period, &e.Charge.Batch, &flow, &e.Charge.SumFen, &e.Charge.AmountFen, &e.Charge.Entry, &items, &e.Charge.Config,
			&e.Offline, &r.transfer, &r.paid.main, &r.paid.subsidy, &r.paid.debt, &r.paid.suspense, &r.voids, &r.voidedBy,
			&r.late, &r.afterLoss, &r.duplicate)
	if err != nil {
		return nil, err
	}
	r.account, e.Charge.Flow = uint64(account), uint64(flow)
	if phone != nil {
		r.proof = &verdict.Proof{Counter: uint64(ctr.Int64)}
		copy(r.proof.Phone[:], phone)
	}
	return r, errors.Join(json.Unmarshal([]byte(items), &e.Charge.Items), e.ID.UnmarshalText([]byte(id)))
}

func nullText(text string) any {
	if text == "" {
		return nil
	}
	return text
}
