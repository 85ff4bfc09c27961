package mutants

// switches is the source of campusgate/mutant, which only mutated files import.
const switches = `// Package mutant says which mutation is on.
package mutant

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
)

var (
	name = os.Getenv("` + variable + `")
	once sync.Once
)

// On reports whether a mutation is on, and says the first time that it was asked.
func On(mutation string) bool {
	if name != mutation {
		return false
	}
	once.Do(func() { fmt.Fprintln(os.Stderr, "reached "+mutation) })
	return true
}

// Pick gives the wrong of two texts, or the right one.
func Pick(on bool, wrong, right string) string {
	if on {
		return wrong
	}
	return right
}

// Text makes a text of anything.
func Text(of ...any) string { return fmt.Sprint(of...) }

// A disk that nobody waits for: a database and its log reach it now and then.
const writtenBack = 12

var (
	mu      sync.Mutex
	commits = map[string]int{}
	disk    = map[string][2][]byte{}
)

// WriteBack is called after each commit to a database that was not flushed.
func WriteBack(path string) {
	mu.Lock()
	defer mu.Unlock()
	if commits[path]++; commits[path]%writtenBack != 0 {
		return
	}
	var now [2][]byte
	var err [2]error
	now[0], err[0] = os.ReadFile(path)
	now[1], err[1] = os.ReadFile(path + "-wal")
	if err[0] != nil || err[1] != nil && !errors.Is(err[1], fs.ErrNotExist) {
		panic(fmt.Sprint(err))
	}
	disk[path] = now
}

// PowerCut leaves of a database, which was closed, what had reached the disk.
func PowerCut(path string) {
	mu.Lock()
	defer mu.Unlock()
	was, ok := disk[path]
	if !ok {
		return
	}
	_ = os.Remove(path + "-shm")
	if err := errors.Join(os.WriteFile(path, was[0], 0o600), os.WriteFile(path+"-wal", was[1], 0o600)); err != nil {
		panic(err)
	}
}
`
