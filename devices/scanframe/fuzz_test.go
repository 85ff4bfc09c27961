package scanframe_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"campusgate/devices/scanframe"
)

// FuzzFramer feeds any bytes, with a pause after every byte of value gap, whole
// and byte by byte, through a small buffer so that overlong frames are common.
func FuzzFramer(f *testing.F) {
	for _, c := range framings {
		f.Add([]byte(strings.ReplaceAll(c.script, idle, "\xfe")), byte(0xfe), uint16(64))
	}
	f.Fuzz(func(t *testing.T, data []byte, gap byte, limit uint16) {
		c := scanframe.Config{Max: int(limit) + 1, Prefixes: prefixes}
		whole, single := scanframe.New(c), scanframe.New(c)
		var a, b []scanframe.Frame
		for i, piece := range strings.Split(string(data), string([]byte{gap})) {
			if i > 0 {
				a = append(a, whole.Idle()...)
				b = append(b, single.Idle()...)
			}
			a = append(a, whole.Feed([]byte(piece))...)
			for j := range len(piece) {
				b = append(b, single.Feed([]byte(piece[j:j+1]))...)
			}
		}
		a, b = append(a, whole.Idle()...), append(b, single.Idle()...)
		if !slices.Equal(a, b) {
			t.Errorf("whole %+v\nbyte by byte %+v", a, b)
		}
		check(t, a, len(data))
		if whole.Pending() {
			t.Error("pending after a pause")
		}
		// Whatever came before, the next terminated code is read.
		if got := texts(whole.Feed([]byte("X\r"))); !slices.Equal(got, []string{"X"}) {
			t.Errorf("then got %q", got)
		}
	})
}

func TestTheFuzzCorpusIsThere(t *testing.T) {
	files, err := os.ReadDir(filepath.Join("testdata", "fuzz", "FuzzFramer"))
	if err != nil || len(files) < 5 {
		t.Fatalf("%d corpus files, error %v", len(files), err)
	}
}
