package charges

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"campusgate/server/canteen"
	"campusgate/server/ledger"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Authorise answers a till's question for money. Granted holds it for 15
// minutes or until the till's own record comes. The answer is committed before
// it is given, and the same claim id gets the same answer for ever. Silent is
// the answer for a gate that is no till, and for a question whose till has
// decided meanwhile. Errors are faults of the database, and store.ErrState for a
// claim that asks nothing or differs from an earlier one of the same id.
func (s *Service) Authorise(ctx context.Context, c wire.Claim) (a wire.Answer, err error) {
	if c.Charge == nil || c.ID == "" || c.Gate == 0 || c.Charge.AmountFen <= 0 || c.Charge.AmountFen > maxFen {
		return a, fmt.Errorf("%w: a charge names itself, a till and an amount", store.ErrState)
	}
	sum, err := question(&c)
	if err != nil {
		return a, fmt.Errorf("authorise: %w", err)
	}
	var refusal error
	err = s.Store.Urgent(ctx, func(t *store.Tx) (err error) {
		refusal = nil
		a, err = s.authorise(t, &c, sum)
		if errors.Is(err, store.ErrState) {
			refusal, err = err, nil // nothing was written: the others may go on
		}
		return err
	})
	if err = errors.Join(err, refusal); err != nil {
		return wire.Answer{}, fmt.Errorf("authorise: %w", err)
	}
	s.counts.answered(a.State)
	return a, nil
}

