package code_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/code"
)

var update = flag.Bool("update", false, "write the vectors and the example in FORMAT.md anew")

const vectorFolder = "../testdata/vectors"

// outcomes are the words for how reading a code ends.
var outcomes = map[string]error{
	"readable":      nil,
	"malformed":     signing.ErrMalformed,
	"unknown_key":   signing.ErrUnknownKey,
	"bad_signature": signing.ErrBadSignature,
	"compromised":   signing.ErrCompromised,
}

func outcome(err error) string {
	for word, sentinel := range outcomes {
		if errors.Is(err, sentinel) {
			return word
		}
	}
	return fmt.Sprint(err)
}

// vector is one case: a text, and what every reader must make of it.
type vector struct {
	name  string // of the file
	about string
	ring  string // file of the keyring
	want  string // one of outcomes
	says  string // part of our own error; other readers may say it otherwise
	read  string // the values, as JSON, when readable or compromised
	code  string
}

func (v vector) marshal() string {
	var b strings.Builder
	for _, line := range [][2]string{
		{"about", v.about},
		{"ring", v.ring},
		{"want", v.want},
		{"says", v.says},
		{"read", v.read},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", line[0], line[1])
		}
	}
	// As a JSON string, so that control characters and trailing spaces can be seen.
	text, err := json.Marshal(v.code)
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(&b, "code: %s\n", text)
	return b.String()
}

// parseVector is strict: unknown, repeated and missing names are errors.
func parseVector(name, text string) (vector, error) {
	v := vector{name: name}
	if !strings.HasSuffix(text, "\n") {
		return v, errors.New("does not end in a line end")
	}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok || value == "" {
			return v, fmt.Errorf("line %q: want a name, a colon and a value", line)
		}
		if seen[key] {
			return v, fmt.Errorf("%s twice", key)
		}
		seen[key] = true
		field := map[string]*string{
			"about": &v.about, "ring": &v.ring, "want": &v.want, "says": &v.says, "read": &v.read, "code": &v.code,
		}[key]
		if field == nil {
			return v, fmt.Errorf("unknown name %q", key)
		}
		*field = value
	}
	if err := json.Unmarshal([]byte(v.code), &v.code); err != nil {
		return v, fmt.Errorf("code: %w", err)
	}
	_, known := outcomes[v.want]
	filled := v.want == "readable" || v.want == "compromised"
	switch {
	case !known:
		return v, fmt.Errorf("no outcome %q", v.want)
	case v.about == "" || v.ring == "" || !seen["code"]:
		return v, errors.New("about, ring and code are needed")
	case filled != (v.read != "") || (v.want == "readable") != (v.says == ""):
		return v, fmt.Errorf("read and says do not go with %s", v.want)
	}
	return v, nil
}

// values is what a vector says was read. Names are the claims of FORMAT.md.
type values struct {
	Form   string `json:"form"`
	Key    string `json:"key"`
	Site   string `json:"site"`
	Kind   string `json:"kind"`
	ID     string `json:"id"`
	Nbf    int64  `json:"nbf,omitempty"`
	Exp    int64  `json:"exp"`
	Iat    int64  `json:"iat"`
	Server bool   `json:"server,omitempty"`
	Phone  string `json:"phone,omitempty"`

	Gate  *gateValues  `json:"gate,omitempty"`
	Pay   *payValues   `json:"pay,omitempty"`
	Proof *proofValues `json:"proof,omitempty"`
}

type gateValues struct {
	Name  string `json:"name"`
	Doc4  string `json:"doc4"`
	Uses  uint32 `json:"uses"`
	Zones uint32 `json:"zones"`
	Owner uint16 `json:"owner"`
}

type payValues struct {
	Account          uint64 `json:"account"`
	Epoch            uint32 `json:"epoch"`
	PerTxFen         int64  `json:"per_tx_fen"`
	PerDayOfflineFen int64  `json:"per_day_offline_fen"`
	MaxOfflineTx     uint32 `json:"max_offline_tx"`
}

type proofValues struct {
	T     int64  `json:"t"`
	Ctr   uint64 `json:"ctr"`
	Nonce string `json:"nonce"`
	Ctx   uint8  `json:"ctx"`
}

