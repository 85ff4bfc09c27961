package sim_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var root = filepath.Join("..", "..", "..")

var (
	code = regexp.MustCompile("`([^`]+)`")
	link = regexp.MustCompile(`\]\(([^)]+)\)`)
	row  = regexp.MustCompile(`(?m)^\| (P[0-9.]*) \|.*\| (.*) \|$`)
)

// Every command, test and file that RELIABILITY.md names is there.
func TestReliability_NamesWhatThereIs(t *testing.T) {
	page := read(t, "RELIABILITY.md")
	for _, m := range link.FindAllStringSubmatch(page, -1) {
		if _, err := os.Stat(filepath.FromSlash(m[1])); err != nil {
			t.Errorf("link: %v", err)
		}
	}
	commands := 0
	for _, m := range code.FindAllStringSubmatch(page, -1) {
		text := strings.ReplaceAll(m[1], `\|`, "|") // as tables need it
		words := strings.Fields(text)
		switch {
		case strings.HasPrefix(text, "go test "):
			goTest(t, text)
		case strings.HasPrefix(text, "gatectl "):
			flags(t, text, words, read(t, filepath.Join(root, "cmd", "gatectl", words[1]+".go")))
		case words[0] == "make":
			if !regexp.MustCompile(`(?m)^` + words[1] + `:`).MatchString(read(t, filepath.Join(root, "Makefile"))) {
				t.Errorf("%s: no such target", text)
			}
		case strings.HasPrefix(text, "Test"):
			if !slices.Contains(tests(t, root), text) {
				t.Errorf("there is no %s", text)
			}
			continue
		default:
			continue
		}
		commands++
	}
	if commands < 20 {
		t.Errorf("only %d commands", commands)
	}
	promises := row.FindAllStringSubmatch(page, -1)
	if len(promises) < 10 {
		t.Errorf("only %d promises", len(promises))
	}
	for _, p := range promises {
		if !code.MatchString(p[2]) {
			t.Errorf("%s: no command checks it", p[1])
		}
	}
}

// goTest looks at a command: its package, what it runs, and its flags.
func goTest(t *testing.T, text string) {
	words := strings.Fields(text)
	folder := filepath.Join(root, filepath.FromSlash(strings.TrimSuffix(words[2], "/...")))
	var sources strings.Builder
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Errorf("%s: no tests in %s", text, words[2])
		return
	}
	for _, name := range files {
		sources.WriteString(read(t, name))
	}
	flags(t, text, words, sources.String())
	if i := slices.Index(words, "-run"); i > 0 {
		// What follows a slash are tests in a test.
		pattern, inner, nested := strings.Cut(strings.Trim(words[i+1], "'"), "/")
		if nested && !strings.Contains(sources.String(), `"`+strings.Split(inner, "/")[0]) {
			t.Errorf("%s: nothing is called %s", text, inner)
		}
		run := regexp.MustCompile(pattern)
		if !slices.ContainsFunc(tests(t, folder), run.MatchString) {
			t.Errorf("%s: nothing runs", text)
		}
	}
}

// flags are in the sources in quotes, but for those of go test.
func flags(t *testing.T, text string, words []string, sources string) {
	for _, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		if isFlag && !slices.Contains([]string{"run", "v", "timeout", "count"}, name) && !strings.Contains(sources, `"`+name+`"`) {
			t.Errorf("%s: there is no flag -%s", text, name)
		}
	}
}

// tests are the names of those in a folder and below.
func tests(t *testing.T, folder string) (names []string) {
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != folder && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, "_test.go") {
			for line := range strings.Lines(read(t, path)) {
				rest, is := strings.CutPrefix(line, "func Test")
				if name, _, ok := strings.Cut(rest, "("); is && ok {
					names = append(names, "Test"+name)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