func (s *Service) authorise(t *store.Tx, c *wire.Claim, sum []byte) (wire.Answer, error) {
	silent := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	if a, found, err := answered(t, c, sum); err != nil || found {
		return a, err
	}
	till, is, err := s.Tills.At(t.Context(), t, c.Gate, "")
	if err != nil || !is {
		return silent, err
	}
	said, err := s.judge(t, c, &till)
	if err != nil {
		return silent, err
	}
	if said.Reason == verdict.Granted {
		granted, free, err := s.Ledger.Hold(t, ledger.Hold{
			ID: c.ID, Card: c.Charge.Account, Fen: c.Charge.AmountFen, Expires: t.Now() + holdFor.Milliseconds(),
		})
		if err != nil {
			return silent, err
		}
		if said.BalanceFen = &free; !granted {
			said.Reason = verdict.InsufficientBalance
		}
	}
	text, err := json.Marshal(&said)
	if err != nil {
		return silent, err
	}
	q := c.Charge
	err = t.Exec(`INSERT INTO charge_claims (id, sum, gate, account, phone, ctr, amount_fen, day, period, decided_at, answer)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		c.ID, sum, c.Gate, int64(q.Account), q.Phone[:], int64(q.Counter), q.AmountFen, q.Day, q.Period, t.Now(), string(text))
	return answer(c.ID, &said), err
}

// question is what tells one claim from another under the same id.
func question(c *wire.Claim) ([]byte, error) {
	text, err := json.Marshal(struct {
		Pass signing.PassID
		Gate uint16
		Ask  *wire.ChargeAsk
	}{c.Pass, c.Gate, c.Charge})
	sum := sha256.Sum256(text)
	return sum[:], err
}

// answered looks for what was said to the same claim before.
func answered(t *store.Tx, c *wire.Claim, sum []byte) (wire.Answer, bool, error) {
	var before []byte
	var text string
	silent := wire.Answer{ID: c.ID, State: verdict.ClaimSilent}
	err := t.QueryRowContext(t.Context(), "SELECT sum, answer FROM charge_claims WHERE id = $1", c.ID).Scan(&before, &text)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return silent, false, nil
	case err != nil:
		return silent, false, err
	case text == "": // the till did without the answer before the question came
		return silent, true, nil
	case string(before) != string(sum):
		return silent, true, fmt.Errorf("%w: claim %s asked for something else before", store.ErrState, c.ID)
	}
	var said wire.ChargeAnswer
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		return silent, true, fmt.Errorf("answer to claim %s: %w", c.ID, err)
	}
	return answer(c.ID, &said), true, nil
}

func answer(id string, said *wire.ChargeAnswer) wire.Answer {
	a := wire.Answer{ID: id, State: verdict.ClaimRefused, Charge: said}
	if said.Reason == verdict.Granted {
		a.State = verdict.ClaimGranted
	}
	return a
}

// judge goes through the reasons in the order in which a till does.
func (s *Service) judge(t *store.Tx, c *wire.Claim, till *canteen.Till) (a wire.ChargeAnswer, err error) {
	q := c.Charge
	card, found, err := s.Cards.Card(t.Context(), t, q.Account)
	if err != nil {
		return a, err
	}
	if !found || card.Epoch != q.Epoch || card.State == wire.CardClosed {
		a.Reason = verdict.Revoked
		return a, nil
	}
	used, err := shown(t, q)
	if err != nil {
		return a, err
	}
	spent, err := spentOn(t, q, &card)
	if err != nil {
		return a, err
	}
	overMeal := q.Period != "" && over(spent.meal, q.AmountFen, card.PerMealFen)
	switch {
	case t.Now() >= c.Expires*1000:
		a.Reason = verdict.Expired
	case used:
		a.Reason = verdict.Replayed
	case card.State == wire.CardLost:
		a.Reason = verdict.CardLost
	case card.State == wire.CardFrozen:
		a.Reason = verdict.CardFrozen
	case over(0, q.AmountFen, card.PerTxFen), over(0, q.AmountFen, till.Rules.PerTxFen):
		a.Reason = verdict.LimitSingle
	case over(spent.day, q.AmountFen, card.PerDayFen) || overMeal:
		a.Reason = verdict.LimitDay
		if overMeal {
			a.Rule = verdict.RuleMeal
		}
	case over(0, q.AmountFen, till.Rules.PinAboveFen) && signing.Context(q.Context) != signing.ContextPIN:
		a.Reason = verdict.PinRequired
	}
	if a.Reason != 0 {
		return a, nil
	}
	a.Holder, a.Reason = card.Holder, verdict.Granted
	if till.Open {
		return a, nil // the hold says whether there is enough
	}
	balance, err := s.Ledger.Balance(t.Context(), t, q.Account)
	free := balance.Free()
	if a.Reason = verdict.TerminalClosed; free < q.AmountFen {
		a.Reason, a.BalanceFen = verdict.InsufficientBalance, &free
	}
	return a, err
}

func over(spent, fen, limit int64) bool { return limit > 0 && spent+fen > limit }

// openClaims are the questions of an account for which money is held still: a few
// at most, whatever was asked before.
const openClaims = `FROM holds h CROSS JOIN charge_claims c ON c.id = h.id
	WHERE h.card = ? AND h.ended_at IS NULL AND h.expires_at > ?`

// shown reports whether the proof was charged for already, or is held for.
func shown(t *store.Tx, q *wire.ChargeAsk) (yes bool, err error) {
	err = t.QueryRowContext(t.Context(), `SELECT EXISTS (SELECT 1 FROM charges WHERE phone = ? AND ctr = ? AND kind = 'charge')
		OR EXISTS (SELECT 1 `+openClaims+` AND c.phone = ? AND c.ctr = ?)`,
		q.Phone[:], int64(q.Counter), int64(q.Account), t.Now(), q.Phone[:], int64(q.Counter)).Scan(&yes)
	return yes, err
}

// spending is what an account has spent, at all tills, with what is held.
type spending struct{ day, meal int64 }

// spentOn adds up what the limits of the card need.
func spentOn(t *store.Tx, q *wire.ChargeAsk, card *Card) (s spending, err error) {
	if card.PerDayFen > 0 {
		err = t.QueryRowContext(t.Context(), spentSum(""), int64(q.Account), q.Day, int64(q.Account), t.Now(), q.Day).Scan(&s.day)
	}
	if err == nil && card.PerMealFen > 0 && q.Period != "" {
		err = t.QueryRowContext(t.Context(), spentSum(" AND period = ?"),
			int64(q.Account), q.Day, q.Period, int64(q.Account), t.Now(), q.Day, q.Period).Scan(&s.meal)
	}
	return s, err
}

func spentSum(also string) string {
	return `SELECT coalesce((SELECT sum(main_fen + subsidy_fen + debt_fen) FROM charges
			WHERE account = ? AND day = ? AND kind = 'charge' AND voided_by IS NULL` + also + `), 0)
		+ coalesce((SELECT sum(h.fen) ` + openClaims + ` AND c.day = ?` + also + `), 0)`
}
