package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/report"
	"campusgate/server/store"
)

// RecordFilter chooses records of a flow. It is exported for the HTTP library,
// which looks into no other embedded struct.
type RecordFilter struct {
	FlowPath
	DateRange
	Month string `query:"month" doc:"of the application, 2026-05; instead of from and to"`
	State string `query:"state" enum:",draft,running,completed,rejected,returned,withdrawn,terminated,voided"`
	Q     string `query:"q" maxLength:"100" doc:"in title or serial, or the applicant's name or number"`
}

// ReadableFlow is a flow whose records the caller may read.
type ReadableFlow struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Export bool   `json:"export" doc:"they may be taken away as a file"`
}

type recordsInput struct {
	RecordFilter
	ListQuery
}

type recordsOutput struct {
	Body struct {
		Items   []report.Record `json:"items"`
		Total   int             `json:"total"`
		Page    int             `json:"page"`
		Size    int             `json:"size"`
		Columns []report.Column `json:"columns" doc:"all that there are, in order"`
	}
}

type exportInput struct {
	RecordFilter
	Format  string `query:"format" enum:"csv,xlsx" default:"xlsx"`
	Columns string `query:"columns" maxLength:"2000" doc:"ids with commas between; absent = those that are shown"`
	Plain   bool   `query:"plain" doc:"names and numbers in full; asks for exports:plain and a reason"`
	Reason  string `query:"reason" maxLength:"200" doc:"with plain: what the file is for; it is kept"`
}

type chartsInput struct {
	DateRange
	Flow string `query:"flow" maxLength:"64" doc:"absent = all flows, and every pass at the gates"`
}

type chartsOutput struct{ Body report.Charts }

func (a *API) reportRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/reports", scope: auth.Stats, holder: true, id: "list-readable",
		text: "可查询的流程 The flows whose records you may read; often none",
	}, a.listReadable)
	// The holder is somebody to whom the flow itself gives its statistics.
	add(a, route{
		method: http.MethodGet, path: prefix + "/reports/{flow}", scope: auth.Stats, holder: true, id: "list-records",
		text: "查询统计 All records of a flow, newest first; also for whom the flow names", errors: []int{http.StatusNotFound},
	}, a.listRecords)
	add(a, route{
		method: http.MethodGet, path: prefix + "/reports/{flow}/export", scope: auth.Stats, holder: true, id: "export-records",
		text:  "导出 The same as a file of at most 100,000 rows; names and numbers are masked unless plain, what could be a formula is made inert",
		media: csvType + " " + xlsxType, errors: []int{http.StatusNotFound},
	}, a.exportRecords)
	add(a, route{
		method: http.MethodGet, path: prefix + "/reports/charts", scope: auth.Stats, holder: true, id: "chart-records",
		text: "统计图 Figures by day, gate, reason and unit over at most 366 days; absent days = the last 30", errors: []int{http.StatusNotFound},
	}, a.charts)
}

// reports are what this API reads them from.
func (a *API) reports() *report.Service {
	return &report.Service{Store: a.Store, Apply: a.Apply, Location: a.Location}
}

func (a *API) listReadable(ctx context.Context, _ *struct{}) (*itemsOutput[ReadableFlow], error) {
	who, items := actor(ctx), []ReadableFlow{}
	for _, f := range a.Apply.Flows() {
		if who.Reads(f.Flow) {
			items = append(items, ReadableFlow{ID: f.Flow.ID, Name: f.Flow.Name, Export: who.Exports(f.Flow)})
		}
	}
	return whole(items), nil
}

// readable gives a flow whose records the caller may read. Who may read none is
// not told which flows there are.
func (a *API) readable(ctx context.Context, id string, may func(apply.Actor, *approval.Flow) bool) (*approval.Flow, error) {
	who := actor(ctx)
	f, err := a.Apply.Flow(id)
	switch {
	case errors.Is(err, store.ErrNotFound) && !who.Stats, err == nil && !may(who, f.Flow):
		return nil, fmt.Errorf("%w: %s", auth.ErrForbidden, auth.Stats)
	}
	return f.Flow, err
}

