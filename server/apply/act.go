package apply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// ErrKey: the key was used before, for something else.
var ErrKey = errors.New("key was used for another application")

// Discarded is the state of a draft that was thrown away, as Act answers it
// once.
const Discarded approval.State = "discarded"

// Request asks for an application.
type Request struct {
	Flow   string
	Form   map[string]any
	Submit bool     // else a draft
	CC     []string // who gets a copy, with a submit
	Key    string   // of the client: the same key again gives the same application
}

// outcome is how a change ended. What is expected to go wrong is part of it,
// since an error would take the changes of others back as well.
type outcome struct {
	in      approval.Instance
	refusal *approval.Refusal
	err     error
}

// change runs do as a change of the store. do must not have written anything
// when it gives a refusal, store.ErrNotFound or ErrKey.
func (s *Service) change(ctx context.Context, do func(*store.Tx) (approval.Instance, *approval.Refusal, error)) (approval.Instance, *approval.Refusal, error) {
	var o outcome
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		in, refusal, err := do(t)
		o = outcome{in, refusal, err}
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, ErrKey) {
			return nil
		}
		return err
	})
	if err != nil {
		return approval.Instance{}, nil, err
	}
	return o.in, o.refusal, o.err
}

// Create opens an application and, if asked, submits it. store.ErrNotFound
// when there is no such flow or person, ErrKey.
func (s *Service) Create(ctx context.Context, who Actor, n Request) (approval.Instance, *approval.Refusal, error) {
	if _, err := s.flows.newest(n.Flow); err != nil {
		return approval.Instance{}, nil, err
	}
	request, err := n.hash()
	if err != nil {
		return approval.Instance{}, nil, err
	}
	id, err := s.newID()
	if err != nil {
		return approval.Instance{}, nil, err
	}
	starter, err := s.starter(ctx, s.Store.Reader(), who.Person)
	if err != nil {
		return approval.Instance{}, nil, err
	}
	return s.change(ctx, func(t *store.Tx) (approval.Instance, *approval.Refusal, error) {
		if n.Key != "" {
			r, ok, err := s.findKey(ctx, t, who.Person, n.Key)
			if err == nil && ok && !slices.Equal(r.request, request) {
				err = ErrKey
			}
			if err != nil || ok {
				return r.Instance, nil, err
			}
		}
		flow, err := s.flows.newest(n.Flow)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		w, err := s.scene(t.Context(), t, s.campus(t.Now()), flow, &approval.Instance{ID: id, Starter: starter}, n.Form)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		may, err := flow.MayStart(starter, w.People)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		if !may {
			return approval.Instance{}, refuse(approval.NotAStarter, "", "您不能申请此事项", "this service is not for you", nil), nil
		}
		in, err := flow.Open(id, starter, w.World)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		acts := []approval.Act{{Verb: approval.Save, Form: n.Form}}
		if n.Submit {
			acts[0].Verb = approval.Submit
		}
		if n.Submit && len(n.CC) > 0 { // nobody gets a copy of a draft
			acts = append(acts, approval.Act{Verb: approval.SendCopy, To: n.CC})
		}
		return s.perform(t, who, flow, nil, &record{Instance: in, key: n.Key, request: request}, w, acts...)
	})
}

// hash tells two requests apart that came with one key.
func (n Request) hash() ([]byte, error) {
	n.Key = ""
	body, err := json.Marshal(n)
	sum := sha256.Sum256(body)
	return sum[:], err
}

