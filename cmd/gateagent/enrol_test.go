//go:build linux

package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
)

// identity reads the store of a gate whose agent does not run.
func (g *gate) identity() journal.Identity {
	g.t.Helper()
	db, err := disk.Open(filepath.Join(g.data, agent.StoreName))
	check(g.t, err)
	defer func() { check(g.t, db.Close()) }()
	j, err := journal.Open(db)
	check(g.t, err)
	return j.Identity()
}

func TestEnroll_GivesThePCItsIdentityOnce(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	ticket := g.ticket()
	code, out, errs := g.command("enroll", "-config", g.config, "-code", ticket)
	if code != exitOK || out != "已登记 / enrolled: agent 1 epoch 1 at gate 1 of 云岭大学\n" || errs != "" {
		t.Fatalf("it ended with %d: %s%s", code, out, errs)
	}
	modes := map[string]fs.FileMode{"agent": 0o700, agent.StoreName: 0o600}
	check(t, filepath.WalkDir(g.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != modes[d.Name()] {
			t.Errorf("%s has mode %04o", d.Name(), info.Mode().Perm())
		}
		return err
	}))

	// There is one already: the code of today is not spent on it.
	again := g.ticket()
	before := g.identity()
	code, out, errs = g.command("enroll", "-config", g.config, "-code", again)
	if code != exitFailed || out != "" || !strings.Contains(errs, "store exists: this agent is enrolled; to enrol again, move the folder away") {
		t.Errorf("again, it ended with %d: %s%s", code, out, errs)
	}
	if now := g.identity(); !now.Private.Equal(before.Private) {
		t.Error("the key changed")
	}
	check(t, os.Rename(g.data, g.data+".old"))
	code, out, errs = g.command("enroll", "-config", g.config, "-code", again)
	if code != exitOK || !strings.Contains(out, "agent 1 epoch 2 at gate 1") {
		t.Errorf("after the folder was moved away, it ended with %d: %s%s", code, out, errs)
	}
	g.saidNoSecret(before, ticket, again)
}

// saidNoSecret looks through everything that was printed.
func (g *gate) saidNoSecret(id journal.Identity, tickets ...string) {
	g.t.Helper()
	said := g.said.String()
	for _, ticket := range tickets {
		for _, part := range []string{ticket, strings.ReplaceAll(ticket, "-", ""), ticket[:14]} {
			if strings.Contains(said, part) {
				g.t.Errorf("a code was printed:\n%s", said)
			}
		}
	}
	seed := id.Private.Seed()
	for _, form := range []string{string(seed), hex.EncodeToString(seed), fmt.Sprint(seed), fmt.Sprint([]byte(id.Private))} {
		if strings.Contains(said, form) {
			g.t.Errorf("the key was printed:\n%s", said)
		}
	}
}

