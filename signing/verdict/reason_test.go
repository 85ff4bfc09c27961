package verdict_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"campusgate/signing/verdict"
)

// The golden file's first lines as they were when they were published: events in
// stores and answers to other programs hold these numbers and names. The file
// grows at its end, and then this pair may move on to hold the new lines too.
const (
	publishedLines = 38
	publishedSum   = "23828b99514b4921bc4158a806b27b9a843d1c89ab6600d7e5f32d6f7f4cd1d3"
)

func goldenLines(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "reasons.golden"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.SplitAfter(strings.TrimSuffix(string(data), "\n"), "\n")
}

func TestReasons_AreThoseOfTheGoldenFile(t *testing.T) {
	golden := goldenLines(t)
	for i, r := range verdict.Reasons() {
		want := fmt.Sprintf("%d %s", r, r)
		switch {
		case i >= len(golden):
			t.Errorf("%q is not in testdata/reasons.golden: append it", want)
		case strings.TrimSpace(golden[i]) != want:
			t.Errorf("line %d of testdata/reasons.golden is %q, the code says %q: numbers and names are permanent", i+1, golden[i], want)
		}
	}
	if len(golden) > len(verdict.Reasons()) {
		t.Errorf("testdata/reasons.golden has %d lines, the code %d reasons: a reason is never removed", len(golden), len(verdict.Reasons()))
	}
}

func TestGoldenFile_OnlyGrows(t *testing.T) {
	golden := goldenLines(t)
	if len(golden) < publishedLines {
		t.Fatalf("%d lines: published were %d", len(golden), publishedLines)
	}
	published := strings.TrimSuffix(strings.Join(golden[:publishedLines], ""), "\n")
	sum := sha256.Sum256([]byte(published))
	if got := hex.EncodeToString(sum[:]); got != publishedSum {
		t.Errorf("the first %d lines hash to %s, published was %s: a published line was changed", publishedLines, got, publishedSum)
	}
}

func TestReason_NamesReadBack(t *testing.T) {
	for _, r := range verdict.Reasons() {
		if !r.Valid() {
			t.Errorf("%d is listed and not valid", r)
		}
		back, err := verdict.ParseReason(r.String())
		if err != nil || back != r {
			t.Errorf("%v reads back as %v, %v", r, back, err)
		}
		body, err := json.Marshal(r)
		if err != nil || string(body) != `"`+r.String()+`"` {
			t.Errorf("%v as JSON: %s, %v", r, body, err)
		}
		var read verdict.Reason
		if err := json.Unmarshal(body, &read); err != nil || read != r {
			t.Errorf("%s reads back as %v, %v", body, read, err)
		}
	}
}

func TestReason_WhatIsNoneIsRefused(t *testing.T) {
	for _, name := range []string{"", "Granted", "granted ", "reason(2)", "1"} {
		if r, err := verdict.ParseReason(name); !errors.Is(err, verdict.ErrNoReason) {
			t.Errorf("ParseReason(%q) gave %v, %v", name, r, err)
		}
	}
	for _, r := range []verdict.Reason{0, verdict.Conflict + 1, 65535} {
		if r.Valid() || r.Opens() {
			t.Errorf("%v is valid %v, opens %v", r, r.Valid(), r.Opens())
		}
		if r == 0 {
			continue
		}
		if _, err := r.MarshalText(); !errors.Is(err, verdict.ErrNoReason) {
			t.Errorf("%v marshals: %v", r, err)
		}
		if r.String() == "" {
			t.Errorf("%d prints as nothing", uint16(r))
		}
	}
	var r verdict.Reason
	if err := json.Unmarshal([]byte(`"green"`), &r); !errors.Is(err, verdict.ErrNoReason) {
		t.Errorf("read %v, %v", r, err)
	}
}

func TestReason_OnlyTwoOpen(t *testing.T) {
	for _, r := range verdict.Reasons() {
		if want := r == verdict.Granted || r == verdict.Attention; r.Opens() != want {
			t.Errorf("%v opens: %v", r, r.Opens())
		}
	}
}
