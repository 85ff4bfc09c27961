package support_test

import (
	"archive/zip"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"campusgate/agent/doctor"
	"campusgate/agent/support"
)

func TestScrubber_LeavesNothingAboutAnybody(t *testing.T) {
	s := support.NewScrubber([]string{"东门", "主通道"}, []string{"Maria Okafor", "李", ""})
	for line, want := range map[string]string{
		`level=INFO msg=scanner lane=主通道 state=lost detail="open /dev/ttyUSB0: no such file"`: `level=INFO msg=scanner lane=主通道 state=lost detail="open /dev/ttyUSB0: no such file"`,
		`gate 东门 by 林晓岚`:                            `gate 东门 by ▇`,
		`gate 东门林晓岚`:                                `gate ▇`, // a word that only holds a place
		`error="for Maria Okafor"`:                  `error="for ▇"`,
		`name="Ann Lee" x=1`:                        `name=▇ x=1`,
		`guard=G1001 doc4=302X`:                     `guard=▇ doc4=▇`,
		`code=bad_lane`:                             `code=bad_lane`,
		`code=6ZEI-XZCZ`:                            `code=▇`,
		`call 138 0013 8000 or 13800138000`:         `call ▇ or ▇`,
		`+86-13800138000`:                           `+▇`,
		`id 110101199003078515, 11010119900307851X`: `id ▇, ▇`,
		`id 110101 19900307 851x`:                   `id ▇`,
		`GET /V/HE5DCMRTGQ2TMNZY?x=1 200`:           `GET ▇ 200`,
		`HTTPS://GATE.EXAMPLE.EDU/V/ABCDEF`:         `▇`,
		`text CP1:6BF%AB*12`:                        `text ▇`,
		`pass_id 0123456789abcdef0123`:              `pass_id ▇`,
		`mail maria@example.edu`:                    `mail ▇`,
		"bad \xff\xfe bytes":                        "bad ? bytes",
		`AAAABBBBCCCCDDDDEEEEFFFFGGGG`:              `▇`,
	} {
		if got := string(s.Log([]byte(line))); got != want {
			t.Errorf("%q became %q, want %q", line, got, want)
		}
	}
}

func TestConfig_LosesSecretsAndCommentsOnly(t *testing.T) {
	got, err := support.Config([]byte(`# for 林晓岚, 13800138000
server: https://gate.example.edu
data: /var/lib/campusgate/agent
camera: {url: "rtsp://admin:geheim@10.0.0.5/stream?token=abc", password: hunter2}
lanes:
  - name: 主通道
    scanner: {driver: serial, path: /dev/ttyACM0, baud: 9600}
    barrier: {driver: http, path: "http://10.0.0.6?key=1", auth: [a, b]}
  - name: "broken://user:pw@%zz"
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"林", "138", "geheim", "abc", "hunter2", "key=1", "- a", "user:pw"} {
		if strings.Contains(string(got), gone) {
			t.Errorf("%q is in\n%s", gone, got)
		}
	}
	for _, kept := range []string{"server: https://gate.example.edu", "name: 主通道", "path: /dev/ttyACM0", "baud: 9600", "rtsp://10.0.0.5/stream", "http://10.0.0.6"} {
		if !strings.Contains(string(got), kept) {
			t.Errorf("no %q in\n%s", kept, got)
		}
	}
	for _, bad := range []string{"a: [", "\x00", "just text with 林晓岚"} {
		if got, err := support.Config([]byte(bad)); err == nil || got != nil || strings.Contains(err.Error(), "林") {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
}

func TestBundle_HoldsEveryPartAndTheEndOfALongLog(t *testing.T) {
	b := support.Bundle{
		At: time.Unix(1_790_000_000, 0), Config: []byte("password: x"), Versions: map[string]string{"go": "1"},
		Report: doctor.Report{Checks: []doctor.Check{{Name: "时钟 clock", OK: true, Detail: "fine"}}},
		Log:    append(bytes.Repeat([]byte("an old line\n"), 100_000), "the last line\n"...),
	}
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(data)
	}
	for name, part := range map[string]string{
		"README.txt": "no names of", "config.yaml": "password: ▇", "doctor.txt": "✓ 时钟 clock", "doctor.json": `"ok": true`,
		"versions.json": `"go": "1"`, "journal.json": "null", "log.txt": "the last line\n",
	} {
		if !strings.Contains(files[name], part) {
			t.Errorf("%s is %.200q, want %q in it", name, files[name], part)
		}
	}
	if n := len(files["log.txt"]); n > 600_000 || !strings.HasPrefix(files["log.txt"], "an old line\n") {
		t.Errorf("log of %d bytes begins %.20q", n, files["log.txt"])
	}
}
