//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/doctor"
)

// sitting runs a command with somebody at the terminal who types this.
func (g *gate) sitting(typed string, args ...string) (code int, out string) {
	var stdout, stderr bytes.Buffer
	env := Env{Stdin: strings.NewReader(typed), Terminal: true, Stdout: &stdout, Stderr: &stderr, Now: time.Now, Rand: rand.Reader}
	code = run(g.t.Context(), env, args)
	return code, stdout.String() + stderr.String()
}

// pulsed reads what the relay was told since the last look.
func (g *gate) pulsed(relay *os.File) (frames []byte) {
	g.t.Helper()
	buf := make([]byte, 256)
	check(g.t, relay.SetReadDeadline(time.Now().Add(200*time.Millisecond)))
	for {
		n, err := relay.Read(buf)
		if frames = append(frames, buf[:n]...); err != nil {
			return frames
		}
	}
}

var on = []byte{0xA0, 1, 1, 0xA2}

func TestDoctor_TriesOnlyWhatSomebodyAgreesTo(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	g.enrol()
	relay, err := os.OpenFile(g.relay.Device, os.O_RDWR, 0)
	check(t, err)
	defer func() { check(t, relay.Close()) }()
	scanner, err := os.OpenFile(g.scanner.Device, os.O_RDWR, 0)
	check(t, err)
	defer func() { check(t, scanner.Close()) }()
	const secret = "CP1:0123456789ABCDEF"
	// scanning is somebody who holds a code in front of the scanner until it has
	// read it.
	scanning := func() (stop func()) {
		done, gone := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(gone)
			for tick := time.NewTicker(50 * time.Millisecond); ; {
				select {
				case <-done:
					tick.Stop()
					return
				case <-tick.C:
					_, _ = io.WriteString(scanner, secret+"\r")
				}
			}
		}()
		return func() { close(done); <-gone }
	}

	// Nobody at the terminal: nothing is asked, nothing moves.
	if _, out, _ := g.command("doctor", "-config", g.config); strings.Contains(out, "[y/N]") || strings.Contains(out, "试开闸") {
		t.Errorf("asked nobody:\n%s", out)
	}
	// Somebody who only presses Enter, and somebody who goes away.
	for _, typed := range []string{"\n\n\n", ""} {
		if _, out := g.sitting(typed, "doctor", "-config", g.config); strings.Count(out, "[y/N]") != 2 || strings.Contains(out, "试开闸 pulse") {
			t.Errorf("typed %q:\n%s", typed, out)
		}
	}
	if frames := g.pulsed(relay); bytes.Contains(frames, on) {
		t.Errorf("the relay was told % X", frames)
	}
	stop := scanning()
	_, out := g.sitting("y\ny\n", "doctor", "-config", g.config)
	stop()
	for _, part := range []string{"✓ 试扫码 scan", g.scanner.Host + `: "CP1:0123…" (20 characters)`, "✓ 主通道 试开闸 pulse"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in\n%s", part, out)
		}
	}
	if strings.Contains(out, secret) {
		t.Errorf("a whole code was printed:\n%s", out)
	}
	if frames := g.pulsed(relay); bytes.Count(frames, on) != 1 {
		t.Errorf("the relay was told % X", frames)
	}

	// A script agrees beforehand, and reads JSON.
	code, text, _ := g.command("doctor", "-config", g.config, "-yes", "-json", "-wait", "50ms")
	var report struct {
		OK     bool           `json:"ok"`
		Checks []doctor.Check `json:"checks"`
	}
	check(t, json.Unmarshal([]byte(text), &report))
	tried := map[string]bool{}
	for _, c := range report.Checks {
		tried[c.Name] = c.OK
	}
	if ok, there := tried["试扫码 scan"]; code != exitFailed || report.OK || ok || !there || !tried["主通道 试开闸 pulse"] {
		t.Errorf("it ended with %d: %+v", code, report)
	}
	if frames := g.pulsed(relay); bytes.Count(frames, on) != 1 {
		t.Errorf("the relay was told % X", frames)
	}
}

// free is a port that was free a moment ago.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	check(t, l.Close())
	return l.Addr().String()
}

