package approval_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"campusgate/server/approval"
)

// Each file of testdata/faults is one deliberate mistake. Its first line says
// what must be told, and the line that ends in "# here" is where.
func TestLoad_CQ003_CQ070_MistakesAreRefusedWithTheirLine(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "faults", "*.yaml"))
	if err != nil || len(paths) < 100 {
		t.Fatalf("%d files of faults: %v", len(paths), err)
	}
	for _, path := range paths {
		name := filepath.Base(path)
		t.Run(strings.TrimSuffix(name, ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(data), "\n")
			want, ok := strings.CutPrefix(lines[0], "# want: ")
			if !ok {
				t.Fatal("its first line does not say what is wanted")
			}
			line := 1 + slices.IndexFunc(lines, func(s string) bool { return strings.HasSuffix(s, "# here") })
			file, err := approval.Load(name, data)
			var found *approval.Faults
			if !errors.As(err, &found) || file != nil {
				t.Fatalf("loaded: %v, %v", file, err)
			}
			if len(found.List) != 1 {
				t.Errorf("%d faults, want one:\n%v", len(found.List), err)
			}
			f := found.List[0]
			if f.File != name || f.Line != line || !strings.Contains(f.Key+": "+f.Message, want) {
				t.Errorf("got  %v\nwant %s:%d: … %s", f, name, line, want)
			}
			if strings.Count(f.String(), "\n") > 0 {
				t.Errorf("of several lines: %q", f)
			}
		})
	}
}

func TestLoad_TellsEverythingAtOnce(t *testing.T) {
	_, err := approval.Load("many.yaml", []byte(`schema: flow/v2
roles: {a: A}
flows:
  - id: x.y
    name: X
    starters: [kind:cat]
    form:
      - {id: f, name: F, type: textt}
      - {id: f, name: F, type: text}
    rules: [{id: low, deny: 'form.g', say: x}]
    steps: [{id: s, name: S, who: [role:b]}]
    bogus: 1
`))
	var found *approval.Faults
	if !errors.As(err, &found) {
		t.Fatal(err)
	}
	var lines []int
	for _, f := range found.List {
		lines = append(lines, f.Line)
	}
	if want := []int{1, 6, 8, 9, 10, 10, 11, 12}; !slices.Equal(lines, want) {
		t.Errorf("lines %v, want %v:\n%v", lines, want, err)
	}
}

func TestLoad_FilesThatAreNone(t *testing.T) {
	deep := "schema: flow/v1\nflows: " + strings.Repeat("[", 100_000)
	for name, c := range map[string]struct{ data, want string }{
		"empty":         {"", "x.yaml: there is nothing in it"},
		"comments only": {"# nothing\n", "x.yaml: there is nothing in it"},
		"a list":        {"- a\n", "want keys and values"},
		"two documents": {"schema: flow/v1\nflows: []\n---\na: 1\n", "x.yaml:4: more than one document"},
		"not UTF-8":     {"schema: flow/v1\nroles: {a: \xff}\n", "x.yaml:2: not in UTF-8"},
		"GBK":           {"schema: flow/v1\n\nroles: {a: \xc1\xec\xb5\xbc}\n", "x.yaml:3: not in UTF-8"},
		"bad syntax":    {"schema: flow/v1\nroles: {a: b\n", "x.yaml:2: "},
		"tab":           {"schema: flow/v1\nroles:\n\ta: b\n", "x.yaml:3: "},
		"deep":          {deep, "x.yaml:2: nested too deeply"},
		"deep dashes":   {"schema: flow/v1\nflows:\n" + strings.Repeat("- ", 50_000), "x.yaml:3: nested too deeply"},
		"too large":     {strings.Repeat("# a\n", 200_000), "x.yaml: more than 256 KiB"},
		"empty lines":   {"schema: flow/v1\nroles: {a: |" + strings.Repeat("\n \t", 60), "x.yaml:53: more than 50 empty lines"},
		"anchor":        {"schema: &a flow/v1\n", "x.yaml:1: anchors"},
		"repeated key":  {"schema: flow/v1\nschema: flow/v1\n", "x.yaml:2: "},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := approval.Load("x.yaml", []byte(c.data))
			if file != nil || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %.200v; want %s", file, err, c.want)
			}
		})
	}
}

// Files that the lexer or the parser would otherwise sit over for minutes.
func TestLoad_HostileFilesAreAnsweredSoon(t *testing.T) {
	const size = 255 << 10
	began := time.Now()
	for name, data := range map[string]string{
		"empty lines":      "a: |\n  " + strings.Repeat("\n", size),
		"carriage returns": "a: |\n  " + strings.Repeat("\r", size),
		"items":            "a: [" + strings.Repeat("a, ", size/3),
		"open texts":       "a: \"" + strings.Repeat("\"", size),
		"keys":             strings.Repeat("? a\n", size/4),
	} {
		if file, err := approval.Load("x.yaml", []byte(data)); file != nil || err == nil || len(err.Error()) > 1000 {
			t.Errorf("%s: %v, %.100v", name, file, err)
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// Words that older YAML takes for true and false are text here.
func TestLoad_OnAndNoAreWords(t *testing.T) {
	file := load(t, "x.yaml", []byte(`
schema: flow/v1
roles: {no: 否}
flows:
  - id: x.on
    name: no
    starters: [role:no]
    form: [{id: no, name: on, type: text}, {id: on, name: off, type: select, options: [yes, no, on]}]
    rules: [{id: YES, deny: 'form.on == "no" && form.no == ""', say: yes}]
    steps: [{id: y, name: y, who: [role:no]}]
    on: {voided: [{do: pass.revoke}]}
`))
	f := file.Flows[0]
	if f.Name != "no" || f.Form[0].ID != "no" || f.Form[1].Options[2] != "on" || len(f.On[approval.Voided]) != 1 {
		t.Errorf("%+v", f)
	}
}

// FuzzLoad: whatever comes is loaded or refused with a line within the file, and
// what is loaded can be shown and asked.
func FuzzLoad(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join("testdata", "faults", "*.yaml"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := approval.Load("f.yaml", data)
		if (file == nil) == (err == nil) {
			t.Fatalf("%v and %v", file, err)
		}
		var found *approval.Faults
		if err != nil && (!errors.As(err, &found) || len(found.List) == 0) {
			t.Fatalf("error %v", err)
		}
		if found != nil {
			for _, fault := range found.List {
				if fault.Line < 0 || fault.Line > 1+strings.Count(string(data), "\n") || fault.Message == "" {
					t.Fatalf("%+v", fault)
				}
			}
			return
		}
		for _, flow := range file.Flows {
			env := approval.NewEnv(nil, approval.Person{}, "", approval.World{})
			for _, r := range flow.Rules {
				if _, _, err := r.Deny.Bool(env); err != nil {
					t.Fatalf("%s: %v", r.Deny.Text, err)
				}
			}
			_ = flow.FormatTitle(nil, "1", "a")
		}
	})
}
