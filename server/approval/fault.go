package approval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a file of flows.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // from 1; 0 = the file as a whole
	Key     string `json:"key"`  // where it stands, such as flows[3].form[0].type
	Message string `json:"message"`
}

func (f Fault) String() string {
	where := f.File
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d", where, f.Line)
	}
	if f.Key != "" {
		where += ": " + f.Key
	}
	return where + ": " + f.Message
}

// Faults is the error of Load: everything that is wrong with a file, by line.
type Faults struct {
	List []Fault
}

func (f *Faults) Error() string {
	lines := make([]string, len(f.List))
	for i, fault := range f.List {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// maxFaults bounds what one file is told.
const maxFaults = 100

// faults gathers what is wrong. A template that many flows extend is looked at
// with each of them, and its faults are told once.
type faults struct {
	file string
	list []Fault
	seen map[Fault]bool
}

func (f *faults) add(at place, format string, args ...any) {
	fault := Fault{File: f.file, Line: at.line, Key: at.key, Message: fmt.Sprintf(format, args...)}
	if f.seen[fault] || len(f.list) == maxFaults {
		return
	}
	if f.seen == nil {
		f.seen = map[Fault]bool{}
	}
	f.seen[fault] = true
	f.list = append(f.list, fault)
}

// err is nil when nothing is wrong.
func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	slices.SortStableFunc(f.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	return &Faults{List: f.list}
}

// place is where something stands in the file.
type place struct {
	line int
	key  string
}

func (p place) child(key string) string {
	if p.key == "" {
		return key
	}
	return p.key + "." + key
}
