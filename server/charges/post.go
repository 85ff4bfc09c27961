package charges

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strings"

	"campusgate/server/canteen"
	"campusgate/server/cards"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing/wire"
)

// note is what a transfer tells people and exports beside its entries.
type note struct {
	Event    string            `json:"event"`
	Till     string            `json:"till"`
	Merchant string            `json:"merchant"`
	Period   string            `json:"period,omitempty"`
	Entry    wire.EntryMode    `json:"entry,omitempty"`
	Items    []wire.ChargeItem `json:"items,omitempty"`
	Flags    []string          `json:"flags,omitempty"`
}

func (r *row) transferOf(id string, kind ledger.Kind, till *canteen.Till, entries []ledger.Entry) (ledger.Transfer, error) {
	c := r.event.Charge
	data, err := json.Marshal(&note{
		Event: r.id(), Till: till.Name, Merchant: till.MerchantName, Period: c.Period, Entry: c.Entry, Items: c.Items, Flags: r.flags(),
	})
	tr := ledger.Transfer{
		ID: id, Kind: kind, At: r.event.At, Day: c.Day, Entries: entries, Place: till.MerchantName + " " + till.Name, Data: data,
	}
	if touchesCard(entries) {
		tr.Card = r.account
	}
	return tr, err
}

func (r *row) flags() []string {
	c := Charge{
		Kind: r.kind, DebtFen: r.paid.debt, VoidedBy: r.voidedBy, Offline: r.event.Offline, Late: r.late, AfterLoss: r.afterLoss,
		Duplicate: r.duplicate,
	}
	return c.Flags()
}

func touchesCard(entries []ledger.Entry) bool {
	for _, e := range entries {
		if strings.HasPrefix(string(e.Account), "card/") {
			return true
		}
	}
	return false
}

// charge posts an accepted charge. It is never refused: what the card does not
// have becomes debt, and a further charge of a proof is taken from suspense.
func (b *batch) charge(t *store.Tx, rec *record, till *canteen.Till) error {
	r, err := b.newRow(t, rec, kindCharge, till)
	if err != nil {
		return err
	}
	if r.afterLoss, err = b.Cards.WasLost(t.Context(), t, rec.account, rec.event.At); err != nil {
		return err
	}
	before, err := firstOf(t, rec)
	if err != nil {
		return err
	}
	if before != nil {
		if rec.precedes(before) {
			err = b.demote(t, before)
		} else {
			r.duplicate = true
		}
		if err != nil {
			return err
		}
	}
	if err := b.pay(t, r, till, "charge/"+r.id()); err != nil {
		return err
	}
	if err := r.insert(t); err != nil {
		return err
	}
	if r.duplicate {
		if err := dispute(t, r); err != nil {
			return err
		}
		b.tally.duplicates++
	}
	b.tally.add(r)
	return b.voidedBefore(t, rec)
}

// pay takes the amount from who pays it, and gives it to the merchant.
func (b *batch) pay(t *store.Tx, r *row, till *canteen.Till, id string) error {
	fen := r.event.Charge.AmountFen
	entries := []ledger.Entry{{Account: ledger.Suspense, Fen: -fen}}
	if !r.duplicate {
		var err error
		if entries, err = b.Ledger.Spend(t.Context(), t, r.account, fen); err != nil {
			return err
		}
	}
	r.paid = splitOf(r.account, entries)
	return b.move(t, r, till, id, ledger.KindCharge, "", append(entries, ledger.Entry{Account: ledger.Merchant(r.merchant), Fen: fen}))
}

// splitOf reads who paid from what was taken.
func splitOf(account uint64, entries []ledger.Entry) (p split) {
	for _, e := range entries {
		switch e.Account {
		case ledger.Main(account):
			p.main = -e.Fen
		case ledger.Subsidy(account):
			p.subsidy = -e.Fen
		case ledger.Debt(account):
			p.debt = -e.Fen
		case ledger.Suspense:
			p.suspense = -e.Fen
		default: // the merchant
		}
	}
	return p
}

// move posts a transfer of a row and notes it there. What the ledger refuses is
// put before a person, and the row stands without a transfer.
func (b *batch) move(t *store.Tx, r *row, till *canteen.Till, id string, kind ledger.Kind, reverses string, entries []ledger.Entry) error {
	tr, err := r.transferOf(id, kind, till, entries)
	if err != nil {
		return err
	}
	tr.Reverses = reverses
	o, err := b.Ledger.Post(t, tr)
	if err != nil {
		return err
	}
	switch o.State {
	case ledger.Posted, ledger.Repeated:
		r.transfer = id
		return nil
	default:
		r.transfer, r.paid = "", split{}
		return b.trouble(t, r.record, problem{kind: problemLedger, detail: string(o.State) + ": " + o.Why, alarm: true})
	}
}

