package tidy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each rule catches what it is for, and leaves alone what it should. A snippet
// is the whole file; where it has no package clause one is put before it.
var snippets = []struct {
	rule, path, text string
	caught           bool
}{
	{"clock", "signing/a.go", `import "time"; var now = time.Now`, true},
	{"clock", "signing/a.go", `import "time"; func f(t time.Time) time.Duration { return time.Since(t) }`, true},
	{"clock", "signing/a.go", `import "time"; type c struct{ Now func() time.Time }; func f(c c) { if c.Now == nil { c.Now = time.Now } }`, true},
	{"clock", "signing/a.go", `import "time"; var tick = time.NewTicker`, true},
	{"clock", "signing/a.go", `import "crypto/rand"; var source = rand.Reader`, true},
	{"clock", "signing/a.go", `import "time"; const day = 24 * time.Hour`, false},
	{"clock", "signing/a_test.go", `import "crypto/rand"; var source = rand.Reader`, false},
	{"clock", "agent/a.go", `import "time"; func f() int64 { return time.Now().UnixMilli() }`, true},
	{"clock", "agent/a.go", `import clock "time"; func f() int64 { return clock.Now().UnixMilli() }`, true},
	{"clock", "agent/a.go", `import "time"; func f() int64 { now := time.Now(); return now.UnixMilli() }`, true},
	{"clock", "agent/a.go", `import "time"; func f(t time.Time) time.Duration { return time.Since(t) }`, true},
	{"clock", "agent/a.go", `import "time"; func f() time.Duration { start := time.Now(); g(); return time.Since(start) }; func g() {}`, false},
	{"clock", "agent/a.go", `import "time"; func f(d time.Duration) time.Duration { end := time.Now().Add(d); return time.Until(end) }`, false},
	{"clock", "agent/a.go", `import ("net"; "time"); func f(c net.Conn) error { return c.SetDeadline(time.Now().Add(time.Second)) }`, false},
	{"clock", "agent/a.go", `import "time"; func f() { deadline := time.Now().Add(time.Second); g(deadline) }; func g(time.Time) {}`, false},
	{"clock", "agent/a.go", `import "time"; type c struct{ Now func() time.Time }; func f(c *c) { if c.Now == nil { c.Now = time.Now } }`, false},
	{"clock", "agent/a.go", `import "time"; type c struct{ Now func() time.Time; at time.Time }; func f(c *c) { if c.Now == nil { c.at = time.Now() } }`, true},
	{"clock", "agent/a.go", `import "time"; type c struct{ Now func() time.Time }; func (c *c) now() time.Time { if c.Now != nil { return c.Now() }; return time.Now() }`, false},
	{"clock", "agent/a.go", `import ("crypto/rand"; "io"); func f(r io.Reader) io.Reader { if r == nil { r = rand.Reader }; return r }`, false},
	{"clock", "agent/a.go", `import ("crypto/rand"; "io"); func f(b []byte) { _, _ = io.ReadFull(rand.Reader, b) }`, true},
	{"clock", "agent/a.go", `import "math/rand/v2"; func f() int { return rand.IntN(3) }`, true},
	{"clock", "agent/a.go", `import "math/rand/v2"; func f(a, b uint64) int { return rand.New(rand.NewPCG(a, b)).IntN(3) }`, false},
	{"clock", "cmd/x/a.go", `import "time"; var now = time.Now`, false},
	{"clock", "agent/a_test.go", `import "time"; var now = time.Now()`, false},

	{"sleep", "agent/a.go", `import "time"; func f() { time.Sleep(1) }`, true},
	{"sleep", "agent/a_test.go", `import "time"; func f() { time.Sleep(1) }`, true},
	{"sleep", "agent/a_test.go", `import ("testing"; "testing/synctest"; "time"); func TestX(t *testing.T) { synctest.Test(t, func(*testing.T) { time.Sleep(1) }) }`, false},
	{"sleep", "agent/a_test.go", `import ("testing"; "testing/synctest"; "time"); func TestX(t *testing.T) { time.Sleep(1); synctest.Test(t, func(*testing.T) {}) }`, true},
	{"sleep", "agent/a_test.go", `import ("testing"; "testing/synctest"; "time"); func bubble(t *testing.T, f func(*testing.T)) { synctest.Test(t, f) }; func TestX(t *testing.T) { bubble(t, func(*testing.T) { time.Sleep(1) }) }`, false},
	{"sleep", "agent/a.go", `import ("testing"; "testing/synctest"; "time"); func X(t *testing.T) { synctest.Test(t, func(*testing.T) { time.Sleep(1) }) }`, true},
	{"sleep", "agent/a.go", `type t struct{}; func (t) Sleep() {}; func f(time t) { time.Sleep() }`, false},

	{"init", "devices/x/a.go", `func init() {}`, true},
	{"init", "devices/x/a.go", `type t struct{}; func (t) init() {}`, false},
	{"init", "agent/a.go", `func init() {}`, false},

	{"exit", "agent/a.go", `import "os"; func f() { os.Exit(1) }`, true},
	{"exit", "agent/a.go", `import "log"; func f() { log.Fatalf("") }`, true},
	{"exit", "agent/a.go", `import "log"; func f() { log.Printf("") }`, false},
	{"exit", "cmd/x/a.go", `import "os"; func f() { os.Exit(1) }`, false},
	{"exit", "agent/a_test.go", `import ("os"; "testing"); func TestMain(m *testing.M) { os.Exit(m.Run()) }`, false},
	{"exit", "agent/a_test.go", `import ("os"; "testing"); func TestX(t *testing.T) { os.Exit(1) }`, true},

	{"document", "agent/a.go", "func F() {}", true},
	{"document", "agent/a.go", "// F does.\nfunc F() {}", false},
	{"document", "agent/a.go", "//go:noinline\nfunc F() {}", true},
	{"document", "agent/a.go", "type T struct{}", true},
	{"document", "agent/a.go", "var V, w int", true},
	{"document", "agent/a.go", "const (\n\tA = 1 // one\n\tB = 2\n)", true},
	{"document", "agent/a.go", "// Both.\nconst (\n\tA = 1\n\tB = 2\n)", false},
	{"document", "agent/a.go", "// T is.\ntype T[K any] struct{}\n\nfunc (*T[K]) M() {}", true},
	{"document", "agent/a.go", "// T is.\ntype T struct{}\n\nfunc (T) String() string { return \"\" }", false},
	{"document", "agent/a.go", "type t struct{}\n\nfunc (t) M() {}", false},
	{"document", "agent/a_test.go", "func F() {}", false},

	{"dsn", "agent/a.go", `const dsn = "file:x?_journal` + `_mode=WAL"`, true},
	{"dsn", "agent/a.go", `const dsn = "file:x?_pragma=journal_mode(WAL)&_txlock=immediate"`, false},

	{"unfinished", "agent/a.go", "// TO" + "DO: more", true},
	{"unfinished", "agent/web/src/a.vue", "<!-- FIX" + "ME -->", true},
	{"unfinished", "agent/a.go", `const mastodon = "TO` + `DOS"`, false},

	{"machine", "agent/a.go", `const p = "/ho` + `me/lin/x"`, true},
	{"machine", "configs/a.yaml", "data: /ro" + "ot/data", true},
	{"machine", "agent/a.go", `const p = "C:\\Us` + `ers\\lin"`, true},
	{"machine", "configs/a.yaml", `data: C:\Us` + `ers\lin`, true},
	{"machine", "agent/a.go", `const p = "/place/of/module/agent"`, true},
	{"machine", "agent/a.go", `const p = "/m/ho` + `me/"`, false},
	{"machine", "agent/a.go", `const p = "/var/lib/campusgate"`, false},

	{"length", "agent/a.go", strings.Repeat("\n", maxLines), true},
	{"length", "agent/a.go", strings.Repeat("\n", maxLines-1), false},
	{"length", "agent/a_test.go", strings.Repeat("\n", maxLines), false},
	{"length", "agent/a_test.go", strings.Repeat("\n", maxTestLines), true},
	{"length", "agent/a.ts", strings.Repeat("\n", maxTestLines), false},

	{"package comment", "agent/a.go", "package agent\n", true},
	{"package comment", "agent/a.go", "// Package agent is.\npackage agent\n", false},
	{"package comment", "agent/a.go", "// Is agent.\npackage agent\n", true},
	{"package comment", "agent/a.go", "//go:build linux\n\npackage agent\n", true},
	{"package comment", "cmd/x/a.go", "// X does.\npackage main\n", false},

	{"package name", "agent/util/a.go", "package util\n", true},
	{"package name", "agent/odd/a.go", "package helpers\n", true},
	{"package name", "agent/lane/a.go", "package lane\n", false},

	{"fuzz seeds", "agent/a_test.go", `import "testing"; func FuzzX(f *testing.F) { f.Fuzz(func(*testing.T, []byte) {}) }`, true},
	{"fuzz seeds", "agent/a_test.go", `import "testing"; func FuzzX(f *testing.F) { f.Add([]byte{}); f.Fuzz(func(*testing.T, []byte) {}) }`, false},
	{"fuzz seeds", "agent/a_test.go", `import "testing"; func FuzzX(f *testing.F) { seed(f) }; func seed(g *testing.F) { g.Add([]byte{}) }`, false},
	{"fuzz seeds", "agent/a_test.go", `import "testing"; func FuzzX(f *testing.F) { seed(f) }; func seed(g *testing.F) {}`, true},
	{"fuzz seeds", "agent/a_test.go", `func FuzzyMatch() {}`, false},
}

