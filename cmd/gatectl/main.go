// Command gatectl is the tool beside the two daemons: it makes keys, issues,
// proves, verifies, inspects and draws codes without a server, checks files of
// flows, plays faults, and runs the demo.
//
// Every command writes its result to standard output and what went wrong to
// standard error. It ends with 0 when it did what was asked, with 1 when it
// could not (for verify: when a code was not granted), and with 2 when it was
// asked wrongly. A command that fails leaves no file behind and changes none,
// unless printing the result is all that failed.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // a gate PC may have no time zone files
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// Env is everything of the world that a command touches beside the files it is
// told, so that tests run commands in their own process.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time
	Rand   io.Reader // keys, ids and nonces
}

// command is one line of the table of subcommands. run gets the arguments after
// the command's name and returns the exit code; with -h it prints its own usage.
type command struct {
	name    string
	summary string
	run     func(ctx context.Context, env Env, args []string) int
}

// commands is the table, in the order in which help lists it.
var commands = []command{
	{"keygen", "制作密钥 / make a signing key or a phone key", runKeygen},
	{"issue", "签发通行码 / issue a pass or a payment credential", runIssue},
	{"prove", "用手机密钥出示 / make a live code with a phone key", runProve},
	{"verify", "验证通行码 / verify codes against a keyring", runVerify},
	{"inspect", "查看通行码内容 / show what a code says", runInspect},
	{"qr", "绘制二维码 / draw a code as a QR image", runQR},
	{"release", "签署更新 / sign a program of the agent as an update", runRelease},
	{"flows", "检查、试走流程 / check flows, play cases through them", runFlows},
	{"simulate", "按种子演练故障 / play faults from a seed, against the promises", runSimulate},
	{"demo", "在本机演示整个校园 / run a whole campus on this machine", runDemo},
	{"bench", "测量性能 / measure speed, each figure against its limit", runBench},
}

// main leaves signals alone: a command that has something to wind down asks for
// them itself, and every other one simply ends.
func main() {
	env := Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Rand: rand.Reader}
	os.Exit(dispatch(context.Background(), env, os.Args[1:]))
}

// dispatch runs the command that the first argument names.
func dispatch(ctx context.Context, env Env, args []string) int {
	if len(args) == 0 {
		return say(env.Stderr, overview(), exitUsage)
	}
	switch args[0] {
	case "-h", "-help", "--help":
		return say(env.Stdout, overview(), exitOK)
	case "help":
		return help(ctx, env, args[1:])
	}
	if c := find(args[0]); c != nil {
		return c.run(ctx, env, args[1:])
	}
	return unknown(env, args[0])
}

func help(ctx context.Context, env Env, args []string) int {
	switch len(args) {
	case 0:
		return say(env.Stdout, overview(), exitOK)
	case 1:
		if c := find(args[0]); c != nil {
			return c.run(ctx, env, []string{"-h"})
		}
		return unknown(env, args[0])
	case 2:
		if args[0] == "flows" {
			return runFlows(ctx, env, []string{args[1], "-h"})
		}
	}
	return say(env.Stderr, "gatectl help: one command at a time / 一次一个命令\n", exitUsage)
}

func find(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

func unknown(env Env, name string) int {
	text := fmt.Sprintf("gatectl: 没有此命令 / no such command: %q\n", name)
	if near := suggest(name); near != "" {
		text += fmt.Sprintf("您是否要 / did you mean: gatectl %s\n", near)
	}
	return say(env.Stderr, text+"所有命令 / all commands: gatectl help\n", exitUsage)
}

func overview() string {
	var b strings.Builder
	b.WriteString("用法 / usage: gatectl COMMAND [flags] [arguments]\n\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-10s%s\n", c.name, c.summary)
	}
	b.WriteString("\n某命令的用法 / usage of one command: gatectl help COMMAND\n")
	return b.String()
}

// say writes text and returns code, or exitFailed when nobody can be told.
func say(w io.Writer, text string, code int) int {
	if _, err := io.WriteString(w, text); err != nil {
		return max(code, exitFailed)
	}
	return code
}
