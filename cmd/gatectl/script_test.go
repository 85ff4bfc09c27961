package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/rogpeppe/go-internal/testscript"

	"campusgate/cmd/internal/script"
)

var update = flag.Bool("update", false, "write what commands print into the scripts that compare it")

// TestMain lets scripts run gatectl as a program of its own: this test binary,
// under that name, with the clock and the randomness that a script sets.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gatectl": func() {
		env := Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: scriptNow, Rand: seeded(os.Getenv("SEED"))}
		os.Exit(dispatch(context.Background(), env, os.Args[1:]))
	}})
}

func scriptNow() time.Time {
	now, err := time.Parse(time.RFC3339, os.Getenv("NOW"))
	if err != nil {
		panic(err)
	}
	return now
}

// seeded is a source that draws the same for the same seed.
func seeded(seed string) *rand.ChaCha8 {
	return rand.NewChaCha8(sha256.Sum256([]byte(seed)))
}

// TestScripts runs one script per behaviour. What they can use beside
// testscript's own commands is below.
func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files:               scripts,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       *update,
		Setup: func(e *testscript.Env) error {
			e.Setenv("NOW", "2026-11-20T10:00:00+08:00")
			e.Setenv("SEED", "1")
			// A race-enabled program otherwise sleeps for a second when it ends.
			e.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   script.Exits,
			"keep":    scriptKeep,
			"lines":   scriptLines,
			"mode":    scriptMode,
			"damage":  scriptDamage,
			"pixels":  scriptPixels,
			"decodes": scriptDecodes,
		},
	})
}

// keep VAR [N] puts line N (default 1) of the last standard output into VAR.
func scriptKeep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: keep VAR [LINE]")
	}
	n := 1
	if len(args) == 2 {
		var err error
		n, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("stdout"), "\n"), "\n")
	if n < 1 || n > len(lines) || lines[n-1] == "" {
		ts.Fatalf("standard output has no line %d", n)
	}
	ts.Setenv(args[0], lines[n-1])
}

// lines FILE TEXT… writes a file with one text a line.
func scriptLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: lines FILE [TEXT...]")
	}
	var b strings.Builder
	for _, text := range args[1:] {
		b.WriteString(text + "\n")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// mode OCTAL FILE demands a file's permissions.
func scriptMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode OCTAL FILE")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, want %s", args[1], got, args[0])
	}
}

// damage VAR turns a code into one whose issuer signature does not hold, by
// changing a character inside the signature at the end of a static code.
func scriptDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: damage VAR")
	}
	text := []byte(ts.Getenv(args[0]))
	i := len(text) - 10
	if text[i]++; text[i] > 'Z' || text[i] < 'A' {
		text[i] = 'A'
	}
	ts.Setenv(args[0], string(text))
}

// pixels N FILE.png demands an image of N by N.
func scriptPixels(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pixels N FILE")
	}
	f, err := os.Open(ts.MkAbs(args[1]))
	ts.Check(err)
	config, err := png.DecodeConfig(f)
	ts.Check(errors.Join(err, f.Close()))
	if got := fmt.Sprint(config.Width, config.Height); got != args[0]+" "+args[0] {
		ts.Fatalf("%s is of %s pixels, want %s square", args[1], got, args[0])
	}
}

// decodes FILE.png TEXT reads the image as a scanner does and compares.
func scriptDecodes(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: decodes FILE TEXT")
	}
	f, err := os.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	image, err := png.Decode(f)
	ts.Check(errors.Join(err, f.Close()))
	bitmap, err := gozxing.NewBinaryBitmapFromImage(image)
	ts.Check(err)
	// A clean drawing is read straight off the grid: the finder patterns of one
	// in fifty are missed otherwise.
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true,
	})
	ts.Check(err)
	if result.GetText() != args[1] {
		ts.Fatalf("%s says %q, want %q", args[0], result.GetText(), args[1])
	}
}
