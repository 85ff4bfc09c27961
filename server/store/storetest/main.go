package storetest

import (
	"flag"
	"testing"
)

// racedChecks is how many cases of a property are enough where the race detector
// looks on, which makes a database in Go twenty times slower. Without it there are
// as many as always.
const racedChecks = "12"

// Main is the TestMain of packages whose properties (pgregory.net/rapid) are
// checked against a real database.
func Main(m *testing.M) {
	if Raced && flag.Lookup("rapid.checks") != nil {
		if err := flag.Set("rapid.checks", racedChecks); err != nil {
			panic(err)
		}
	}
	flag.Parse() // -rapid.checks of the command line stands above it
	m.Run()      // whose outcome the test program ends with
}
