package console_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/signing/verdict"
)

// reply is an answer of the API, read to the end.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t *testing.T, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.body), into); err != nil {
		t.Fatalf("%v in %s", err, r.body)
	}
}

// send makes a request. Headers are pairs; Host is one of them.
func send(t *testing.T, method, address, body string, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Del(headers[i])
		switch {
		case headers[i] == "Host":
			req.Host = headers[i+1]
		case headers[i+1] != "":
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

func TestScanIsPresentedAndItsResultReturned(t *testing.T) {
	d := newDesk()
	d.script["CP1:GOOD"] = granted
	srv := served(t, d, newGauge(), nil)
	got := send(t, "POST", srv.URL+"/api/v1/scans", `{"text":"CP1:GOOD","source":"wedge","lane":"入口"}`)
	var r desk.Result
	got.json(t, &r)
	if got.status != http.StatusOK || r.ID == "" || r.Reason != verdict.Granted || r.Name != granted.Name || r.Kind != granted.Kind {
		t.Fatalf("%d %s", got.status, got.body)
	}
	// Lane and source have a default.
	if got = send(t, "POST", srv.URL+"/api/v1/scans", `{"text":"nonsense"}`); !strings.Contains(got.body, `"malformed"`) {
		t.Errorf("a code of nobody's: %s", got.body)
	}
	want := []string{"present 入口 wedge CP1:GOOD", "present 入口 api nonsense"}
	if !slices.Equal(d.asked(), want) {
		t.Errorf("the desk was asked %q, want %q", d.asked(), want)
	}
	var list struct{ Scans []desk.Result }
	send(t, "GET", srv.URL+"/api/v1/scans", "").json(t, &list)
	if len(list.Scans) != 2 || list.Scans[1].ID != r.ID {
		t.Errorf("scans: %+v", list)
	}
}

func TestQuestionIsAnsweredOnceAndAdmissionAnnulledOnce(t *testing.T) {
	d := newDesk()
	srv := served(t, d, newGauge(), nil)
	q := d.publish(question)
	path := srv.URL + "/api/v1/scans/" + q.ID
	if got := send(t, "POST", path+"/answer", `{"document":"work_permit"}`); got.status != 200 || !strings.Contains(got.body, `"granted"`) {
		t.Fatalf("answer: %d %s", got.status, got.body)
	}
	if got := send(t, "POST", path+"/answer", `{"refuse":true}`); got.status != http.StatusConflict {
		t.Errorf("second answer: %d %s", got.status, got.body)
	}
	if got := send(t, "POST", path+"/annul", ``); got.status != 200 || !strings.Contains(got.body, `"annulled":true`) {
		t.Errorf("annul without a body: %d %s", got.status, got.body)
	}
	if got := send(t, "POST", path+"/annul", `{}`); got.status != http.StatusConflict {
		t.Errorf("second annul: %d %s", got.status, got.body)
	}
	refused := d.publish(question)
	if got := send(t, "POST", srv.URL+"/api/v1/scans/"+refused.ID+"/answer", `{"refuse":true}`); !strings.Contains(got.body, `"document_required"`) {
		t.Errorf("refused: %s", got.body)
	}
}

func TestStatusAndTextsAreServed(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Guideline = nil })
	var s console.Status
	send(t, "GET", srv.URL+"/api/v1/status", "").json(t, &s)
	if s.Gate.Name != "北门" || s.Now == 0 || len(s.Lanes) != 1 {
		t.Errorf("status %+v", s)
	}
	var texts struct {
		Reasons   map[string]map[string]verdict.Text
		Documents []console.Document
	}
	send(t, "GET", srv.URL+"/api/v1/texts", "").json(t, &texts)
	for _, r := range verdict.Reasons() {
		for _, lang := range []string{"zh", "en"} {
			if text := texts.Reasons[lang][r.String()]; text != verdict.TextOf(r, lang) || text.Word == "" {
				t.Errorf("%v in %s: %+v", r, lang, text)
			}
		}
	}
	if len(texts.Documents) != 5 || texts.Documents[0].Label.ZH != "工作证" || texts.Documents[0].Label.EN == "" {
		t.Errorf("documents %+v", texts.Documents)
	}
}

