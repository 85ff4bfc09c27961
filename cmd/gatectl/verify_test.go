package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

var noon = time.Date(2026, 11, 20, 4, 0, 0, 0, time.UTC)

// testIssuer makes a keyring of one gate key, and the key.
func testIssuer(tb testing.TB) (*signing.Keyring, signing.Issuer) {
	tb.Helper()
	seed := sha256.Sum256([]byte("verify"))
	private := ed25519.NewKeyFromSeed(seed[:])
	key, err := signing.NewKey("campus", signing.PurposeGate, private.Public().(ed25519.PublicKey))
	if err != nil {
		tb.Fatal(err)
	}
	ring, err := signing.NewKeyring("campus", 1, []signing.Key{key})
	if err != nil {
		tb.Fatal(err)
	}
	return ring, signing.Issuer{Key: key, Private: private}
}

// testCodes makes n static codes that are granted at noon; code i has id i+1.
func testCodes(tb testing.TB, iss signing.Issuer, n int) []string {
	tb.Helper()
	codes := make([]string, n)
	for i := range codes {
		p := pass.Pass{Kind: signing.Visitor, NotBefore: noon.Unix(), Expires: noon.Unix() + 3600, IssuedAt: noon.Unix()}
		binary.BigEndian.PutUint64(p.ID[:], uint64(i+1))
		cred, err := p.Sign(iss)
		if err != nil {
			tb.Fatal(err)
		}
		codes[i] = pass.URL("h", cred)
	}
	return codes
}

// feed is an input of total lines that does not hold them: line i is codes[i], over
// and over, but every seventh is damaged. From within it looks at the heap.
type feed struct {
	codes  []string
	total  int
	next   int
	rest   string
	probes map[int]uint64 // heap in use when this line was asked for
}

func (f *feed) line(i int) (text string, good bool) {
	text = f.codes[i%len(f.codes)]
	if i%7 == 0 {
		return text[:len(text)-1], false
	}
	return text, true
}

// Read fills b, so that many lines arrive at once.
func (f *feed) Read(b []byte) (n int, err error) {
	for n < len(b) {
		if f.rest == "" {
			if f.next == f.total {
				break
			}
			f.probe()
			f.rest, _ = f.line(f.next)
			f.rest += "\n"
			f.next++
		}
		m := copy(b[n:], f.rest)
		n, f.rest = n+m, f.rest[m:]
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (f *feed) probe() {
	if _, ok := f.probes[f.next]; ok {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		f.probes[f.next] = stats.HeapAlloc
	}
}

// checker compares answers with the feed as they come, and forgets them.
type checker struct {
	t    *testing.T
	feed *feed
	seen int
}

func (c *checker) run(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); c.seen++ {
		var got answer
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			c.t.Errorf("line %d: %v", c.seen, err)
			return
		}
		want := answer{Reason: verdict.Malformed}
		if _, good := c.feed.line(c.seen); good {
			want = answer{Reason: verdict.Granted, Kind: signing.Visitor, ID: fmt.Sprintf("%016x", c.seen%len(c.feed.codes)+1)}
		}
		if got != want {
			c.t.Errorf("line %d: %+v, want %+v", c.seen, got, want)
			return
		}
	}
}

func TestVerify_TenThousandLinesComeOutInOrderAndMemoryStaysFlat(t *testing.T) {
	ring, iss := testIssuer(t)
	f := &feed{codes: testCodes(t, iss, 50), total: 10_000, probes: map[int]uint64{2000: 0, 9000: 0}}
	in, out := io.Pipe()
	check := &checker{t: t, feed: f}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check.run(in)
		_ = in.CloseWithError(errors.New("checker is gone"))
	}()
	all, err := verifyLines(t.Context(), &judge{ring: ring, at: noon}, f, out)
	_ = out.Close()
	<-done
	if err != nil || all {
		t.Fatalf("verifyLines = %v, %v, want false and no error", all, err)
	}
	if check.seen != f.total {
		t.Errorf("%d answers, want %d", check.seen, f.total)
	}
	before, after := f.probes[2000], f.probes[9000]
	if before == 0 || after == 0 {
		t.Fatal("the heap was not looked at")
	}
	if after > before+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes over 7000 lines", before, after)
	}
}