func (s *Service) newID() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("application id: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// starter is who applies, with their phone; store.ErrNotFound for nobody
// active.
func (s *Service) starter(ctx context.Context, src store.Source, person string) (approval.Person, error) {
	p, err := s.People.Details(ctx, src, person)
	if err == nil && p.State != "active" {
		err = fmt.Errorf("%w: person", store.ErrNotFound)
	}
	return p.ForFlows(), err
}

// Act does something to a matter. store.ErrNotFound also when who asks may not
// see it.
func (s *Service) Act(ctx context.Context, who Actor, id string, a approval.Act) (approval.Instance, *approval.Refusal, error) {
	return s.change(ctx, func(t *store.Tx) (approval.Instance, *approval.Refusal, error) {
		old, err := s.find(t.Context(), t, id)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		flow, err := s.flows.of(t.Context(), t, &old.Instance)
		if err != nil {
			return approval.Instance{}, nil, err
		}
		if !flow.Sees(old.Instance, who.Person, who.Admin) {
			return approval.Instance{}, nil, fmt.Errorf("%w: application", store.ErrNotFound)
		}
		now := old
		if old.State == approval.Draft && (a.Verb == approval.Submit || a.Verb == approval.Save) {
			// A draft becomes an application of the flow as it is now.
			if flow, err = s.flows.newest(old.Flow); errors.Is(err, store.ErrNotFound) {
				return approval.Instance{}, refuse(FlowStopped, "", "该事项已停止办理", "this service has been stopped", nil), nil
			}
			now.Version = flow.Version
		}
		w, err := s.scene(t.Context(), t, s.campus(t.Now()), flow, &now.Instance, filled(&now.Instance, a.Form))
		if err != nil {
			return approval.Instance{}, nil, err
		}
		return s.perform(t, who, flow, &old, &now, w, a)
	})
}

// perform does the acts, one after the other, and keeps what comes of them. old
// is nil when the matter is new.
func (s *Service) perform(t *store.Tx, who Actor, flow *approval.Flow, old, r *record, w *scene, acts ...approval.Act) (approval.Instance, *approval.Refusal, error) {
	none := approval.Instance{}
	var number numbering
	if flow.Serial != "" {
		w.Serial = number.serial(t, flow, w.Now)
	}
	person, err := s.actor(t, who, r, w)
	if err != nil {
		return none, nil, err
	}
	var all approval.Change
	before := r.State
	for i, a := range acts {
		a.Actor, a.Admin = person, who.Admin
		c, refusal, err := flow.Step(r.Instance, a, w.World)
		if err != nil {
			return none, nil, fmt.Errorf("flow %s: %w", flow.ID, err)
		}
		if refusal != nil {
			return none, w.explain(refusal, r, acts[i]), nil
		}
		r.Instance = c.Instance
		all.Instance, all.Effects, all.Notices = c.Instance, append(all.Effects, c.Effects...), append(all.Notices, c.Notices...)
	}
	var held []string
	if old != nil {
		held = filesOf(flow, &old.Instance)
	}
	if acts[0].Verb == approval.Discard {
		in := r.Instance
		in.State = Discarded
		return in, nil, errors.Join(remove(t, old, held), trail(t, who, acts, &in))
	}
	files := filesOf(flow, &r.Instance)
	if refusal, err := s.ownFiles(t, who, files, held); err != nil || refusal != nil {
		return none, refusal, err
	}
	p, refusal, err := s.plan(t, who, person, flow, before, all, w)
	if err != nil || refusal != nil {
		return none, refusal, err
	}
	if old == nil {
		err = s.insert(t, r, files)
	} else {
		err = s.update(t, old, r, held, files)
	}
	if err == nil {
		err = number.keep(t)
	}
	if err == nil {
		err = s.carryOut(t, p)
	}
	if err == nil {
		err = trail(t, who, acts, &r.Instance)
	}
	return r.Instance, nil, err
}

// system is who acts when the clock does.
const system = "system"

// actor is who acts, as the engine knows them. The starter's phone goes into
// forms; nobody else's does.
func (s *Service) actor(t *store.Tx, who Actor, r *record, w *scene) (approval.Person, error) {
	switch who.Person {
	case system:
		return approval.Person{ID: system}, nil
	case r.Starter.ID:
		return s.starter(t.Context(), t, who.Person)
	}
	p, ok, err := w.People.Person(who.Person)
	if err == nil && !ok {
		err = fmt.Errorf("%w: person", store.ErrNotFound)
	}
	return p, err
}

// trail says in the audit trail what was done to a matter, and nothing of what
// is in it.
func trail(t *store.Tx, who Actor, acts []approval.Act, in *approval.Instance) error {
	for _, a := range acts {
		if a.Verb == approval.Save || a.Verb == approval.MarkRead {
			continue
		}
		what := map[string]any{"flow": in.Flow, "version": in.Version, "state": in.State}
		if a.Verb == approval.Decide {
			what["task"], what["outcome"] = a.Task, a.Outcome
		}
		if err := t.Trail(who.Name, "application."+string(a.Verb), "application "+in.ID, what); err != nil {
			return err
		}
	}
	return nil
}

// explain adds to a refusal what helps whoever reads it: the English of the
// rules that are shipped, and the next day for which a household may apply.
func (w *scene) explain(r *approval.Refusal, rec *record, a approval.Act) *approval.Refusal {
	out := *r
	if out.En == "" {
		out.En = english[out.Code]
	}
	switch out.Code {
	case HouseholdUnknown:
		out.Details = map[string]any{"desks": "/api/v1/desks"} // where one's phone is checked
		return &out
	case HouseholdQuota:
	default:
		return &out
	}
	want, ok := w.residentSpan(filled(&rec.Instance, a.Form))
	today, _ := parseDay(w.Now.Format(time.DateOnly))
	if ok {
		out.Details = maps.Clone(out.Details)
		if out.Details == nil {
			out.Details = map[string]any{}
		}
		out.Details["next_date"], out.Details["quota_codes"] = w.quota().next(w.taken, want, today), w.settings.QuotaCodes
	}
	return &out
}
