//go:build linux

package agent_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/agent"
	"campusgate/agent/console"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/link"
	"campusgate/devices"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestAgent_AColdStartWithoutNetworkAdmits(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings(""), deps(0))
	st := r.until("ready, and tried to connect", func(st console.Status) bool {
		return st.LastError != "" && st.Lanes[0].Scanner.State == devices.OK
	})
	if st.Online || !strings.Contains(st.LastError, errNoNetwork.Error()) || st.Gate.Name != "东门" || st.Snapshot.Revision != 7 || !st.Clock.Trusted {
		t.Errorf("status %+v", st)
	}
	code := s.code()
	s.send(code)
	if got := r.scanned(); got.Reason != verdict.Granted || !got.Opens || !got.Offline || got.Name != "林晓岚" || got.Source != "serial" {
		t.Errorf("scanned: %+v", got)
	}
	s.pulses(1)
	if st := r.until("one event to send", func(st console.Status) bool { return st.Queue > 0 }); st.Queue != 1 {
		t.Errorf("%d events wait", st.Queue)
	}
	r.end()

	// What it decided it knows after the next start, too.
	r = s.start(s.settings(""), deps(time.Minute))
	if got := r.present(code); got.Reason != verdict.AlreadyUsed || got.Opens || got.FirstUse == nil || got.FirstUse.GateName != "东门" {
		t.Errorf("shown again after a restart: %+v", got)
	}
}

func TestAgent_ALaneWithoutDevicesWorksByHand(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings("  - name: 小门\n"), deps(0))
	st := r.until("the scanner is ok", scannerIs(devices.OK))
	if l := st.Lanes[0]; l.Scanner.Driver != "none" || l.Barrier.Driver != "none" || l.Barrier.State != devices.OK {
		t.Errorf("lane %+v", l)
	}
	if got := r.present(s.code()); got.Reason != verdict.Granted || got.Lane != "小门" || got.Source != "api" {
		t.Errorf("presented: %+v", got)
	}
}

func TestAgent_AScannerThatWasPulledOutIsBackWithinTwoSeconds(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings(""), deps(0))
	r.until("the scanner is ok", scannerIs(devices.OK))
	check(t, s.scanner.Unplug())
	st := r.until("the scanner is lost", scannerIs(devices.Lost))
	if st.Lanes[0].Scanner.Detail == "" || st.Lanes[0].Barrier.State != devices.OK {
		t.Errorf("lane %+v", st.Lanes[0])
	}
	// The lane goes on without it.
	if got := r.present(s.code()); got.Reason != verdict.Granted {
		t.Errorf("presented by hand: %+v", got)
	}
	check(t, s.scanner.Replug())
	back := time.Now()
	r.until("the scanner is ok again", scannerIs(devices.OK))
	s.send(s.code())
	got := r.scanned()
	for ; got.Source != "serial"; got = r.scanned() { // the one by hand comes first
	}
	if took := time.Since(back); took > 2*time.Second {
		t.Errorf("back after %v", took)
	}
	if got.Reason != verdict.Granted {
		t.Errorf("scanned: %+v", got)
	}
}

func TestAgent_ARelayThatIsNotThereIsShownAndNoFault(t *testing.T) {
	s := newStation(t)
	check(t, s.relay.Unplug())
	r := s.start(s.settings(""), deps(0))
	st := r.until("the barrier is lost", func(st console.Status) bool { return st.Lanes[0].Barrier.State == devices.Lost })
	if st.Lanes[0].Barrier.Detail == "" {
		t.Errorf("lane %+v", st.Lanes[0])
	}
	if got := r.present(s.code()); got.Reason != verdict.Granted || !got.Opens {
		t.Errorf("presented: %+v", got)
	}
	r.end()
}

func TestAgent_TheGuardIsAskedForADocument(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings("", "documents: required"), deps(0))
	if st := r.until("any", func(console.Status) bool { return true }); st.Documents != "required" {
		t.Errorf("status %+v", st)
	}
	asked := r.present(s.code())
	if asked.Reason != verdict.NeedsInput || asked.Need != verdict.NeedDocument || asked.Opens || asked.Event != nil {
		t.Fatalf("presented: %+v", asked)
	}
	answer := "/api/v1/scans/" + asked.ID + "/answer"
	if got := r.post(answer, map[string]any{"document": console.StandardDocuments()[0].ID}); got.Reason != verdict.Granted || !got.Opens || got.Event == nil {
		t.Errorf("with a document: %+v", got)
	}
	s.pulses(1)

	refused := r.present(s.code())
	if got := r.post("/api/v1/scans/"+refused.ID+"/answer", map[string]any{"refuse": true}); got.Reason != verdict.DocumentRequired || got.Opens {
		t.Errorf("without one: %+v", got)
	}
}

func TestAgent_AnAnnulledPassEntersAgain(t *testing.T) {
	s := newStation(t)
	r := s.start(s.settings(""), deps(0))
	code := s.code()
	first := r.present(code)
	if got := r.post("/api/v1/scans/"+first.ID+"/annul", struct{}{}); !got.Annulled {
		t.Errorf("annulled: %+v", got)
	}
	second := r.present(code)
	if second.Reason != verdict.Granted || !second.Opens || second.Repeat || second.ID == first.ID {
		t.Errorf("entered again: %+v", second)
	}
	s.pulses(2)
}

func TestAgent_EndsWithoutATrace(t *testing.T) {
	s := newStation(t)
	before := runtime.NumGoroutine()
	for range 2 {
		r := s.start(s.settings(""), deps(0))
		r.until("the scanner is ok", scannerIs(devices.OK))
		if got := r.present(s.code()); got.Reason != verdict.Granted {
			t.Errorf("presented: %+v", got)
		}
		r.end()
		if left, _ := filepath.Glob(filepath.Join(s.data, "*-wal")); len(left) != 0 {
			t.Errorf("the store was not closed: %v", left)
		}
	}
	settled(t, before)
}

