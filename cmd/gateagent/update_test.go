//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"campusgate/agent/console"
	"campusgate/agent/update"
	"campusgate/cmd/internal/campus"
	"campusgate/server/issue"
	"campusgate/signing/release"
	"campusgate/signing/verdict"
)

// builder makes programs of the agent as they could be some day.
type builder struct {
	t   *testing.T
	dir string
}

// build gives the program of a version, with these files instead of those of the
// module.
func (b builder) build(version string, instead map[string]string) string {
	b.t.Helper()
	module, err := filepath.Abs("../..")
	check(b.t, err)
	replace := map[string]string{}
	for path, text := range instead {
		file := filepath.Join(b.dir, version+"-"+filepath.Base(path))
		check(b.t, os.WriteFile(file, []byte(text), 0o600))
		replace[filepath.Join(module, path)] = file
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	check(b.t, err)
	check(b.t, os.WriteFile(filepath.Join(b.dir, version+".json"), overlay, 0o600))
	out := filepath.Join(b.dir, "gateagent-"+version)
	cmd := exec.CommandContext(b.t.Context(), "go", "build", "-overlay", filepath.Join(b.dir, version+".json"),
		"-ldflags=-s -w -X campusgate/agent.Version="+version, "-o", out, "./cmd/gateagent")
	cmd.Dir = module
	said, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%v\n%s", err, said)
	}
	return out
}

// edited is a file of the module with another text in one place.
func (b builder) edited(path, is, becomes string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
	check(b.t, err)
	if strings.Count(string(text), is) != 1 {
		b.t.Fatalf("%s does not hold %q once", path, is)
	}
	return strings.Replace(string(text), is, becomes, 1)
}

// release signs a program for the site.
func (b builder) release(s *site, binary, version string, serial uint64) (dir string) {
	b.t.Helper()
	program, err := os.ReadFile(binary)
	check(b.t, err)
	file, err := os.ReadFile(filepath.Join(s.settings.Data, issue.RootFile))
	check(b.t, err)
	block, _ := pem.Decode(file)
	root, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	check(b.t, err)
	signed, err := release.Sign(root.(ed25519.PrivateKey), release.Manifest{Site: s.name, Version: version, OS: "linux", Arch: runtime.GOARCH, Serial: serial}.Of(program))
	check(b.t, err)
	dir = filepath.Join(b.dir, "release-"+version)
	check(b.t, os.Mkdir(dir, 0o700))
	check(b.t, os.WriteFile(filepath.Join(dir, release.ManifestFile), signed, 0o600))
	check(b.t, os.WriteFile(filepath.Join(dir, release.ProgramFile), program, 0o600))
	return dir
}

// launched is an agent as a process, whose page is at the address that it said.
type launched struct {
	*exec.Cmd
	gate *gate
	out  *bufio.Reader
	held io.ReadCloser
}

func launch(g *gate, binary string) *launched {
	g.t.Helper()
	cmd := exec.CommandContext(g.t.Context(), binary, "-config", g.config)
	read, write, err := os.Pipe()
	check(g.t, err)
	cmd.Stdout, cmd.Stderr = write, g.said
	check(g.t, cmd.Start())
	check(g.t, write.Close())
	l := &launched{cmd, g, bufio.NewReader(read), read}
	g.t.Cleanup(func() { _, _ = l.Process.Kill(), read.Close() })
	l.page()
	return l
}

// page waits for the guard page of whichever program is running now.
func (l *launched) page() {
	t := l.gate.t
	t.Helper()
	line, err := l.out.ReadString('\n')
	_, address, ok := strings.Cut(strings.TrimSpace(line), "guard page: ")
	if err != nil || !ok {
		t.Fatalf("no page: %q %v\n%s", line, err, l.gate.said)
	}
	l.gate.client = campus.Client{Base: strings.TrimSuffix(address, "/"), HTTP: &http.Client{Timeout: patience}}
}

// kill ends the launcher as a power switch would; what it launched ends by itself.
func (l *launched) kill() {
	t := l.gate.t
	t.Helper()
	check(t, l.Process.Kill())
	_, err := io.Copy(io.Discard, l.out) // until the last one that holds it has ended
	check(t, err)
	_ = l.Wait() // it was killed
}

