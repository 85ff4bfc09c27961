package api_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"campusgate/server/api"
	"campusgate/server/hub"
	"campusgate/signing/release"
	"campusgate/signing/wire"
)

// file is a part of a form.
type file struct {
	name string
	data []byte
}

// handIn sends a form, as curl -F does.
func (w *world) handIn(t testing.TB, who string, files ...file) reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range files {
		part, err := form.CreateFormFile(f.name, f.name)
		ok(t, err)
		_, err = part.Write(f.data)
		ok(t, err)
	}
	ok(t, form.Close())
	return w.post(t, who, form.FormDataContentType(), &body)
}

func (w *world) post(t testing.TB, who, kind string, body io.Reader) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", w.URL+"/api/v1/releases", body)
	ok(t, err)
	req.Header.Set("Content-Type", kind)
	as(req, who)
	return w.do(t, req)
}

func (w *world) signedRelease(t testing.TB, key ed25519.PrivateKey, serial uint64) (manifest, program file) {
	t.Helper()
	data := bytes.Repeat([]byte("work "), 100_000)
	signed, err := release.Sign(key, release.Manifest{
		Site: w.db.Site().Name, Version: "1.3.0", OS: "linux", Arch: "amd64", Serial: serial,
	}.Of(data))
	ok(t, err)
	return file{"manifest", signed}, file{"program", data}
}

func TestReleases_HandedInOfferedAndShownAtTheAgents(t *testing.T) {
	w := newWorld(t)
	east, west := w.gate(t, "east", 1), w.gate(t, "west", 1)
	manifest, program := w.signedRelease(t, w.root, 7)
	var made api.Release
	r := w.handIn(t, w.token, manifest, program)
	if r.into(t, &made); r.status != http.StatusCreated || made.Version != "1.3.0" || made.Reach != "nobody" || made.Size != int64(len(program.data)) {
		t.Fatalf("%d %s", r.status, r.body)
	}
	who := w.enrol(t, east, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey))
	w.link.states[who.Agent] = hub.State{Connected: true, Since: time.UnixMilli(1), Epoch: who.Epoch, Health: wire.Health{
		Program: &wire.Program{Version: "1.2.0", OS: "linux", Arch: "amd64", State: wire.ProgramTakenBack, Why: "it crashed"},
	}}
	shown := func(offered string) {
		t.Helper()
		var list struct{ Agents []api.Agent }
		w.want(t, http.StatusOK, "GET", "/api/v1/agents", nil, &list)
		if p := list.Agents[0].Live.Program; p == nil || p.Offered != offered || p.Version != "1.2.0" || p.State != "taken_back" || p.Why != "it crashed" {
			t.Fatalf("%+v, want %q offered", p, offered)
		}
	}
	shown("")
	path := "/api/v1/releases/" + made.SHA256
	w.want(t, http.StatusOK, "PUT", path+"/rollout", map[string]any{"reach": "chosen", "gates": []uint16{west}}, &made)
	shown("")
	w.want(t, http.StatusOK, "PUT", path+"/rollout", map[string]any{"reach": "all"}, &made)
	shown("1.3.0")
	w.want(t, http.StatusOK, "PUT", path+"/rollout", map[string]any{"reach": "all", "paused": true}, &made)
	shown("")
	w.refused(t, w.call(t, w.token, "DELETE", path, nil), 409, "release_offered")
	w.want(t, http.StatusOK, "PUT", path+"/rollout", map[string]any{"reach": "nobody"}, &made)
	w.want(t, http.StatusNoContent, "DELETE", path, nil, nil)
	var left struct{ Releases []api.Release }
	if w.want(t, http.StatusOK, "GET", "/api/v1/releases", nil, &left); len(left.Releases) != 0 {
		t.Errorf("left %+v", left)
	}
}

func TestReleases_Refusals(t *testing.T) {
	w := newWorld(t)
	manifest, program := w.signedRelease(t, w.root, 7)
	forged, _ := w.signedRelease(t, ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)), 7)
	w.refused(t, w.handIn(t, w.token, forged, program), 422, "not_a_release")
	w.refused(t, w.handIn(t, w.token, manifest, file{"program", program.data[1:]}), 422, "not_a_release")
	w.refused(t, w.handIn(t, w.token, file{"manifest", bytes.Repeat([]byte("x"), 1<<20)}, program), 422, "not_a_release")
	for name, files := range map[string][]file{
		"nothing": {}, "no program": {manifest}, "no manifest": {program}, "the other way round": {program, manifest}, "something else": {{"file", nil}},
	} {
		t.Run(name, func(t *testing.T) { w.refused(t, w.handIn(t, w.token, files...), 400, "malformed") })
	}
	w.refused(t, w.post(t, w.token, "application/json", strings.NewReader("{}")), 415, "not_json")
	w.refused(t, w.post(t, w.token, "multipart/form-data", strings.NewReader("--x")), 400, "malformed")
	w.refused(t, w.post(t, w.token, "multipart/form-data; boundary=x", strings.NewReader("--x\r\n\r\n")), 400, "malformed")
	w.refused(t, w.handIn(t, "", manifest, program), 401, "no_token")
	for _, path := range []string{"/api/v1/releases/" + strings.Repeat("0", 64), "/api/v1/releases/..%2f..%2fseal.key"} {
		r := w.call(t, w.token, "DELETE", path, nil)
		if r.status != 404 && r.status != 422 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	var made api.Release
	r := w.handIn(t, w.token, manifest, program)
	if r.into(t, &made); r.status != http.StatusCreated {
		t.Fatalf("%d %s", r.status, r.body)
	}
	path := "/api/v1/releases/" + made.SHA256 + "/rollout"
	for code, body := range map[string]any{
		"no_such_gates": map[string]any{"reach": "chosen"}, "invalid": map[string]any{"reach": "everybody"},
	} {
		w.refused(t, w.call(t, w.token, "PUT", path, body), 422, code)
	}
	w.refused(t, w.call(t, w.token, "PUT", path, map[string]any{"reach": "chosen", "gates": []int{99}}), 422, "no_such_gates")
}
