package tidy

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	quotedPath = regexp.MustCompile("`((?:cmd|agent|server|signing|devices|configs)/[^`\\s]*)`")
	linkedPath = regexp.MustCompile(`\]\(([^)#:]+)[^)]*\)`)
	testRun    = regexp.MustCompile("`go test ((?:\\./[\\w./]+ ?)+)(?:-run (?:'([^']+)'|([^`\\s]+)))?[^`]*`")
	testFunc   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w*)\(`)
)

// What the README sends a newcomer to is there: folders, files, and tests that
// run where it says they do.
func TestReadme_NamesWhatIsThere(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	sources, err := readTree(root)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		complain := func(format string, args ...any) { t.Errorf("README.md:%d: %s", i+1, fmt.Sprintf(format, args...)) }
		for _, m := range append(quotedPath.FindAllStringSubmatch(line, -1), linkedPath.FindAllStringSubmatch(line, -1)...) {
			if found, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil || len(found) == 0 {
				complain("there is no %s", m[1])
			}
		}
		for _, m := range testRun.FindAllStringSubmatch(line, -1) {
			wanted, err := regexp.Compile(m[2] + m[3])
			if err != nil {
				complain("%v", err)
				continue
			}
			for where := range strings.FieldsSeq(m[1]) {
				if !tests(sources, strings.TrimPrefix(where, "./"), wanted) {
					complain("no test in %s is named by %q", where, wanted)
				}
			}
		}
	}
}

// tests reports whether a package, or one below it where it ends in "...", has a
// test of some name.
func tests(sources []*source, where string, named *regexp.Regexp) bool {
	below, deep := strings.CutSuffix(where, "...")
	for _, s := range sources {
		if in := filepath.ToSlash(filepath.Dir(s.path)); !s.isTest() || in != where && !(deep && strings.HasPrefix(in+"/", below)) {
			continue
		}
		for _, m := range testFunc.FindAllStringSubmatch(s.text, -1) {
			if named.MatchString(m[1]) {
				return true
			}
		}
	}
	return false
}
