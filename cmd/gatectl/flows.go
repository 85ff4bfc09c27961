package main

import (
	"context"
	"fmt"
	"strings"
)

// flowVerbs are what gatectl flows does, in the order in which help lists it.
var flowVerbs = []command{
	{"check", "检查流程文件 / check files of flows", runFlowsCheck},
	{"try", "用案例试走流程 / play cases through the flows of a file", runFlowsTry},
}

// runFlows runs the verb that its first argument names.
func runFlows(ctx context.Context, env Env, args []string) int {
	if len(args) == 0 {
		return say(env.Stderr, flowsOverview(), exitUsage)
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return say(env.Stdout, flowsOverview(), exitOK)
	}
	for _, v := range flowVerbs {
		if v.name == args[0] {
			return v.run(ctx, env, args[1:])
		}
	}
	return say(env.Stderr, fmt.Sprintf("gatectl flows: 没有此命令 / no such command: %q\n%s", args[0], flowsOverview()), exitUsage)
}

func flowsOverview() string {
	var b strings.Builder
	b.WriteString("用法 / usage: gatectl flows VERB [flags] [arguments]\n\n")
	for _, v := range flowVerbs {
		fmt.Fprintf(&b, "  %-10s%s\n", v.name, v.summary)
	}
	b.WriteString("\n某命令的用法 / usage of one: gatectl flows VERB -h\n")
	return b.String()
}
