package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// The effects and the types of pass that flows name.
const (
	effectIssue   = "pass.issue"
	effectRevoke  = "pass.revoke"
	effectPublish = "notice.publish"
	effectStart   = "flow.start"
	effectFile    = "archive.file"

	typeResident = "resident"
	typeWork     = "work"
	typeVehicle  = "vehicle"
	typeVisitor  = "visitor"
)

// Codes of refusals that this package adds to those of the engine. They are
// permanent.
const (
	TooLong          = "TOO_LONG"          // more days than a setting allows
	DateOrder        = "DATE_ORDER"        // the last day comes before the first
	NoGate           = "NO_GATE"           // the campus has no gates yet
	PaperPassHeld    = "PAPER_PASS_HELD"   // as the shipped rules say
	HouseholdUnknown = "HOUSEHOLD_UNKNOWN" // as the shipped rules say
	HouseholdQuota   = "HOUSEHOLD_QUOTA_2D"
	FlowStopped      = "FLOW_STOPPED" // nobody can start or submit one
)

func refuse(code, field, zh, en string, details map[string]any) *approval.Refusal {
	return &approval.Refusal{Code: code, Field: field, Say: zh, En: en, Details: details}
}

// wanted is a pass that a matter asks for.
type wanted struct {
	issue.Request
	household int64 // 0 = not a resident's
}

// issues gives the type of pass that a matter of this flow comes to when it is
// completed; "" = none.
func issues(flow *approval.Flow) string {
	for _, e := range flow.On[approval.Completed] {
		if e.Do == effectIssue {
			return passType(e)
		}
	}
	return ""
}

func passType(e approval.Effect) string {
	kind, _ := e.With["type"].(string)
	return kind
}

// terms works out the pass of a type for a matter. Nil and no refusal: the
// campus issues none of this type.
func (s *Service) terms(ctx context.Context, src store.Source, kind string, in *approval.Instance, w *scene) (*wanted, *approval.Refusal, error) {
	switch kind {
	case typeResident:
		return s.residentTerms(ctx, src, in, w)
	case typeWork:
		return dated(in, w, signing.Work, clip(in.Starter.Name), w.Paper)
	case typeVehicle:
		if !w.settings.VehiclePass {
			return nil, nil, nil
		}
		return dated(in, w, signing.Vehicle, word(in.Form, "plate"), false)
	case typeVisitor:
		if !w.settings.VisitorPass {
			return nil, nil, nil
		}
		return visitorTerms(in)
	}
	return nil, nil, fmt.Errorf("effect %s: no such type of pass: %q", effectIssue, kind)
}

func word(form map[string]any, name string) string {
	v, _ := form[name].(string)
	return v
}

// clip shortens the name of somebody, who cannot help its length, to what a
// code holds.
func clip(name string) string {
	for len(name) > pass.MaxName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}

// residentSpan gives the days of a form for a resident pass.
func residentSpan(form map[string]any) (span, bool) {
	last := "to"
	if word(form, "type") != "multi" {
		last = ""
	}
	return spanOf(form, "date", last)
}

// residentTerms: the code belongs to the household, so the name on it is that of
// its head; a single-use code is decided by one gate, on whose record alone it
// depends.
func (s *Service) residentTerms(ctx context.Context, src store.Source, in *approval.Instance, w *scene) (*wanted, *approval.Refusal, error) {
	switch {
	case w.household == 0:
		return nil, refuse(HouseholdUnknown, fieldHead, "未找到该户或户主姓名不符", "no such household, or the head's name differs", nil), nil
	case w.Household.Paper:
		return nil, refuse(PaperPassHeld, "", "该户已领取纸质通行证,不能再申请通行二维码", "the household holds a paper pass", nil), nil
	}
	want, ok := residentSpan(in.Form)
	if !ok {
		return nil, refuse(approval.FieldInvalid, "date", "日期有误", "not a date", nil), nil
	}
	if r := inOrder(want, "to", w.settings.MultiDaysMax); r != nil {
		return nil, r, nil
	}
	r := issue.Request{
		Kind: signing.ResidentMulti.String(), Name: clip(word(in.Form, fieldHead)), Bound: true,
		From: word(in.Form, "date"), Until: want.to.Format("2006-01-02"),
	}
	zone, err := s.zoneOf(ctx, src, w.campus)
	if err != nil {
		return nil, nil, err
	}
	gates, refusal, err := s.gatesOf(ctx, src, zone)
	if err != nil || refusal != nil {
		return nil, refusal, err
	}
	if zone != 0 {
		r.Zones = []int{zone}
	}
	if word(in.Form, "type") != "multi" {
		r.Kind, r.Bound = signing.ResidentSingle.String(), false
		if r.Owner, refusal = decider(gates, in.Form[fieldGate]); refusal != nil {
			return nil, refusal, nil
		}
	}
	return &wanted{r, w.household}, nil, nil
}

