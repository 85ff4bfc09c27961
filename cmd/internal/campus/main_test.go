package campus_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/campus/campustest"
)

// bin holds the daemons under test.
var bin string

func TestMain(m *testing.M) {
	// Whoever kills daemons and opens pages waits for them most of the time.
	if err := flag.Set("test.parallel", "3"); err != nil {
		panic(err)
	}
	flag.Parse()
	os.Exit(func() int {
		var remove func()
		var err error
		if bin, remove, err = campustest.Build(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer remove()
		defer closeBrowser()
		return m.Run()
	}())
}

// start runs a campus that ends with the test.
func start(t testing.TB, o campus.Options) *campus.Campus {
	t.Helper()
	o.Bin = bin
	return campustest.Start(t, o)
}

// scanner writes codes as a scanner does.
type scanner struct{ tty *os.File }

func plug(t testing.TB, g *campus.Gate) scanner {
	t.Helper()
	tty, err := os.OpenFile(g.Scanner.Device, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return scanner{tty}
}

func (s scanner) scan(t testing.TB, code string) {
	t.Helper()
	s.send(t, code+"\r")
}

func (s scanner) send(t testing.TB, text string) {
	t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		t.Fatal(err)
	}
}
