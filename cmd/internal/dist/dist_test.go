package main

import (
	"archive/zip"
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var real = flag.Bool("real", false, "compile everything twice, from two copies of the source")

// root is the module's folder.
var root = filepath.Join("..", "..", "..")

// sample is a release whose programs are not compiled.
func sample() release {
	return release{
		version: "1.2.3+4.gabc", at: time.Unix(1_790_000_000, 0).UTC(), source: source(root),
		binary: func(program, system string) ([]byte, error) {
			return bytes.Repeat([]byte(program+" for "+system+"\n"), 1000), nil
		},
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// read gives every file of a folder.
func read(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	check(t, err)
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		check(t, err)
		files[e.Name()] = string(data)
	}
	return files
}

func TestWrite_TheSameReleaseIsTheSameBytes(t *testing.T) {
	var all []map[string]string
	for range 2 {
		dir := t.TempDir()
		_, err := write(sample(), dir)
		check(t, err)
		all = append(all, read(t, dir))
	}
	if !maps.Equal(all[0], all[1]) {
		t.Error("two builds differ")
	}
	want := []string{
		"SHA256SUMS", "campusgate-agent_1.2.3+4.gabc_amd64.deb", "campusgate-agent_1.2.3+4.gabc_arm64.deb",
		"campusgate-agent_1.2.3+4.gabc_windows_amd64.zip", "campusgate-server_1.2.3+4.gabc_amd64.deb",
	}
	if got := slices.Sorted(maps.Keys(all[0])); !slices.Equal(got, want) {
		t.Errorf("made %q", got)
	}
	later := sample()
	later.at = later.at.Add(time.Hour)
	dir := t.TempDir()
	_, err := write(later, dir)
	check(t, err)
	if read(t, dir)["SHA256SUMS"] == all[0]["SHA256SUMS"] {
		t.Error("another moment made no difference: the comparison above proves nothing")
	}
}

func TestWrite_TheChecksumsAreThoseThatSha256sumReads(t *testing.T) {
	dir := t.TempDir()
	_, err := write(sample(), dir)
	check(t, err)
	cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestDeb_DpkgReadsIt(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("no dpkg-deb")
	}
	dir := t.TempDir()
	made, err := write(sample(), dir)
	check(t, err)
	dpkg := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("dpkg-deb", args...).CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("warning")) {
			t.Errorf("dpkg-deb %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	for _, m := range made {
		if !strings.HasSuffix(m.name, ".deb") {
			continue
		}
		path := filepath.Join(dir, m.name)
		info, list := dpkg("-I", path), dpkg("-c", path)
		arch := strings.TrimSuffix(m.name[strings.LastIndex(m.name, "_")+1:], ".deb")
		for _, line := range []string{" Version: 1.2.3+4.gabc\n", " Architecture: " + arch + "\n", " Depends: passwd\n", "postinst", "prerm", "postrm", "conffiles", "md5sums"} {
			if !strings.Contains(info, line) {
				t.Errorf("%s: no %q in\n%s", m.name, line, info)
			}
		}
		owner := regexp.MustCompile(`^[d-]rw[x-]r-[x-]r-[x-] root/root +\d+ 2026-09-21 `)
		for line := range strings.Lines(list) {
			if !owner.MatchString(line) {
				t.Errorf("%s: %s", m.name, line)
			}
			if strings.Contains(line, "./var/") {
				t.Errorf("%s would take the data away: %s", m.name, line)
			}
		}
		unpacked := t.TempDir()
		dpkg("-x", path, unpacked)
		dpkg("-e", path, filepath.Join(unpacked, "DEBIAN"))
		confs, err := os.ReadFile(filepath.Join(unpacked, "DEBIAN/conffiles"))
		check(t, err)
		if conf := strings.TrimSpace(string(confs)); !strings.HasPrefix(conf, "/etc/campusgate/") || strings.Contains(conf, "\n") {
			t.Errorf("%s: conffiles %q", m.name, confs)
		}
		cmd := exec.Command("md5sum", "--check", "--strict", "DEBIAN/md5sums")
		cmd.Dir = unpacked
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", m.name, err, out)
		}
		for _, script := range []string{"postinst", "prerm", "postrm"} {
			if out, err := exec.Command("sh", "-n", filepath.Join(unpacked, "DEBIAN", script)).CombinedOutput(); err != nil {
				t.Errorf("%s: %s: %v\n%s", m.name, script, err, out)
			}
		}
	}
}

func TestWindows_TheZipHoldsWhatItsCommandFileNeeds(t *testing.T) {
	data, err := sample().windows()
	check(t, err)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	check(t, err)
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		check(t, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		check(t, err)
		files[strings.TrimPrefix(f.Name, "campusgate-agent/")] = b.String()
	}
	for _, name := range []string{"gateagent.exe", "gate.yaml", "install.cmd", "uninstall.cmd", "README.txt"} {
		if files[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	if !strings.Contains(files["gate.yaml"], "\r\ndata: C:\\ProgramData\\Campusgate\\agent\r\n") {
		t.Error("the data folder is not one of Windows")
	}
	for _, name := range []string{"install.cmd", "uninstall.cmd"} {
		if strings.Contains(strings.ReplaceAll(files[name], "\r\n", ""), "\n") || !regexp.MustCompile(`^[\x00-\x7f]*$`).MatchString(files[name]) {
			t.Errorf("%s is not ASCII with the line ends of Windows", name)
		}
	}
}

func TestVersions(t *testing.T) {
	for v, good := range map[string]bool{
		"1.2.3": true, "0~20261121.gabc.changed": true, "": false, "v1": false, "1.0-1": false, "1 0": false, "1/../..": false,
	} {
		if (checkVersion(v) == nil) != good {
			t.Errorf("%q: %v", v, checkVersion(v))
		}
	}
}

// From two copies of the source in folders of different depth, all that is
// handed out is the same.
func TestBuild_TwoRealBuildsAreTheSameBytes(t *testing.T) {
	if !*real {
		t.Skip("compiles everything twice; go test ./cmd/internal/dist -run Real -real")
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1790000000")
	var all []map[string]string
	for _, depth := range []string{"a", "b/c/d"} {
		dir := t.TempDir()
		copied := filepath.Join(dir, depth)
		check(t, os.MkdirAll(copied, 0o755))
		tar := exec.Command("sh", "-c", fmt.Sprintf("git archive HEAD | tar -x -C '%s'", copied))
		tar.Dir = root
		if out, err := tar.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		out := filepath.Join(dir, "out")
		_, err := build(t.Context(), copied, out, "1.2.3")
		check(t, err)
		all = append(all, read(t, out))
	}
	if all[0]["SHA256SUMS"] != all[1]["SHA256SUMS"] {
		t.Errorf("two builds differ:\n%s\n%s", all[0]["SHA256SUMS"], all[1]["SHA256SUMS"])
	}
}