func TestRules_CatchWhatTheyAreFor(t *testing.T) {
	tested := map[string]bool{}
	for i, sn := range snippets {
		t.Run(fmt.Sprintf("%d %s", i, sn.rule), func(t *testing.T) {
			text := sn.text
			if strings.HasSuffix(sn.path, ".go") && !strings.Contains(text, "package ") {
				text = "package x\n" + text
			}
			s, err := newSource(sn.path, text)
			if err != nil {
				t.Fatal(err)
			}
			s.root = "/place/of/module"
			caught := slices.ContainsFunc(inspect([]*source{s}), func(p problem) bool {
				if p.rule == sn.rule && (p.line < 1 || p.what == "" || p.fix == "") {
					t.Errorf("a complaint without place, fault or fix: %+v", p)
				}
				return p.rule == sn.rule
			})
			if caught != sn.caught {
				t.Errorf("caught %v, want %v: %.200q", caught, sn.caught, text)
			}
		})
		if sn.caught {
			tested[sn.rule] = true
		}
	}
	all := slices.Concat(slices.Collect(maps.Keys(goRules)), slices.Collect(maps.Keys(textRules)), slices.Collect(maps.Keys(folderRules)))
	for _, name := range all {
		if !tested[name] {
			t.Errorf("no snippet shows that rule %q can fail", name)
		}
	}
}

