package configs_test

import (
	"errors"
	"strings"
	"testing"

	"campusgate/configs"
)

type sample struct {
	Listen string `yaml:"listen"`
	Lanes  []struct {
		Name string `yaml:"name"`
		Baud int    `yaml:"baud"`
	} `yaml:"lanes"`
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ name, yaml, want string }{
		{"OK", "listen: a\nlanes:\n  - name: n\n    baud: 1\n", ""},
		{"Empty", "", ""},
		{"CommentsOnly", "# nothing\n", ""},
		{"UnknownKey", "listen: a\nlistn: b\n", "x.yaml:2:1: unknown field \"listn\""},
		{"UnknownNestedKey", "lanes:\n  - name: n\n    bawd: 3\n", "x.yaml:3:5: unknown field \"bawd\""},
		{"RepeatedKey", "listen: a\nlisten: b\n", "x.yaml:2:1: mapping key \"listen\" already defined"},
		{"WrongType", "lanes:\n  - baud: many\n", "x.yaml:2:11: cannot unmarshal string"},
		{"Tab", "listen:\n\t- a\n", "x.yaml:2:1: "},
		{"NoYAMLAtAll", "lanes: &a !000 ", "not understood"},
		{"TwoDocuments", "listen: a\n---\nlisten: b\n", "more than one document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sample
			_, err := configs.Decode("x.yaml", []byte(c.yaml), &s)
			switch {
			case c.want == "" && err != nil:
				t.Fatalf("refused: %v", err)
			case c.want != "" && (!errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("got %v, want an ErrConfig with %q", err, c.want)
			case err != nil && strings.Contains(err.Error(), "\n"):
				t.Fatalf("error of several lines: %q", err)
			}
		})
	}
}

func TestFault_NamesLineAndKey(t *testing.T) {
	var s sample
	doc, err := configs.Decode("x.yaml", []byte("listen: a\nlanes:\n  - name: n\n    baud: 1\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"lanes[0].baud": "x.yaml:4: lanes[0].baud: too slow",
		"lanes[0].port": "x.yaml:3: lanes[0].port: too slow",
		"lanes[7].baud": "x.yaml:3: lanes[7].baud: too slow",
		"data":          "x.yaml: data: too slow",
		"listen":        "x.yaml:1: listen: too slow",
	} {
		if err := doc.Fault(key, "too %s", "slow"); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %q, want suffix %q", key, err, want)
		}
	}
}
