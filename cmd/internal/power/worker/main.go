// Worker is the program whose power is cut: the inside of a gate, or the server's
// store, at work as fast as it can. It says on its output what it has promised.
package main

import (
	"fmt"
	"os"
	"strconv"

	"campusgate/cmd/internal/power"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return fmt.Errorf("want found or work, gate or server, a folder and the number of the round: %v", args)
	}
	load, known := power.Loads[args[1]]
	round, err := strconv.Atoi(args[3])
	if !known || err != nil {
		return fmt.Errorf("%q round %q: no such work", args[1], args[3])
	}
	if args[0] == "found" {
		return load.Found(args[2])
	}
	return load.Work(args[2], round, power.NewPromises(os.Stdout))
}
