package settle_test

import (
	"flag"
	"os"
	"testing"
)

// Every check of a property here is two days of a canteen on a real disk, so
// there are fewer than usual; -rapid.checks asks for more.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(m.Run())
}
