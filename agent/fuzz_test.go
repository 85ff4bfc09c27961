//go:build linux

package agent_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"campusgate/agent"
)

// routes of an agent, with parameters that a fuzzer fills in.
func routes(f *testing.F, a *agent.Agent) (all []string) {
	f.Helper()
	for _, pattern := range a.Patterns() {
		if strings.HasSuffix(pattern, "/feed") || strings.Contains(pattern, "/doctor") || strings.HasSuffix(pattern, "/support") {
			continue // streams; and what looks at the whole computer, once a minute
		}
		all = append(all, pattern)
	}
	return all
}

var parameter = regexp.MustCompile(`\{[^}]+\}`)

// FuzzLoopback: whatever a program on the gate's computer sends to the API of a
// real agent, with its store and a lane without devices, is answered: no panic,
// no fault, and what is refused is refused in JSON.
func FuzzLoopback(f *testing.F) {
	s := newStation(f)
	a := must[*agent.Agent](f)(agent.New(s.settings("  - name: 小门\n"), deps(0)))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	f.Cleanup(func() {
		cancel()
		check(f, <-ended)
	})
	all := routes(f, a)
	if len(all) < 15 {
		f.Fatalf("%d routes: %q", len(all), all)
	}
	code := s.code()
	for i := range all {
		for _, body := range []string{
			"{}", `{"text":"` + code + `","source":"wedge","lane":"小门"}`, `{"text":"x","lane":"nowhere"}`, `{"documents":["work_permit"],"document":"id","refuse":true}`,
			`{"number":"G0021","pin":"739164","lane":"小门"}`, `{"lane":"小门","direction":"in","rule":"staff","documents":["a"],"register":{"kind":"student","person":"沈"}}`,
			`{"on":true,"state":"open","reason":"x","action":"begin"}`, `{"stop":true}`, `{"width":1,"height":1,"pixels":"AA=="}`, `[`, "null", "",
		} {
			f.Add(uint8(i), "1", "", body)
		}
	}
	f.Add(uint8(0), "..%2f..", "q=%00&limit=-1", "\xff")
	f.Add(uint8(9), "0", " ", "0")
	client := http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.Fuzz(func(t *testing.T, route uint8, value, query, body string) {
		method, path, _ := strings.Cut(all[int(route)%len(all)], " ")
		path = parameter.ReplaceAllStringFunc(path, func(string) string { return escaped(value) })
		address := "http://" + a.Addr() + path
		if query != "" { // with a space it would be no request of HTTP any more
			address += "?" + strings.ReplaceAll(query, " ", "+")
		}
		req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		if err != nil {
			return // no client can send that
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := client.Do(req)
		if err != nil {
			if strings.Contains(err.Error(), "invalid") || strings.Contains(err.Error(), "malformed") {
				return
			}
			t.Fatalf("%s %s: %v", method, address, err)
		}
		raw, err := io.ReadAll(res.Body)
		check(t, err)
		check(t, res.Body.Close())
		if res.StatusCode >= 500 && res.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%s %s %.300q: %s %s", method, address, body, res.Status, raw)
		}
		var e struct {
			Code, Message string
			ID            string `json:"request_id"`
		}
		if res.StatusCode >= 400 && strings.HasPrefix(path, "/api/") && (json.Unmarshal(raw, &e) != nil || e.Code == "" || e.Message == "" || e.ID == "") {
			t.Fatalf("%s %s: %s %s", method, address, res.Status, raw)
		}
	})
}

// escaped is a value as a part of a path that stays one.
func escaped(value string) string {
	var b strings.Builder
	for _, c := range []byte(value) {
		const hex = "0123456789ABCDEF"
		b.WriteString("%" + string(hex[c>>4]) + string(hex[c&15]))
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// FuzzConfig: a file that is none is refused with a name of what is wrong; one
// that is taken is taken again.
func FuzzConfig(f *testing.F) {
	f.Add(good)
	f.Add("lanes: &a [*a]\n")
	f.Add("server: !!binary x\nlanes:\n  - {name: [1], scanner: {driver: serial, path: 7}}\n")
	f.Add(strings.Repeat("a: {", 500))
	f.Add("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nlanes: [*c,*c]\n")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := agent.ParseConfig("gate.yaml", []byte(text)); err != nil && err.Error() == "" {
			t.Fatal("it is refused without a word")
		}
	})
}
