package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestSearchPasses_ByNameKindStateAndDay(t *testing.T) {
	w := newWorld(t)
	issue := func(kind, name, from, until string) (p api.Pass) {
		t.Helper()
		w.want(t, 201, "POST", "/api/v1/passes", map[string]any{"kind": kind, "name": name, "from": from, "until": until, "zones": []int{1}}, &p)
		return p
	}
	work := issue("work", "林晓岚", "2026-11-20", "2026-11-25")
	single := issue("resident_single", "许文娟", "2026-11-22", "2026-11-22")
	car := issue("vehicle", "渝A12345", "2026-12-01", "2026-12-31")
	w.want(t, 200, "POST", "/api/v1/passes/"+car.ID+"/revoke", map[string]any{}, nil)
	var list struct {
		Items []api.Pass
		Total int
	}
	for query, want := range map[string]string{
		"q=" + url.QueryEscape("晓"): work.ID, "q=" + single.ID: single.ID, "kind=vehicle": car.ID, "state=revoked": car.ID,
		"from=2026-12-01": car.ID, "to=2026-11-21": work.ID, "from=2026-11-22&to=2026-11-22&kind=resident_single": single.ID,
		"state=used": "", "state=expired": "", "q=%25": "", "q=" + url.QueryEscape("' OR 1=1 --"): "",
	} {
		w.want(t, 200, "GET", "/api/v1/passes?"+query, nil, &list)
		if want == "" && list.Total != 0 || want != "" && (list.Total != 1 || list.Items[0].ID != want) {
			t.Errorf("%s: %+v", query, list)
		}
	}
	w.want(t, 200, "GET", "/api/v1/passes?size=1&page=2", nil, &list)
	if list.Total != 3 || len(list.Items) != 1 {
		t.Errorf("a page: %+v", list)
	}
	w.now.Add(10 * 24 * time.Hour.Milliseconds())
	if w.want(t, 200, "GET", "/api/v1/passes?state=expired", nil, &list); list.Total != 2 {
		t.Errorf("expired: %+v", list)
	}
	for _, query := range []string{"kind=king", "state=gone", "from=tomorrow", "page=0", "size=201", "nosuch=1"} {
		w.refused(t, w.call(t, w.token, "GET", "/api/v1/passes?"+query, nil), 422, "invalid")
	}
}

// scan stores an event of a scan.
func (w *world) scan(t testing.TB, gate uint16, at int64, reason verdict.Reason) {
	t.Helper()
	_, err := w.db.RecordOwn(t.Context(), wire.Event{
		Type: wire.EventScan, At: at, Gate: gate, Lane: "in", Verdict: verdict.Verdict{Reason: reason}, Case: &verdict.Case{},
	})
	ok(t, err)
}

func TestSearchEvents_ByGateReasonPassAndDay(t *testing.T) {
	w := newWorld(t)
	now := w.now.Load()
	w.scan(t, 1, now-24*time.Hour.Milliseconds(), verdict.Expired)
	w.scan(t, 2, now, verdict.Granted)
	w.scan(t, 2, now, verdict.Revoked)
	var list struct {
		Items []api.Event
		Total int
	}
	for query, want := range map[string]int{
		"": 3, "?gate=2": 2, "?reason=revoked": 1, "?gate=1&reason=revoked": 0, "?from=2026-11-21": 2, "?to=2026-11-20": 1, "?pass=0123456789abcdef": 0,
	} {
		if w.want(t, 200, "GET", "/api/v1/events/search"+query, nil, &list); list.Total != want || len(list.Items) != want {
			t.Errorf("%s: %+v", query, list)
		}
	}
	if w.want(t, 200, "GET", "/api/v1/events/search?size=1", nil, &list); list.Items[0].Reason != "revoked" || list.Items[0].Lane != "in" {
		t.Errorf("the newest is %+v", list.Items)
	}
	for _, query := range []string{"reason=bad", "pass=xyz", "from=2026-13-01", "gate=99999"} {
		w.refused(t, w.call(t, w.token, "GET", "/api/v1/events/search?"+query, nil), 422, "invalid")
	}
}

// listen opens the stream of events; next gives one after the other.
func (w *world) listen(t testing.TB, ctx context.Context, last string) (next func() (id int64, e api.Event)) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, "GET", w.URL+"/api/v1/events/live", nil)
	ok(t, err)
	as(req, w.token)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := w.Client().Do(req)
	ok(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	lines := bufio.NewScanner(res.Body)
	if !lines.Scan() || lines.Text() != ": begin" {
		t.Fatalf("it begins with %q", lines.Text())
	}
	return func() (id int64, e api.Event) {
		t.Helper()
		named := false
		for lines.Scan() {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				named = value == "event"
			case "id":
				id, err = strconv.ParseInt(value, 10, 64)
				ok(t, err)
			case "data":
				ok(t, json.Unmarshal([]byte(value), &e))
			case "":
				if e.ID != "" {
					if !named || id == 0 {
						t.Errorf("event %+v without its name or id", e)
					}
					return id, e
				}
			}
		}
		t.Fatalf("the stream ended: %v", lines.Err())
		return id, e
	}
}

