package scanframe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"campusgate/devices/scanframe"
)

// idle stands for a pause in the lines below.
const idle = "<idle>"

var prefixes = []string{"HTTPS://", "CP1:"}

// play feeds a script, whole pieces at a time.
func play(f *scanframe.Framer, script string) (frames []scanframe.Frame) {
	for i, piece := range strings.Split(script, idle) {
		if i > 0 {
			frames = append(frames, f.Idle()...)
		}
		frames = append(frames, f.Feed([]byte(piece))...)
	}
	return frames
}

func texts(frames []scanframe.Frame) []string {
	out := make([]string, 0, len(frames))
	for _, f := range frames {
		out = append(out, f.Text)
	}
	return out
}

const (
	static  = "HTTPS://GATE.EXAMPLE/V/MFRGGZDF"
	static2 = "HTTPS://GATE.EXAMPLE/V/NBSWY3DP"
	live    = "CP1:QED8WEX0 $%*+-./:7"
	grow    = "\x02\x00\x00\x01\x0031"
)

var framings = []struct {
	name, script string
	want         []string
}{
	{"CR", static + "\r", []string{static}},
	{"LF", static + "\n", []string{static}},
	{"CR LF", static + "\r\n", []string{static}},
	{"TAB", static + "\t", []string{static}},
	{"no terminator waits", static, []string{}},
	{"a pause", static + idle, []string{static}},
	{"a pause in front of CR", static + idle + "\r", []string{static}},
	{"several pauses", idle + static + idle + idle, []string{static}},
	{"terminators alone", "\r\n\r\n\t", []string{}},
	{"two codes with no pause", static + "\r" + live + "\r", []string{static, live}},
	{"two codes with CR LF", static + "\r\n" + live + "\r\n", []string{static, live}},
	{"GS is part of a code", "]C101095\x1d3103\r", []string{"01095\x1d3103"}},
	{"half a frame, then the rest", "HTTPS://GA" + idle + "TE.EXAMPLE/V/A\r", []string{"HTTPS://GA", "TE.EXAMPLE/V/A"}},
	{"STX and ETX", "\x02" + static + "\x03", []string{static}},
	{"STX and ETX, two codes", "\x02" + static + "\x03\x02" + live + "\x03", []string{static, live}},
	{"STX, CR, ETX", "\x02" + static + "\r\x03" + live + "\r", []string{static, live}},
	{"wake bytes", "\x00\x00" + static + "\x00\r", []string{static}},
	{"wake bytes alone", "\x00\x00" + idle, []string{}},
	{"trigger answer", grow + static + "\r", []string{static}},
	{"trigger answer alone", grow + idle + static + "\r", []string{static}},
	{"trigger answer after the code", static + grow + idle, []string{static}},
	{"nothing read", "%%NoRead\r" + static + "\r", []string{static}},
	{"nothing read, no terminators", "%%NoRead" + idle + "%%NoRead" + static + idle, []string{static}},
	{"AIM ]Q0", "]Q0" + static + "\r", []string{static}},
	{"AIM ]Q1", "]Q1" + static + "\r", []string{static}},
	{"AIM ]Q3", "]Q3" + live + "\r", []string{live}},
	{"AIM ]Q5", "]Q5" + live + "\r", []string{live}},
	{"AIM ]Q6", "]Q6" + live + "\r", []string{live}},
	{"AIM of a Data Matrix code", "]d2" + live + "\r", []string{live}},
	{"AIM behind STX", "\x02]Q1" + live + "\x03", []string{live}},
	{"AIM alone", "]Q1\r", []string{}},
	{"no AIM in the middle", "A]Q1B\r", []string{"A]Q1B"}},
	{"ECI", "\\000026" + static + "\r", []string{static}},
	{"AIM and ECI", "]Q2\\000026" + static + "\r", []string{static}},
	{"ECI in the middle", "]Q2ab\\000003cd\\000026ef\r", []string{"abcdef"}},
	{"doubled backslash under ECI", "]Q2a\\\\000026b\r", []string{"a\\000026b"}},
	{"a backslash that is no ECI", "a\\00002b\\\r", []string{"a\\00002b\\"}},
	{"ECI alone", "\\000026\r", []string{}},
	{"NUL inside", "AB\x00CD\r", []string{"AB\uFFFDCD"}},
	{"other controls inside", "A\x01\x1b\x7fB\r", []string{"A\uFFFD\uFFFD\uFFFDB"}},
	{"no UTF-8", "A\xff\xc3\r", []string{"A\uFFFD\uFFFD"}},
	{"UTF-8", "校园\r", []string{"校园"}},

	{"a Newland reply", "\x02\x010000SCNTRG1\x06;\x03" + static + "\r", []string{static}},
	{"a Newland refusal", "\x02\x010000SCNTRG1\x15;\x03" + static + "\r", []string{static}},
	{"a Newland reply behind a code", static + "\x02\x010000SCNTRG1\x06;\x03", []string{static}},
	{"half a Newland reply", "\x02\x010000SCN" + idle + static + "\r", []string{static}},
	{"an answer of another make is part of the code", static + "\x04\xD0\x00\x00\xFF\x2C\r", []string{static + "\x04\uFFFD\uFFFD\uFFFD\uFFFD,"}},

	{"two static codes glued", static + static2 + idle, []string{static, static2}},
	{"two live codes glued", live + live + idle, []string{live, live}},
	{"glued, with AIM", "]Q1" + static + "]Q1" + live + idle, []string{static, live}},
	{"glued, with AIM and ECI", static + "\\000026]Q2\\000026" + live + idle, []string{static, live}},
	{"glued, with a trigger answer", live + grow + live + idle, []string{live, live}},
	{"glued, nothing read between", live + "%%NoRead" + live + idle, []string{live, live}},
	{"glued static codes in front of a terminator", static + static2 + "\r", []string{static, static2}},
	{"a short prefix inside a terminated code is chance", live + "CP1:X\r", []string{live + "CP1:X"}},
	{"also after other terminated codes", "A\r" + live + "CP1:X\r", []string{"A", live + "CP1:X"}},
	{"a scanner that sent no terminator is cut at once", static + idle + live + "CP1:", []string{static, live}},
	{"until it sends one", static + idle + live + "\r" + live + "CP1:X\r", []string{static, live, live + "CP1:X"}},
	{"a wake byte teaches nothing", "\x00" + idle + live + "CP1:X\r", []string{live + "CP1:X"}},
	{"garbage in front of a code", "garbage" + static + idle, []string{"garbage", static}},
}

