package audit_test

import (
	"flag"
	"testing"

	"campusgate/server/store/storetest"
)

// TestMain has fewer stories told under the race detector, and enough of them to
// be worth telling.
func TestMain(m *testing.M) {
	if storetest.Raced {
		if err := flag.Set("rapid.checks", "40"); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	m.Run()
}
