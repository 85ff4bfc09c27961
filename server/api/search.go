package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

func (q ListQuery) offset() int { return (q.Page - 1) * q.Size }

// DateRange is from one campus day to another, both included.
type DateRange struct {
	From string `query:"from" doc:"first day, 2026-05-01"`
	To   string `query:"to" doc:"last day"`
}

// span gives the moments; zero times where a day is absent.
func (a *API) span(d DateRange) (from, until time.Time, err error) {
	for _, day := range []struct {
		field, text string
		at          *time.Time
		add         int
	}{{"from", d.From, &from, 0}, {"to", d.To, &until, 1}} {
		if day.text == "" {
			continue
		}
		at, err := time.ParseInLocation(time.DateOnly, day.text, a.Location)
		if err != nil {
			return from, until, &issue.Fault{Field: day.field, ZH: "应为 2026-05-01 这样的日期", EN: "want a day such as 2026-05-01"}
		}
		*day.at = at.AddDate(0, 0, day.add)
	}
	return from, until, nil
}

type searchPassesInput struct {
	ListQuery
	DateRange
	Q     string `query:"q" maxLength:"100" doc:"in the name, or a pass id"`
	Kind  string `query:"kind" enum:",resident_single,resident_multi,work,visitor,vehicle"`
	State string `query:"state" enum:",issued,used,expired,revoked"`
	address
}

type searchEventsInput struct {
	ListQuery
	DateRange
	Gate   uint16 `query:"gate" maximum:"65535" doc:"0 = any"`
	Reason string `query:"reason" maxLength:"40" doc:"the gate's decision, such as granted"`
	Pass   string `query:"pass" pattern:"^([0-9a-f]{16})?$"`
}

func (a *API) searchRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/passes", scope: auth.PassesRead, id: "search-passes",
		text: "查找通行证 Search passes, newest first",
	}, a.searchPasses)
	add(a, route{
		method: http.MethodGet, path: prefix + "/events/search", scope: auth.EventsRead, id: "search-events",
		text: "查找通行记录 Search what gates reported, newest first",
	}, a.searchEvents)
	add(a, route{
		method: http.MethodGet, path: prefix + "/events/live", scope: auth.EventsRead, id: "live-events", media: "text/event-stream",
		text: "实时通行记录 What gates report, as it arrives: an event named event for each, its id the after of GET /events",
	}, a.liveEvents)
}

func (a *API) searchPasses(ctx context.Context, in *searchPassesInput) (*pageOutput[Pass], error) {
	from, until, err := a.span(in.DateRange)
	if err != nil {
		return nil, err
	}
	q := store.PassQuery{Text: in.Q, State: in.State, Now: a.Now().Unix(), Limit: in.Size, Offset: in.offset()}
	if in.Kind != "" {
		if q.Kind, err = signing.ParseKind(in.Kind); err != nil {
			return nil, err
		}
	}
	if !from.IsZero() {
		q.From = from.Unix()
	}
	if !until.IsZero() {
		q.Until = until.Unix()
	}
	found, total, err := a.Store.SearchPasses(ctx, q)
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(found, func(p store.PassStatus) Pass { return a.passBody(p, in.address) }), total), nil
}

func (a *API) searchEvents(ctx context.Context, in *searchEventsInput) (*pageOutput[Event], error) {
	from, until, err := a.span(in.DateRange)
	if err != nil {
		return nil, err
	}
	q := store.EventQuery{Gate: in.Gate, Limit: in.Size, Offset: in.offset()}
	if in.Reason != "" {
		for _, r := range verdict.Reasons() {
			if r.String() == in.Reason {
				q.Reason = r
			}
		}
		if q.Reason == 0 {
			return nil, &issue.Fault{Field: "reason", ZH: "没有这种结果", EN: "there is no such reason"}
		}
	}
	if in.Pass != "" {
		if q.Pass, err = signing.ParsePassID(in.Pass); err != nil {
			return nil, err
		}
	}
	if !from.IsZero() {
		q.From = from.UnixMilli()
	}
	if !until.IsZero() {
		q.Until = until.UnixMilli()
	}
	found, total, err := a.Store.SearchEvents(ctx, q)
	if err != nil {
		return nil, err
	}
	return pageOf(in.ListQuery, mapped(found, eventBody), total), nil
}

// How a stream of events behaves. It ends after a while, so that the browser
// comes again and shows that it still may.
const (
	liveLook  = 500 * time.Millisecond
	liveBeat  = 15 * time.Second // a comment, so that a dead line is noticed
	liveLife  = 10 * time.Minute
	liveBatch = 200
)

type liveInput struct {
	Last string `header:"Last-Event-ID" pattern:"^[0-9]{0,18}$" doc:"go on after this one; absent = what arrives from now on"`
}

func (a *API) liveEvents(ctx context.Context, in *liveInput) (*huma.StreamResponse, error) {
	last, err := a.Store.LastPosition(ctx)
	if err != nil {
		return nil, err
	}
	if n, err := strconv.ParseInt(in.Last, 10, 64); err == nil && n < last {
		last = n
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		hc.SetHeader("Content-Type", "text/event-stream")
		hc.SetHeader("Cache-Control", "no-store")
		hc.SetHeader("X-Accel-Buffering", "no") // or a proxy keeps it to itself
		if err := a.stream(hc, last); err != nil && hc.Context().Err() == nil {
			a.Log.Debug("event stream ended", "err", err)
		}
	}}, nil
}

// stream writes events until the reader leaves or the time is over.
func (a *API) stream(hc huma.Context, last int64) error {
	ctx, cancel := context.WithTimeout(hc.Context(), liveLife)
	defer cancel()
	w := hc.BodyWriter()
	line, ok := w.(http.ResponseWriter)
	if !ok {
		return fmt.Errorf("cannot stream to %T", w)
	}
	control := http.NewResponseController(line)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		return err
	}
	look, beat := time.NewTicker(liveLook), time.NewTicker(liveBeat)
	defer look.Stop()
	defer beat.Stop()
	if _, err := fmt.Fprint(w, ": begin\n\n"); err != nil {
		return err
	}
	for {
		if err := control.Flush(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return err
			}
		case <-look.C:
			found, err := a.Store.Events(ctx, last, liveBatch)
			if err != nil {
				return err
			}
			for _, e := range found {
				last = e.Position
				if _, err := fmt.Fprintf(w, "event: event\nid: %d\ndata: ", e.Position); err != nil {
					return err
				}
				if err := strictJSON.Marshal(w, eventBody(e)); err != nil { // ends in a line feed
					return err
				}
				if _, err := fmt.Fprint(w, "\n"); err != nil {
					return err
				}
			}
		}
	}
}
