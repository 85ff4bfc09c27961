package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// LanePolicy is what holds at the lanes of a gate.
type LanePolicy struct {
	Lanes  []LaneKinds      `json:"lanes,omitempty" maxItems:"64" doc:"lanes that do not let every kind in; whoever wants out gets out by any lane"`
	Hours  []OpeningHours   `json:"hours,omitempty" maxItems:"8" doc:"a kind in none of them is let in at any time"`
	Exempt []string         `json:"exempt,omitempty" maxItems:"8" enum:"resident_single,resident_multi,work,visitor,vehicle" doc:"kinds that a lockdown does not keep out"`
	Group  string           `json:"group,omitempty" doc:"gates of one group count who is inside together; empty = those of the zone"`
	Area   PassbackSettings `json:"area" doc:"the same at all gates of the area"`
}

// LaneKinds are the kinds that a lane lets in.
type LaneKinds struct {
	Name  string   `json:"name" doc:"as in the configuration of the gate PC"`
	Kinds []string `json:"kinds" maxItems:"8" enum:"resident_single,resident_multi,work,visitor,vehicle"`
}

// OpeningHours say when passes of some kinds let people in.
type OpeningHours struct {
	Kinds []string            `json:"kinds" minItems:"1" maxItems:"8" enum:"resident_single,resident_multi,work,visitor,vehicle"`
	Week  []verdict.WeekSpan  `json:"week" doc:"none = closed; minutes after campus midnight, and one that ends before it begins goes on into the next day"`
	Dates []verdict.DateSpans `json:"dates,omitempty" doc:"in place of the week, both dates included; no spans = closed"`
}

// PassbackSettings say how it is kept who is inside.
type PassbackSettings struct {
	Passback    string `json:"passback,omitempty" enum:"none,alert,enforce" default:"none" doc:"of who comes in while recorded as inside"`
	Limit       uint32 `json:"limit,omitempty" maximum:"1000000" doc:"inside at once; 0 = no limit"`
	Watch       bool   `json:"watch,omitempty" doc:"keep the list without any of these"`
	ForgetHours int    `json:"forget_hours,omitempty" minimum:"0" maximum:"8784" doc:"after which somebody is taken to have left; 0 = never"`
	DayEnd      *int   `json:"day_end,omitempty" minimum:"0" maximum:"1439" doc:"minute of the day at which everybody is; absent = never"`
}

// LanePolicyOf is the policy of a gate as it is.
type LanePolicyOf struct {
	LanePolicy
	Gate      uint16   `json:"gate"`
	AreaName  string   `json:"area_name" doc:"zone:1, or group: and the name"`
	AreaGates []uint16 `json:"area_gates" doc:"that count together"`
	ChangedAt int64    `json:"changed_at,omitempty"`
	ChangedBy string   `json:"changed_by,omitempty"`
}

// AreaOccupancy is an area in which it is kept who is inside.
type AreaOccupancy struct {
	Area   string           `json:"area"`
	Gates  []uint16         `json:"gates"`
	Inside int              `json:"inside" doc:"as far as the gates have reported"`
	Rule   PassbackSettings `json:"rule"`
}

// InsidePass is a pass that is inside.
type InsidePass struct {
	PassID string `json:"pass_id"`
	Kind   string `json:"kind"`
	Name   string `json:"name" doc:"as signed; empty where the pass was issued elsewhere"`
	Gate   uint16 `json:"gate"`
	Since  int64  `json:"since"`
}

// EmergencyState is a lockdown or an emergency opening in force.
type EmergencyState struct {
	Scope  string `json:"scope" doc:"campus, zone:1 or gate:3"`
	State  string `json:"state" enum:"lockdown,open"`
	Reason string `json:"reason"`
	By     string `json:"by"`
	Since  int64  `json:"since"`
	Until  int64  `json:"until,omitempty"`
	Source string `json:"source" enum:"server,guard,input" doc:"what a guard or a contact raised ends at the gate"`
}

// EmergencyRequest raises or ends one.
type EmergencyRequest struct {
	Scope  string `json:"scope" maxLength:"64"`
	State  string `json:"state" enum:"lockdown,open,normal"`
	Reason string `json:"reason"`
	Until  int64  `json:"until,omitempty" minimum:"0" doc:"unix ms; absent = until it is ended"`
}

type (
	lanePolicyOutput struct{ Body LanePolicyOf }
	emergencyOutput  struct {
		Body struct {
			Emergencies []EmergencyState `json:"emergencies"`
		}
	}
	occupancyInput struct {
		Area   string `query:"area" maxLength:"80" doc:"whose people to list; empty = none"`
		Query  string `query:"q" maxLength:"64" doc:"part of a name, or the beginning of a pass id"`
		Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
		Offset int    `query:"offset" minimum:"0" default:"0"`
	}
	occupancyOutput struct {
		Body struct {
			Areas  []AreaOccupancy `json:"areas"`
			Inside []InsidePass    `json:"inside" doc:"of the area, the latest first"`
		}
	}
	clearedOutput struct {
		Body struct {
			Areas []string `json:"areas" doc:"in which it was taken out"`
		}
	}
)