// query checks what is asked for.
func (a *API) query(f RecordFilter) (q apply.Query, err error) {
	q = apply.Query{State: approval.State(f.State), Text: f.Q, From: f.From, To: f.To}
	if f.Month == "" {
		_, _, err = a.span(f.DateRange)
		return q, err
	}
	first, err := time.ParseInLocation("2006-01", f.Month, a.Location)
	if err != nil {
		return q, &issue.Fault{Field: "month", ZH: "应为 2026-05 这样的月份", EN: "want a month such as 2026-05"}
	}
	if f.From != "" || f.To != "" {
		return q, &issue.Fault{Field: "month", ZH: "月份与起止日期只能给出一种", EN: "give a month, or days, not both"}
	}
	q.From, q.To = first.Format(time.DateOnly), first.AddDate(0, 1, -1).Format(time.DateOnly)
	return q, nil
}

func (a *API) listRecords(ctx context.Context, in *recordsInput) (*recordsOutput, error) {
	flow, err := a.readable(ctx, in.Flow, apply.Actor.Reads)
	if err != nil {
		return nil, err
	}
	q, err := a.query(in.RecordFilter)
	if err != nil {
		return nil, err
	}
	q.Page, q.Size = in.Page, in.Size
	rows, total, err := a.reports().Page(ctx, flow, q)
	if err != nil {
		return nil, err
	}
	out := &recordsOutput{}
	out.Body.Items, out.Body.Total, out.Body.Page, out.Body.Size = rows, total, in.Page, in.Size
	out.Body.Columns = report.Columns(flow)
	return out, nil
}

// exportLife is how long the reader of a file may take.
const exportLife = 10 * time.Minute

func (a *API) exportRecords(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	flow, err := a.readable(ctx, in.Flow, apply.Actor.Exports)
	if err != nil {
		return nil, err
	}
	q, err := a.query(in.RecordFilter)
	if err != nil {
		return nil, err
	}
	var columns []string
	if in.Columns != "" {
		columns = strings.Split(in.Columns, ",")
	}
	if in.Plain && !caller(ctx).May(auth.ExportsPlain) {
		return nil, fmt.Errorf("%w: %s", auth.ErrForbidden, auth.ExportsPlain)
	}
	file, err := a.reports().Export(ctx, caller(ctx).Actor, flow, q, report.Form{
		Format: report.Format(in.Format), Columns: columns, Plain: in.Plain, Reason: in.Reason,
	})
	if err != nil {
		return nil, err
	}
	kind := xlsxType
	if in.Format == string(report.CSV) {
		kind = csvType + "; charset=utf-8"
	}
	name := flow.Name + " " + a.Now().In(a.Location).Format("20060102-1504") + "." + in.Format
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", kind)
		hc.SetHeader("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
		a.send(hc, file)
	}}, nil
}

// send writes a file. One that breaks off must not look whole, so then the
// connection does too.
func (a *API) send(hc huma.Context, file *report.Export) {
	w := hc.BodyWriter()
	if line, ok := w.(http.ResponseWriter); ok {
		if err := http.NewResponseController(line).SetWriteDeadline(time.Now().Add(exportLife)); err != nil {
			a.Log.Debug("export has the usual time only", "err", err)
		}
	}
	err := file.Write(hc.Context(), w)
	if err == nil {
		return
	}
	if hc.Context().Err() == nil {
		a.Log.Error("export broke off", "request_id", requestID(hc.Context()), "err", err)
	}
	panic(http.ErrAbortHandler)
}

func (a *API) charts(ctx context.Context, in *chartsInput) (*chartsOutput, error) {
	if in.Flow != "" {
		if _, err := a.readable(ctx, in.Flow, apply.Actor.Reads); err != nil {
			return nil, err
		}
	} else if !actor(ctx).Stats {
		return nil, fmt.Errorf("%w: %s", auth.ErrForbidden, auth.Stats)
	}
	from, until, err := a.span(in.DateRange)
	if err != nil {
		return nil, err
	}
	if until.IsZero() {
		today := a.Now().In(a.Location)
		until = time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, a.Location)
	}
	to := until.AddDate(0, 0, -1)
	if from.IsZero() {
		from = to.AddDate(0, 0, -29)
	}
	if from.After(to) || !from.AddDate(0, 0, report.MaxDays).After(to) {
		return nil, &issue.Fault{
			Field: "from", ZH: fmt.Sprintf("应在截止日期之前 %d 天内", report.MaxDays), EN: fmt.Sprintf("want at most %d days up to the last", report.MaxDays),
		}
	}
	figures, err := a.reports().Charts(ctx, in.Flow, from, to)
	return &chartsOutput{figures}, err
}
