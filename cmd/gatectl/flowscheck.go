package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"campusgate/server/approval"
)

const flowsCheckAbout = `检查流程定义文件,逐条列出错误。
Checks files of flows as the server does when they are published: a file loads
whole or not at all.

A line for each file that is in order, FILE: ok, N flows; a line for each fault,
FILE:LINE: key: what is wrong.

Exit: 0 all in order, 1 not all, 2 asked wrongly.
`

func runFlowsCheck(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "flows check", "FILE…", flowsCheckAbout)
	paths, code, ok := o.parse(args, 1, maxFlowFiles)
	if !ok {
		return code
	}
	var b strings.Builder
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			code = o.fail(err)
			continue
		}
		file, err := approval.Load(path, data)
		var found *approval.Faults
		switch {
		case errors.As(err, &found):
			code = exitFailed
			fmt.Fprintln(&b, found)
		case err != nil:
			code = o.fail(err)
		default:
			fmt.Fprintf(&b, "%s: ok, %d flows\n", path, len(file.Flows))
		}
	}
	return max(code, o.print(b.String()))
}

// maxFlowFiles bounds how many files are checked at once.
const maxFlowFiles = 1000