func TestEnroll_SaysWhyACodeIsNotTaken(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	elsewhere := newSite(t, "别的大学").newGate("东门").ticket()
	used := g.ticket()
	check(t, os.Rename(g.config, g.config+".first"))
	other := s.newGate("西门")
	if code, _, errs := other.command("enroll", "-config", other.config, "-code", used); code != exitOK {
		t.Fatalf("it ended with %d: %s", code, errs)
	}
	check(t, os.Rename(g.config+".first", g.config))
	old := g.ticket()
	fresh := g.ticket() // which ends the one before
	mistyped := fresh[:7] + "A" + fresh[8:]
	if mistyped == fresh {
		mistyped = fresh[:7] + "B" + fresh[8:]
	}
	for name, c := range map[string]struct{ code, want string }{
		"of another site":      {elsewhere, "refuses to enrol this agent: bad_enrolment_code"},
		"used":                 {used, "used"},
		"replaced by a newer":  {old, "refuses to enrol this agent"},
		"with a wrong letter":  {mistyped, "malformed enrolment code"},
		"with a letter lost":   {fresh[1:], "33 letters and digits, want 34"},
		"with a strange thing": {fresh + "!", "'!' is in no code"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := g.command("enroll", "-config", g.config, "-code", c.code)
			if code != exitFailed || out != "" || !strings.Contains(errs, c.want) {
				t.Errorf("it ended with %d: %s%s, want %q", code, out, errs, c.want)
			}
			if left, _ := os.ReadDir(g.data); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
	// None of this spent the good one, which is taken as people type it.
	typed := strings.ToLower(strings.ReplaceAll(fresh, "-", " "))
	if code, out, errs := g.command("enroll", "-config", g.config, "-code", typed); code != exitOK {
		t.Errorf("it ended with %d: %s%s", code, out, errs)
	}
	g.saidNoSecret(g.identity(), elsewhere, used, old, mistyped, fresh)
}

// A code over TLS: whoever answers must hold the root that the code names.
func TestEnroll_ACodeOfAnotherSiteIsToldToNobody(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	elsewhere := newSite(t, "别的大学", byRoot).newGate("东门").ticket()
	code, out, errs := g.command("enroll", "-config", g.config, "-code", elsewhere)
	if code != exitFailed || out != "" || !strings.Contains(errs, "certificate is not trusted") {
		t.Errorf("it ended with %d: %s%s", code, out, errs)
	}
	g.enrol()
}

func TestDoctor_SaysWhatIsWellAndWhatIsNot(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	ticket := g.ticket()
	doctor := func(state string, want int, lines ...string) {
		t.Helper()
		code, out, errs := g.command("doctor", "-config", g.config)
		spaces := regexp.MustCompile(" +")
		out = spaces.ReplaceAllString(out, " ")
		if code != want || (errs == "") != (want == exitOK) {
			t.Errorf("%s: it ended with %d, want %d: %s", state, code, want, errs)
		}
		for _, line := range lines {
			if !strings.Contains(out, line) {
				t.Errorf("%s: no line %q in\n%s", state, line, out)
			}
		}
		if bad := strings.Count(out, "✕"); (bad == 0) != (want == exitOK) {
			t.Errorf("%s: %d things are wrong in\n%s", state, bad, out)
		}
	}
	const port, barrier = "✓ 主通道 扫码器 scanner", "✓ 主通道 道闸 barrier"
	doctor("not enrolled", exitFailed, "✕ 数据库 store", "→ 登记本机 / enrol first", port, barrier)

	if code, _, errs := g.command("enroll", "-config", g.config, "-code", ticket); code != exitOK {
		t.Fatalf("enroll ended with %d: %s", code, errs)
	}
	id := g.identity()
	doctor("enrolled, never connected", exitFailed,
		"✓ 身份 identity", "✕ 快照 snapshot none yet", "→ 把本机连上服务器一次 / connect this PC to the server once",
		"✕ 时钟 clock never compared with the server", "✓ 服务器 server")

	g.start()
	g.untilOnline()
	if got := g.present(g.issue().Code); !got.Opens {
		t.Fatalf("presented: %+v", got)
	}
	g.until("all sent", func(st console.Status) bool { return st.Queue == 0 })
	doctor("while the agent runs", exitFailed, "✕ 数据目录 data folder", "in use by another gateagent", "→ 先停止门岗程序 / stop the agent first")
	g.stop()
	doctor("all is well", exitOK,
		"✓ 数据库 store", "✓ 身份 identity agent 1 epoch 1 at gate 1 of 云岭大学",
		"✓ 流水链 journal chain 1 events intact, 0 to send", "✓ 密钥环 keyring", "✓ 快照 snapshot 东门, ",
		"✓ 时钟 clock", "✓ 服务器 server "+s.client.Base, port, barrier)

	check(t, g.scanner.Unplug())
	doctor("the scanner pulled out", exitFailed, "✕ 主通道 扫码器 scanner", "is it plugged in as "+g.scanner.Host, barrier, "✓ 服务器 server")
	check(t, g.scanner.Replug())
	check(t, g.relay.Unplug())
	doctor("the relay pulled out", exitFailed, "✕ 主通道 道闸 barrier", "is it plugged in as "+g.relay.Host, port)
	check(t, g.relay.Replug())
	s.stop()
	doctor("the server down", exitFailed, "✕ 服务器 server", "connection refused", "the gate works without", port, barrier, "✓ 快照 snapshot")

	check(t, os.WriteFile(filepath.Join(g.data, agent.StoreName), []byte("overwritten"), 0o600))
	doctor("the store destroyed", exitFailed, "✕ 数据库 store", "→ 保留文件夹，联系管理员 / keep the folder and call the administrator", port)
	g.saidNoSecret(id, ticket)
}

// The program itself, as a service manager runs it.
func TestRun_EndsWellOnASignal(t *testing.T) {
	s := newSite(t, "云岭大学")
	g := s.newGate("东门")
	g.enrol()
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		cmd := exec.Command("gateagent", "-config", g.config)
		cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
		said := &transcript{}
		cmd.Stderr = said
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		lines := bufio.NewReader(out)
		if first, err := lines.ReadString('\n'); err != nil || !strings.Contains(first, "guard page: http://127.0.0.1:") {
			t.Errorf("it printed %q: %v", first, err)
		}
		check(t, cmd.Process.Signal(signal))
		_, err = io.Copy(said, lines)
		check(t, err)
		if err := cmd.Wait(); err != nil {
			t.Errorf("on %v: %v\n%s", signal, err, said)
		}
		late.Stop()
	}
}
