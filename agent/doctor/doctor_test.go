package doctor_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/agent/doctor"
	"campusgate/devices/find"
)

func TestReport_ShowsFindingsAdviceAndWhatToPaste(t *testing.T) {
	r := doctor.Report{
		Checks: []doctor.Check{
			doctor.Of("时钟 clock", nil, "well", "unheard"),
			doctor.Of("服务器 server", errors.New("no answer"), "unheard", "查网线 / see to the cable"),
		},
		Ports: []find.Port{{Kind: find.Serial, Path: "/dev/serial/by-id/x", Node: "/dev/ttyUSB0", VID: 0x1a86, PID: 0x7523, Product: "USB Serial"}},
		Paste: "    scanner: {}\n",
	}
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	want := `✓ 时钟 clock                    well
✕ 服务器 server                 no answer
  → 查网线 / see to the cable
· 设备 device                   /dev/ttyUSB0 1a86:7523 USB Serial
                                /dev/serial/by-id/x

可粘贴到配置文件 / to paste into the configuration:

    scanner: {}
`
	if b.String() != want || r.OK() {
		t.Errorf("ok %v, said\n%s", r.OK(), b.String())
	}
}

func TestDisk_OfAFolderThatIsThereAndOfOneThatIsNot(t *testing.T) {
	dir := t.TempDir()
	for _, c := range doctor.Disk(dir, filepath.Join(dir, "agent.db")) {
		if c.Detail == "" || c.OK && c.Advice != "" {
			t.Errorf("%+v", c)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	failed := 0
	for _, c := range doctor.Disk(filepath.Join(dir, "gone"), filepath.Join(dir, "agent.db")) {
		if !c.OK {
			failed++
			if c.Advice == "" {
				t.Errorf("%+v", c)
			}
		}
	}
	if failed != 2 {
		t.Errorf("%d of three checks failed in a folder that is not there, want 2", failed)
	}
	log, err := os.Create(filepath.Join(dir, "agent.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(log.Truncate(100<<20), log.Close()); err != nil {
		t.Fatal(err)
	}
	if c := doctor.Disk(dir, filepath.Join(dir, "agent.db"))[2]; c.OK || !strings.Contains(c.Detail, "100.0 MiB") {
		t.Errorf("a long log: %+v", c)
	}
}

func TestTimeService_OnlyMattersToAClockThatNothingElseKeeps(t *testing.T) {
	if c := doctor.TimeService(false); !c.OK || c.Detail == "" {
		t.Errorf("%+v", c)
	}
	if c := doctor.TimeService(true); !c.OK && c.Advice == "" {
		t.Errorf("%+v", c)
	}
}

func TestAccess_NamesTheFileAndTheGroup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ttyUSB0")
	if err := os.WriteFile(path, nil, 0o000); err != nil {
		t.Fatal(err)
	}
	c := doctor.Access([]string{"", "COM3", filepath.Join(dir, "gone"), path})
	if os.Geteuid() == 0 {
		if !c.OK || !strings.HasPrefix(c.Detail, "1 device") {
			t.Errorf("root may: %+v", c)
		}
	} else if c.OK || !strings.Contains(c.Detail, path) || !strings.Contains(c.Advice, "usermod -aG") {
		t.Errorf("%+v", c)
	}
}

func TestSuggest_TakesTheLikeliestDeviceForWhatIsMissing(t *testing.T) {
	ports := []find.Port{
		{Kind: find.Serial, Path: "/dev/a", Node: "/dev/a", Fits: []find.Fit{{Role: find.RoleBarrier, Driver: "lcus"}, {Role: find.RoleScanner, Driver: "serial"}}},
		{Kind: find.HID, Path: "/dev/b", Node: "/dev/b", Fits: []find.Fit{{Role: find.RoleScanner, Driver: "telepathy"}}},
		{Kind: find.Serial, Path: "/dev/c", Node: "/dev/c", VID: 0x0c2e, PID: 1, Fits: []find.Fit{{Role: find.RoleScanner, Driver: "serial", Preset: "honeywell"}}},
	}
	known := func(_, driver string) bool { return driver != "telepathy" }
	all := []string{find.RoleScanner, find.RoleBarrier}
	for _, c := range []struct {
		name  string
		roles []string
		used  []string
		want  []string
	}{
		{"everything", all, nil, []string{`scanner: {driver: serial, path: "/dev/c", preset: honeywell}`, `barrier: {driver: lcus, path: "/dev/a"}`}},
		{"the scanner is named", all[1:], []string{"/dev/c"}, []string{`barrier: {driver: lcus, path: "/dev/a"}`}},
		{"only an adapter is left", all[:1], []string{"/dev/c"}, []string{`scanner: {driver: serial, path: "/dev/a"}`}},
		{"nothing is missing", nil, nil, nil},
		{"nothing is left", all, []string{"/dev/a", "/dev/c"}, nil},
	} {
		got := doctor.Suggest("/", ports, c.roles, c.used, known)
		n := 0
		for _, line := range c.want {
			if !strings.Contains(got, "\n    "+line+"\n") {
				t.Errorf("%s: no %q in\n%s", c.name, line, got)
			}
		}
		if n = strings.Count(got, "driver:"); n != len(c.want) {
			t.Errorf("%s: %d suggestions:\n%s", c.name, n, got)
		}
	}
}
