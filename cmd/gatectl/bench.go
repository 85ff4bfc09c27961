package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"campusgate/cmd/internal/bench"
)

const benchUsage = `用法 / usage: gatectl bench [-quick] [-only PART[,PART]] [-dir DIR] [-bin DIR]

测量性能：每项输出一行 JSON。-quick 不到 30 秒，否则不到 3 分钟。超过上限不算失败。
Measures speed, a line of JSON for each figure; -quick takes less than 30 seconds, all
of it less than 3 minutes. A figure over its limit is no failure.

  of "baseline": ratio = value / baseline, and the limit bounds the ratio
  of "limit":    ratio = value / limit
  min:           the limit is the least, not the most

  -only   parts / 部分: %s
  -dir    临时文件所在目录，须在真实磁盘上 / folder for temporary stores, on a real disk
  -bin    gateserver 和 gateagent 所在目录 / folder of gateserver and gateagent; without it, beside gatectl
`

func runBench(ctx context.Context, env Env, args []string) int {
	usage := fmt.Sprintf(benchUsage, strings.Join(bench.Parts(), ", "))
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	o := bench.Options{Now: env.Now, Rand: env.Rand}
	fs.BoolVar(&o.Quick, "quick", false, "")
	fs.StringVar(&o.Dir, "dir", "", "")
	fs.StringVar(&o.Bin, "bin", "", "")
	only := fs.String("only", "", "")
	switch err := fs.Parse(args); {
	case err == flag.ErrHelp:
		return say(env.Stdout, usage, exitOK)
	case err != nil || fs.NArg() > 0:
		return say(env.Stderr, usage, exitUsage)
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := bench.Measure(ctx, o, env.Stdout)
	if err == nil {
		return exitOK
	}
	exit := exitFailed
	if errors.Is(err, bench.ErrPart) {
		exit = exitUsage
	}
	return say(env.Stderr, fmt.Sprintf("gatectl bench: %v\n", err), exit)
}
