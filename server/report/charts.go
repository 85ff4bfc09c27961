package report

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"campusgate/server/apply"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// MaxDays is how many days figures go over.
const MaxDays = 366

// Day is what happened on one.
type Day struct {
	Key      string `json:"key" doc:"2026-05-01"`
	Count    int    `json:"count" doc:"applications submitted"`
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
}

// Hour is what the gates decided in one.
type Hour struct {
	Key      string `json:"key" doc:"08"`
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
}

// GateFigure is what one gate decided.
type GateFigure struct {
	Key      string `json:"key" doc:"its number"`
	Name     string `json:"name"`
	Count    int    `json:"count" doc:"presentations"`
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
}

// ReasonFigure is how often gates decided so.
type ReasonFigure struct {
	Key   string `json:"key"`
	Name  string `json:"name"`
	EN    string `json:"en"`
	Count int    `json:"count"`
}

// UnitFigure is how much the people of one unit have applied for.
type UnitFigure struct {
	Key   string `json:"key" doc:"its id; empty = people without a unit"`
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Charts are figures over some days. A verdict that a gate showed again within
// ten seconds does not count again; that a turnstile annulled what was decided
// changes nothing.
type Charts struct {
	Days    []Day          `json:"by_day" doc:"every day, in order"`
	Hours   []Hour         `json:"by_hour" doc:"every hour, in order, of a single day; empty for more days"`
	Gates   []GateFigure   `json:"by_gate" doc:"the most first, as below"`
	Reasons []ReasonFigure `json:"by_reason"`
	Units   []UnitFigure   `json:"by_unit"`
	Running int            `json:"running" doc:"applications that are under review now, whenever they were sent"`
}

// again is in the body of an event that shows an earlier verdict. Within a text
// its quotes would be escaped.
var again = []byte(`"repeat":true`)

// Charts counts from one campus day to another, both included: applications of
// a flow and what gates said to the passes that came of them; of all flows and
// passes where flow is empty.
func (s *Service) Charts(ctx context.Context, flow string, from, to time.Time) (Charts, error) {
	out := Charts{Days: []Day{}, Hours: []Hour{}, Gates: []GateFigure{}, Reasons: []ReasonFigure{}, Units: []UnitFigure{}}
	tally, err := s.Apply.Tally(ctx, apply.Query{Flow: flow, From: from.Format(time.DateOnly), To: to.Format(time.DateOnly)})
	if err != nil {
		return out, err
	}
	for _, u := range tally.Units {
		out.Units = append(out.Units, UnitFigure{u.Unit, cmp.Or(u.Name, "无单位"), u.Count})
	}
	scans := scansOf(flow, from, to.AddDate(0, 0, 1))
	byDay, byHour, err := s.days(ctx, scans)
	if err != nil {
		return out, err
	}
	if from.Equal(to) {
		out.Hours = byHour
	}
	for day := from; !day.After(to); day = day.AddDate(0, 0, 1) {
		key := day.Format(time.DateOnly)
		d := byDay[key]
		d.Key, d.Count = key, tally.Days[key]
		out.Days = append(out.Days, d)
	}
	if out.Running, err = s.Apply.Running(ctx, flow); err != nil {
		return out, err
	}
	err = s.decisions(ctx, scans, &out)
	return out, err
}

// scans choose decisions, also those without a code: what begins at FROM, with its arguments.
type scans struct {
	from string
	args []any
}

func scansOf(flow string, from, until time.Time) scans {
	q := scans{
		from: ` FROM events e WHERE e.type IN ($1, $2) AND e.at >= $3 AND e.at < $4 AND instr(e.body, $5) = 0`,
		args: []any{string(wire.EventScan), string(wire.EventEntry), from.UnixMilli(), until.UnixMilli(), again},
	}
	if flow != "" {
		q.from += ` AND EXISTS (SELECT 1 FROM application_passes p JOIN applications a ON a.id = p.application WHERE p.pass = e.pass AND a.flow = $6)`
		q.args = append(q.args, flow)
	}
	return q
}

// days counts admissions and refusals by campus day, and by hour of the day.
func (s *Service) days(ctx context.Context, q scans) (map[string]Day, []Hour, error) {
	var opens []string
	for _, r := range verdict.Reasons() {
		if r.Opens() {
			opens = append(opens, strconv.Itoa(int(r)))
		}
	}
	type part struct{ quarter, admitted, all int64 }
	parts, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (p part, err error) {
		err = rows.Scan(&p.quarter, &p.admitted, &p.all)
		return p, err
	}, fmt.Sprintf("SELECT e.at / %d AS q, sum(CASE WHEN e.reason IN (%s) THEN 1 ELSE 0 END), count(*)%s GROUP BY q",
		apply.Quarter, strings.Join(opens, ", "), q.from), q.args...)
	days, hours := map[string]Day{}, make([]Hour, 24)
	for i := range hours {
		hours[i].Key = fmt.Sprintf("%02d", i)
	}
	for _, p := range parts {
		at := time.UnixMilli(p.quarter * apply.Quarter).In(s.Location)
		h := &hours[at.Hour()]
		h.Admitted += int(p.admitted)
		h.Refused += int(p.all - p.admitted)
		key := at.Format(time.DateOnly)
		d := days[key]
		d.Admitted += int(p.admitted)
		d.Refused += int(p.all - p.admitted)
		days[key] = d
	}
	return days, hours, err
}

// decisions counts by gate and by reason.
func (s *Service) decisions(ctx context.Context, q scans, out *Charts) error {
	gates, err := s.Store.Gates(ctx)
	if err != nil {
		return err
	}
	type part struct {
		gate   uint16
		reason verdict.Reason
		count  int
	}
	parts, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (p part, err error) {
		err = rows.Scan(&p.gate, &p.reason, &p.count)
		return p, err
	}, "SELECT e.gate, e.reason, count(*)"+q.from+" GROUP BY e.gate, e.reason ORDER BY e.gate, e.reason", q.args...)
	if err != nil {
		return err
	}
	for _, p := range parts {
		key := strconv.Itoa(int(p.gate))
		i := slices.IndexFunc(out.Gates, func(g GateFigure) bool { return g.Key == key })
		if i < 0 {
			i = len(out.Gates)
			out.Gates = append(out.Gates, GateFigure{Key: key})
			if n := slices.IndexFunc(gates, func(g store.Gate) bool { return g.ID == p.gate }); n >= 0 {
				out.Gates[i].Name = gates[n].Name
			}
		}
		g := &out.Gates[i]
		g.Count += p.count
		if p.reason.Opens() {
			g.Admitted += p.count
		} else {
			g.Refused += p.count
		}
		reason := p.reason.String()
		if i = slices.IndexFunc(out.Reasons, func(r ReasonFigure) bool { return r.Key == reason }); i < 0 {
			i = len(out.Reasons)
			out.Reasons = append(out.Reasons, ReasonFigure{
				Key: reason, Name: verdict.TextOf(p.reason, verdict.Chinese).Title, EN: verdict.TextOf(p.reason, verdict.English).Title,
			})
		}
		out.Reasons[i].Count += p.count
	}
	slices.SortStableFunc(out.Gates, func(a, b GateFigure) int { return b.Count - a.Count })
	slices.SortStableFunc(out.Reasons, func(a, b ReasonFigure) int { return b.Count - a.Count })
	return nil
}
