package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"campusgate/server/approval"
)

const flowsTryAbout = `用案例试走流程,不需要服务器。
Plays cases through the flows of a file, without a server: each case says who is
who, what is done one after the other, and what must come of it. Prints a line for
each step. Ends with 1 when something comes out otherwise, naming file and line.

configs/flows/cases holds cases of the shipped flows; server/approval/FLOW.md
describes both files.
`

func runFlowsTry(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "flows try", "FILE CASE…", flowsTryAbout)
	operands, exit, ok := o.parse(args, 2, 1000)
	if !ok {
		return exit
	}
	data, err := readFile(operands[0])
	if err != nil {
		return o.fail(err)
	}
	file, err := approval.Load(operands[0], data)
	if err != nil {
		return o.fail(err)
	}
	var failed error
	for _, name := range operands[1:] {
		trace, err := tryCase(file, name)
		if exit := o.print(strings.Join(trace, "\n") + "\n"); exit != exitOK {
			return exit
		}
		failed = errors.Join(failed, err)
	}
	if failed != nil {
		return o.fail(failed)
	}
	return exitOK
}

// tryCase plays one case; the first line of the trace names it.
func tryCase(file *approval.File, name string) ([]string, error) {
	data, err := readFile(name)
	if err != nil {
		return []string{name}, err
	}
	c, err := approval.LoadCase(name, data)
	if err != nil {
		return []string{name}, err
	}
	trace, err := c.Run(file.Flows)
	return append([]string{fmt.Sprintf("%s: %s", name, c.Name)}, trace...), err
}