// dated are the terms of a pass from start to end at every gate.
func dated(in *approval.Instance, w *scene, kind signing.Kind, name string, paper bool) (*wanted, *approval.Refusal, error) {
	if paper {
		return nil, refuse(PaperPassHeld, "", "已领取纸质通行证,不能再申请通行二维码", "you hold a paper pass", nil), nil
	}
	want, ok := spanOf(in.Form, "start", "end")
	if !ok {
		return nil, refuse(approval.FieldInvalid, "start", "日期有误", "not a date", nil), nil
	}
	if r := inOrder(want, "end", w.settings.MaxDays); r != nil {
		return nil, r, nil
	}
	return &wanted{Request: issue.Request{
		Kind: kind.String(), Name: name, From: word(in.Form, "start"), Until: word(in.Form, "end"), Bound: true,
	}}, nil, nil
}

// visitorTerms: one visit on one day, by a static code, since visitors do not
// sign in.
func visitorTerms(in *approval.Instance) (*wanted, *approval.Refusal, error) {
	day := word(in.Form, "at")
	if day == "" {
		day = word(in.Form, "date")
	}
	if len(day) > len("2006-01-02") {
		day = day[:len("2006-01-02")]
	}
	if _, ok := parseDay(day); !ok {
		return nil, refuse(approval.FieldInvalid, "at", "来访日期有误", "not a date", nil), nil
	}
	once := uint32(1)
	return &wanted{Request: issue.Request{
		Kind: signing.Visitor.String(), Name: clip(word(in.Form, "visitors")), From: day, Until: day, Uses: &once,
	}}, nil, nil
}

// inOrder refuses days that end before they begin, or are more than most; 0 =
// as many as one likes.
func inOrder(want span, field string, most int) *approval.Refusal {
	switch n := days(want.from, want.to) + 1; {
	case n < 1:
		return refuse(DateOrder, field, "截止日期不能早于开始日期", "the last day is before the first", nil)
	case most > 0 && n > most:
		return refuse(TooLong, field, fmt.Sprintf("通行证最长 %d 天", most), fmt.Sprintf("at most %d days", most),
			map[string]any{"max_days": most, "last_date": want.from.AddDate(0, 0, most-1).Format("2006-01-02")})
	}
	return nil
}

// zoneOf gives the zone of a campus; 0 = none yet.
func (s *Service) zoneOf(ctx context.Context, src store.Source, campus string) (int, error) {
	all, err := s.People.Campuses(ctx, src)
	for _, c := range all {
		if c.ID == campus {
			return c.Zone, err
		}
	}
	return 0, err
}

// gatesOf gives the gates of a zone; 0 = every gate. A campus without a zone is
// the whole site as long as the site has one zone.
func (s *Service) gatesOf(ctx context.Context, src store.Source, zone int) ([]store.Gate, *approval.Refusal, error) {
	gates, err := s.gates(ctx, src)
	if err != nil {
		return nil, nil, err
	}
	if zone != 0 {
		return slices.DeleteFunc(gates, func(g store.Gate) bool { return g.Zone != zone }), nil, nil
	}
	if slices.ContainsFunc(gates, func(g store.Gate) bool { return g.Zone != gates[0].Zone }) {
		return nil, refuse(NoGate, fieldCompound, "该校区尚未设置校门区域,请联系管理员",
			"the campus has no zone of gates yet; ask an administrator", nil), nil
	}
	return gates, nil, nil
}

func (s *Service) gates(ctx context.Context, src store.Source) ([]store.Gate, error) {
	if t, ok := src.(*store.Tx); ok {
		return t.Gates(ctx)
	}
	return s.Store.Gates(ctx)
}

// decider chooses the gate that decides a single-use code: the one that was
// asked for by number or name, or else the first that decides anything itself.
// 0 = the server.
func decider(gates []store.Gate, asked any) (*uint16, *approval.Refusal) {
	name := ""
	switch v := asked.(type) {
	case string:
		name = strings.TrimSpace(v)
	case float64:
		name = strconv.FormatFloat(v, 'f', -1, 64)
	}
	var owner uint16
	for _, g := range gates {
		switch {
		case name != "" && (g.Name == name || strconv.Itoa(int(g.ID)) == name):
			return &g.ID, nil
		case owner == 0 && g.Mode != verdict.Online:
			owner = g.ID
		}
	}
	if name != "" {
		return nil, refuse(approval.FieldInvalid, fieldGate, "该校区没有这个校门", "the campus has no such gate", nil)
	}
	return &owner, nil
}

// unfit turns what is wrong with a request for a pass into a refusal that names
// the field of the form.
func unfit(err error, kind string) (*approval.Refusal, error) {
	var f *issue.Fault
	if !errors.As(err, &f) {
		return nil, err
	}
	field := f.Field
	switch f.Field {
	case "name":
		field = map[string]string{typeResident: fieldHead, typeVehicle: "plate", typeVisitor: "visitors"}[kind]
	case "from":
		field = map[string]string{typeResident: "date", typeVisitor: "at"}[kind]
	case "until":
		field = map[string]string{typeResident: "to", typeVisitor: "at"}[kind]
	}
	return refuse(approval.FieldInvalid, field, f.ZH, f.EN, nil), nil
}
