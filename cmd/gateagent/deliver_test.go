//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/agent/update"
	"campusgate/cmd/internal/campus"
	"campusgate/server/api"
	"campusgate/server/issue"
	"campusgate/signing/release"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// office is the administrator who hands in releases.
type office struct {
	*site
	root ed25519.PrivateKey
}

func newOffice(s *site) office {
	s.t.Helper()
	file, err := os.ReadFile(filepath.Join(s.settings.Data, issue.RootFile))
	check(s.t, err)
	block, _ := pem.Decode(file)
	root, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	check(s.t, err)
	return office{s, root.(ed25519.PrivateKey)}
}

// handIn signs a program and hands it in.
func (o office) handIn(key ed25519.PrivateKey, program []byte, version string, serial uint64) (made api.Release, status int) {
	o.t.Helper()
	m := release.Manifest{Site: o.name, Version: version, OS: "linux", Arch: runtime.GOARCH, Serial: serial}.Of(program)
	signed, err := release.Sign(key, m)
	check(o.t, err)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for _, f := range []struct {
		name string
		data []byte
	}{{"manifest", signed}, {"program", program}} {
		part, err := form.CreateFormFile(f.name, f.name)
		check(o.t, err)
		_, err = part.Write(f.data)
		check(o.t, err)
	}
	check(o.t, form.Close())
	req, err := http.NewRequestWithContext(o.t.Context(), http.MethodPost, o.client.Base+"/api/v1/releases", &body)
	check(o.t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+o.client.Token)
	res, err := o.client.HTTP.Do(req)
	check(o.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	check(o.t, err)
	if res.StatusCode == http.StatusCreated {
		check(o.t, json.Unmarshal(raw, &made))
	}
	return made, res.StatusCode
}

// offer has one release reach everybody, and no other anybody.
func (o office) offer(program []byte, version string, serial uint64) api.Release {
	o.t.Helper()
	var all struct{ Releases []api.Release }
	check(o.t, o.client.Do(o.t.Context(), http.MethodGet, "/api/v1/releases", nil, &all))
	for _, r := range all.Releases {
		o.reach(r, "nobody")
	}
	r, status := o.handIn(o.root, program, version, serial)
	if status != http.StatusCreated {
		o.t.Fatalf("%s is not taken: %d", version, status)
	}
	o.reach(r, "all")
	return r
}

func (o office) reach(r api.Release, reach string) {
	o.t.Helper()
	check(o.t, o.client.Do(o.t.Context(), http.MethodPut, "/api/v1/releases/"+r.SHA256+"/rollout", map[string]any{"reach": reach}, nil))
}

// until waits until the console shows the gate's program like this.
func (o office) until(g *gate, offered string, states ...wire.ProgramState) api.AgentProgram {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 2*time.Minute)
	defer cancel()
	var last *api.AgentProgram
	err := campus.Until(ctx, func() (bool, error) {
		var list struct{ Agents []api.Agent }
		if err := o.client.Do(ctx, http.MethodGet, "/api/v1/agents", nil, &list); err != nil || list.Agents[0].Live == nil {
			return false, err
		}
		last = list.Agents[0].Live.Program
		return last != nil && last.Offered == offered && list.Agents[0].Live.Connected && slices.Contains(states, wire.ProgramState(last.State)), nil
	})
	if err != nil {
		o.t.Fatalf("the console never showed %v of %s: %v\n%+v\n%s", states, offered, err, last, g.said)
	}
	return *last
}

// shell is a program that says of its self-test what it is told to, and ends at
// once with status 3.
func shell(selfTest string) []byte {
	return []byte("#!/bin/sh\n[ \"$1\" = selftest ] && { " + selfTest + "; }\nexit 3\n")
}

