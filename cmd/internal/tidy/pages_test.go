package tidy

import (
	"cmp"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	bar        = regexp.MustCompile(`(?:^|[^\\])\|`)
	fence      = regexp.MustCompile("^\\s*```")
	quoted     = regexp.MustCompile("`([^`]+)`")
	linked     = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	ownPath    = regexp.MustCompile(`^(?:cmd|agent|server|signing|devices|configs)/\S*$`)
	oneTest    = regexp.MustCompile(`^(?:([\w/]+)\.)?((?:Test|Fuzz|Benchmark)[A-Z]\w*)$`)
	word       = regexp.MustCompile(`'([^']*)'|(\S+)`)
	declared   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Benchmark)\w*)\(`)
	ofGoTest   = []string{"run", "bench", "fuzz", "v", "timeout", "count", "race"}
	ownProgram = []string{"gatectl", "gateserver", "gateagent"}
)

// What the pages for people name is there: files, commands with their flags,
// tests that run where a page says they do.
func TestPages_NameWhatIsThere(t *testing.T) {
	sources, err := readTree(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, s := range sources {
		if path.Ext(s.path) != ".md" {
			continue
		}
		pages++
		for _, p := range (house{sources}).inspect(s) {
			t.Error(p)
		}
	}
	if pages < 3 {
		t.Errorf("only %d pages", pages)
	}
}

func TestPages_AreHeldToWhatIsThere(t *testing.T) {
	sources, err := readTree(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for text, bad := range map[string]bool{
		"`agent/lane`":                      false,
		"`agent/lain`":                      true,
		"`agent/doctor*.go`":                false,
		"[x](../server/doc.go)":             false,
		"[x](../server/dog.go)":             true,
		"[x](https://example.org/a)":        false,
		"`make test`":                       false,
		"`make tea`":                        true,
		"```sh\nmake tea\n```":              true,
		"```sh\nmake test   # tea\n```":     false,
		"`TestTidy`":                        false,
		"`TestTea`":                         true,
		"`cmd/internal/tidy.TestTidy`":      false,
		"`agent/lane.TestTidy`":             true,
		"`FuzzHTTP`":                        false,
		"`go test ./cmd/internal/tidy`":     false,
		"`go test ./cmd/internal/tea`":      true,
		"`go test ./agent/... -run Claim`":  false,
		"`go test ./agent -run Claim2`":     true,
		"`go test ./agent/tea/...`":         true,
		"`go test ./agent -run 'A|('`":      true,
		"`go test ./server -run Storm -v`":  false,
		"`go test ./server -storm 5m`":      false,
		"`go test ./server -tea 5m`":        true,
		"`gatectl simulate -what lunch`":    false,
		"`bin/gatectl simulate -tea lunch`": true,
		"`gateserver backup -out x`":        false,
		"| a | b |\n|---|---|\n| a |":       true,
		"| a | b |\n|---|---|\n| c\\|d |e|": false,
	} {
		page, err := newSource("cmd/PAGE.md", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := (house{sources}).inspect(page); (len(got) > 0) != bad {
			t.Errorf("%s: complaints %v, wanted some: %v", text, got, bad)
		}
	}
}

// Every promise of the page on reliability says which command checks it.
func TestPages_EveryPromiseIsChecked(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "sim", "RELIABILITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	promises := regexp.MustCompile(`(?m)^\| (P[0-9.]*) \|.*\| (.*) \|$`).FindAllStringSubmatch(string(page), -1)
	if len(promises) < 10 {
		t.Errorf("only %d promises", len(promises))
	}
	for _, p := range promises {
		if !strings.Contains(p[2], "`go test ") && !strings.Contains(p[2], "`gatectl ") {
			t.Errorf("%s: no command checks it", p[1])
		}
	}
}

// house is what pages speak of.
type house struct{ sources []*source }

// inspect looks at what a page quotes and links, and at the commands in its fences.
func (h house) inspect(page *source) (problems []problem) {
	fenced, columns := false, 0
	for i, line := range strings.Split(page.text, "\n") {
		complain := func(what string) {
			problems = append(problems, problem{"page", page.path, i + 1, what, "name what is there"})
		}
		if cells := len(bar.FindAllString(line, -1)); fenced || !strings.HasPrefix(line, "|") {
			columns = 0
		} else if columns == 0 {
			columns = cells
		} else if cells != columns {
			problems = append(problems, problem{"page", page.path, i + 1, "this row has not the columns of its table", `write \| within a cell`})
		}
		switch {
		case fence.MatchString(line):
			fenced = !fenced
		case fenced:
			command, _, _ := strings.Cut(line, " #")
			h.command(command, complain)
		default:
			for _, m := range linked.FindAllStringSubmatch(line, -1) {
				h.file(path.Join(path.Dir(page.path), m[1]), complain)
			}
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				text := strings.ReplaceAll(m[1], `\|`, "|") // as tables need it
				one := oneTest.FindStringSubmatch(text)
				switch {
				case one != nil:
					if !h.tests(cmp.Or(one[1], "..."), regexp.MustCompile("^"+one[2]+"$")) {
						complain("there is no " + text)
					}
				case ownPath.MatchString(text):
					h.file(text, complain)
				default:
					h.command(text, complain)
				}
			}
		}
	}
	return problems
}

