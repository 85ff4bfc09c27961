package camera

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestPartsAreReadAsCamerasWriteThem(t *testing.T) {
	for name, c := range map[string]struct{ boundary, stream string }{
		"with lengths":    {"b", "--b\r\nContent-Type: image/jpeg\r\nContent-Length: 3\r\n\r\none\r\n--b\r\ncontent-length:3\r\n\r\ntwo\r\n--b--\r\n"},
		"without":         {"b", "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"},
		"dashes twice":    {"--b", "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n"},
		"more dashes":     {"b", "----b\r\n\r\none\r\n----b\r\n\r\ntwo\r\n----b\r\n"},
		"line feeds":      {"b", "--b\nContent-Length: 3\n\none\n--b\n\ntwo\n--b\n"},
		"words in front":  {"b", "hello\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\n"},
		"nothing between": {"b", "--b\r\nContent-Length: 3\r\n\r\none--b\r\nContent-Length: 3\r\n\r\ntwo--b\r\n"},
		"cut off":         {"b", "--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b\r\nContent-Length: 9\r\n\r\nthr"},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.stream), iotest.OneByteReader(strings.NewReader(c.stream))} {
			p := newParts(r, c.boundary)
			for _, want := range []string{"one", "two"} {
				if got, err := p.next(); err != nil || string(got) != want {
					t.Errorf("%s: %q, %v; want %q", name, got, err, want)
				}
			}
			if got, err := p.next(); err != io.EOF {
				t.Errorf("%s: after the last %q, %v", name, got, err)
			}
		}
	}
}

func TestBytesThatLookLikeABoundaryBelongToThePicture(t *testing.T) {
	picture := "\n--\n--bo\n-boundary\n--boundari\r\n--boundar"
	in := "--boundary\r\n\r\n" + picture + "\r\n--boundary\r\n"
	if got, err := newParts(strings.NewReader(in), "boundary").next(); err != nil || string(got) != picture {
		t.Errorf("%q, %v", got, err)
	}
}

// endless repeats a text for ever.
type endless string

func (e endless) Read(b []byte) (int, error) {
	for n := 0; n < len(b); {
		n += copy(b[n:], e)
	}
	return len(b), nil
}

func TestNothingOfAStreamIsUnbounded(t *testing.T) {
	for name, c := range map[string]struct {
		in   io.Reader
		want error
	}{
		"junk":          {endless("no boundary here\n"), errBoundary},
		"one line":      {endless("x"), errBoundary},
		"dashes":        {endless("-"), errBoundary},
		"a head line":   {io.MultiReader(strings.NewReader("--b\r\n"), endless("x")), errHead},
		"a head":        {io.MultiReader(strings.NewReader("--b\r\n"), endless("a: b\r\n")), errHead},
		"a body":        {io.MultiReader(strings.NewReader("--b\r\n\r\n"), endless("picture\r\n")), errLarge},
		"a long length": {strings.NewReader(fmt.Sprintf("--b\r\nContent-Length: %d\r\n\r\n", maxFrame+1)), errLarge},
		"a wild length": {strings.NewReader("--b\r\nContent-Length: 99999999999999999999\r\n\r\n"), errLength},
		"below zero":    {strings.NewReader("--b\r\nContent-Length: -1\r\n\r\n"), errLength},
	} {
		if _, err := newParts(c.in, "b").next(); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Reading any stream ends, with pictures that were in it.
func FuzzParts(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", "FuzzParts", "*"))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no committed seeds: %v, %v", seeds, err)
	}
	f.Fuzz(func(t *testing.T, boundary string, stream []byte) {
		if strings.Trim(boundary, "-") == "" || len(boundary) > 70 {
			t.Skip() // the caller refuses the one, the header the other
		}
		p := newParts(bytes.NewReader(stream), boundary)
		for range len(stream) + 1 {
			data, err := p.next()
			if err != nil {
				return
			}
			if !bytes.Contains(stream, data) {
				t.Fatalf("a picture that was not in the stream: %q", data)
			}
		}
		t.Error("more pictures than bytes")
	})
}