// Nothing that a browser can be made to send by another page reaches the desk.
func TestForeignRequestsAreRefused(t *testing.T) {
	const scan = `{"text":"CP1:GOOD"}`
	tests := map[string]struct {
		method, path, body string
		headers            []string
		code               string
	}{
		"rebound name":            {"POST", "/api/v1/scans", scan, []string{"Host", "evil.example"}, "bad_host"},
		"rebound name, reading":   {"GET", "/api/v1/scans", "", []string{"Host", "evil.example:80"}, "bad_host"},
		"rebound name, the page":  {"GET", "/", "", []string{"Host", "evil.example"}, "bad_host"},
		"name that looks like it": {"GET", "/api/v1/status", "", []string{"Host", "127.0.0.1.evil.example"}, "bad_host"},
		"address of the network":  {"GET", "/api/v1/status", "", []string{"Host", "192.168.1.4"}, "bad_host"},
		"empty host":              {"GET", "/api/v1/status", "", []string{"Host", " "}, "bad_host"},
		"origin of another site":  {"POST", "/api/v1/scans", scan, []string{"Origin", "https://evil.example"}, "cross_origin"},
		"origin of another port":  {"POST", "/api/v1/scans", scan, []string{"Origin", "http://127.0.0.1:1"}, "cross_origin"},
		"opaque origin":           {"POST", "/api/v1/scans", scan, []string{"Origin", "null"}, "cross_origin"},
		"fetched across sites":    {"POST", "/api/v1/scans", scan, []string{"Sec-Fetch-Site", "cross-site"}, "cross_origin"},
		"fetched from a sibling":  {"POST", "/api/v1/scans", scan, []string{"Sec-Fetch-Site", "same-site"}, "cross_origin"},
		"other methods as well":   {"DELETE", "/api/v1/scans", "", []string{"Origin", "https://evil.example"}, "cross_origin"},
		"a form":                  {"POST", "/api/v1/scans", scan, []string{"Content-Type", "text/plain"}, "bad_content_type"},
		"no content type":         {"POST", "/api/v1/scans", scan, []string{"Content-Type", ""}, "bad_content_type"},
		"a form, to annul":        {"POST", "/api/v1/scans/s1/annul", "", []string{"Content-Type", "application/x-www-form-urlencoded"}, "bad_content_type"},
		"other charset":           {"POST", "/api/v1/scans", scan, []string{"Content-Type", "application/json; charset=utf-16"}, "bad_content_type"},
		"websocket, other origin": {"GET", "/api/v1/feed", "", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Origin", "https://evil.example"}, "cross_origin"},
		"websocket, other site":   {"GET", "/api/v1/feed", "", []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-Fetch-Site", "cross-site"}, "cross_origin"},
	}
	d := newDesk()
	srv := served(t, d, newGauge(), func(c *console.Config) { c.Page = site })
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := send(t, test.method, srv.URL+test.path, test.body, test.headers...)
			var e struct {
				Code, Message string
				RequestID     string `json:"request_id"`
				Details       map[string]any
			}
			got.json(t, &e)
			if e.Code != test.code || e.Message == "" || e.RequestID == "" || e.Details == nil || got.status < 400 {
				t.Errorf("%d %s, want %s", got.status, got.body, test.code)
			}
		})
	}
	if asked := d.asked(); len(asked) > 0 {
		t.Errorf("the desk was asked all the same: %q", asked)
	}
}

