package apply

import (
	"errors"
	"fmt"

	"campusgate/server/approval"
	"campusgate/server/notify"
	"campusgate/server/store"
	"campusgate/signing"
)

// plan is what the effects of a step come to, worked out before anything is
// written: a refusal must leave nothing behind.
type plan struct {
	passes  []*wanted         // to issue
	reserve *wanted           // days to take: the matter was submitted for a resident's pass
	drafts  []*record         // to open
	effects []approval.Effect // the rest
	old     approval.State    // before the step
	next    approval.Instance // after it
	notices []approval.Notice // to send
	flow    *approval.Flow    // of the matter
	scene   *scene            // its facts
	actor   Actor             // who did it
	person  approval.Person   // who did it
}

// plan looks at every effect of a step.
func (s *Service) plan(t *store.Tx, who Actor, person approval.Person, flow *approval.Flow, old approval.State, c approval.Change, w *scene) (*plan, *approval.Refusal, error) {
	p := &plan{old: old, next: c.Instance, notices: c.Notices, flow: flow, scene: w, actor: who, person: person}
	for _, e := range c.Effects {
		switch e.Do {
		case effectIssue:
			kind := passType(e)
			want, refusal, err := s.fitting(t, kind, &c.Instance, w)
			if err != nil || refusal != nil {
				return nil, refusal, err
			}
			if want != nil {
				p.passes = append(p.passes, want)
			}
		case effectStart:
			draft, err := s.draft(t, person, e, &c.Instance)
			if err != nil {
				return nil, nil, err
			}
			if draft != nil {
				p.drafts = append(p.drafts, draft)
			}
		default:
			p.effects = append(p.effects, e)
		}
	}
	// A submit that could never come to its pass is refused at once, not when
	// somebody has agreed to it.
	kind := issues(flow)
	if kind == "" || old == approval.Running || c.Instance.State != approval.Running && c.Instance.State != approval.Completed {
		return p, nil, nil
	}
	want, refusal, err := s.fitting(t, kind, &c.Instance, w)
	if err != nil || refusal != nil {
		return nil, refusal, err
	}
	if want != nil && want.household != 0 {
		p.reserve = want
	}
	return p, nil, nil
}

// fitting gives the pass of a type for a matter, if it can be signed.
func (s *Service) fitting(t *store.Tx, kind string, in *approval.Instance, w *scene) (*wanted, *approval.Refusal, error) {
	want, refusal, err := s.terms(t.Context(), t, kind, in, w)
	if want == nil || err != nil {
		return nil, refusal, err
	}
	if err := s.Issue.CheckIn(t, want.Request); err != nil {
		refusal, err = unfit(err, kind)
		return nil, refusal, err
	}
	return want, nil, nil
}

// carryOut does what was planned, in the change that keeps the matter.
func (s *Service) carryOut(t *store.Tx, p *plan) error {
	in := &p.next
	if p.reserve != nil {
		want, _ := residentSpan(in.Form)
		if err := reserve(t, p.reserve.household, in.ID, want); err != nil {
			return err
		}
	}
	for _, want := range p.passes {
		if err := s.issue(t, p, want); err != nil {
			return err
		}
	}
	if p.old == approval.Running && in.State != approval.Running {
		if err := release(t, in.ID); err != nil { // of what got no pass
			return err
		}
	}
	for _, e := range p.effects {
		if err := s.effect(t, p, e); err != nil {
			return fmt.Errorf("effect %s: %w", e.Do, err)
		}
	}
	for _, d := range p.drafts {
		if err := s.insert(t, d, nil); err != nil {
			return err
		}
	}
	return s.post(t, in, p.notices)
}

func (s *Service) issue(t *store.Tx, p *plan, want *wanted) error {
	made, err := s.Issue.IssueIn(t, p.actor.Name, want.Request)
	if err != nil {
		return err
	}
	var household any
	if want.household != 0 {
		household = want.household
		if err := settle(t, p.next.ID, made.ID); err != nil {
			return err
		}
	}
	return t.Exec("INSERT INTO application_passes (pass, application, person, household) VALUES ($1, $2, $3, $4)",
		made.ID[:], p.next.ID, p.next.Starter.ID, household)
}

