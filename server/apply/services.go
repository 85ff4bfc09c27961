package apply

import (
	"context"
	"maps"
	"time"

	"campusgate/server/approval"
)

// ServiceOf is a flow that somebody may start.
type ServiceOf struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	EN      string `json:"en"`
	Office  string `json:"office"`
	Version int    `json:"version"`
	Group   string `json:"group"`
}

// Blank is a form that nobody has sent yet.
type Blank struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	EN      string      `json:"en"`
	Version int         `json:"version"`
	Form    []FormField `json:"form"`
	Chart   []Stop      `json:"chart"`
	Note    string      `json:"note" doc:"what to know before"`
	Limits  *Limits     `json:"limits" required:"false" doc:"of the dates, where a pass is applied for; null = none"`
}

// Limits are what dates of a form may be; the rules of the flow hold all the
// same.
type Limits struct {
	FirstDate    string `json:"first_date"`
	LastDate     string `json:"last_date" doc:"of a resident pass; empty = any"`
	MultiDaysMax int    `json:"multi_days_max"`
	MaxDays      int    `json:"max_days" doc:"of a work or vehicle pass; 0 = any"`
}

// Services lists the flows that somebody may start.
func (s *Service) Services(ctx context.Context, who Actor) ([]ServiceOf, error) {
	src := s.Store.Reader()
	person, err := s.starter(ctx, src, who.Person)
	if err != nil {
		return nil, err
	}
	directory := s.People.Directory(src)
	list := []ServiceOf{}
	for _, f := range s.flows.all() {
		if !f.On {
			continue
		}
		may, err := f.Flow.MayStart(person, directory)
		if err != nil {
			return nil, err
		}
		if may {
			list = append(list, ServiceOf{f.Flow.ID, f.Flow.Name, flowNames[f.Flow.ID], f.Flow.Office, f.Flow.Version, groupOf(f.Flow)})
		}
	}
	return list, nil
}

// Blank gives the form of a flow, filled in with what is known of somebody;
// store.ErrNotFound when there is none, or it was stopped.
func (s *Service) Blank(ctx context.Context, who Actor, id string) (Blank, error) {
	v := s.viewer(ctx, who)
	flow, err := s.flows.newest(id)
	if err != nil {
		return Blank{}, err
	}
	in, w, err := s.opened(ctx, v, flow, nil)
	if err != nil {
		return Blank{}, err
	}
	if err := v.atHome(flow, &in); err != nil {
		return Blank{}, err
	}
	b := Blank{ID: flow.ID, Name: flow.Name, EN: flowNames[flow.ID], Version: flow.Version, Note: flowNotes[flow.ID]}
	if b.Form, err = v.fields(flow, flow.Form, in.Form, approval.NewEnv(in.Form, in.Starter, "", w.World)); err != nil {
		return b, err
	}
	if kind := issues(flow); kind != "" {
		b.Limits = &Limits{FirstDate: w.Now.Format(time.DateOnly), MultiDaysMax: w.settings.MultiDaysMax, MaxDays: w.settings.MaxDays}
		if kind == typeResident {
			b.Limits.LastDate = w.Now.AddDate(0, 0, w.settings.AheadDays).Format(time.DateOnly)
		}
	}
	b.Chart, err = stops(flow, in, w)
	return b, err
}

// atHome fills in the household of somebody who lives in one only.
func (v *viewer) atHome(flow *approval.Flow, in *approval.Instance) error {
	if !asksHousehold(flow) {
		return nil
	}
	homes, err := v.People.HouseholdsOf(v.ctx, v.src, v.who.Person)
	if err != nil || len(homes) != 1 {
		return err
	}
	h := homes[0]
	maps.Copy(in.Form, map[string]any{fieldHead: h.Head, fieldCompound: h.Compound, fieldBuilding: h.Building, fieldRoom: h.RoomName})
	return nil
}

// opened is a draft that is kept nowhere.
func (s *Service) opened(ctx context.Context, v *viewer, flow *approval.Flow, form map[string]any) (in approval.Instance, w *scene, err error) {
	person, err := s.starter(ctx, v.src, v.who.Person)
	if err != nil {
		return in, nil, err
	}
	if w, err = s.scene(ctx, v.src, s.Now(), flow, &approval.Instance{Starter: person}, form); err != nil {
		return in, nil, err
	}
	in, err = flow.Open("", person, w.World)
	return in, w, err
}

// Preview says who would review a form. store.ErrNotFound when there is no such
// flow.
func (s *Service) Preview(ctx context.Context, who Actor, id string, form map[string]any) ([]approval.Planned, *approval.Refusal, error) {
	flow, err := s.flows.newest(id)
	if err != nil {
		return nil, nil, err
	}
	in, w, err := s.opened(ctx, s.viewer(ctx, who), flow, form)
	if err != nil {
		return nil, nil, err
	}
	return flow.Preview(form, in.Starter, w.World)
}

// Gone is what is left to show of a draft that was thrown away.
func (s *Service) Gone(in approval.Instance) Application {
	state := stateNames[Discarded]
	return Application{
		Row: Row{
			ID: in.ID, Flow: in.Flow, Title: in.Title, State: Discarded, StateName: state.zh, StateEN: state.en, CreatedAt: in.Created,
			Waiting: []string{}, Summary: []Pair{},
		},
		Form: []FormField{}, Steps: []StepForm{}, Trail: []Line{}, Chart: []Stop{}, Copies: []CopyOf{}, Comments: []CommentOf{},
		Ratings: []RatingOf{}, Rate: []string{}, Files: []FileOf{}, Actions: []string{}, Tasks: []Duty{},
	}
}
