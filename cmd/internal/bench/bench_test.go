package bench_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"campusgate/cmd/internal/bench"
)

func options(t *testing.T, only ...string) bench.Options {
	return bench.Options{
		Quick: true, Tiny: true, Only: only, Dir: t.TempDir(), Now: time.Now, Rand: rand.Reader,
	}
}

// lines reads the output strictly and checks what every line has.
func lines(t *testing.T, out []byte) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	text := strings.TrimSuffix(string(out), "\n")
	all := strings.Split(text, "\n")
	for i, line := range all {
		var f map[string]any
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("line %d: %v: %s", i+1, err, line)
		}
		name, _ := f["name"].(string)
		unit, _ := f["unit"].(string)
		if value, ok := f["value"].(float64); name == "" || unit == "" || !ok || value < 0 {
			t.Errorf("line %d: want name, unit and a value: %s", i+1, line)
		}
		if edge := i == 0 || i == len(all)-1; edge != (name == "load") {
			t.Errorf("line %d is %q; the first and the last are load, no other", i+1, name)
		}
		if _, limited := f["limit"]; limited {
			checkLimited(t, line, f)
		}
		found[name] = f
	}
	return found
}

func checkLimited(t *testing.T, line string, f map[string]any) {
	t.Helper()
	value, limit, ratio := f["value"].(float64), f["limit"].(float64), f["ratio"].(float64)
	base, bounded := limit, value
	if f["of"] == "baseline" {
		base, bounded = f["baseline"].(float64), ratio
	} else if f["of"] != "limit" {
		t.Errorf("of what is the ratio? %s", line)
	}
	if want := value / base; ratio < 0.99*want || ratio > 1.01*want {
		t.Errorf("ratio is not %v: %s", want, line)
	}
	within := bounded <= limit
	if f["min"] == true {
		within = bounded >= limit
	}
	if f["within"] != within {
		t.Errorf("within is not %v: %s", within, line)
	}
}

func TestFiguresAreJSONLinesWithAllParts(t *testing.T) {
	var out bytes.Buffer
	if err := bench.Measure(t.Context(), options(t, "verify", "frames"), &out); err != nil {
		t.Fatal(err)
	}
	found := lines(t, out.Bytes())
	for _, name := range []string{"verify_static", "verify_static_allocs", "verify_live", "frame_with_code", "frame_without_code"} {
		if f := found[name]; f == nil || f["value"].(float64) == 0 || f["limit"] == nil {
			t.Errorf("%s: %v", name, f)
		}
	}
	if found["load"]["cpus"].(float64) < 1 {
		t.Errorf("load without cpus: %v", found["load"])
	}
}

func TestEveryFigureOfADurablePartIsTaken(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("cables and fdatasync are Linux's")
	}
	var out bytes.Buffer
	if err := bench.Measure(t.Context(), options(t, "gate", "server", "till", "charges"), &out); err != nil {
		t.Fatal(err)
	}
	found := lines(t, out.Bytes())
	for _, name := range []string{"scan_to_relay_p50", "scan_to_relay_p99", "lanes8_decisions", "ingest", "rejudge", "till_ok_p50", "till_ok_p99", "charges", "charges_least"} {
		if f := found[name]; f == nil || f["value"].(float64) == 0 || f["limit"] == nil {
			t.Errorf("%s: %v", name, f)
		}
	}
}

var rush = flag.Duration("rush", 0, "how long people come to eight lanes beside one that hangs, such as 10m")

// No figure is judged here, because the machine may be busy: that everybody is
// let in once and within three seconds, also beside devices that hang, is what
// makes the part fail.
func TestLanes_EightLanesLoseNobodyAndAHangDelaysNobody(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("cables and fdatasync are Linux's")
	}
	o := options(t, "lanes")
	o.Rush = *rush
	var out bytes.Buffer
	start := time.Now()
	if err := bench.Measure(t.Context(), o, &out); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v\n%s", time.Since(start), out.String())
	found := lines(t, out.Bytes())
	for _, name := range []string{"lanes8_rush_p50", "lanes8_rush_p99", "lanes8_hung_p99"} {
		if f := found[name]; f == nil || f["value"].(float64) == 0 || f["limit"] == nil {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestAPartThatCannotBeMeasuredIsNamedAndTheOthersAre(t *testing.T) {
	o := options(t, "start", "verify")
	o.Bin = t.TempDir()
	var out bytes.Buffer
	err := bench.Measure(t.Context(), o, &out)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "start: ") || !strings.Contains(err.Error(), o.Bin) {
		t.Errorf("got %v", err)
	}
	if lines(t, out.Bytes())["verify_live"] == nil {
		t.Errorf("printed %s", out.String())
	}
}

func TestAPartThatThereIsNotIsNamedAndNothingIsPrinted(t *testing.T) {
	var out bytes.Buffer
	err := bench.Measure(t.Context(), options(t, "verify", "sums"), &out)
	if !errors.Is(err, bench.ErrPart) || !strings.Contains(err.Error(), `"sums"`) || out.Len() > 0 {
		t.Errorf("%v; printed %q", err, out.String())
	}
}

func TestAFigureThatCannotBePrintedIsAnError(t *testing.T) {
	full := errors.New("disk full")
	if err := bench.Measure(t.Context(), options(t, "verify"), failing{full}); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

var _ io.Writer = failing{}