func (s *Service) effect(t *store.Tx, p *plan, e approval.Effect) error {
	switch e.Do {
	case effectRevoke:
		passes, err := passesOf(t.Context(), t, p.next.ID)
		if err != nil {
			return err
		}
		for _, id := range passes {
			if err := s.RevokeIn(t, p.actor.Name, id, string(p.next.State)); err != nil {
				return err
			}
		}
		return nil
	case effectPublish:
		return s.publish(t, p, e)
	case effectFile:
		return t.Exec(`INSERT INTO archive (application, title, serial, filed_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (application) DO NOTHING`, p.next.ID, p.next.Title, p.next.Serial, t.Now())
	}
	return errors.New("nobody knows how")
}

// RevokeIn takes a pass back as a part of a larger change and gives its days
// after today back to the household. store.ErrNotFound.
func (s *Service) RevokeIn(t *store.Tx, actor string, id signing.PassID, reason string) error {
	if err := t.RevokePass(actor, id, reason); err != nil {
		return err
	}
	return releaseAfter(t, id, s.day(t.Now()))
}

// draft opens an application of another flow for whoever did the step. A flow
// that is not offered is not started.
func (s *Service) draft(t *store.Tx, person approval.Person, e approval.Effect, from *approval.Instance) (*record, error) {
	id, _ := e.With["flow"].(string)
	flow, err := s.flows.newest(id)
	if errors.Is(err, store.ErrNotFound) {
		s.Log.Error("a flow to be started is not there", "flow", id, "by", from.Flow)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	name, err := s.newID()
	if err != nil {
		return nil, err
	}
	w, err := s.scene(t.Context(), t, s.campus(t.Now()), flow, &approval.Instance{Starter: person}, nil)
	if err != nil {
		return nil, err
	}
	in, err := flow.Open(name, person, w.World)
	return &record{Instance: in, origin: from.ID}, err
}

// publish puts the text of a matter where everybody, or everybody of some
// units, can read it. Those units' people are told.
func (s *Service) publish(t *store.Tx, p *plan, e approval.Effect) error {
	in := &p.next
	var bulletin int64
	err := t.QueryRowContext(t.Context(), `INSERT INTO bulletins (application, title, body, published_at)
		VALUES ($1, $2, $3, $4) RETURNING id`, in.ID, in.Title, word(in.Form, "body"), t.Now()).Scan(&bulletin)
	if err != nil {
		return err
	}
	if e.With["to"] == "all" {
		return t.Exec("INSERT INTO bulletin_units (bulletin, unit) VALUES ($1, '')", bulletin)
	}
	var people []string
	for _, v := range items(e.With["to"]) {
		unit, _ := v.(string)
		if err := t.Exec("INSERT INTO bulletin_units (bulletin, unit) VALUES ($1, $2) ON CONFLICT DO NOTHING", bulletin, unit); err != nil {
			return err
		}
		members, err := p.scene.People.Members(unit)
		if err != nil {
			return err
		}
		for _, m := range members {
			people = append(people, m.ID)
		}
	}
	return s.post(t, in, []approval.Notice{{Event: "notice", To: people, Text: in.Title}})
}

// post hands the notices of a step to whoever brings them.
func (s *Service) post(t *store.Tx, in *approval.Instance, notices []approval.Notice) error {
	if s.Notify == nil {
		return nil
	}
	var messages []notify.Message
	for _, n := range notices {
		for _, person := range n.To {
			messages = append(messages, notify.Message{
				Person: person, Kind: messageKind(n.Event), Text: n.Text, Link: "/applications/" + in.ID, At: t.Now(), Subject: in.Title,
			})
		}
	}
	if len(messages) == 0 {
		return nil
	}
	return s.Notify.Post(t, messages)
}

// messageKind is the kind of the message that tells of an event.
func messageKind(event string) string {
	if event == "reminded" {
		return "remind"
	}
	return event
}