// file is there, or a folder, or something that a pattern matches.
func (h house) file(name string, complain func(string)) {
	found, err := filepath.Glob(filepath.Join("..", "..", "..", filepath.FromSlash(name)))
	if err != nil || len(found) == 0 {
		complain("there is no " + name)
	}
}

// command is one of make, of go test or of a program of ours; others are not
// looked at.
func (h house) command(text string, complain func(string)) {
	var words []string
	for _, m := range word.FindAllStringSubmatch(text, -1) {
		words = append(words, m[1]+m[2])
	}
	if len(words) < 2 {
		return
	}
	program := strings.TrimPrefix(words[0], "bin/")
	switch {
	case program == "make":
		if !h.has("Makefile", regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(words[1])+`:`)) {
			complain("make has no " + words[1])
		}
	case program == "go" && words[1] == "test":
		h.goTest(words[2:], complain)
	case slices.Contains(ownProgram, program):
		h.flags(words[1:], func(s *source) bool { return s.under("cmd/"+program) && !s.isTest() }, complain)
	}
}

// goTest has packages with tests, those that it names among them, and flags that
// one of them knows.
func (h house) goTest(words []string, complain func(string)) {
	var packages []string
	for len(words) > 0 && strings.HasPrefix(words[0], "./") {
		packages = append(packages, strings.TrimPrefix(words[0], "./"))
		words = words[1:]
	}
	for _, where := range packages {
		if !h.tests(where, regexp.MustCompile("")) {
			complain("no tests in " + where)
		}
	}
	for i, w := range words[:max(0, len(words)-1)] {
		if w != "-run" && w != "-bench" && w != "-fuzz" || words[i+1] == "-" { // which is the name of none
			continue
		}
		// What follows a slash are tests in a test.
		outer, inner, _ := strings.Cut(words[i+1], "/")
		wanted, err := regexp.Compile(outer)
		if err != nil {
			complain(err.Error())
			continue
		}
		for _, where := range packages {
			if !h.tests(where, wanted) {
				complain("no test in " + where + " is named by " + outer)
			}
			inner, _, _ := strings.Cut(inner, "/")
			if inner != "" && !slices.ContainsFunc(h.sources, func(s *source) bool {
				return s.isTest() && within(s, where) && strings.Contains(s.text, `"`+inner)
			}) {
				complain("nothing in a test of " + where + " is named by " + inner)
			}
		}
	}
	h.flags(words, func(s *source) bool {
		return s.isTest() && slices.ContainsFunc(packages, func(where string) bool { return within(s, where) })
	}, complain)
}

// flags are in quotes in one of some sources, but for those of go test.
func (h house) flags(words []string, in func(*source) bool, complain func(string)) {
	for _, w := range words {
		name, is := strings.CutPrefix(w, "-")
		if name, _, _ = strings.Cut(name, "="); !is || name == "" || slices.Contains(ofGoTest, name) {
			continue
		}
		if !slices.ContainsFunc(h.sources, func(s *source) bool { return in(s) && strings.Contains(s.text, `"`+name+`"`) }) {
			complain("there is no flag -" + name)
		}
	}
}

// has reports whether a file has something.
func (h house) has(file string, what *regexp.Regexp) bool {
	return slices.ContainsFunc(h.sources, func(s *source) bool { return s.path == file && what.MatchString(s.text) })
}

// tests reports whether a package, or one below it where it ends in "...", has a
// test, benchmark or fuzz target of some name.
func (h house) tests(where string, named *regexp.Regexp) bool {
	return slices.ContainsFunc(h.sources, func(s *source) bool {
		return s.isTest() && within(s, where) && slices.ContainsFunc(declared.FindAllStringSubmatch(s.text, -1),
			func(m []string) bool { return named.MatchString(m[1]) })
	})
}

// within reports whether a file is of a package, or of one below it where that
// ends in "...".
func within(s *source, where string) bool {
	in := path.Dir(s.path)
	below, deep := strings.CutSuffix(where, "...")
	return in == strings.TrimSuffix(where, "/") || deep && strings.HasPrefix(in+"/", below)
}
