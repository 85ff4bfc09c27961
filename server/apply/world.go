package apply

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// scene is the world of the engine with what else a matter depends on.
type scene struct {
	approval.World
	settings  Settings
	household int64  // found for the form; 0 = none
	campus    string // of that household
	compounds []string
	taken     []entry
}

// The fields by which a form names a household.
const (
	fieldHead     = "head"
	fieldCompound = "compound"
	fieldBuilding = "building"
	fieldRoom     = "room"

	fieldGate = "gate" // the one that decides a single-use code
)

// asksHousehold reports whether a form names one.
func asksHousehold(flow *approval.Flow) bool {
	found := 0
	for _, f := range flow.Form {
		switch f.ID {
		case fieldHead, fieldCompound, fieldBuilding, fieldRoom:
			found++
		}
	}
	return found == 4
}

// scene gathers the facts for a matter with this form. src is the change under
// way, or what was committed, which is for showing only.
func (s *Service) scene(ctx context.Context, src store.Source, at time.Time, flow *approval.Flow, in *approval.Instance, form map[string]any) (*scene, error) {
	w := &scene{World: approval.World{Now: at.In(s.Location), People: s.People.Directory(src)}}
	var err error
	if w.settings, err = settings(ctx, src); err != nil {
		return nil, err
	}
	w.Settings = approval.Settings{
		AheadDays: w.settings.AheadDays, QuotaDays: w.settings.QuotaDays, MultiDaysMax: w.settings.MultiDaysMax,
	}
	w.Serial = func() (string, error) { return "", nil } // to be replaced where one is really given
	w.Options = func(field string) []string {
		if field != fieldCompound || !asksHousehold(flow) {
			return nil // buildings and rooms: an unknown one has no household
		}
		return w.compounds
	}
	if s.Papers != nil {
		number, err := s.Papers.HeldByPerson(ctx, src, in.Starter.ID)
		if err != nil {
			return nil, err
		}
		w.Paper = number != ""
	}
	if asksHousehold(flow) {
		if w.compounds, err = s.People.Compounds(ctx, src); err != nil {
			return nil, err
		}
		err = s.home(ctx, src, w, in, form)
	}
	return w, err
}

// home finds the household of a form, and the days that count for it.
func (s *Service) home(ctx context.Context, src store.Source, w *scene, in *approval.Instance, form map[string]any) error {
	field := func(name string) string { v, _ := form[name].(string); return v }
	h, ok, err := s.People.HouseholdOf(ctx, src, in.Starter.ID,
		field(fieldCompound), field(fieldBuilding), field(fieldRoom), field(fieldHead))
	if err != nil || !ok {
		return err
	}
	w.household, w.campus = h.ID, h.Campus
	w.Household = approval.Household{
		ID: strconv.FormatInt(h.ID, 10),
		// What nobody may have without review, nobody has without review.
		Verified: h.VerifiedAt != 0 && w.settings.AutoSingle,
	}
	if s.Papers != nil {
		number, err := s.Papers.HeldByHousehold(ctx, src, h.ID)
		if err != nil {
			return err
		}
		w.Household.Paper = number != ""
	}
	if w.taken, err = counted(ctx, src, h.ID, in.ID); err != nil {
		return err
	}
	if want, ok := w.residentSpan(form); ok {
		w.Household.Dates = w.quota().dates(w.taken, want)
	}
	return nil
}

func (w *scene) quota() quota { return quota{w.settings.QuotaDays, w.settings.QuotaCodes} }

// residentSpan gives the days of a form for a resident pass, no more of them
// than one may have.
func (w *scene) residentSpan(form map[string]any) (span, bool) {
	want, ok := residentSpan(form)
	if last := want.from.AddDate(0, 0, w.settings.MultiDaysMax-1); want.to.After(last) {
		want.to = last
	}
	return want, ok
}

// filled is the form as it will be once an act has added to it.
func filled(in *approval.Instance, added map[string]any) map[string]any {
	form := maps.Clone(in.Form)
	if form == nil {
		form = map[string]any{}
	}
	maps.Copy(form, added)
	return form
}

// numbering gives serial numbers in a change. The number is taken when the
// matter is kept: a submit that is refused takes none.
type numbering struct {
	flow, period string
	last         int // 0 = none was asked for
}

func (n *numbering) serial(t *store.Tx, flow *approval.Flow, at time.Time) func() (string, error) {
	return func() (string, error) {
		n.flow, n.period = flow.ID, flow.SerialPeriod(at)
		err := t.QueryRowContext(t.Context(), "SELECT coalesce(max(last), 0) + 1 FROM serials WHERE flow = $1 AND period = $2",
			n.flow, n.period).Scan(&n.last)
		if err != nil {
			return "", fmt.Errorf("serial number: %w", err)
		}
		return flow.FormatSerial(at, n.last), nil
	}
}

func (n *numbering) keep(t *store.Tx) error {
	if n.last == 0 {
		return nil
	}
	return t.Exec(`INSERT INTO serials (flow, period, last) VALUES ($1, $2, $3)
		ON CONFLICT (flow, period) DO UPDATE SET last = excluded.last`, n.flow, n.period, n.last)
}
