//go:build linux

package nets_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"campusgate/cmd/internal/campus/campustest"
)

// bin holds the daemons under test.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		flag.Parse()
		var remove func()
		var err error
		if bin, remove, err = campustest.Build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer remove()
		// Scenarios wait for silence to be noticed, most of their time.
		if err := flag.Set("test.parallel", "12"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		sweep()
		return m.Run()
	}())
}
