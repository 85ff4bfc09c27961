//go:build linux

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/cmd/internal/campus"
	"campusgate/devices/pty"
	"campusgate/server"
)

var (
	debootstrap = flag.Bool("debootstrap", false, "install the package in a fresh Debian (root, network, some minutes)")
	mirror      = flag.String("mirror", "http://deb.debian.org/debian", "where debootstrap gets Debian")
	base        = flag.String("base", "", "a Debian root that debootstrap made, to be copied instead of made")
)

// fiveMinutes is what a person who reads the README has until the first green
// scan.
const fiveMinutes = 5 * time.Minute

// debian is a fresh root. Commands in it share this machine's network, devices
// and processes, and nothing else.
type debian struct {
	t    *testing.T
	root string
}

func freshDebian(t *testing.T) *debian {
	t.Helper()
	d := &debian{t, filepath.Join(t.TempDir(), "debian")}
	cmd := exec.Command("cp", "-a", *base, d.root)
	if *base == "" {
		cmd = exec.Command("debootstrap", "--variant=minbase", "bookworm", d.root, *mirror)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return d
}

// command is a line of shell in the root, in a mount namespace of its own: what
// is mounted is gone with it.
func (d *debian) command(ctx context.Context, line string) *exec.Cmd {
	script := `mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" && mount -t sysfs sysfs "$1/sys" && exec chroot "$1" /bin/sh -ec "$2"`
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", d.root, line)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (d *debian) run(line string) string {
	d.t.Helper()
	out, err := d.command(d.t.Context(), line).CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v\n%s", line, err, out)
	}
	d.t.Logf("$ %s\n%s", line, out)
	return string(out)
}

// files lists what is in the root, but for what changes by itself.
func (d *debian) files() (list []string) {
	d.t.Helper()
	err := filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, d.root)
		if e.IsDir() && slices.Contains([]string{"/dev", "/proc", "/sys", "/var/lib/dpkg", "/var/log", "/var/cache"}, rel) {
			return fs.SkipDir
		}
		// Tools that keep the table of users leave the one before beside it.
		if !strings.HasSuffix(rel, "-") {
			list = append(list, rel)
		}
		return nil
	})
	check(d.t, err)
	return list
}

// readmeLines are the commands of the README's section about a gate PC.
func readmeLines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	check(t, err)
	_, section, _ := strings.Cut(string(text), "\n#### On the gate PC\n")
	_, block, _ := strings.Cut(section, "\n```sh\n")
	block, _, ok := strings.Cut(block, "\n```\n")
	if !ok {
		t.Fatal("the README has no commands under On the gate PC")
	}
	var lines []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, "  #")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// place is a server outside the root, on loopback.
