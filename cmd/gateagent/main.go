// Command gateagent runs on a gate PC: it reads scanners, decides, opens the
// barrier, shows the guard page and keeps in touch with the server. It also
// enrols that PC, checks it, and installs itself as a service.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
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
  gateagent -config FILE [-log FILE]                         运行 / run
  gateagent enroll -config FILE [-server URL] -code CODE     登记本机 / give this PC its identity
  gateagent doctor -config FILE [-yes] [-json] [-wait 20s]   检查 / check ports, clock, disk, snapshot, link; try devices
  gateagent support -config FILE -out FILE.zip [-log FILE]   诊断包 / what whoever helps needs, without personal data
  gateagent install -config FILE [-user NAME] [-kiosk LOGIN] 装成服务 / install as a service that starts with the PC
  gateagent uninstall                                        卸载，保留数据 / remove it, all but the data
  gateagent selftest -config FILE                            自检 / could this program do the work here
  gateagent update -config FILE -from DIR                    更新 / check a signed release and try it
  gateagent update -config FILE -rollback                    退回 / back to the version before
  gateagent kiosk [-url URL]                                 全屏显示页面 / show the guard page in a browser of its own

样例配置 / sample configuration: configs/gate.yaml, configs/till.yaml
`

// Env is everything of the world that the command touches beside files and
// devices.
type Env struct {
	Stdin    io.Reader
	Terminal bool // somebody sits at Stdin and can be asked
	Stdout   io.Writer
	Stderr   io.Writer
	Now      func() time.Time
	Rand     io.Reader
	Root     string // of the system that is looked at and installed to; "" = /
	UID      int    // who runs this; -1 on Windows
	// Run executes a program of the system.
	Run func(ctx context.Context, name string, args ...string) error
}

// options are the flags of all verbs.
type options struct {
	config, server, code, out, log, user, kiosk, url, from string
	yes, json, rollback                                    bool
	wait                                                   time.Duration
}

// verb is one thing the command does: its flags and the work.
type verb struct {
	flags func(*flag.FlagSet, *options)
	do    func(context.Context, Env, options) error
}

func text(to func(*options) *string, name, value string) func(*flag.FlagSet, *options) {
	return func(fs *flag.FlagSet, o *options) { fs.StringVar(to(o), name, value, "") }
}

func flags(list ...func(*flag.FlagSet, *options)) func(*flag.FlagSet, *options) {
	return func(fs *flag.FlagSet, o *options) {
		for _, f := range list {
			f(fs, o)
		}
	}
}

var (
	configFlag = text(func(o *options) *string { return &o.config }, "config", "")
	logFlag    = text(func(o *options) *string { return &o.log }, "log", "")
	tryFlags   = func(fs *flag.FlagSet, o *options) {
		fs.BoolVar(&o.yes, "yes", false, "")
		fs.BoolVar(&o.json, "json", false, "")
		fs.DurationVar(&o.wait, "wait", 20*time.Second, "")
	}
)

var verbs = map[string]verb{
	"": {flags(configFlag, logFlag), serve},
	"enroll": {flags(configFlag, text(func(o *options) *string { return &o.server }, "server", ""),
		text(func(o *options) *string { return &o.code }, "code", "")), enrol},
	"doctor":  {flags(configFlag, tryFlags), examine},
	"support": {flags(configFlag, logFlag, text(func(o *options) *string { return &o.out }, "out", "")), bundle},
	"install": {flags(configFlag, text(func(o *options) *string { return &o.user }, "user", "campusgate"),
		text(func(o *options) *string { return &o.kiosk }, "kiosk", "")), installs},
	"selftest": {flags(configFlag), selfTest},
	"update": {flags(configFlag, text(func(o *options) *string { return &o.from }, "from", ""),
		func(fs *flag.FlagSet, o *options) { fs.BoolVar(&o.rollback, "rollback", false, "") }), updates},
	"uninstall": {flags(), uninstalls},
	"kiosk":     {flags(text(func(o *options) *string { return &o.url }, "url", "http://127.0.0.1:8471/")), kiosk},
}

func main() {
	env := Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Rand: rand.Reader, UID: os.Getuid(), Run: execute,
	}
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		null, err := os.Stat(os.DevNull) // a device of characters too, with nobody at it
		env.Terminal = err != nil || !os.SameFile(info, null)
	}
	if underServiceManager() {
		os.Exit(runService(env, os.Args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, env, os.Args[1:]))
}

// execute runs a program of the system, and tells what it said when it failed.
func execute(ctx context.Context, name string, args ...string) error {
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

func run(ctx context.Context, env Env, args []string) int {
	name := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		name, args = args[0], args[1:]
	}
	v, ok := verbs[name]
	if !ok {
		return misused(env, fmt.Sprintf("no such command: %q", name))
	}
	var o options
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	v.flags(fs, &o)
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(env.Stdout, usage)
		return exitOK
	case err != nil:
		return misused(env, err.Error())
	case fs.NArg() > 0:
		return misused(env, fmt.Sprintf("unexpected argument %q", fs.Arg(0)))
	case fs.Lookup("config") != nil && o.config == "":
		return misused(env, "-config is missing")
	case name == "enroll" && o.code == "":
		return misused(env, "-code is missing: the server's administrator makes one for this gate")
	case name == "update" && (o.from == "") != o.rollback:
		return misused(env, "either -from, the folder of a release, or -rollback")
	case name == "support" && o.out == "":
		return misused(env, "-out is missing: the zip file to write")
	}
	if err := v.do(ctx, env, o); err != nil {
		_, _ = fmt.Fprintf(env.Stderr, "gateagent: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func misused(env Env, what string) int {
	_, _ = fmt.Fprintf(env.Stderr, "gateagent: %s\n\n%s", what, usage)
	return exitUsage
}

// configured reads the configuration, and gives its text too.
func configured(o options) (agent.Settings, []byte, error) {
	file, err := os.ReadFile(o.config)
	if err != nil {
		return agent.Settings{}, nil, err
	}
	s, err := agent.ParseConfig(o.config, file)
	return s, file, err
}

// enrol gives this PC its identity.
func enrol(ctx context.Context, env Env, o options) error {
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	if o.server == "" {
		o.server = settings.Server.String()
	}
	owner := ownerOf(settings.Data)
	id, err := agent.Enrol(ctx, settings, o.server, o.code, agent.Deps{Now: env.Now, Rand: env.Rand})
	if err != nil {
		return err
	}
	if err := owner.give(settings.Data); err != nil {
		return fmt.Errorf("enrolled, but the data folder could not be given to the agent's user: %w", err)
	}
	_, err = fmt.Fprintf(env.Stdout, "已登记 / enrolled: %v\n", id)
	return err
}
