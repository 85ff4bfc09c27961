//go:build linux

package agent_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/doctor"
	"campusgate/devices"
	"campusgate/devices/escpos/paper"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// named finds a check.
func named(t *testing.T, r doctor.Report, name string) doctor.Check {
	t.Helper()
	for _, c := range r.Checks {
		if strings.Contains(c.Name, name) {
			return c
		}
	}
	t.Errorf("no check %q in %+v", name, r.Checks)
	return doctor.Check{}
}

// plug puts a USB serial device into a fake /sys.
func plug(t *testing.T, root, name, vid, pid, product string) {
	t.Helper()
	usb := filepath.Join(root, "sys/devices/usb1", name)
	for file, text := range map[string]string{
		usb + "/idVendor": vid, usb + "/idProduct": pid, usb + "/product": product,
		usb + "/if0/tty/" + name + "/dev": "1:1", filepath.Join(root, "dev", name): "",
	} {
		check(t, os.MkdirAll(filepath.Dir(file), 0o755))
		check(t, os.WriteFile(file, []byte(text), 0o644))
	}
	check(t, os.Symlink("../..", usb+"/if0/tty/"+name+"/device"))
	class := filepath.Join(root, "sys/class/tty", name)
	check(t, os.MkdirAll(filepath.Dir(class), 0o755))
	check(t, os.Symlink(usb+"/if0/tty/"+name, class))
}

func TestDoctor_NamesWhatIsPluggedInAndSuggestsItForALaneWithout(t *testing.T) {
	s := newStation(t)
	root := t.TempDir()
	plug(t, root, "ttyACM0", "0c2e", "0b61", "Xenon 1900")
	plug(t, root, "ttyUSB0", "1a86", "7523", "USB Serial")
	report, err := agent.Doctor(t.Context(), s.settings("  - name: 小门\n"), agent.Surroundings{Root: root})
	check(t, err)
	if len(report.Ports) != 2 {
		t.Errorf("ports %+v", report.Ports)
	}
	for _, line := range []string{
		"# /dev/ttyACM0 0c2e:0b61 Xenon 1900\n    scanner: {driver: serial, path: \"/dev/ttyACM0\", preset: honeywell}\n",
		"# /dev/ttyUSB0 1a86:7523 USB Serial\n    barrier: {driver: lcus, path: \"/dev/ttyUSB0\"}\n",
	} {
		if !strings.Contains(report.Paste, line) {
			t.Errorf("no %q in\n%s", line, report.Paste)
		}
	}
	if report.OK() { // there is no server
		t.Error("all is well")
	}
	if c := named(t, report, "store"); !c.OK {
		t.Errorf("%+v", c)
	}
	if c := named(t, report, "server"); c.OK || c.Advice == "" {
		t.Errorf("%+v", c)
	}
	// A lane that has both needs no suggestion.
	if report, err = agent.Doctor(t.Context(), s.settings(""), agent.Surroundings{Root: root}); err != nil || report.Paste != "" {
		t.Errorf("%v: suggests\n%s", err, report.Paste)
	}
}

func TestExamine_TakesTheWordOfTheLanesAndNoScan(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings(""), deps(0))
	r.until("the scanner is ok", scannerIs(devices.OK))
	var report doctor.Report
	r.call("GET", "/doctor", nil, http.StatusOK, &report)
	for _, name := range []string{"扫码器", "道闸", "store", "flush", "identity", "snapshot"} {
		if c := named(t, report, name); !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if c := named(t, report, "link"); c.OK || !strings.Contains(c.Detail, errNoNetwork.Error()) {
		t.Errorf("%+v", c)
	}
	s.send(s.code())
	if got := r.scanned(); got.Reason != verdict.Granted {
		t.Errorf("after the look: %+v", got)
	}
	s.pulses(1)
	check(t, s.scanner.Unplug())
	r.until("the scanner is lost", scannerIs(devices.Lost))
	r.call("GET", "/doctor", nil, http.StatusOK, &report)
	if c := named(t, report, "扫码器"); c.OK || !strings.Contains(c.Advice, s.scanner.Host) {
		t.Errorf("%+v", c)
	}
	r.call("POST", "/doctor/pulse", map[string]string{"lane": where}, http.StatusOK, nil)
	s.pulses(1)
}

func TestTry_HearsAScanMovesABarrierAndPrints(t *testing.T) {
	s := newStation(t)
	settings := s.settings("")
	done, gone := make(chan struct{}), make(chan struct{})
	go func() { // somebody holds a code in front of the scanner
		defer close(gone)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				s.send("CP1:HELLO")
			}
		}
	}()
	var heard []agent.Heard
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check(t, agent.TryScan(ctx, settings, nil, func(h agent.Heard) bool {
		heard = append(heard, h)
		return true
	}))
	close(done)
	<-gone
	if len(heard) != 1 || heard[0] != (agent.Heard{Port: s.scanner.Host, Text: "CP1:HELLO"}) {
		t.Errorf("heard %+v", heard)
	}
	check(t, agent.TryPulse(t.Context(), settings.Lanes[0]))
	s.pulses(1)
	if err := agent.TryPulse(t.Context(), agent.LaneSettings{Barrier: agent.BarrierConfig{Driver: "none"}}); !errors.Is(err, agent.ErrNoBarrier) {
		t.Errorf("a lane without: %v", err)
	}
	check(t, s.relay.Unplug())
	if err := agent.TryPulse(t.Context(), settings.Lanes[0]); err == nil {
		t.Error("opened a barrier that is gone")
	}
	printer := &paper.Device{}
	address, stop, err := printer.Listen()
	check(t, err)
	defer stop()
	check(t, agent.TryPrint(t.Context(), address))
	slips, err := printer.Slips(t.Context(), 1, 32)
	check(t, err)
	if text := slips[0].Text(); !strings.Contains(text, "Campusgate") || !strings.Contains(text, "测试 TEST 123") {
		t.Errorf("printed %q", text)
	}
}