func TestDoctorAndSupport_AskAnAgentThatRuns(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	text, err := os.ReadFile(g.config)
	check(t, err)
	check(t, os.WriteFile(g.config, bytes.Replace(text, []byte("127.0.0.1:0"), []byte(free(t)), 1), 0o600))
	g.enrol()
	g.start()
	g.until("online, with a confirmed snapshot", func(st console.Status) bool {
		return st.Online && st.Snapshot.At > 0 && st.Clock.SyncedAt > 0
	})
	relay, err := os.OpenFile(g.relay.Device, os.O_RDWR, 0)
	check(t, err)
	defer func() { check(t, relay.Close()) }()
	code, out := g.sitting("y\n", "doctor", "-config", g.config)
	if code != exitOK || !strings.Contains(out, "✓ 连接 link") || !strings.Contains(out, "✓ 主通道 试开闸 pulse") || strings.Contains(out, "试扫码") {
		t.Errorf("it ended with %d:\n%s", code, out)
	}
	if frames := g.pulsed(relay); bytes.Count(frames, on) != 1 {
		t.Errorf("the relay was told % X", frames)
	}
	bundle := filepath.Join(t.TempDir(), "bundle.zip")
	if code, _, errs := g.command("support", "-config", g.config, "-out", bundle); code != exitOK {
		t.Fatalf("support ended with %d: %s", code, errs)
	}
	z, err := zip.OpenReader(bundle)
	check(t, err)
	defer func() { check(t, z.Close()) }()
	log, err := z.Open("log.txt")
	check(t, err)
	said, err := io.ReadAll(log)
	check(t, err)
	if !bytes.Contains(said, []byte("barrier opened to test it")) {
		t.Errorf("the log is %s", said)
	}
}

func TestSupport_OfAnAgentThatDoesNotRunTakesItsLogFile(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	dir := t.TempDir()
	log := filepath.Join(dir, "agent.log")
	check(t, os.WriteFile(log, []byte(strings.Repeat("old\n", 300_000)+"level=INFO msg=last name=林晓岚\n"), 0o600))
	bundle := filepath.Join(dir, "bundle.zip")
	// Not enrolled either: that is when help is needed.
	if code, _, errs := g.command("support", "-config", g.config, "-out", bundle, "-log", log); code != exitOK {
		t.Fatalf("it ended with %d: %s", code, errs)
	}
	z, err := zip.OpenReader(bundle)
	check(t, err)
	defer func() { check(t, z.Close()) }()
	f, err := z.Open("log.txt")
	check(t, err)
	said, err := io.ReadAll(f)
	check(t, err)
	if !bytes.HasSuffix(said, []byte("old\nlevel=INFO msg=last name=▇\n")) {
		t.Errorf("the log ends %q", said[max(0, len(said)-100):])
	}
}

func TestEnroll_ByRootGivesTheFilesToTheFoldersOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root has files to give")
	}
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	check(t, os.Mkdir(g.data, 0o700))
	check(t, os.Chown(g.data, 12345, 12346))
	g.enrol()
	for _, path := range []string{g.data, filepath.Join(g.data, "agent.db")} {
		if o := ownerOf(path); o != (owner{12345, 12346}) {
			t.Errorf("%s belongs to %v", path, o)
		}
	}
	// A look by root leaves nothing that the agent could not use.
	if _, out, _ := g.command("doctor", "-config", g.config); !strings.Contains(out, "✓ 数据库 store") {
		t.Errorf("doctor said\n%s", out)
	}
	entries, err := os.ReadDir(g.data)
	check(t, err)
	for _, e := range entries {
		if o := ownerOf(filepath.Join(g.data, e.Name())); o != (owner{12345, 12346}) {
			t.Errorf("%s belongs to %v", e.Name(), o)
		}
	}
}

func TestExcerpt_ShowsTooLittleOfACodeToBeUsed(t *testing.T) {
	for text, want := range map[string]string{
		"HTTPS://GATE.EXAMPLE.EDU/V/AB": `"HTTPS://…" (29 characters)`,
		"12":                            `"12" (2 characters)`,
		"\x1b[31m林晓岚":                   `"\x1b[31m林晓岚" (8 characters)`,
	} {
		if got := excerpt(text); got != want {
			t.Errorf("%q became %s", text, got)
		}
	}
}
