package tidy

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
)

// textRules hold for every file that people write, Go or not.
var textRules = map[string]fileRule{
	"unfinished": lines(unfinished, "marks something unfinished",
		"finish it, or say in the README what is not there"),
	"machine": machine,
	"length":  length,
}

// The patterns are put together from pieces so that this file does not complain
// about itself.
var (
	unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)
	home       = regexp.MustCompile(`(?:^|[^\w.~/-])/(?:home|Users|root)` + `/|[A-Za-z]:\\+Users` + `\\`)
	dsnKey     = regexp.MustCompile(`[?&]_(?:journal|journal_mode|synchronous|sync|busy_timeout|timeout|foreign_keys|fk|cache_size|locking_mode|locking|auto_vacuum|vacuum|mutex|loc)=`)
)

// Files longer than this are more than one idea.
const (
	maxLines     = 450
	maxTestLines = 600
)

func lines(pattern *regexp.Regexp, what, fix string) fileRule {
	return func(s *source, report report) {
		n := 0
		for line := range strings.Lines(s.text) {
			n++
			if found := pattern.FindString(line); found != "" {
				report(n, strings.TrimSpace(found)+" "+what, fix)
			}
		}
	}
}

// machine: a path that exists on one machine only. The module's own place is
// looked for too, where it is deep enough to be no ordinary word.
func machine(s *source, report report) {
	const fix = "search upwards from the package, or take it from a flag or the environment"
	own := filepath.ToSlash(s.root)
	deep := strings.Count(own, "/") >= 2
	n := 0
	for line := range strings.Lines(s.text) {
		n++
		if home.MatchString(line) || deep && strings.Contains(line, own) {
			report(n, "a path of one developer's machine", fix)
		}
	}
}

func length(s *source, report report) {
	if s.file == nil {
		return
	}
	n, limit := strings.Count(s.text, "\n"), maxLines
	if s.isTest() {
		limit = maxTestLines
	}
	if n > limit {
		report(limit+1, "the file goes on for too long", "split it: one idea a file")
	}
}

// dsn: the SQLite driver silently ignores the spelling of another driver, and
// the store would run without what the key asks for.
func dsn(s *source, report report) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && dsnKey.MatchString(lit.Value) {
			report(s.line(lit.Pos()), "a DSN key that the SQLite driver ignores", "write _pragma=name(value)")
		}
		return true
	})
}