func (a *API) laneRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/gates/{id}/policy", scope: auth.GatesRead, id: "get-lane-policy",
		text: "校门的通道规则 What holds at the lanes of a gate", errors: []int{http.StatusNotFound},
	}, a.getLanePolicy)
	add(a, route{
		method: http.MethodPut, path: prefix + "/gates/{id}/policy", scope: auth.GatesWrite, id: "put-lane-policy", body: 256 << 10,
		text:   "整体替换通道规则并下发;area 与同区域的校门共用 Replace it as a whole; area is shared by the gates of the area",
		errors: []int{http.StatusNotFound},
	}, a.putLanePolicy)
	add(a, route{
		method: http.MethodGet, path: prefix + "/occupancy", scope: auth.PassesRead, id: "list-occupancy",
		text: "区域内人数与名单 How many are inside, and who",
	}, a.listOccupancy)
	add(a, route{
		method: http.MethodPost, path: prefix + "/occupancy/{id}/clear", scope: auth.Desk, also: auth.GatesWrite, id: "clear-occupancy",
		text: "人工清除在内记录(须写明原因) Take somebody out of the list, with a reason", errors: []int{http.StatusNotFound},
	}, a.clearOccupancy)
	add(a, route{
		method: http.MethodGet, path: prefix + "/emergency", scope: auth.GatesRead, id: "list-emergencies",
		text: "正在生效的封控与紧急开闸 Lockdowns and emergency openings in force",
	}, a.listEmergencies)
	add(a, route{
		method: http.MethodPost, path: prefix + "/emergency", scope: auth.GatesWrite, id: "set-emergency",
		text: "封控、紧急开闸或恢复正常 Lock down, open in an emergency, or end that", errors: []int{http.StatusNotFound},
	}, a.setEmergency)
}

func (a *API) getLanePolicy(ctx context.Context, in *GatePath) (*lanePolicyOutput, error) {
	p, err := a.Store.Policy(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &lanePolicyOutput{policyBody(p)}, nil
}

func (a *API) putLanePolicy(ctx context.Context, in *struct {
	GatePath
	Body LanePolicy
},
) (*lanePolicyOutput, error) {
	p, err := in.Body.policy()
	if err != nil {
		return nil, err
	}
	out, err := a.Store.SetPolicy(ctx, caller(ctx).Actor, in.ID, p)
	if err != nil {
		return nil, err
	}
	return &lanePolicyOutput{policyBody(out)}, nil
}

// policy checks a request and gives it as gates take it.
func (b *LanePolicy) policy() (p wire.Policy, err error) {
	p.Group, p.Exempt = norm.NFC.String(b.Group), kindSet(b.Exempt)
	for _, l := range b.Lanes {
		if p.Lanes == nil {
			p.Lanes = map[string]signing.KindSet{}
		}
		if _, twice := p.Lanes[l.Name]; twice {
			return p, &issue.Fault{Field: "lanes", ZH: "通道重复", EN: fmt.Sprintf("lane %.64q is there twice", l.Name)}
		}
		p.Lanes[l.Name] = kindSet(l.Kinds)
	}
	for _, h := range b.Hours {
		p.Hours = append(p.Hours, verdict.Hours{Kinds: kindSet(h.Kinds), Week: h.Week, Dates: h.Dates})
	}
	p.Area = verdict.Area{
		Passback: verdict.Passback(b.Area.Passback), Limit: b.Area.Limit, Watch: b.Area.Watch, ForgetHours: b.Area.ForgetHours, DayEnd: b.Area.DayEnd,
	}
	if p.Area.Passback == "none" {
		p.Area.Passback = verdict.PassbackNone
	}
	if err := p.Check(); err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return p, &issue.Fault{Field: field, ZH: "设置有误:" + policyWords[field], EN: err.Error()}
	}
	return p, nil
}

// policyWords say in Chinese what may be wrong with a field.
var policyWords = map[string]string{
	"lanes":             "通道须有名称,且只能选开门的码种",
	"hours":             "每种码只能有一组时间,时间与日期须有效且不重复",
	"exempt":            "只能选开门的码种",
	"group":             "组名最多 64 字节,不含斜杠,首尾无空格",
	"area.passback":     "防重入须为关闭、提醒或拒绝",
	"area.forget_hours": "小时数须为 0 到 8784",
	"area.day_end":      "清零时间须在一天之内",
	"area.limit":        "人数上限不能超过一百万",
}

func policyBody(p store.Policy) LanePolicyOf {
	out := LanePolicyOf{Gate: p.Gate, AreaName: p.Area, ChangedAt: p.ChangedAt, ChangedBy: p.ChangedBy}
	out.Group, out.Exempt, out.Area = p.Group, kindNames(p.Exempt), areaBody(&p.Policy.Area)
	for _, name := range slices.Sorted(maps.Keys(p.Lanes)) {
		out.Lanes = append(out.Lanes, LaneKinds{name, kindNames(p.Lanes[name])})
	}
	for _, h := range p.Hours {
		out.Hours = append(out.Hours, OpeningHours{kindNames(h.Kinds), orNone(h.Week), h.Dates})
	}
	out.AreaGates = mapped(p.Gates, func(g store.Gate) uint16 { return g.ID })
	return out
}