func TestVerify_AnswersALineBeforeTheNextOneComes(t *testing.T) {
	ring, iss := testIssuer(t)
	code := testCodes(t, iss, 1)[0]
	toTool, input := io.Pipe()
	output, fromTool := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		_, err := verifyLines(t.Context(), &judge{ring: ring, at: noon}, toTool, fromTool)
		ended <- errors.Join(err, fromTool.Close())
	}()
	answers := bufio.NewReader(output)
	expect := func(n int, want string) {
		t.Helper()
		for range n {
			line, err := answers.ReadString('\n')
			if err != nil || !strings.Contains(line, want) {
				t.Fatalf("answer %q, %v, want %s", line, err, want)
			}
		}
	}
	send := func(text string) {
		t.Helper()
		if _, err := io.WriteString(input, text); err != nil {
			t.Fatal(err)
		}
	}
	send(code + "\n")
	expect(1, `"granted"`)
	send(code + "\n" + code + "\n" + code[:20])
	expect(2, `"granted"`)
	send(code[20:] + "\r\n")
	expect(1, `"granted"`)
	send("\n")
	expect(1, `"malformed"`)
	if err := input.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestVerify_OverlongLinesAreMalformedAndTheNextLineIsNot(t *testing.T) {
	ring, iss := testIssuer(t)
	code := testCodes(t, iss, 1)[0]
	for _, length := range []int{lineRoom - 2, lineRoom - 1, lineRoom, lineRoom + 1, 3*lineRoom - 1, 3 * lineRoom} {
		var out bytes.Buffer
		in := strings.Repeat("x", length) + "\n" + code + "\n" + strings.Repeat("y", length)
		all, err := verifyLines(t.Context(), &judge{ring: ring, at: noon}, strings.NewReader(in), &out)
		if all || err != nil {
			t.Fatalf("length %d: %v, %v", length, all, err)
		}
		if got := reasons(t, out.Bytes()); got != "malformed granted malformed" {
			t.Errorf("length %d: %s", length, got)
		}
	}
}

func TestVerify_AnEndlessLineTakesNoMemory(t *testing.T) {
	ring, _ := testIssuer(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var out bytes.Buffer
	_, err := verifyLines(t.Context(), &judge{ring: ring, at: noon}, io.LimitReader(endless{}, 64<<20), &out)
	runtime.ReadMemStats(&after)
	if err != nil || reasons(t, out.Bytes()) != "malformed" {
		t.Fatalf("%v, %s", err, out.Bytes())
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("64 MiB without a line end took %d bytes", took)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func reasons(t *testing.T, out []byte) string {
	t.Helper()
	var list []string
	for line := range bytes.Lines(out) {
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			t.Fatal(err)
		}
		list = append(list, a.Reason.String())
	}
	return strings.Join(list, " ")
}

func TestVerify_WithoutInputOrOutputNothingPassesForGranted(t *testing.T) {
	ring, iss := testIssuer(t)
	code := testCodes(t, iss, 1)[0]
	path := filepath.Join(t.TempDir(), "ring.json")
	if err := os.WriteFile(path, ring.Marshal(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, in io.Reader, out io.Writer) (exit int, stderr string) {
		var said strings.Builder
		env := Env{Stdin: in, Stdout: out, Stderr: &said, Now: func() time.Time { return noon }}
		return dispatch(ctx, env, []string{"verify", "-keyring", path, "-"}), said.String()
	}
	broken := errors.New("cable pulled")

	var out bytes.Buffer
	exit, said := run(t.Context(), io.MultiReader(strings.NewReader(code+"\n"), iotest.ErrReader(broken)), &out)
	if exit != exitUsage || !strings.Contains(said, broken.Error()) || reasons(t, out.Bytes()) != "granted" {
		t.Errorf("input fails: exit %d, %q, %s", exit, said, out.Bytes())
	}

	exit, said = run(t.Context(), strings.NewReader(code+"\n"), full{broken})
	if exit != exitUsage || !strings.Contains(said, broken.Error()) {
		t.Errorf("output fails: exit %d, %q", exit, said)
	}

	stopped, stop := context.WithCancel(t.Context())
	stop()
	out.Reset()
	exit, _ = run(stopped, strings.NewReader(code+"\n"), &out)
	if exit != exitUsage || out.Len() != 0 {
		t.Errorf("stopped: exit %d, %s", exit, out.Bytes())
	}
}

// full is a writer with no room left.
type full struct{ err error }

func (f full) Write([]byte) (int, error) { return 0, f.err }

// FuzzVerify: whatever comes in, each line gets one answer, and a text that
// nobody signed is never granted.
func FuzzVerify(f *testing.F) {
	ring, iss := testIssuer(f)
	code := testCodes(f, iss, 1)[0]
	for _, seed := range []string{"", "\n", "\r\n\r", "CP1:\n", code[:30] + "\n\n" + code[30:], code + "x\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		if _, err := verifyLines(t.Context(), &judge{ring: ring, at: noon}, bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		want := bytes.Count(in, []byte("\n"))
		if len(in) > 0 && in[len(in)-1] != '\n' {
			want++
		}
		if got := bytes.Count(out.Bytes(), []byte("\n")); got != want {
			t.Errorf("%d answers to %d lines", got, want)
		}
		if bytes.Contains(out.Bytes(), []byte("granted")) && !bytes.Contains(in, []byte(code[len("HTTPS://H"):])) {
			t.Errorf("granted: %q", in)
		}
	})
}

func BenchmarkVerifyLines(b *testing.B) {
	ring, iss := testIssuer(b)
	f := &feed{codes: testCodes(b, iss, 50), total: b.N}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := verifyLines(b.Context(), &judge{ring: ring, at: noon}, f, io.Discard); err != nil {
		b.Fatal(err)
	}
}
