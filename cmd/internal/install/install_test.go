//go:build linux

package install_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"campusgate/cmd/internal/install"
)

// system is a root folder to install to, and what was run there.
type system struct {
	t    *testing.T
	root string
	ran  []string
	said bytes.Buffer
	fail string // the command that fails
}

func newSystem(t *testing.T) *system {
	s := &system{t: t, root: t.TempDir()}
	me := fmt.Sprintf("%d:%d", os.Getuid(), os.Getgid())
	s.put("etc/passwd", "root:x:0:0::/root:/bin/sh\nlin:x:"+me+":Lin,,,:/h/lin:/bin/sh\n")
	s.put("etc/group", "root:x:0:\ndialout:x:20:\nlp:x:7:\ninput:x:101:\n")
	s.put("gateagent", "the program")
	for _, dir := range []string{"run/systemd/system", "h/lin", "etc/systemd/system", "etc/udev/rules.d", "var/lib", "usr/local/bin"} {
		if err := os.MkdirAll(filepath.Join(s.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *system) put(path, text string) {
	s.t.Helper()
	full := filepath.Join(s.root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) read(path string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.root, path))
	if err != nil {
		s.t.Error(err)
	}
	return string(data)
}

// run plays the programs of the system.
func (s *system) run(_ context.Context, name string, args ...string) error {
	command := strings.Join(append([]string{name}, args...), " ")
	s.ran = append(s.ran, command)
	if s.fail != "" && strings.HasPrefix(command, s.fail) {
		return errors.New(command + " failed")
	}
	passwd := "etc/passwd"
	switch name {
	case "useradd":
		s.put(passwd, s.read(passwd)+fmt.Sprintf("%s:x:%d:%d::/x:/x\n", args[len(args)-1], os.Getuid(), os.Getgid()))
	case "userdel":
		var kept []string
		for line := range strings.Lines(s.read(passwd)) {
			if !strings.HasPrefix(line, args[0]+":") {
				kept = append(kept, line)
			}
		}
		s.put(passwd, strings.Join(kept, ""))
	}
	return nil
}

func (s *system) options() install.Options {
	return install.Options{
		Root: s.root, UID: 0, Run: s.run, Out: &s.said, Binary: filepath.Join(s.root, "gateagent"),
		Config: []byte("data: /var/lib/campusgate/agent\n"), Data: "/var/lib/campusgate/agent",
		Page: "http://127.0.0.1:8471/", User: "campusgate",
	}
}

// tree lists every file with its mode and content, every folder with its mode.
func (s *system) tree() map[string]string {
	s.t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(s.root, path)
		files[rel] = info.Mode().String()
		if info.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			files[rel] += " " + string(data)
			return err
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return files
}

func added(before, after map[string]string) (list []string) {
	for path := range after {
		if _, there := before[path]; !there {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return list
}

func TestInstall_PutsEveryFileInPlaceAndUninstallLeavesOnlyTheData(t *testing.T) {
	s := newSystem(t)
	before := s.tree()
	o := s.options()
	o.Kiosk = "lin"
	if err := install.Install(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	once := s.tree()
	want := []string{
		"etc/campusgate", "etc/campusgate/agent.yaml", "etc/campusgate/installed.json", "etc/systemd/system/campusgate-agent.service",
		"etc/udev/rules.d/60-campusgate.rules", "h/lin/.config", "h/lin/.config/autostart", "h/lin/.config/autostart/campusgate-kiosk.desktop",
		"usr/local/bin/gateagent", "var/lib/campusgate", "var/lib/campusgate/agent",
	}
	if got := added(before, once); !slices.Equal(got, want) {
		t.Errorf("added %q, want %q", got, want)
	}
	for path, part := range map[string]string{
		"usr/local/bin/gateagent":                          "-rwxr-xr-x the program",
		"var/lib/campusgate/agent":                         "drwx------",
		"h/lin/.config/autostart/campusgate-kiosk.desktop": `Exec="/usr/local/bin/gateagent" kiosk -url "http://127.0.0.1:8471/"`,
		"etc/systemd/system/campusgate-agent.service":      `ExecStart="/usr/local/bin/gateagent" -config "/etc/campusgate/agent.yaml"`,
		"etc/udev/rules.d/60-campusgate.rules":             `SYMLINK+="campusgate/serial-$attr{devpath}"`,
		"etc/campusgate/agent.yaml":                        "-rw-r--r-- data: /var/lib/campusgate/agent",
	} {
		if !strings.Contains(once[path], part) {
			t.Errorf("%s is %q, want %q in it", path, once[path], part)
		}
	}
	if !strings.Contains(s.said.String(), "gateagent enroll -config /etc/campusgate/agent.yaml -code CODE") {
		t.Errorf("said %q", &s.said)
	}
	ran := []string{
		"useradd --system --user-group --no-create-home --home-dir /var/lib/campusgate --shell /usr/sbin/nologin campusgate",
		"usermod -aG dialout,input,lp campusgate", // not those that are not there
		"udevadm control --reload", "udevadm trigger --subsystem-match=tty --subsystem-match=hidraw",
		"systemctl daemon-reload", "systemctl enable campusgate-agent.service",
	}
	if !slices.Equal(s.ran, ran) {
		t.Errorf("ran %q", s.ran)
	}

	if err := install.Install(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if twice := s.tree(); !reflect.DeepEqual(once, twice) {
		t.Errorf("the second time changed %v", added(once, twice))
	}

	// Enrolled, it is started.
	s.put("var/lib/campusgate/agent/agent.db", "store")
	s.ran = nil
	if err := install.Install(t.Context(), o); err != nil || s.ran[len(s.ran)-1] != "systemctl restart campusgate-agent.service" {
		t.Errorf("ran %q: %v", s.ran, err)
	}

	s.ran = nil
	if err := install.Uninstall(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if s.ran[0] != "systemctl disable --now campusgate-agent.service" || s.ran[len(s.ran)-1] != "userdel campusgate" {
		t.Errorf("ran %q", s.ran)
	}
	left := added(before, s.tree())
	if !slices.Equal(left, []string{"var/lib/campusgate", "var/lib/campusgate/agent", "var/lib/campusgate/agent/agent.db"}) {
		t.Errorf("left behind: %q", left)
	}
	s.said.Reset()
	if err := install.Uninstall(t.Context(), o); err != nil || !strings.Contains(s.said.String(), "nothing was installed") {
		t.Errorf("again: %v, %q", err, &s.said)
	}
}

func TestInstall_RefusesBeforeAnythingChanges(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*system, *install.Options)
		want   error
	}{
		"not root":              {func(_ *system, o *install.Options) { o.UID = 1000 }, install.ErrRoot},
		"no systemd":            {func(s *system, _ *install.Options) { _ = os.RemoveAll(filepath.Join(s.root, "run")) }, install.ErrSystemd},
		"a user with a newline": {func(_ *system, o *install.Options) { o.User = "a\nUser=root" }, install.ErrUser},
		"an option for a user":  {func(_ *system, o *install.Options) { o.User = "-o" }, install.ErrUser},
		"nobody at the screen":  {func(_ *system, o *install.Options) { o.Kiosk = "wang" }, install.ErrUser},
		"data by a short path":  {func(_ *system, o *install.Options) { o.Data = "data" }, install.ErrData},
		"data in a home":        {func(_ *system, o *install.Options) { o.Data = "/var/../home/lin/data" }, install.ErrData},
		"the whole disk":        {func(_ *system, o *install.Options) { o.Data = "//" }, install.ErrData},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t)
			o := s.options()
			c.change(s, &o)
			before := s.tree()
			if err := install.Install(t.Context(), o); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if after := s.tree(); !reflect.DeepEqual(before, after) || len(s.ran) > 0 {
				t.Errorf("changed %v, ran %q", added(before, after), s.ran)
			}
		})
	}
}

func TestUninstall_TakesBackWhatAFailedInstallHadDone(t *testing.T) {
	s := newSystem(t)
	before := s.tree()
	s.fail = "systemctl enable"
	o := s.options()
	if err := install.Install(t.Context(), o); err == nil {
		t.Fatal("no error")
	}
	s.fail = "systemctl disable"
	if err := install.Uninstall(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if left := added(before, s.tree()); !slices.Equal(left, []string{"var/lib/campusgate", "var/lib/campusgate/agent"}) {
		t.Errorf("left behind: %q", left)
	}
}

// What systemd itself thinks of the units, where it is there to ask.
func TestUnits_AreWhatSystemdUnderstands(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze")
	}
	dir := t.TempDir()
	binary := filepath.Join(dir, "a program of 100% $PATH")
	if err := os.WriteFile(binary, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		install.Unit:                install.AgentUnit(binary, "/etc/campusgate/agent.yaml", "/var/lib/a b%", "root"),
		"campusgate-server.service": install.ServerUnit(binary, "/etc/campusgate/server.yaml", "/var/lib/campusgate/server", "root"),
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(analyze, "verify", "--man=no", path).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte(name)) {
			t.Errorf("%s: %v\n%s\n%s", name, err, out, text)
		}
		out, err = exec.Command(analyze, "security", "--offline=yes", "--threshold=45", path).CombinedOutput()
		if err != nil {
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			t.Errorf("%s is exposed: %v\n%s", name, err, strings.Join(lines[max(0, len(lines)-3):], "\n"))
		}
	}
}

func TestRules_NameEveryKnownDeviceOnce(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(install.Rules()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if seen[line] {
			t.Errorf("twice: %s", line)
		}
		seen[line] = true
		for _, part := range strings.Split(strings.TrimSpace(line), ", ") {
			if !strings.Contains(part, `="`) || !strings.HasSuffix(part, `"`) {
				t.Errorf("not a rule: %s", part)
			}
		}
	}
	for _, id := range []string{"1a86", "0c2e", "16c0"} {
		if !strings.Contains(install.Rules(), `ATTRS{idVendor}=="`+id+`"`) {
			t.Errorf("no rule for %s", id)
		}
	}
}
