package approval

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Open gives a new draft, filled in with what is known of its starter.
func (f *Flow) Open(id string, starter Person, w World) (Instance, error) {
	in := Instance{ID: id, Flow: f.ID, Version: f.Version, Starter: starter, State: Draft, Created: w.Now.UnixMilli()}
	form, err := f.Prefill(NewEnv(map[string]any{}, starter, "", w))
	if err != nil {
		return Instance{}, fmt.Errorf("flow %s: %w", f.ID, err)
	}
	in.Form, in.Title = form, f.FormatTitle(form, "", starter.Name)
	return in, nil
}

// saveForm keeps what the starter has typed so far.
func (r *run) saveForm() error {
	form, no := r.f.CheckForm(r.f.Form, r.in.Form, r.a.Form, r.env(), false)
	if no != nil {
		return refused{no}
	}
	r.in.Form = form
	r.in.Title = r.f.FormatTitle(form, r.in.Serial, r.in.Starter.Name)
	return nil
}

// submit sends the matter on its way, for the first time or again.
func (r *run) submit() error {
	r.in.Starter = r.a.Actor
	if r.in.State == Draft {
		r.in.Version = r.f.Version
	}
	if err := r.fits(); err != nil {
		return err
	}
	if r.f.Serial != "" && r.in.Serial == "" {
		if err := r.number(); err != nil {
			return err
		}
	}
	return r.begin()
}

// fits checks the starter, the form and the rules.
func (r *run) fits() error {
	ok, err := r.f.MayStart(r.in.Starter, r.w.People)
	if err != nil {
		return err
	}
	if !ok {
		return deny(NotAStarter)
	}
	form, no := r.f.CheckForm(r.f.Form, r.in.Form, r.a.Form, r.env(), true)
	if no != nil {
		return refused{no}
	}
	if err := r.people(r.f.Form, form); err != nil {
		return err
	}
	r.in.Form = form
	r.in.Title = r.f.FormatTitle(form, r.in.Serial, r.in.Starter.Name)
	return r.rules()
}

// rules asks each rule in order; the first that denies refuses the submit.
func (r *run) rules() error {
	env := NewEnv(r.in.Form, r.in.Starter, r.in.Serial, r.w)
	for _, rule := range r.f.Rules {
		denied, missing, err := rule.Deny.Bool(env)
		switch {
		case err != nil:
			return err
		case missing != "":
			return r.missing(missing)
		case denied:
			return refuse(rule.ID, "", rule.Say, "", r.numbers(rule.Deny))
		}
	}
	return nil
}

// missing refuses for a field that a condition needs.
func (r *run) missing(field string) error { return refused{r.f.required(nil, field)} }

// numbers are the limits that a rule reads, for whoever explains the refusal.
func (r *run) numbers(e *Expr) map[string]any {
	details := map[string]any{}
	reads := func(name string) bool { return strings.Contains(e.Text, name) }
	s := r.w.Settings
	today := r.w.Now.Format(time.DateOnly)
	if reads("today") {
		details["today"] = today
	}
	if reads("settings.ahead_days") {
		details["ahead_days"] = s.AheadDays
		details["latest_date"] = r.w.Now.AddDate(0, 0, s.AheadDays).Format(time.DateOnly)
	}
	if reads("settings.multi_days_max") {
		details["multi_days_max"] = s.MultiDaysMax
	}
	if reads("settings.quota_days") {
		details["quota_days"] = s.QuotaDays
		if reads("household.dates") {
			details["next_date"] = r.nextDate()
		}
	}
	if len(details) == 0 {
		return nil
	}
	return details
}

// nextDate is the first day of the year from today on that is far enough from
// every pass date of the household; "" = none.
func (r *run) nextDate() string {
	today := time.Date(r.w.Now.Year(), r.w.Now.Month(), r.w.Now.Day(), 0, 0, 0, 0, time.UTC)
	for n := range 366 {
		day := today.AddDate(0, 0, n)
		near := slices.ContainsFunc(r.w.Household.Dates, func(date string) bool {
			taken, err := time.Parse(time.DateOnly, date)
			return err == nil && int(day.Sub(taken).Abs().Hours()/24) < r.w.Settings.QuotaDays
		})
		if !near {
			return day.Format(time.DateOnly)
		}
	}
	return ""
}

// number draws the serial, but only for a submit that will not be refused:
// numbers run without gaps.
func (r *run) number() error {
	trial := *r
	trial.in, trial.agreed = r.in.clone(), map[string]bool{}
	if err := trial.begin(); err != nil {
		return err
	}
	serial, err := r.w.Serial()
	if err != nil {
		return err
	}
	r.in.Serial = serial
	// Again, for the fields that show the serial.
	form, no := r.f.CheckForm(r.f.Form, r.in.Form, nil, r.env(), true)
	if no != nil {
		return refused{no}
	}
	r.in.Form = form
	r.in.Title = r.f.FormatTitle(form, serial, r.in.Starter.Name)
	return nil
}

// begin takes the submitted matter to its first step, or back to the one that
// returned it.
func (r *run) begin() error {
	r.in.Round++
	r.in.State, r.in.Submitted = Running, r.now
	r.act(Entry{Verb: string(Submit)})
	if err := r.copyTo(r.a.To); err != nil {
		return err
	}
	if err := r.copiesAt(eventSubmitted); err != nil {
		return err
	}
	r.effects = append(r.effects, r.f.On[Running]...)
	from, resume := 0, r.in.Resume
	r.in.Resume = ""
	if i := r.f.index(resume); i >= 0 {
		from, r.back = i, r.returner(resume)
	} else {
		resume, r.in.Since, r.in.Picked = "", r.in.Round, nil
	}
	return r.advance(from, resume)
}

// returner is who returned the matter from a step.
func (r *run) returner(step string) string {
	for i := len(r.in.Tasks) - 1; i >= 0; i-- {
		t := &r.in.Tasks[i]
		if n := r.f.node(step); t.Step == step && t.State == Done && t.Parent == "" && n != nil {
			if o := n.outcome(t.Outcome); o != nil && o.To == ToStart {
				return t.By
			}
		}
	}
	return ""
}

// people checks those whom a form names.
func (r *run) people(fields []*Field, form map[string]any) error {
	no, err := CheckPeople(fields, form, r.w.People)
	if no != nil {
		return refused{no}
	}
	return err
}

// texts are the ids that a field holds: one, or many.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if v != "" {
			return []string{v}
		}
	case []string:
		return v
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, texts(item)...)
		}
		return all
	}
	return nil
}