// firstOf gives the charge that has the first right to the proof, so far; nil =
// none. A charge without a proof shares it with nobody.
func firstOf(t *store.Tx, rec *record) (*row, error) {
	if rec.proof == nil {
		return nil, nil
	}
	return find(t, "c.phone = $1 AND c.ctr = $2 AND c.kind = 'charge' AND c.duplicate = 0", rec.proof.Phone[:], int64(rec.proof.Counter))
}

// precedes is the order of the charges of one proof: by the tills' clocks, and
// where these agree by the ids of the events, which nothing changes.
func (r *record) precedes(o *row) bool {
	a, b := r.event.ID, o.event.ID
	return cmp.Or(cmp.Compare(r.event.At, o.event.At), cmp.Compare(a.Agent, b.Agent), cmp.Compare(a.Epoch, b.Epoch),
		cmp.Compare(a.Seq, b.Seq)) < 0
}

// demote takes a charge off the card, since an earlier one of the same proof
// has come: it is posted anew, from suspense.
func (b *batch) demote(t *store.Tx, r *row) error {
	till, _, err := b.till(t, r.event.Gate, r.event.Charge.Config)
	if err != nil {
		return err
	}
	was, paid := r.transfer, r.paid
	r.duplicate = true
	if r.voidedBy == "" && r.transfer != "" {
		back, err := b.giveBack(t, r)
		if err != nil {
			return err
		}
		err = b.move(t, r, &till, "duplicate/"+r.id(), ledger.KindAdjust, r.transfer, back)
		if err != nil {
			return err
		}
		if r.transfer == "" { // refunded in part: a person has to look
			r.transfer, r.paid = was, paid
		} else if err := b.pay(t, r, &till, "suspense/"+r.id()); err != nil {
			return err
		}
	}
	err = t.Exec(`UPDATE charges SET duplicate = 1, transfer = $1, main_fen = $2, subsidy_fen = $3, debt_fen = $4, suspense_fen = $5
		WHERE position = $6`, nullText(r.transfer), r.paid.main, r.paid.subsidy, r.paid.debt, r.paid.suspense, r.position)
	if err != nil {
		return err
	}
	b.tally.duplicates++
	return dispute(t, r)
}

