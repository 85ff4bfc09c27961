package charges

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// record is an uploaded event that tells of money.
type record struct {
	position int64
	received int64
	agent    uint32
	epoch    uint32
	seq      uint64
	gate     uint16
	event    wire.Event
	account  uint64         // 0 = none was read
	proof    *verdict.Proof // nil = none was shown
	fault    error          // why it cannot be read as money
}

// id is the event's id, also of one that cannot be read.
func (r *record) id() string {
	if r.event.ID != (wire.EventID{}) {
		return r.event.ID.String()
	}
	return wire.EventID{Agent: r.agent, Epoch: r.epoch, Seq: r.seq}.String()
}

// accepted reports whether money moved at the till.
func (r *record) accepted() bool { return r.event.Verdict.Reason == verdict.Granted }

// follow gives the next events of money, in order of arrival.
func follow(ctx context.Context, src store.Source, after int64, limit int) ([]*record, error) {
	return records(ctx, src, "position > $1 ORDER BY position LIMIT 0+$2", after, limit)
}

// records gives the events of money that a condition chooses.
func records(ctx context.Context, src store.Source, which string, args ...any) ([]*record, error) {
	return store.List(ctx, src, func(rows *sql.Rows) (*record, error) {
		r := &record{}
		var seq int64
		var body []byte
		err := rows.Scan(&r.position, &r.received, &r.agent, &r.epoch, &seq, &r.gate, &body)
		r.seq = uint64(seq)
		if err == nil {
			r.read(body)
		}
		return r, err
	}, `SELECT position, received_at, agent, epoch, seq, gate, body FROM events
		WHERE type IN ('charge', 'void', 'batch') AND `+which, args...)
}

func (r *record) read(body []byte) {
	if r.fault = json.Unmarshal(body, &r.event); r.fault != nil {
		r.event = wire.Event{}
		return
	}
	if c := r.event.Case; c != nil {
		r.proof = c.Code.Proof
		if c.Code.Pay != nil {
			r.account = c.Code.Pay.Account
		}
	}
	r.fault = r.check()
}

// check refuses what no till of ours writes: there is nothing that could be done
// about it but to have a person look.
func (r *record) check() error {
	e := &r.event
	switch e.Type {
	case wire.EventBatch:
		if b := e.Batch; b == nil || b.Number == 0 || b.Move != wire.BatchOpens && b.Move != wire.BatchCloses {
			return errors.New("a batch without its number or move")
		}
		return nil
	case wire.EventVoid:
		if e.Annuls == nil {
			if e.Claim == "" || e.Charge != nil {
				return errors.New("a void of nothing")
			}
			return nil
		}
		return checkCharge(e.Charge)
	default:
		if !r.accepted() && e.Charge == nil {
			return nil
		}
		if err := checkCharge(e.Charge); err != nil {
			return err
		}
		if r.accepted() && (r.account == 0 || r.account > maxAccount) {
			return fmt.Errorf("account %d", r.account)
		}
		return nil
	}
}

func checkCharge(c *wire.Charge) error {
	if c == nil {
		return errors.New("no charge")
	}
	if c.AmountFen <= 0 || c.AmountFen > maxFen {
		return fmt.Errorf("%d fen", c.AmountFen)
	}
	if _, err := time.Parse(time.DateOnly, c.Day); err != nil {
		return fmt.Errorf("day %.20q", c.Day)
	}
	if len(c.Period) > 64 || len(c.Config) > 64 || len(c.Entry) > 64 || len(c.Items) > 100 {
		return errors.New("more words than a till has")
	}
	for i := range c.Items {
		if len(c.Items[i].Name) > 64 {
			return errors.New("more words than a till has")
		}
	}
	return nil
}
