package till_test

import (
	"flag"
	"testing"
)

// Under the race detector fewer cases of a property are tried; make sweeps tries as
// many as always.
func TestMain(m *testing.M) {
	if raced {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			panic(err)
		}
	}
	flag.Parse() // -rapid.checks of the command line stands above it
	m.Run()
}
