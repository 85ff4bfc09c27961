package verdict_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"campusgate/signing/verdict"
)

// vector is one file of testdata/vectors: a case and what it comes to. The files
// are for other implementations of the same rules too; README.md beside them
// says how to read them.
type vector struct {
	Name    string
	Note    string
	Case    verdict.Case
	Verdict verdict.Verdict
}

// readVector is strict: every part present, nothing unknown, nothing after.
func readVector(data []byte) (v vector, err error) {
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	var parts struct {
		Note    *string          `json:"note"`
		Case    *verdict.Case    `json:"case"`
		Verdict *verdict.Verdict `json:"verdict"`
	}
	if err := in.Decode(&parts); err != nil {
		return v, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return v, errors.New("something follows the vector")
	}
	if parts.Note == nil || *parts.Note == "" || parts.Case == nil || parts.Verdict == nil {
		return v, errors.New("want note, case and verdict")
	}
	if !parts.Verdict.Reason.Valid() {
		return v, errors.New("the verdict has no reason")
	}
	return vector{Note: *parts.Note, Case: *parts.Case, Verdict: *parts.Verdict}, nil
}

func readVectors(tb testing.TB) (list []vector) {
	tb.Helper()
	dir := filepath.Join("testdata", "vectors")
	files, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range files {
		name, isVector := strings.CutSuffix(file.Name(), ".json")
		if !isVector {
			if file.Name() != "README.md" {
				tb.Errorf("%s is not a vector", file.Name())
			}
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, file.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		v, err := readVector(data)
		if err != nil {
			tb.Fatalf("%s: %v", file.Name(), err)
		}
		v.Name = name
		list = append(list, v)
	}
	return list
}

func TestJudge_Vectors(t *testing.T) {
	vectors := readVectors(t)
	if len(vectors) < 50 {
		t.Fatalf("%d vectors: some are missing", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			if got := verdict.Judge(&v.Case); !reflect.DeepEqual(got, v.Verdict) {
				t.Errorf("%s: verdict %+v, want %+v", v.Note, got, v.Verdict)
			}
		})
	}
}

func TestReadVector_RefusesWhatIsNotExact(t *testing.T) {
	const good = `{"note":"n","case":{},"verdict":{"reason":"internal"}}`
	if _, err := readVector([]byte(good)); err != nil {
		t.Fatalf("a good one: %v", err)
	}
	for name, bad := range map[string]string{
		"unknown name":  `{"note":"n","case":{"gate":1},"verdict":{"reason":"internal"}}`,
		"no note":       `{"case":{},"verdict":{"reason":"internal"}}`,
		"no case":       `{"note":"n","verdict":{"reason":"internal"}}`,
		"no verdict":    `{"note":"n","case":{}}`,
		"no reason":     `{"note":"n","case":{},"verdict":{}}`,
		"unknown":       `{"note":"n","case":{},"verdict":{"reason":"no"}}`,
		"trailing":      good + `{}`,
		"not an object": `[]`,
	} {
		t.Run(name, func(t *testing.T) {
			if v, err := readVector([]byte(bad)); err == nil {
				t.Errorf("read %+v", v)
			}
		})
	}
}