func place(t *testing.T) (*campus.Client, server.Settings) {
	t.Helper()
	text := fmt.Sprintf("listen: 127.0.0.1:0\ncode_host: gate.example.edu\nsite: 云岭大学\ndata: %s\n", filepath.Join(t.TempDir(), "server"))
	settings, err := server.ParseConfig("server.yaml", []byte(text))
	check(t, err)
	client := &campus.Client{HTTP: &http.Client{Timeout: 20 * time.Second}}
	check(t, server.Init(t.Context(), settings, time.Now, rand.Reader, func(f server.Founded) error {
		client.Token = f.Token
		return nil
	}))
	s, err := server.New(t.Context(), settings, server.Deps{Now: time.Now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	check(t, err)
	client.Base = s.URL()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	check(t, client.Do(t.Context(), http.MethodPost, "/api/v1/zones", map[string]any{"id": 1, "name": "A"}, nil))
	check(t, client.Do(t.Context(), http.MethodPost, "/api/v1/gates", map[string]any{"name": "东门", "zone": 1, "policy": "owner"}, nil))
	return client, settings
}

// A new user with the README, a code and a fresh Debian: what they type is read
// from the README, and only what needs a person or systemd is played.
func TestFresh_ADebianInstalledByTheReadmeAdmitsAndComesOffAgain(t *testing.T) {
	if !*debootstrap {
		t.Skip("needs root and minutes; go test ./cmd/internal/dist -run Fresh -debootstrap -v")
	}
	out := t.TempDir()
	_, err := build(t.Context(), root, out, "1.2.3")
	check(t, err)
	client, settings := place(t)
	var ticket struct{ Code string }
	check(t, client.Do(t.Context(), http.MethodPost, "/api/v1/gates/1/enrolments", map[string]any{}, &ticket))
	cable, err := pty.NewCable(t.TempDir(), "scanner")
	check(t, err)
	defer func() { check(t, cable.Close()) }()
	scanner, err := filepath.EvalSymlinks(cable.Host)
	check(t, err)
	check(t, os.Chmod(scanner, 0o666)) // udev would give it to dialout
	d := freshDebian(t)
	before := d.files()
	data, err := os.ReadFile(filepath.Join(out, "campusgate-agent_1.2.3_amd64.deb"))
	check(t, err)
	check(t, os.WriteFile(filepath.Join(d.root, "campusgate-agent_1.2.3_amd64.deb"), data, 0o644))

	from := time.Now()
	config := filepath.Join(d.root, "etc/campusgate/agent.yaml")
	edit := func(pattern, with string) {
		t.Helper()
		text, err := os.ReadFile(config)
		check(t, err)
		changed := regexp.MustCompile(pattern).ReplaceAllString(string(text), with)
		if changed == string(text) {
			t.Fatalf("nothing like %s in\n%s", pattern, text)
		}
		check(t, os.WriteFile(config, []byte(changed), 0o644))
	}
	var agent *exec.Cmd
	var said bytes.Buffer
	edits := 0
	for _, line := range readmeLines(t) {
		typed, ok := strings.CutPrefix(line, "sudo ")
		if !ok {
			t.Fatalf("a line that needs no root: %s", line)
		}
		switch word, rest, _ := strings.Cut(typed, " "); word {
		case "apt":
			d.run("dpkg -i " + strings.NewReplacer("install ./", "/", "VERSION", "1.2.3").Replace(rest))
		case "nano":
			if edits++; edits == 1 {
				edit(`server: .*`, "server: "+client.Base)
			} else {
				edit(`(?m)^( +)path: .*usb-scanner.*$`, "${1}path: "+scanner)
				edit(`driver: lcus\n((?: +#.*\n)*) +path: .*`, "driver: none\n$1")
			}
		case "gateagent":
			command := strings.Replace(typed, "CODE", ticket.Code, 1)
			if strings.HasPrefix(rest, "doctor") {
				command += " || true" // nothing is plugged in as the sample says, and it was never online
			}
			d.run(command)
		case "systemctl":
			unit, err := os.ReadFile(filepath.Join(d.root, "usr/lib/systemd/system/campusgate-agent.service"))
			check(t, err)
			start := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindSubmatch(unit)
			user := regexp.MustCompile(`(?m)^User=(.*)$`).FindSubmatch(unit)
			agent = d.command(t.Context(), fmt.Sprintf("exec setpriv --reuid=%[2]s --regid=%[2]s --init-groups %[1]s", start[1], user[1]))
			agent.Stdout, agent.Stderr = &said, &said
			check(t, agent.Start())
		default:
			t.Fatalf("the README has a line that nobody plays: %s", line)
		}
	}
	stop := func() { _ = errors.Join(agent.Process.Signal(syscall.SIGTERM), agent.Wait()) }
	defer func() {
		if agent.ProcessState == nil {
			stop()
		}
		if t.Failed() {
			t.Log(said.String())
		}
	}()
	gate := campus.Client{Base: "http://127.0.0.1:8471", HTTP: &http.Client{Timeout: 5 * time.Second}}
	await := func(what, path string, into any, wanted func() bool) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := campus.Until(ctx, func() (bool, error) {
			err := gate.Do(ctx, http.MethodGet, path, nil, into)
			return err == nil && wanted(), err
		}); err != nil {
			t.Fatalf("%s: %v: %+v", what, err, into)
		}
	}
	var st console.Status
	await("online, with its scanner", "/api/v1/status", &st, func() bool {
		return st.Online && st.Gate.Name == "东门" && st.Clock.SyncedAt > 0 && st.Lanes[0].Scanner.State == "ok"
	})
	today := time.Now().In(settings.Location)
	pass, err := client.Issue(t.Context(), campus.PassRequest{
		Kind: "resident_single", Name: "林晓岚", Doc4: "302X", Uses: 1, Zones: []int{1}, OwnerGate: 1,
		From: today.Format(time.DateOnly), Until: today.Format(time.DateOnly),
	})
	check(t, err)
	device, err := os.OpenFile(cable.Device, os.O_RDWR|syscall.O_NOCTTY, 0)
	check(t, err)
	defer func() { check(t, device.Close()) }()
	_, err = io.WriteString(device, pass.Code+"\r\n")
	check(t, err)
	var list struct{ Scans []desk.Result }
	await("the scan", "/api/v1/scans", &list, func() bool { return len(list.Scans) == 1 })
	took := time.Since(from)
	if got := list.Scans[0]; !got.Opens || got.Name != "林晓岚" || got.Source != "serial" {
		t.Errorf("scanned: %+v", got)
	}
	if took > fiveMinutes {
		t.Errorf("the first green scan took %v", took)
	}
	t.Logf("from the package to the first green scan: %v", took.Round(time.Millisecond))

	// What the doctor says now, of the agent that runs.
	var report struct {
		OK     bool                            `json:"ok"`
		Checks []struct{ Name, Detail string } `json:"checks"`
	}
	check(t, json.Unmarshal([]byte(d.run("gateagent doctor -json -config /etc/campusgate/agent.yaml || true")), &report))
	if len(report.Checks) < 10 {
		t.Errorf("%+v", report)
	}
	stop()

	d.run("dpkg -r campusgate-agent")
	kept := func() (list []string) {
		for _, path := range d.files() {
			if !slices.Contains(before, path) && path != "/campusgate-agent_1.2.3_amd64.deb" {
				list = append(list, path)
			}
		}
		return list
	}
	// dpkg keeps what an administrator wrote until it is purged.
	data3 := []string{"/var/lib/campusgate", "/var/lib/campusgate/agent", "/var/lib/campusgate/agent/agent.db"}
	if got := kept(); !slices.Equal(got, append([]string{"/etc/campusgate", "/etc/campusgate/agent.yaml"}, data3...)) {
		t.Errorf("after remove: %q", got)
	}
	d.run("dpkg -P campusgate-agent")
	if got := kept(); !slices.Equal(got, data3) {
		t.Errorf("after purge: %q", got)
	}
	passwd, err := os.ReadFile(filepath.Join(d.root, "etc/passwd"))
	check(t, err)
	if bytes.Contains(passwd, []byte("campusgate")) {
		t.Error("the user stayed")
	}
}