func areaBody(v *verdict.Area) PassbackSettings {
	out := PassbackSettings{Passback: string(v.Passback), Limit: v.Limit, Watch: v.Watch, ForgetHours: v.ForgetHours, DayEnd: v.DayEnd}
	if out.Passback == "" {
		out.Passback = "none"
	}
	return out
}

func (a *API) listOccupancy(ctx context.Context, in *occupancyInput) (*occupancyOutput, error) {
	areas, err := a.Store.Occupancies(ctx, a.Location)
	if err != nil {
		return nil, err
	}
	out := &occupancyOutput{}
	out.Body.Inside = []InsidePass{}
	out.Body.Areas = mapped(areas, func(o store.Occupancy) AreaOccupancy {
		return AreaOccupancy{o.Area, mapped(o.Gates, func(g store.Gate) uint16 { return g.ID }), o.Inside, areaBody(&o.Rule)}
	})
	for i := range areas {
		if areas[i].Area != in.Area {
			continue
		}
		since := areas[i].Rule.Since(a.Now().In(a.Location))
		list, err := a.Store.Insiders(ctx, in.Area, since, strings.TrimSpace(in.Query), in.Limit, in.Offset)
		if err != nil {
			return nil, err
		}
		out.Body.Inside = mapped(list, func(p store.Insider) InsidePass {
			return InsidePass{p.Pass.String(), p.Kind.String(), p.Name, p.Gate, p.Since}
		})
	}
	return out, nil
}

func (a *API) clearOccupancy(ctx context.Context, in *struct {
	ID   string `path:"id" maxLength:"32" doc:"of the pass"`
	Body struct {
		Area   string `json:"area,omitempty" maxLength:"80" doc:"absent = every area"`
		Reason string `json:"reason"`
	}
},
) (*clearedOutput, error) {
	id, err := signing.ParsePassID(in.ID)
	if err != nil {
		return nil, store.ErrNotFound
	}
	reason, err := why(in.Body.Reason)
	if err != nil {
		return nil, err
	}
	out := &clearedOutput{}
	out.Body.Areas, err = a.Store.ClearPresence(ctx, caller(ctx).Actor, id, in.Body.Area, reason)
	return out, err
}

// maxWhy bounds a reason, in bytes.
const maxWhy = 240

// why checks a reason, which has to be given.
func why(text string) (string, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	if text == "" {
		return "", &issue.Fault{Field: "reason", ZH: "请写明原因", EN: "missing"}
	}
	if err := signing.CheckWords(text, maxWhy); err != nil {
		return "", &issue.Fault{Field: "reason", ZH: "太长(最多 240 字节)或含有不能显示的字符", EN: err.Error()}
	}
	return text, nil
}

func (a *API) listEmergencies(ctx context.Context, _ *struct{}) (*emergencyOutput, error) {
	list, err := a.Store.Alarms(ctx)
	if err != nil {
		return nil, err
	}
	out := &emergencyOutput{}
	out.Body.Emergencies = mapped(list, func(m store.Alarm) EmergencyState {
		return EmergencyState{m.Scope, string(m.State), m.Reason, m.By, m.Since, m.Until, string(m.Source)}
	})
	return out, nil
}

// maxAlarm is how far ahead an end may be set.
const maxAlarm = 31 * 24 * time.Hour

func (a *API) setEmergency(ctx context.Context, in *struct{ Body EmergencyRequest }) (*emergencyOutput, error) {
	b := &in.Body
	reason, err := why(b.Reason)
	if err != nil {
		return nil, err
	}
	w := wire.Alarm{State: wire.AlarmState(b.State), Reason: reason, Until: b.Until}
	if b.State == "normal" {
		w = wire.Alarm{Reason: reason}
	} else if b.Until != 0 && (b.Until <= a.Now().UnixMilli() || b.Until > a.Now().Add(maxAlarm).UnixMilli()) {
		return nil, &issue.Fault{Field: "until", ZH: "结束时间须在今后 31 天之内", EN: "want a moment within the next 31 days"}
	}
	err = a.Store.SetAlarm(ctx, caller(ctx).Actor, b.Scope, w)
	if errors.Is(err, store.ErrNotFound) && b.State != "normal" {
		return nil, &issue.Fault{Field: "scope", ZH: "没有这个校门或区域", EN: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	return a.listEmergencies(ctx, nil)
}

// kindSet reads names of kinds; the document has refused others.
func kindSet(names []string) (set signing.KindSet) {
	for _, name := range names {
		if k, err := signing.ParseKind(name); err == nil {
			set |= signing.KindsOf(k)
		}
	}
	return set
}

func kindNames(set signing.KindSet) []string { return mapped(set.Kinds(), signing.Kind.String) }

// orNone makes an empty list of none.
func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