// From the administrator's hands to a gate PC that nobody goes to: a release that
// crashes, one that is unfit, one that is damaged on the server, a good one during
// which the PC's program is killed, and an old one again.
func TestDeliver_FromTheConsoleToAGateThatNobodyGoesTo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	const now, next = "1.0.0+delivered", "1.1.0+delivered"
	s := newSite(t, "campus", byRoot)
	o := newOffice(s)
	g := s.newGate("北门")
	b := builder{t, t.TempDir()}
	hurried := map[string]string{} // the same, with shorter waits
	for path, edit := range map[string][2]string{
		"agent/delivery/courier.go": {"Pause = 200 * time.Millisecond", "Pause = time.Millisecond"},
		"agent/link/clock.go":       {"wire.HeartbeatMS * time", "wire.HeartbeatMS / 10 * time"},
		"agent/update/launch.go":    {"Proof = 20 * time.Second", "Proof = 4 * time.Second"},
		"cmd/gateagent/update.go":   {"lookEvery = 5 * time.Second", "lookEvery = time.Second"},
	} {
		hurried[path] = b.edited(path, edit[0], edit[1])
	}
	installed := b.build(now, hurried)
	program, err := os.ReadFile(installed)
	check(t, err)
	good := bytes.ReplaceAll(program, []byte(now), []byte(next))
	g.enrol()
	pass := g.issue()
	l := launch(g, installed)
	defer func() { l.kill() }()
	state := func() update.State {
		t.Helper()
		st, err := (update.Book{Dir: filepath.Join(g.data, "update")}).Load()
		check(t, err)
		return st
	}
	nothing := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	if _, status := o.handIn(nothing, shell("exit 0"), "1.2.0", 1); status != http.StatusUnprocessableEntity {
		t.Errorf("signed by another key: %d", status)
	}

	crash := shell("echo selftest-ok 1.2.0; exit 0")
	o.offer(crash, "1.2.0", 2)
	l.page() // of the version before, which is back
	if p := o.until(g, "1.2.0", wire.ProgramTakenBack); p.Version != now || !strings.Contains(p.Why, "exit status 3") {
		t.Errorf("a version that crashes: %+v", p)
	}

	o.offer(shell("echo the keyring cannot be read; exit 1"), "1.3.0", 3)
	if p := o.until(g, "1.3.0", wire.ProgramUnfit); !strings.Contains(p.Why, "the keyring cannot be read") {
		t.Errorf("an unfit version: %+v", p)
	}

	damaged := shell("echo selftest-ok 1.4.0; exit 0")
	o.reach(o.offer(damaged, "1.4.0", 4), "nobody")
	r, _ := o.handIn(o.root, damaged, "1.4.0", 4)
	file := filepath.Join(s.settings.Data, "releases", r.SHA256)
	evil := bytes.Replace(damaged, []byte("exit 3"), []byte("exit 4"), 1)
	check(t, os.WriteFile(file, evil, 0o600))
	o.reach(r, "all")
	before := state()
	if p := o.until(g, "1.4.0", wire.ProgramFailing); !strings.Contains(p.Why, "SHA-256") || state().Serial != before.Serial {
		t.Errorf("a program that was exchanged on the server: %+v %+v", p, state())
	}

	o.offer(good, next, 5)
	for o.until(g, next, wire.ProgramDownloading, wire.ProgramWaiting, wire.ProgramStaged).State != string(wire.ProgramDownloading) {
		t.Log("the download was quicker than the console")
		break
	}
	l.kill()
	had, _ := os.Stat(filepath.Join(g.data, "delivery", "part"))
	l = launch(g, installed)
	if had != nil {
		is, err := os.Stat(filepath.Join(g.data, "delivery", "part"))
		if err == nil && is.Size() < had.Size() {
			t.Errorf("%d bytes were there, and now %d", had.Size(), is.Size())
		}
	}
	l.page() // of the new version
	if p := o.until(g, next, wire.ProgramTrying, wire.ProgramCurrent); p.Version != next {
		t.Errorf("the good version: %+v", p)
	}
	if p := o.until(g, next, wire.ProgramCurrent); p.Version != next || state().Last.Outcome != update.Confirmed || state().Serial != 5 {
		t.Fatalf("not confirmed: %+v %+v", p, state())
	}

	old := o.offer(crash, "1.2.0", 2)
	if p := o.until(g, "1.2.0", wire.ProgramRefused); p.Version != next || !strings.Contains(p.Why, fmt.Sprint(old.Serial)) {
		t.Errorf("an old release: %+v", p)
	}
	if st := state(); st.Trial != nil || st.Current == nil || st.Current.Version != next {
		t.Errorf("%+v", st)
	}
	if got := g.present(pass.Code); got.Reason != verdict.Granted || !got.Opens {
		t.Errorf("at the gate: %+v", got)
	}
}