func TestAgent_TheSecondOnOneFolderIsRefused(t *testing.T) {
	s := newStation(t)
	settings := s.settings("")
	r := s.start(settings, deps(0))
	r.until("the scanner is ok", scannerIs(devices.OK))
	if _, err := agent.New(settings, deps(0)); !errors.Is(err, agent.ErrInUse) || !strings.Contains(err.Error(), s.data) {
		t.Errorf("a second agent: %v, want ErrInUse with the folder", err)
	}
	// The doctor keeps its hands off what the agent holds: a look at the scanner
	// would take the next code from it.
	if report, err := agent.Doctor(t.Context(), settings, agent.Surroundings{}); !errors.Is(err, agent.ErrInUse) || len(report.Checks) > 0 {
		t.Errorf("doctor: %v, %+v", err, report)
	}
	s.send(s.code())
	if got := r.scanned(); got.Reason != verdict.Granted {
		t.Errorf("meanwhile: %+v", got)
	}
	r.end()
	s.start(settings, deps(0))
}

func TestAgent_WithoutEnrolmentSaysWhatToDo(t *testing.T) {
	s := newStation(t)
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		s.data = dir
		_, err := agent.New(s.settings(""), deps(0))
		if !errors.Is(err, disk.ErrMissing) || !strings.Contains(err.Error(), "gateagent enroll -config FILE -code CODE") {
			t.Errorf("%v, want disk.ErrMissing with the command to run", err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestAgent_AFailedStartLeavesNothingOpen(t *testing.T) {
	s := newStation(t)
	taken := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	defer func() { _ = taken.Close() }()
	bad := filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(bad, []byte("no certificate"), 0o600))
	before := runtime.NumGoroutine()
	busy := s.settings("")
	busy.Listen = taken.Addr().String()
	if _, err := agent.New(busy, deps(0)); err == nil || !strings.Contains(err.Error(), busy.Listen) {
		t.Errorf("a port that is taken: %v", err)
	}
	for _, file := range []string{bad, bad + ".none"} {
		if _, err := agent.New(s.settings("", "tls: {ca: "+file+"}"), deps(0)); err == nil {
			t.Errorf("with the CA file %s", file)
		}
	}
	settled(t, before)
	s.start(s.settings(""), deps(0))
}

// The code must not be spent for nothing, so all else is looked at first.
func TestEnrol_RefusesBeforeAnythingIsSent(t *testing.T) {
	s := newStation(t)
	enrolled := s.settings("")
	secret := [10]byte{1, 2, 3}
	code := wire.FormatEnrolCode(secret, s.issuer.Key.Public)
	mistyped := "A" + code[1:]
	if mistyped == code {
		mistyped = "B" + code[1:]
	}
	fresh := enrolled
	fresh.Data = filepath.Join(t.TempDir(), "agent")
	file := enrolled
	file.Data = filepath.Join(t.TempDir(), "file")
	check(t, os.WriteFile(file.Data, nil, 0o600))
	noCA := fresh
	noCA.CA = filepath.Join(t.TempDir(), "none.pem")
	for name, c := range map[string]struct {
		settings     agent.Settings
		server, code string
		want         error
		word         string
	}{
		"enrolled already":     {enrolled, "https://gate.example.edu", code, disk.ErrExists, "move the folder away"},
		"mistyped":             {fresh, "https://gate.example.edu", mistyped, wire.ErrEnrolCode, "a character is wrong"},
		"no address":           {fresh, "gate.example.edu", code, link.ErrConfig, "gate.example.edu"},
		"in the clear":         {fresh, "http://gate.example.edu", code, link.ErrPlain, "https"},
		"the folder is a file": {file, "https://gate.example.edu", code, nil, "data folder"},
		"no CA file":           {noCA, "https://gate.example.edu", code, os.ErrNotExist, "tls.ca"},
	} {
		t.Run(name, func(t *testing.T) {
			dialled := 0
			d := agent.Deps{Dial: func(context.Context, string, string) (net.Conn, error) {
				dialled++
				return nil, errNoNetwork
			}}
			id, err := agent.Enrol(t.Context(), c.settings, c.server, c.code, d)
			if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.word) {
				t.Errorf("%v, want %v with %q", err, c.want, c.word)
			}
			if dialled != 0 || id.Agent != 0 {
				t.Errorf("dialled %d times, got %v", dialled, id)
			}
			if strings.Contains(err.Error(), c.code[5:14]) {
				t.Errorf("the error repeats the code: %v", err)
			}
		})
	}
	// What went wrong on the way may go well the next time; it is tried again.
	dialled := 0
	_, err := agent.Enrol(t.Context(), fresh, "https://gate.example.edu", code, agent.Deps{Dial: func(context.Context, string, string) (net.Conn, error) {
		dialled++
		return nil, errNoNetwork
	}})
	if !errors.Is(err, errNoNetwork) || dialled != 3 {
		t.Errorf("without a network: %v after %d tries", err, dialled)
	}
	if left, _ := os.ReadDir(fresh.Data); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	// The store that was there is as it was.
	db := must[*disk.DB](t)(disk.Open(filepath.Join(s.data, agent.StoreName)))
	defer func() { check(t, db.Close()) }()
	if j := must[*journal.Journal](t)(journal.Open(db)); j.Identity().Agent != 13 {
		t.Errorf("the store is of %v", j.Identity())
	}
}