func TestOwnRequestsAreAccepted(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), func(c *console.Config) { c.Hosts = []string{"gate-3.campus.example"} })
	port := srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	for name, headers := range map[string][]string{
		"by name":         {"Host", "localhost" + port},
		"by address":      {"Host", "127.0.0.1" + port},
		"by IPv6":         {"Host", "[::1]" + port},
		"without port":    {"Host", "localhost"},
		"by a given name": {"Host", "Gate-3.campus.example:8471"},
		"from the page":   {"Host", "localhost" + port, "Origin", "http://localhost" + port, "Sec-Fetch-Site", "same-origin"},
		"with charset":    {"Content-Type", "application/json; charset=UTF-8"},
	} {
		if got := send(t, "POST", srv.URL+"/api/v1/scans", `{"text":"x"}`, headers...); got.status != 200 {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestBadRequestsNameWhatIsWrong(t *testing.T) {
	d := newDesk()
	srv := served(t, d, newGauge(), nil)
	q := d.publish(question)
	answer := "/api/v1/scans/" + q.ID + "/answer"
	tests := map[string]struct {
		method, path, body string
		status             int
		code, mentions     string
	}{
		"not JSON":           {"POST", "/api/v1/scans", `text=x`, 400, "bad_json", "problem"},
		"cut short":          {"POST", "/api/v1/scans", `{"text":"x"`, 400, "bad_json", "problem"},
		"two values":         {"POST", "/api/v1/scans", `{"text":"x"}{}`, 400, "bad_json", "more than one value"},
		"unknown key":        {"POST", "/api/v1/scans", `{"text":"x","amount":1}`, 400, "bad_json", "amount"},
		"wrong type":         {"POST", "/api/v1/scans", `{"text":7}`, 400, "bad_json", "text"},
		"no text":            {"POST", "/api/v1/scans", ``, 422, "bad_request", "text"},
		"long text":          {"POST", "/api/v1/scans", `{"text":"` + strings.Repeat("A", 9<<10) + `"}`, 422, "bad_request", "8192"},
		"huge body":          {"POST", "/api/v1/scans", `{"text":"` + strings.Repeat("A", 64<<10) + `"}`, 413, "body_too_large", "32768"},
		"unknown source":     {"POST", "/api/v1/scans", `{"text":"x","source":"dream"}`, 422, "bad_request", "wedge"},
		"unknown lane":       {"POST", "/api/v1/scans", `{"text":"x","lane":"nowhere"}`, 422, "unknown_lane", "nowhere"},
		"no answer":          {"POST", answer, `{}`, 422, "bad_request", "document"},
		"two answers":        {"POST", answer, `{"document":"id_card","refuse":true}`, 422, "bad_request", "document"},
		"unknown document":   {"POST", answer, `{"document":"library_card"}`, 422, "unknown_document", "library_card"},
		"unknown scan":       {"POST", "/api/v1/scans/nobody/answer", `{"refuse":true}`, 404, "unknown_scan", ""},
		"annul nobody":       {"POST", "/api/v1/scans/nobody/annul", `{}`, 404, "unknown_scan", ""},
		"annul a question":   {"POST", "/api/v1/scans/" + q.ID + "/annul", `{}`, 409, "not_annullable", ""},
		"annul with a body":  {"POST", "/api/v1/scans/" + q.ID + "/annul", `{"why":1}`, 400, "bad_json", "why"},
		"wrong method":       {"PUT", "/api/v1/scans", ``, 405, "method_not_allowed", "POST"},
		"feed, no socket":    {"GET", "/api/v1/feed", ``, 426, "websocket_required", ""},
		"document twice":     {"POST", answer, `{"document":"id_card","documents":["lease"]}`, 422, "bad_request", "document"},
		"one unknown of two": {"POST", answer, `{"documents":["id_card","library_card"]}`, 422, "unknown_document", "library_card"},
		"no such call":       {"GET", "/api/v1/nothing", ``, 404, "not_found", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := send(t, test.method, srv.URL+test.path, test.body)
			var e struct{ Code string }
			got.json(t, &e)
			if got.status != test.status || e.Code != test.code || !strings.Contains(got.body, test.mentions) {
				t.Errorf("%d %s, want %d %s with %q", got.status, got.body, test.status, test.code, test.mentions)
			}
		})
	}
	if got := d.Recent()[0]; got.Need != verdict.NeedDocument {
		t.Errorf("a bad request changed the question: %+v", got)
	}
}

func TestMessageComesInTheLanguageAskedFor(t *testing.T) {
	srv := served(t, newDesk(), newGauge(), nil)
	for header, want := range map[string]string{"": "没有这条扫码记录", "zh-CN": "没有这条扫码记录", "en-GB,en": "there is no such scan"} {
		got := send(t, "POST", srv.URL+"/api/v1/scans/x/annul", "{}", "Accept-Language", header)
		if !strings.Contains(got.body, want) {
			t.Errorf("%q: %s", header, got.body)
		}
	}
}

func TestFaultsOfTheDeskBecomeErrors(t *testing.T) {
	d := newDesk()
	var log strings.Builder
	srv := served(t, d, newGauge(), func(c *console.Config) { c.Log = textLog(&log) })
	for _, test := range []struct {
		err    error
		status int
		code   string
	}{
		{desk.ErrBusy, 503, "busy"},
		{desk.ErrStore, 503, "not_written"},
		{desk.ErrNoLane, 422, "unknown_lane"},
		{errors.New("the disk is on fire"), 500, "internal"},
	} {
		d.mu.Lock()
		d.fail = test.err
		d.mu.Unlock()
		got := send(t, "POST", srv.URL+"/api/v1/scans", `{"text":"CP1:SECRET"}`)
		if got.status != test.status || !strings.Contains(got.body, `"`+test.code+`"`) || strings.Contains(got.body, "fire") {
			t.Errorf("%v: %d %s", test.err, got.status, got.body)
		}
	}
	if !strings.Contains(log.String(), "the disk is on fire") || strings.Contains(log.String(), "SECRET") {
		t.Errorf("log: %s", log.String())
	}
}

func TestDecisionOutlivesTheRequest(t *testing.T) {
	d := newDesk()
	d.stuck = make(chan struct{})
	d.script["CP1:GOOD"] = granted
	srv := served(t, d, newGauge(), nil)
	results, stop := d.Subscribe()
	defer stop()
	req, err := http.NewRequestWithContext(t.Context(), "POST", srv.URL+"/api/v1/scans", strings.NewReader(`{"text":"CP1:GOOD"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	gone := make(chan struct{})
	transport := &http.Transport{}
	go func() {
		defer close(gone)
		if resp, err := transport.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
		}
	}()
	for len(d.asked()) == 0 {
		select {
		case <-gone:
			t.Fatal("answered before the desk decided")
		default:
		}
	}
	srv.CloseClientConnections()
	<-gone
	close(d.stuck)
	if r := <-results; r.Reason != verdict.Granted {
		t.Errorf("%+v", r)
	}
}