// A newer version migrates the store, admits somebody and never confirms itself.
// The one before it comes back with all that it did, and the server gets it.
func TestUpdate_IsTakenBackWithEveryEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("builds four programs")
	}
	s := newSite(t, "campus")
	g := s.newGate("北门")
	b := builder{t, t.TempDir()}
	one := b.build("1.0", nil)
	later := map[string]string{"agent/disk/migrations/9999_later.sql": "ALTER TABLE gates ADD COLUMN later INTEGER;\nCREATE TABLE later (n INTEGER) STRICT;\n"}
	two := b.build("2.0", later)
	crash := b.build("3.0", map[string]string{"cmd/gateagent/main.go": b.edited("cmd/gateagent/main.go",
		"func main() {", "func main() {\n\tif len(os.Args) > 1 && os.Args[1] != \"selftest\" {\n\t\tpanic(\"dies at once\")\n\t}")})
	// It looks at itself as often, until it confirms itself, but ten times as fast.
	four := b.build("4.0", map[string]string{
		"agent/disk/migrations/9999_later.sql": later["agent/disk/migrations/9999_later.sql"],
		"agent/update/launch.go":               b.edited("agent/update/launch.go", "Proof = 20 * time.Second", "Proof = 2 * time.Second"),
		"cmd/gateagent/update.go":              b.edited("cmd/gateagent/update.go", "lookEvery = 5 * time.Second", "lookEvery = 500 * time.Millisecond"),
	})
	g.enrol()
	first, second := g.issue(), g.issue()
	g.start()
	g.untilOnline()
	g.stop()
	s.stop()
	tool := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), one, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	state := func() update.State {
		t.Helper()
		st, err := (update.Book{Dir: filepath.Join(g.data, "update")}).Load()
		check(t, err)
		return st
	}
	admits := func(what string, p campus.Pass, opens bool) {
		t.Helper()
		if got := g.present(p.Code); got.Reason != verdict.Granted || got.Opens != opens || got.Repeat == opens {
			t.Fatalf("%s: %+v", what, got)
		}
	}

	tool("update", "-config", g.config, "-from", b.release(s, two, "2.0", 1))
	l := launch(g, one)
	admits("the newer version", first, true)
	if st := state(); st.Trial == nil || !st.Tried {
		t.Fatalf("it is not tried: %+v", st)
	}
	l.kill()

	l = launch(g, one)
	if st := state(); st.Trial != nil || st.Current != nil || st.Last == nil || st.Last.Outcome != update.RolledBack {
		t.Fatalf("not taken back: %+v\n%s", st, g.said)
	}
	admits("whom the newer version admitted", first, false)
	admits("another", second, true)
	l.kill()

	tool("update", "-config", g.config, "-from", b.release(s, crash, "3.0", 2))
	l = launch(g, one) // the page is already that of the version before
	if st := state(); st.Trial != nil || st.Last.Version != "3.0" || st.Last.Outcome != update.RolledBack {
		t.Fatalf("a version that dies: %+v\n%s", st, g.said)
	}
	var report json.RawMessage
	check(t, g.client.Do(t.Context(), http.MethodGet, "/api/v1/doctor", nil, &report))
	if !strings.Contains(string(report), "last: 3.0 rolled_back") {
		t.Errorf("the page does not say so: %s", string(report))
	}
	s.start()
	for _, p := range []campus.Pass{first, second} {
		if !slices.ContainsFunc(s.arrived(2), func(e campus.Event) bool { return e.PassID == p.ID && e.Reason == "granted" }) {
			t.Errorf("the server never heard of %s", p.ID)
		}
	}
	g.until("nothing is left to send", func(st console.Status) bool { return st.Online && st.Queue == 0 })
	l.kill()

	// One that goes on working is kept, and still there is a way back.
	tool("update", "-config", g.config, "-from", b.release(s, four, "4.0", 3))
	l = launch(g, one)
	ctx, cancel := context.WithTimeout(t.Context(), 4*patience)
	defer cancel()
	check(t, campus.Until(ctx, func() (bool, error) { return state().Trial == nil, nil }))
	if st := state(); st.Current == nil || st.Current.Version != "4.0" || st.Last.Outcome != update.Confirmed {
		t.Fatalf("not kept: %+v\n%s", st, g.said)
	}
	tool("update", "-config", g.config, "-rollback")
	l.kill()
	l = launch(g, one)
	g.untilOnline()
	if st := state(); st.Current != nil || st.Last.Outcome != update.TakenBack {
		t.Errorf("not taken back by hand: %+v", st)
	}
	l.kill()
}