func summary(c code.Code) string {
	v := values{Form: c.Form.String(), Key: c.Key.ID.String(), Site: c.Key.Site, ID: c.ID().String(), Kind: c.Kind().String(), Server: c.Server}
	if p := c.Pass; p != nil {
		v.Nbf, v.Exp, v.Iat = p.NotBefore, p.Expires, p.IssuedAt
		v.Gate = &gateValues{p.Name, p.Doc4, p.Uses, uint32(p.Zones), p.Owner}
		if p.Phone != nil {
			v.Phone = p.Phone.String()
		}
	}
	if p := c.Pay; p != nil {
		v.Exp, v.Iat, v.Phone = p.Expires, p.IssuedAt, p.Phone.String()
		v.Pay = &payValues{p.Account, p.Epoch, p.PerTxFen, p.PerDayOfflineFen, p.MaxOfflineTx}
	}
	if p := c.Proof; p != nil {
		v.Proof = &proofValues{p.T, p.Counter, fmt.Sprintf("%x", p.Nonce), uint8(p.Context)}
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestVectorsAreThoseTheFixturesMake regenerates every vector. The files are
// checked in so that other programs can use them; they must not drift.
func TestVectorsAreThoseTheFixturesMake(t *testing.T) {
	w := newWorld(t)
	cases := vectorCases(t, w)
	files := map[string]string{"ring.json": string(w.ring.Marshal())}
	for _, v := range cases {
		v.ring = "ring.json"
		c, err := code.Read(w.ring, v.code)
		if err == nil || errors.Is(err, signing.ErrCompromised) {
			v.read = summary(c)
		}
		if got := outcome(err); got != v.want {
			t.Errorf("%s: %s (%v), want %s", v.name, got, err, v.want)
		}
		if _, twice := files[v.name+".txt"]; twice {
			t.Errorf("%s twice", v.name)
		}
		files[v.name+".txt"] = v.marshal()
	}
	if t.Failed() {
		return
	}
	if *update {
		writeVectors(t, files)
	}
	entries, err := os.ReadDir(vectorFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok {
			t.Errorf("%s: no fixture makes it", e.Name())
		}
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(vectorFolder, name))
		if err != nil || string(got) != want {
			t.Errorf("%s differs from what the fixtures make (%v); -update writes it anew", name, err)
		}
	}
}

func writeVectors(t *testing.T, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(vectorFolder); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(vectorFolder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(vectorFolder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestVectorsAreReadAsTheySay reads the files as another program would.
func TestVectorsAreReadAsTheySay(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(vectorFolder, "*.txt"))
	if err != nil || len(names) < 100 {
		t.Fatalf("%d vectors, %v: want at least 100", len(names), err)
	}
	count := map[string]int{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := parseVector(filepath.Base(name), string(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		data, err := os.ReadFile(filepath.Join(vectorFolder, v.ring))
		if err != nil {
			t.Fatal(err)
		}
		ring, err := signing.ParseKeyring(data)
		if err != nil {
			t.Fatalf("%s: %v", v.ring, err)
		}
		c, err := code.Read(ring, v.code)
		count[outcome(err)]++
		switch {
		case outcome(err) != v.want:
			t.Errorf("%s (%s): %v, want %s", v.name, v.about, err, v.want)
		case err != nil && !strings.Contains(err.Error(), v.says):
			t.Errorf("%s: %v, want an error that says %q", v.name, err, v.says)
		case v.read != "" && summary(c) != v.read:
			t.Errorf("%s: read\n%s, want\n%s", v.name, summary(c), v.read)
		}
	}
	t.Logf("%d vectors: %v", len(names), count)
	for word := range outcomes {
		if count[word] == 0 {
			t.Errorf("no vector for %s", word)
		}
	}
}

func TestVectorFilesAreReadStrictly(t *testing.T) {
	good := vector{about: "a", ring: "ring.json", want: "malformed", says: "x", code: "CP1:\x00 "}.marshal()
	if v, err := parseVector("good", good); err != nil || v.code != "CP1:\x00 " {
		t.Fatalf("%q: %+v, %v", good, v, err)
	}
	for name, bad := range map[string]string{
		"unknown name":    "note: b\n" + good,
		"name twice":      "about: b\n" + good,
		"no code":         strings.Split(good, "code")[0],
		"unknown outcome": strings.Replace(good, "malformed", "granted", 1),
		"no line end":     strings.TrimSuffix(good, "\n"),
		"no value":        strings.Replace(good, "about: a", "about: ", 1),
		"code unquoted":   strings.Replace(good, `"`, "", 1),
		"values, refused": strings.Replace(good, "says: x", "says: x\nread: {}", 1),
	} {
		if _, err := parseVector(name, bad); err == nil {
			t.Errorf("%s: accepted %q", name, bad)
		}
	}
}
