// Command gateserver is the central server of a campus: it issues signed codes,
// takes in what the gates report, and tells the gates what they must know.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
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
	_ "time/tzdata" // the machine may have no time zone files

	"campusgate/server"
	"campusgate/server/charges"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `用法 / usage:
  gateserver -config FILE                     运行 / serve
  gateserver init -config FILE [-json]        建站 / create the data, the keys and a first token
  gateserver check-config -config FILE        检查配置 / say what is wrong in the file
  gateserver rotate -config FILE [-force]     轮换签发密钥 / make the next issuer key sign
  gateserver audit verify -config FILE [-head N:HASH]  核对操作记录 / verify the chain of the trail, and that it
                                              holds a head that was noted before (the log has one a day)
  gateserver ledger verify -config FILE [-json]  核对账本 / prove the ledger, also beside a running server
  gateserver backup -config FILE [-out FILE]  备份，服务器可以在运行 / back up, also beside a running server
  gateserver replay -config FILE [-event A-E-N]  重放已隔离的消费记录 / post charges that were put aside, after what was in their way was mended
  gateserver erase -config FILE -person ID -reason TEXT  清除个人信息 / take away for ever what says who somebody was
  gateserver restore -config FILE -from FILE [-force]  从备份恢复 / put a backup back; -force puts what is there aside

样例配置 / sample configuration: configs/server.yaml
`

// Env is everything of the world that the command touches beside files and
// ports.
type Env struct {
	Stdout io.Writer
	Stderr io.Writer
	Now    func() time.Time
	Rand   io.Reader
}

// options are the flags of all verbs.
type options struct {
	config string
	json   bool
	force  bool
	out    string
	from   string
	person string
	reason string
	head   string
	event  string
}

// verbs are what can be asked of the command; "" is to serve.
var verbs = map[string]func(context.Context, Env, server.Settings, options) error{
	"":              serve,
	"init":          initialise,
	"check-config":  check,
	"rotate":        rotate,
	"audit":         audit,
	"audit verify":  audit,
	"ledger verify": ledgerVerify,
	"backup":        backUp,
	"restore":       restore,
	"erase":         erase,
	"replay":        replay,
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
		verb, args = args[0], args[1:]
		if (verb == "ledger" || verb == "audit") && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
			verb, args = verb+" "+args[0], args[1:]
		}
		if verb == "" || verbs[verb] == nil {
			return misused(env, fmt.Sprintf("no such command: %q", verb))
		}
	}
	var o options
	fs := flag.NewFlagSet(verb, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.StringVar(&o.config, "config", "", "")
	switch verb {
	case "init", "ledger verify":
		fs.BoolVar(&o.json, "json", false, "")
	case "backup":
		fs.StringVar(&o.out, "out", "", "")
	case "replay":
		fs.StringVar(&o.event, "event", "", "")
	case "erase":
		fs.StringVar(&o.person, "person", "", "")
		fs.StringVar(&o.reason, "reason", "", "")
	case "restore":
		fs.StringVar(&o.from, "from", "", "")
		fs.BoolVar(&o.force, "force", false, "")
	case "audit", "audit verify":
		fs.StringVar(&o.head, "head", "", "")
	case "rotate":
		fs.BoolVar(&o.force, "force", false, "")
	}
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(env.Stdout, usage)
		return exitOK
	case err != nil:
		return misused(env, err.Error())
	case fs.NArg() > 0:
		return misused(env, fmt.Sprintf("unexpected argument %q", fs.Arg(0)))
	case o.config == "":
		return misused(env, "-config is missing")
	case verb == "restore" && o.from == "":
		return misused(env, "-from is missing")
	case verb == "erase" && (o.person == "" || o.reason == ""):
		return misused(env, "-person or -reason is missing")
	}
	data, err := os.ReadFile(o.config)
	if err == nil {
		var settings server.Settings
		if settings, err = server.ParseConfig(o.config, data); err == nil {
			err = verbs[verb](ctx, env, settings, o)
		}
	}
	if err != nil {
		_, _ = fmt.Fprintf(env.Stderr, "gateserver: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func misused(env Env, what string) int {
	_, _ = fmt.Fprintf(env.Stderr, "gateserver: %s\n\n%s", what, usage)
	return exitUsage
}

func serve(ctx context.Context, env Env, s server.Settings, _ options) error {
	log := slog.New(slog.NewTextHandler(env.Stderr, nil))
	srv, err := server.New(ctx, s, server.Deps{Now: env.Now, Rand: env.Rand, Log: log, Terminal: env.Stderr})
	if err != nil {
		return err
	}
	// A server whose address nobody was told serves all the same.
	_, _ = fmt.Fprintf(env.Stdout, "监听 / listening: %s\n", srv.URL())
	return srv.Run(ctx)
}

func initialise(ctx context.Context, env Env, s server.Settings, o options) error {
	return server.Init(ctx, s, env.Now, env.Rand, func(made server.Founded) error {
		if o.json {
			return json.NewEncoder(env.Stdout).Encode(made)
		}
		_, err := fmt.Fprintf(env.Stdout, "建站完成。令牌只显示这一次。 / Done. The token is shown only now.\n"+
			"  token       %s\n  admin link  %s  (24 h)\n", made.Token, made.AdminLink)
		return err
	})
}

func check(_ context.Context, env Env, s server.Settings, o options) error {
	_, err := fmt.Fprintf(env.Stdout, "%s: 没有问题 / nothing wrong (%s, %s)\n", o.config, s.Site, s.Listen)
	return err
}

func rotate(ctx context.Context, env Env, s server.Settings, o options) error {
	err := server.Rotate(ctx, s, env.Now, env.Rand, o.force)
	if errors.Is(err, issue.ErrNotReady) {
		return fmt.Errorf("%w; -force rotates all the same: a gate that has been offline since then would know none of the new codes", err)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, "已轮换 / rotated")
	return err
}

func audit(ctx context.Context, env Env, s server.Settings, o options) error {
	var noted []store.TrailHead
	if o.head != "" {
		h, err := store.ParseTrailHead(o.head)
		if err != nil {
			return err
		}
		noted = append(noted, h)
	}
	head, err := server.VerifyTrail(ctx, s, env.Now, env.Rand, noted...)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%d 条记录，链完整 / %d entries, the chain holds\nhead %v\n", head.Entries, head.Entries, head)
	return err
}

// errUnsound: the faults have been named.
var errUnsound = errors.New("the ledger is not sound")

func ledgerVerify(ctx context.Context, env Env, s server.Settings, o options) error {
	r, err := server.VerifyLedger(ctx, s, env.Now, env.Rand, nil)
	if err != nil {
		return err
	}
	if o.json {
		err = json.NewEncoder(env.Stdout).Encode(r)
	} else {
		for _, f := range r.Faults {
			_, _ = fmt.Fprintf(env.Stdout, "%s: %s\n", f.Where, f.What)
		}
		_, err = fmt.Fprintf(env.Stdout, "%d 笔，%d 条分录，%d 个账户，%d 处有误 / %d transfers, %d postings, %d accounts, %d faults\n",
			r.Transfers, r.Postings, r.Accounts, r.FaultsAll, r.Transfers, r.Postings, r.Accounts, r.FaultsAll)
	}
	if err == nil && !r.Sound() {
		err = errUnsound
	}
	return err
}

func backUp(ctx context.Context, env Env, s server.Settings, o options) error {
	m, err := server.Backup(ctx, s, o.out, env.Now, env.Rand)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "已备份并核对 / backed up and checked: %s (%d bytes, %d attachments)\n"+
		"恢复还需要不在其中的 seal.key、root.key 和配置文件，请另处保存一份；它们不会变。\n"+
		"A restore also needs seal.key, root.key and the configuration, which are not in it: keep them elsewhere, once. They never change.\n",
		m.File, m.Bytes, m.Attachments)
	return err
}

