package verify

import (
	"context"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Admit turns a look into an admission, with the documents that the guard has
// seen; or into a refusal, which is a result too. What was decided durably stays
// decided: the same ticket again gives the same answer. ErrTicket.
func (s *Service) Admit(ctx context.Context, g Guard, name string, documents []string) (Result, error) {
	s.mu.Lock()
	t := s.tickets[name]
	s.mu.Unlock()
	if t == nil || t.guard != g || s.over(t) {
		return Result{}, ErrTicket
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.settled {
		return t.result, nil
	}
	k, r := t.facts, t.result
	if k.Document.Required {
		guide, err := s.Guideline(ctx)
		if err != nil {
			return Result{}, err
		}
		k.Document = guide.Beside(k.Code.Kind, documents)
	}
	// What came to light since the look counts; the moment is that of the look.
	if _, err := s.known(ctx, &k); err != nil {
		return Result{}, err
	}
	if err := s.judge(ctx, &k, &r); err != nil {
		return Result{}, err
	}
	claim, err := s.ask(ctx, t, &k, &r)
	if err != nil {
		return Result{}, err
	}
	// From here on one at a time: whom another phone lets in meanwhile is inside,
	// takes room, and has shown that live code.
	s.admitting.Lock()
	defer s.admitting.Unlock()
	if r.Verdict.Opens() {
		s.counted(&k)
		if err := s.judge(ctx, &k, &r); err != nil {
			return Result{}, err
		}
	}
	if r.Verdict.Reason == verdict.NeedsInput {
		r.Ticket = name // documents are still missing: nothing has happened
		return r, nil
	}
	if r.Event, err = s.record(ctx, g, &k, &r, claim, name); err != nil {
		return Result{}, err
	}
	silent := r.Verdict.Reason == verdict.OfflineNotAllowed
	if silent || k.Claim.State == verdict.ClaimGranted && !r.Verdict.Opens() {
		// The decider granted, or may have, what was refused here.
		if err := s.giveBack(ctx, t, claim); err != nil {
			return Result{}, err
		}
	}
	if silent { // the guard may try again, which is another question
		r.Ticket = name
		return r, nil
	}
	if p := k.Code.Proof; p != nil && r.Verdict.Opens() {
		s.mu.Lock()
		s.counters[p.Phone] = max(s.counters[p.Phone], p.Counter)
		s.mu.Unlock()
	}
	r.Ticket = ""
	t.settled, t.result = true, r
	return r, nil
}

// judge judges by the policy of this moment.
func (s *Service) judge(ctx context.Context, k *verdict.Case, r *Result) error {
	if err := s.govern(ctx, r.Gate, k); err != nil {
		return err
	}
	r.Verdict = verdict.Judge(k)
	return nil
}

// giveBack frees what may have been granted, and gives the ticket a new claim.
func (s *Service) giveBack(ctx context.Context, t *ticket, claim string) error {
	annul := wire.Event{
		Type: wire.EventAnnul, At: s.Now().UnixMilli(), Gate: t.guard.Gate, Pass: t.facts.Code.ID, Claim: claim,
		Verdict: verdict.Verdict{Reason: verdict.Annulled}, Guard: t.guard.Person,
	}
	if _, err := s.Store.RecordOwn(ctx, annul); err != nil {
		return err
	}
	return s.newClaim(t)
}

// Tick gives back the claims that were asked and never settled, as when the
// server stopped in between.
func (s *Service) Tick(ctx context.Context) error {
	return s.Store.GiveBack(ctx, s.Now().Add(-ticketLife).UnixMilli())
}

// ask puts a counted pass to its decider and judges again with the answer. The
// claim is durable before it leaves. Should the rest fail, the same ticket asks
// the same question again and gets the same answer.
func (s *Service) ask(ctx context.Context, t *ticket, k *verdict.Case, r *Result) (claim string, err error) {
	needed := r.Verdict.Need == verdict.NeedClaim
	if !needed && (!r.Verdict.Admits(verdict.Entry) || k.Code.Uses == 0) {
		return "", nil
	}
	c := wire.Claim{
		ID: t.claim, Pass: k.Code.ID, Gate: t.guard.Gate, Owner: k.Decider(), Uses: k.Code.Uses,
		Issued: k.Code.IssuedAt, Expires: k.Code.Expires, At: k.At,
	}
	if c.Owner != 0 && c.Uses == 1 {
		// Of the gates with first_seen none decides alone; the server grants while
		// it is sure of all of them.
		g, err := s.Store.Gate(ctx, c.Owner)
		if err == nil && g.Mode == verdict.FirstSeen {
			c.Owner = 0
		}
	}
	if err := s.Store.OpenClaim(ctx, c); err != nil {
		return "", err
	}
	var a wire.Answer
	if c.Owner == 0 {
		if a, err = s.Decide(ctx, c); err != nil {
			return "", err
		}
	} else {
		a = s.Ask(ctx, c)
	}
	k.Claim = verdict.Claim{State: a.State, First: a.First}
	r.Verdict = verdict.Judge(k)
	return c.ID, nil
}

// record keeps what was decided as an event.
func (s *Service) record(ctx context.Context, g Guard, k *verdict.Case, r *Result, claim, look string) (wire.EventID, error) {
	e := wire.Event{
		Type: wire.EventScan, Scan: look, At: k.At, Gate: g.Gate, Lane: "phone", Source: "phone", Pass: k.Code.ID,
		Verdict: r.Verdict, Case: k, Claim: claim, Guard: g.Person, Documents: k.Document.Shown,
	}
	return s.Store.RecordOwn(ctx, e)
}
