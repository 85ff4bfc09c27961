// Command gateagent runs on a gate PC: it reads scanners, decides, opens the
// barrier, shows the guard page and keeps in touch with the server.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // a gate PC may have no time zone files

	"campusgate/agent"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `用法 / usage:
  gateagent -config FILE                                     运行 / run
  gateagent enroll -config FILE [-server URL] -code CODE     登记本机 / give this PC its identity
  gateagent doctor -config FILE                              检查 / check ports, clock, disk, snapshot, link

样例配置 / sample configuration: configs/gate.yaml, configs/till.yaml
`

// Env is everything of the world that the command touches beside files and
// devices.
type Env struct {
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time
	Rand   io.Reader
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	env := Env{Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Rand: rand.Reader}
	os.Exit(run(ctx, env, os.Args[1:]))
}

func run(ctx context.Context, env Env, args []string) int {
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if verb, args = args[0], args[1:]; verb != "enroll" && verb != "doctor" {
			return misused(env, fmt.Sprintf("no such command: %q", verb))
		}
	}
	fs := flag.NewFlagSet(verb, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	config := fs.String("config", "", "")
	server, code := new(string), new(string)
	if verb == "enroll" {
		fs.StringVar(server, "server", "", "")
		fs.StringVar(code, "code", "", "")
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(env.Stdout, usage)
		return exitOK
	case err != nil:
		return misused(env, err.Error())
	case fs.NArg() > 0:
		return misused(env, fmt.Sprintf("unexpected argument %q", fs.Arg(0)))
	case *config == "":
		return misused(env, "-config is missing")
	case verb == "enroll" && *code == "":
		return misused(env, "-code is missing: the server's administrator makes one for this gate")
	}
	if err := do(ctx, env, verb, *config, *server, *code); err != nil {
		_, _ = fmt.Fprintf(env.Stderr, "gateagent: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func misused(env Env, what string) int {
	_, _ = fmt.Fprintf(env.Stderr, "gateagent: %s\n\n%s", what, usage)
	return exitUsage
}

func do(ctx context.Context, env Env, verb, config, server, code string) error {
	data, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	settings, err := agent.ParseConfig(config, data)
	if err != nil {
		return err
	}
	switch verb {
	case "enroll":
		if server == "" {
			server = settings.Server.String()
		}
		id, err := agent.Enrol(ctx, settings, server, code, agent.Deps{Now: env.Now, Rand: env.Rand})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(env.Stdout, "已登记 / enrolled: %v\n", id)
		return err
	case "doctor":
		return agent.Doctor(ctx, settings, env.Now, env.Stdout)
	}
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	a, err := agent.New(settings, agent.Deps{Now: env.Now, Rand: env.Rand, Log: log})
	if err != nil {
		return err
	}
	// A guard page that nobody was told of is served all the same.
	_, _ = fmt.Fprintf(env.Stdout, "门卫页面 / guard page: http://%s/\n", a.Addr())
	return a.Run(ctx)
}