func TestScriptsGiveTheirCodes(t *testing.T) {
	for _, c := range framings {
		t.Run(c.name, func(t *testing.T) {
			f := scanframe.New(scanframe.Config{Prefixes: prefixes})
			if got := texts(play(f, c.script)); !slices.Equal(got, c.want) {
				t.Errorf("%q\n got %q\nwant %q", c.script, got, c.want)
			}
		})
	}
}

func TestByteByByteGivesTheSameCodes(t *testing.T) {
	for _, c := range framings {
		f := scanframe.New(scanframe.Config{Prefixes: prefixes})
		var got []string
		for i, piece := range strings.Split(c.script, idle) {
			if i > 0 {
				got = append(got, texts(f.Idle())...)
			}
			for _, b := range []byte(piece) {
				got = append(got, texts(f.Feed([]byte{b}))...)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestWhatAScannerPutsAroundIsStripped runs scripts through framers that were
// told of their scanner.
func TestWhatAScannerPutsAroundIsStripped(t *testing.T) {
	for _, c := range []struct {
		name   string
		config scanframe.Config
		script string
		want   []string
	}{
		{"prefix and suffix", scanframe.Config{Prefix: "GATE1:", Suffix: "#"}, "GATE1:" + live + "#\r" + live + "\r", []string{live, live}},
		{"AIM before the prefix", scanframe.Config{Prefix: "P"}, "]Q1P" + live + "\r", []string{live}},
		{"AIM behind it", scanframe.Config{Prefix: "P"}, "P]Q2" + live + "\r", []string{live}},
		{"a label id and STX", scanframe.Config{Prefix: "\x02QR"}, "\x02QR" + live + "\x03", []string{live}},
		{"a suffix that ends the code", scanframe.Config{Suffix: "END\r\n"}, live + "END\r\n", []string{live}},
		{"a prefix alone", scanframe.Config{Prefix: "P"}, "P\r", []string{}},
		{"stripped once", scanframe.Config{Prefix: "P", Suffix: "S"}, "PPASS\r", []string{"PAS"}},
		{"glued, with a prefix", scanframe.Config{Prefixes: prefixes, Prefix: "G1 "}, "G1 " + static + "G1 " + live + idle, []string{static, live}},
		{"glued, with a suffix", scanframe.Config{Prefixes: prefixes, Suffix: "#"}, static + "#" + live + "#" + idle, []string{static, live}},
		{"an answer of this make", scanframe.Config{Answers: []string{"", "\x04\xD0\x00\x00\xFF\x2C"}}, "\x04\xD0\x00\x00\xFF\x2C" + live + "\r", []string{live}},
		{"nothing was read", scanframe.Config{Nothing: []string{"NR"}}, "NR\r" + live + "\rNRX\r", []string{live, "NRX"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.config.Check(); err != nil {
				t.Fatal(err)
			}
			if got := texts(play(scanframe.New(c.config), c.script)); !slices.Equal(got, c.want) {
				t.Errorf("%q\n got %q\nwant %q", c.script, got, c.want)
			}
		})
	}
}

func TestATerminatorInsideAPrefixIsRefused(t *testing.T) {
	for _, c := range []scanframe.Config{{Prefix: "A\tB"}, {Suffix: "A\rB"}} {
		if err := c.Check(); err == nil {
			t.Errorf("%q %q was taken", c.Prefix, c.Suffix)
		}
	}
}

func TestWithoutPrefixesGluedCodesStayOneFrame(t *testing.T) {
	f := scanframe.New(scanframe.Config{Prefixes: []string{""}})
	if got := texts(play(f, static+static2+idle)); !slices.Equal(got, []string{static + static2}) {
		t.Errorf("got %q", got)
	}
}

func TestEveryByteOfTheWireIsCounted(t *testing.T) {
	f := scanframe.New(scanframe.Config{Prefixes: prefixes})
	script := "]Q1" + static + "\r" + static + live + idle
	var raw []int
	for _, frame := range play(f, script) {
		raw = append(raw, frame.Raw)
	}
	if want := []int{3 + len(static) + 1, len(static), len(live)}; !slices.Equal(raw, want) {
		t.Errorf("raw %v, want %v", raw, want)
	}
}

func TestTenThousandBytesWithoutAnEndAreOneOverlongFrame(t *testing.T) {
	for _, end := range []string{"\r", idle} {
		f := scanframe.New(scanframe.Config{Prefixes: prefixes})
		got := play(f, "HTTPS://GATE.EXAMPLE/V/"+strings.Repeat("A", 10_000)+end+static+"\r")
		if len(got) != 2 || !got[0].Overlong || got[1].Overlong || got[1].Text != static {
			t.Fatalf("end %q: got %d frames %+v", end, len(got), got)
		}
		first := got[0]
		if first.Raw != scanframe.DefaultMax+1 || len(first.Text) > 80 || !strings.HasSuffix(first.Text, "\uFFFD") {
			t.Errorf("end %q: overlong frame %+v", end, first)
		}
	}
}

func TestTheLongestFrameIsWhole(t *testing.T) {
	f := scanframe.New(scanframe.Config{})
	whole := strings.Repeat("A", scanframe.DefaultMax)
	if got := play(f, whole+"\r"); len(got) != 1 || got[0].Text != whole || got[0].Overlong {
		t.Errorf("got %d frames", len(got))
	}
}

func TestEndlessGluedCodesAreAllReadWithoutAPause(t *testing.T) {
	f := scanframe.New(scanframe.Config{Prefixes: prefixes})
	var want, got []string
	for i := range 1000 {
		code := fmt.Sprintf("CP1:%04d%s", i, strings.Repeat("X", 400))
		want = append(want, code)
		got = append(got, texts(f.Feed([]byte(code)))...)
	}
	got = append(got, texts(f.Idle())...)
	if !slices.Equal(got, want) {
		t.Errorf("got %d codes, want %d", len(got), len(want))
	}
}

func TestPendingTellsWhenToWatchForAPause(t *testing.T) {
	f := scanframe.New(scanframe.Config{})
	for i, step := range []struct {
		feed    string
		pending bool
	}{{"", false}, {"A", true}, {"B\r", false}, {"\n", false}, {"\x00", true}} {
		f.Feed([]byte(step.feed))
		if f.Pending() != step.pending {
			t.Errorf("step %d, %q: pending %v", i, step.feed, f.Pending())
		}
	}
	f.Idle()
	if f.Pending() {
		t.Error("pending after a pause")
	}
}

// check holds for every input.
func check(t *testing.T, frames []scanframe.Frame, fed int) {
	t.Helper()
	total := 0
	for _, f := range frames {
		total += f.Raw
		if f.Text == "" || !utf8.ValidString(f.Text) || strings.ContainsAny(f.Text, "\x00\r\n\t\x02\x03") {
			t.Errorf("bad text %q", f.Text)
		}
		if f.Raw <= 0 || len(f.Text) > 3*f.Raw+len("\uFFFD") {
			t.Errorf("%d bytes of text from %d on the wire", len(f.Text), f.Raw)
		}
		if f.Overlong && !strings.HasSuffix(f.Text, "\uFFFD") {
			t.Errorf("overlong text %q looks whole", f.Text)
		}
	}
	if total > fed {
		t.Errorf("%d bytes counted, %d fed", total, fed)
	}
}