// giveBack makes the lines that undo a charge: what is owed is paid first, then
// comes back what it took of a subsidy. So a card never has money and debts at
// once, in whatever order its charges and voids came.
func (b *batch) giveBack(t *store.Tx, r *row) ([]ledger.Entry, error) {
	fen := r.event.Charge.AmountFen
	entries := []ledger.Entry{{Account: ledger.Merchant(r.merchant), Fen: -fen}}
	if r.paid.suspense != 0 {
		return append(entries, ledger.Entry{Account: ledger.Suspense, Fen: fen}), nil
	}
	has, err := b.Ledger.Balance(t.Context(), t, r.account)
	if err != nil {
		return nil, err
	}
	debt := min(fen, -has.DebtFen)
	subsidy := min(fen-debt, r.paid.subsidy)
	for _, e := range []ledger.Entry{
		{Account: ledger.Debt(r.account), Fen: debt},
		{Account: ledger.Subsidy(r.account), Fen: subsidy},
		{Account: ledger.Main(r.account), Fen: fen - debt - subsidy},
	} {
		if e.Fen != 0 {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// void takes an accepted charge of the same till back.
func (b *batch) void(t *store.Tx, rec *record, till *canteen.Till) error {
	r, err := b.newRow(t, rec, kindVoid, till)
	if err != nil {
		return err
	}
	r.voids = rec.event.Annuls.String()
	if err := r.insert(t); err != nil {
		return err
	}
	target, err := find(t, "c.event = $1", r.voids)
	switch {
	case err != nil:
		return err
	case rec.event.Annuls.Agent != rec.event.ID.Agent:
		return b.trouble(t, rec, problem{kind: problemVoid, detail: "of another till: " + r.voids, alarm: true})
	case target == nil:
		// Of an earlier journal that has yet to come, or put aside.
		return b.trouble(t, rec, problem{kind: problemVoid, detail: "not here yet: " + r.voids})
	}
	return b.reverse(t, r, target, till)
}

// voidedBefore does what a void said that came before its charge.
func (b *batch) voidedBefore(t *store.Tx, rec *record) error {
	v, err := find(t, "c.voids = $1 AND c.agent = $2 AND c.transfer IS NULL", rec.id(), int64(rec.event.ID.Agent))
	if err != nil || v == nil {
		return err
	}
	target, err := find(t, "c.event = $1", rec.id())
	if err != nil {
		return err
	}
	till, _, err := b.till(t, v.event.Gate, v.event.Charge.Config)
	if err != nil {
		return err
	}
	if err := t.Exec("UPDATE charge_problems SET settled_at = $1, settled_by = 'server' WHERE event = $2 AND kind = $3",
		t.Now(), v.id(), problemVoid); err != nil {
		return err
	}
	return b.reverse(t, v, target, &till)
}

// reverse posts a void against its charge.
func (b *batch) reverse(t *store.Tx, v, target *row, till *canteen.Till) error {
	switch {
	case target.kind != kindCharge || target.transfer == "":
		return b.trouble(t, v.record, problem{kind: problemVoid, detail: "no charge: " + v.voids})
	case target.voidedBy != "":
		return b.trouble(t, v.record, problem{kind: problemVoid, detail: "voided before by " + target.voidedBy})
	}
	if was, said := target.event.Charge.AmountFen, v.event.Charge.AmountFen; was != said {
		if err := b.trouble(t, v.record, problem{kind: problemAmount, expected: &was, got: &said}); err != nil {
			return err
		}
	}
	back, err := b.giveBack(t, target)
	if err != nil {
		return err
	}
	v.account, v.merchant, v.paid = target.account, target.merchant, splitOf(target.account, back)
	id := v.id()
	if err := b.move(t, v, till, "void/"+id, ledger.KindVoid, target.transfer, back); err != nil || v.transfer == "" {
		return err
	}
	// It is settled when its money moves, which may be long after it came.
	if v.settleDay, err = b.settleDay(t.Context(), t, v.event.Charge.Day, till); err != nil {
		return err
	}
	v.late = v.settleDay != v.event.Charge.Day
	err = t.Exec(`UPDATE charges SET transfer = $1, account = $2, merchant = $3, main_fen = $4, subsidy_fen = $5, debt_fen = $6,
		suspense_fen = $7, settle_day = $8, late = $9 WHERE position = $10`, v.transfer, int64(v.account), v.merchant,
		-v.paid.main, -v.paid.subsidy, -v.paid.debt, -v.paid.suspense, v.settleDay, v.late, v.position)
	if err == nil {
		err = t.Exec("UPDATE charges SET voided_by = $1 WHERE position = $2", id, target.position)
	}
	if target.voidedBy = id; err == nil {
		err = settleDispute(t, target)
	}
	b.tally.voids++
	return err
}

// secondUse is the kind of a dispute about a further charge of a proof.
const secondUse = "second_use"

// dispute puts a further charge of a proof before a person, unless it was voided.
func dispute(t *store.Tx, r *row) error {
	if r.transfer == "" {
		return nil // the ledger refused it, and a problem says so
	}
	d, opened, err := cards.OpenDispute(t, "server", cards.Dispute{Account: r.account, Transfer: r.transfer, Kind: secondUse})
	if err != nil || !opened || r.voidedBy == "" {
		return err
	}
	_, err = cards.ResolveDispute(t, "server", d.ID, cards.DisputeDismiss, "voided by "+r.voidedBy)
	return err
}

// settleDispute ends the dispute about a charge that was voided, if there is an
// open one.
func settleDispute(t *store.Tx, r *row) error {
	open, err := store.List(t.Context(), t, func(rows *sql.Rows) (id int64, err error) {
		err = rows.Scan(&id)
		return id, err
	}, "SELECT id FROM disputes WHERE transfer = $1 AND state = 'open'", r.transfer)
	if err != nil || len(open) == 0 {
		return err
	}
	_, err = cards.ResolveDispute(t, "server", open[0], cards.DisputeDismiss, "voided by "+r.voidedBy)
	return err
}

// declined keeps a charge that came to nothing, for statistics.
func (b *batch) declined(t *store.Tx, rec *record, till *canteen.Till) error {
	r, err := b.newRow(t, rec, kindDeclined, till)
	if err != nil {
		return err
	}
	return r.insert(t)
}

// newRow works out when a record is settled.
func (b *batch) newRow(t *store.Tx, rec *record, kind string, till *canteen.Till) (*row, error) {
	r := &row{record: rec, kind: kind, merchant: till.Merchant}
	var err error
	r.settleDay, err = b.settleDay(t.Context(), t, rec.event.Charge.Day, till)
	r.late = r.settleDay != rec.event.Charge.Day
	return r, err
}

// closed reports whether a business day was closed, or one after it: then there
// is no way back to it.
func closed(ctx context.Context, src store.Source, day string) (yes bool, err error) {
	err = src.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM days WHERE day >= $1)", day).Scan(&yes)
	return yes, err
}