func restore(ctx context.Context, env Env, s server.Settings, o options) error {
	r, err := server.Restore(ctx, s, o.from, o.force, env.Now, env.Rand)
	if err != nil {
		return err
	}
	at := time.UnixMilli(r.Copy.At).In(s.Location).Format(time.DateTime)
	if r.Kept != "" {
		_, _ = fmt.Fprintf(env.Stdout, "原数据库保留在 / the old database is kept in: %s\n", r.Kept)
	}
	_, err = fmt.Fprintf(env.Stdout, "已恢复到 %s。%d 个门岗和收款台重新连接后补传此后的记录；在此之前，服务器不替它们判定通行证。\n"+
		"此后的申请、人员、作废、设置和充值不在库里，请重新办理；此后发的通行证仍可通行，要作废请发布新的作废或轮换密钥。\n"+
		"Restored as of %s. %d agents send again what happened since when they reconnect; until then the server decides no pass in their place.\n"+
		"Applications, people, revocations, settings and recharges since then are not in it: do them again. Passes issued since are genuine and still open gates.\n",
		at, r.Agents, at, r.Agents)
	return err
}

func erase(ctx context.Context, env Env, s server.Settings, o options) error {
	if err := server.Erase(ctx, s, o.person, o.reason, env.Now, env.Rand); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.Stdout, "已清除 / erased: %s\n备份轮换之前仍含有此人的信息。 / Backups still have it until they are rotated.\n", o.person)
	return err
}

// replay posts what was put aside: one event, or all. Those that fail again are
// named.
func replay(ctx context.Context, env Env, s server.Settings, o options) error {
	done, failed, err := server.Replay(ctx, s, o.event, env.Now, env.Rand)
	for _, why := range failed {
		_, _ = fmt.Fprintf(env.Stdout, "%v\n", why)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "已入账 %d 条，仍隔离 %d 条 / %d posted, %d still put aside\n", done, len(failed), done, len(failed))
	if err == nil && len(failed) > 0 {
		err = charges.ErrAgain
	}
	return err
}