func TestLiveEvents_ArriveAndGoOnWhereTheStreamBroke(t *testing.T) {
	w := newWorld(t)
	ctx, leave := context.WithTimeout(t.Context(), time.Minute)
	defer leave()
	w.scan(t, 1, w.now.Load(), verdict.Expired) // before anybody listened
	next := w.listen(t, ctx, "")
	w.scan(t, 2, w.now.Load(), verdict.Granted)
	w.scan(t, 3, w.now.Load(), verdict.Revoked)
	first, e := next()
	if e.Gate != 2 || e.Reason != "granted" {
		t.Errorf("first %+v", e)
	}
	second, e := next()
	if e.Gate != 3 || second <= first {
		t.Errorf("second %+v", e)
	}
	again := w.listen(t, ctx, fmt.Sprint(first))
	if id, e := again(); id != second || e.Gate != 3 {
		t.Errorf("after %d: %+v", first, e)
	}
	// One that is not there yet, as of another database: what arrives from now on.
	ahead := w.listen(t, ctx, "99999999")
	w.scan(t, 4, w.now.Load(), verdict.Granted)
	for _, next := range []func() (int64, api.Event){again, ahead} {
		if _, e := next(); e.Gate != 4 {
			t.Errorf("then %+v", e)
		}
	}
	w.refused(t, w.call(t, w.newToken(t, "passes:read"), "GET", "/api/v1/events/live", nil), 403, "forbidden")
	req, err := http.NewRequestWithContext(ctx, "GET", w.URL+"/api/v1/events/live", nil)
	ok(t, err)
	as(req, w.token)
	req.Header.Set("Last-Event-ID", "1; DROP TABLE events")
	w.refused(t, w.do(t, req), 422, "invalid")
}

type messageList struct {
	Items []api.Message
	Total int
}

func TestMessages_OfEverybodyTheirOwn(t *testing.T) {
	w := newWorld(t)
	enter := w.settle(t)
	staff, head, other := enter("T1001"), enter("T1002"), enter("T1005")
	a := w.workPass(t, staff, "值班", true)
	w.workPass(t, staff, "做实验", true)
	var list messageList
	w.as(t, head, 200, "GET", "/api/v1/messages", nil, &list)
	if list.Total != 2 || list.Items[0].ID <= list.Items[1].ID {
		t.Fatalf("messages %+v", list)
	}
	m := list.Items[1]
	if m.Kind != "assigned" || m.Link != "/applications/"+a.ID || m.Text == "" || m.Subject == "" || m.At != w.now.Load() || m.ReadAt != 0 {
		t.Errorf("message %+v", m)
	}
	count := func(who string, want int) {
		t.Helper()
		var unread struct{ Unread int }
		if w.as(t, who, 200, "GET", "/api/v1/messages/count", nil, &unread); unread.Unread != want {
			t.Errorf("%d unread, want %d", unread.Unread, want)
		}
	}
	count(head, 2)
	count(other, 0)
	read := fmt.Sprintf("/api/v1/messages/%d/read", m.ID)
	w.refused(t, w.call(t, other, "POST", read, nil), 404, "not_found")
	count(head, 2)
	w.as(t, head, 204, "POST", read, nil, nil)
	w.as(t, head, 204, "POST", read, nil, nil)
	count(head, 1)
	for query, want := range map[string]int{
		"unread=true": 1, "year=2026": 2, "year=2026&month=11": 2, "year=2026&month=12": 0, "year=2025": 0, "size=1": 2, "page=9": 2,
	} {
		if w.as(t, head, 200, "GET", "/api/v1/messages?"+query, nil, &list); list.Total != want {
			t.Errorf("%s: %d messages, want %d", query, list.Total, want)
		}
	}
	for _, query := range []string{"month=11", "year=2026&month=13", "year=-1", "unread=maybe"} {
		w.refused(t, w.call(t, head, "GET", "/api/v1/messages?"+query, nil), 422, "invalid")
	}
	w.as(t, head, 204, "POST", "/api/v1/messages/read", nil, nil)
	count(head, 0)
	w.refused(t, w.call(t, head, "POST", "/api/v1/messages/0/read", nil), 422, "invalid")
	w.decide(t, head, a.ID, "agree")
	w.as(t, staff, 200, "GET", "/api/v1/messages?unread=true", nil, &list)
	if !slices.ContainsFunc(list.Items, func(m api.Message) bool { return m.Kind == "completed" && strings.HasSuffix(m.Link, a.ID) }) {
		t.Errorf("the applicant was told %+v", list)
	}
}