// notebook is a log that is written and read at the same time.
type notebook struct {
	mu   sync.Mutex
	said bytes.Buffer
}

func (n *notebook) Write(p []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.said.Write(p)
}

func (n *notebook) bytes() []byte {
	n.mu.Lock()
	defer n.mu.Unlock()
	return bytes.Clone(n.said.Bytes())
}

// After scans of invented people the bundle says how many, and not who.
func TestSupport_HoldsNobody(t *testing.T) {
	s := newStation(t)
	var said, noise notebook
	d := deps(0)
	d.Log = slog.New(slog.NewTextHandler(&said, nil))
	d.File = []byte("data: x\nlanes: [{name: 主通道}]\n")
	people := []struct{ name, doc4, phone string }{
		{"欧阳明月", "302X", "13800138000"}, {"Maria Okafor-Lindqvist", "77QX", "13800138001"},
	}
	d.Said = func() []byte { return append(noise.bytes(), said.bytes()...) }
	r := s.start(s.settings(""), d)
	r.until("the scanner is ok", scannerIs(devices.OK))
	var secrets []string
	for i, p := range people {
		now := time.Now().Unix()
		id := signing.PassID{0xA7, 0x31, 0x5C, 0x99, byte(i)}
		for n := range id[5:] {
			id[5+n] = byte(17*n + i)
		}
		claims := pass.Pass{
			ID: id, Kind: signing.ResidentSingle, Name: p.name, Doc4: p.doc4, Uses: 1, Owner: home,
			NotBefore: now - 3600, Expires: now + 86400, IssuedAt: now - 7200,
		}
		code := pass.URL("gate.example.edu", must[[]byte](t)(claims.Sign(s.issuer)))
		if got := r.present(code); got.Reason != verdict.Granted {
			t.Fatalf("%+v", got)
		}
		secrets = append(secrets, p.name, p.doc4, p.phone, id.String(), code, code[len(code)-40:])
		// What the log should never hold, and would not be sent if it did.
		_, _ = fmt.Fprintf(&noise, "level=INFO msg=%q name=%q doc4=%s text=%s\n", "scan of "+p.name+" "+id.String(), p.name, p.doc4, code)
		_, _ = fmt.Fprintf(&noise, "level=WARN msg=%q\n", p.phone+" called about "+code)
	}
	var got bytes.Buffer
	r.call("GET", "/support", nil, http.StatusOK, &got)
	z, err := zip.NewReader(bytes.NewReader(got.Bytes()), int64(got.Len()))
	check(t, err)
	files := map[string]string{}
	for _, f := range z.File {
		reader, err := f.Open()
		check(t, err)
		files[f.Name] = string(must[[]byte](t)(io.ReadAll(reader)))
	}
	for name, text := range files {
		for _, secret := range secrets {
			if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	for name, part := range map[string]string{
		"journal.json": `"scan granted": 2`, "config.yaml": "name: 主通道", "log.txt": "lane=主通道", "doctor.txt": "✓ 主通道 扫码器 scanner", "versions.json": `"software"`,
	} {
		if !strings.Contains(files[name], part) {
			t.Errorf("no %q in %s:\n%s", part, name, files[name])
		}
	}
	if !strings.Contains(files["journal.json"], `"gaps": 0`) || !strings.Contains(files["journal.json"], `"queue": 2`) {
		t.Errorf("journal.json:\n%s", files["journal.json"])
	}
	r.end()
	var stopped bytes.Buffer
	check(t, agent.Support(t.Context(), s.settings(""), agent.Surroundings{}, d.File, noise.bytes(), &stopped))
	if _, err := zip.NewReader(bytes.NewReader(stopped.Bytes()), int64(stopped.Len())); err != nil {
		t.Error(err)
	}
}

func TestIdle_GrowsOnlyWhileADeskHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		var hang atomic.Bool
		d, err := desk.New(desk.Deps{
			Settle: func(in []desk.Input) ([][]desk.Effect, error) {
				if hang.Load() {
					<-stuck
				}
				return make([][]desk.Effect, len(in)), nil
			},
			Keyring: func() *signing.Keyring { return nil },
		})
		check(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx) }()
		time.Sleep(time.Minute)
		if idle := d.Idle(); idle > time.Second {
			t.Errorf("idle for %v with nothing to do", idle)
		}
		synctest.Wait()
		hang.Store(true)
		time.Sleep(time.Minute)
		if idle := d.Idle(); idle < 55*time.Second {
			t.Errorf("idle for %v while it hangs", idle)
		}
		close(stuck)
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

var _ console.Service = (*agent.Agent)(nil)