func TestPackageComment_SecondIsOneTooMany(t *testing.T) {
	var files []*source
	for _, name := range []string{"agent/a.go", "agent/b.go", "agent/b_test.go"} {
		s, err := newSource(name, "// Package agent is.\npackage agent\n")
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, s)
	}
	problems := inspect(files)
	if len(problems) != 1 || problems[0].path != "agent/b.go" {
		t.Errorf("problems %v", problems)
	}
}

func TestFuzzSeeds_FilesCount(t *testing.T) {
	root := t.TempDir()
	s, err := newSource("agent/a_test.go", "package agent\n\nimport \"testing\"\n\nfunc FuzzX(f *testing.F) {}\n")
	if err != nil {
		t.Fatal(err)
	}
	s.root = root
	caught := func() bool {
		return slices.ContainsFunc(inspect([]*source{s}), func(p problem) bool { return p.rule == "fuzz seeds" })
	}
	corpus := filepath.Join(root, "agent", "testdata", "fuzz", "FuzzX")
	if err := os.MkdirAll(corpus, 0o755); err != nil {
		t.Fatal(err)
	}
	if !caught() {
		t.Error("an empty folder counts as seeds")
	}
	if err := os.WriteFile(filepath.Join(corpus, "one"), []byte("go test fuzz v1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if caught() {
		t.Error("a file is no seed")
	}
}

func TestExcuse_AnExceptionMustExcuseSomething(t *testing.T) {
	problems := []problem{{rule: "sleep", path: "agent/lane/a.go"}, {rule: "exit", path: "agent/lane/a.go"}}
	var said complaints
	rest := excuse(problems, []exception{{"sleep", "agent/", "why"}, {"sleep", "server/", "why"}, {"exit", "agent/lane/a", "why"}}, &said)
	if len(rest) != 1 || rest[0].rule != "exit" {
		t.Errorf("left over: %v", rest)
	}
	if len(said) != 2 {
		t.Errorf("complaints %v, want one of each stale exception", said)
	}
}

type complaints []string

func (c *complaints) Errorf(format string, args ...any) {
	*c = append(*c, fmt.Sprintf(format, args...))
}

func TestReadTree_SkipsWhatNobodyWrote(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{
		"a.go", "README.md", "Makefile", ".ci/run", "agent/web/src/App.vue",
		"testdata/x.go", "node_modules/p/i.js", "agent/web/dist/i.js", ".cache/x.go", "x.png",
	} {
		full := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte("package x\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		got = append(got, s.path)
	}
	slices.Sort(got)
	if want := []string{".ci/run", "Makefile", "README.md", "a.go", "agent/web/src/App.vue"}; !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}
