package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/cmd/internal/demo"
)

const demoUsage = `用法 / usage: gatectl demo [-json] [-listen ADDR] [-bin DIR] [-v]

在本机上运行整个校园：服务器、虚构的人员、两道校门和一个食堂收款台的程序、虚拟扫码器和继电器。
Runs a whole campus on this machine: a server with invented people, the agents
of two gates and of a till, and virtual scanners and relays. Ctrl-C stops all of it.

  -json          一行 JSON / one line of JSON once all is ready
  -listen ADDR   演示页地址 / address of the page; default 127.0.0.1:8470, or a free port
  -bin DIR       gateserver 和 gateagent 所在目录 / folder of gateserver and gateagent
  -v             显示各程序的日志 / show what the programs say

`

// demoLine is what demo -json prints once all is ready.
type demoLine struct {
	Page   string     `json:"page"`
	Server string     `json:"server"`
	Token  string     `json:"token"`
	Gates  []demoGate `json:"gates"`
	Tills  []demoTill `json:"tills"`
}

// demoGate names a guard page and the device's ends of its cables.
type demoGate struct {
	ID         uint16 `json:"id"`
	Name       string `json:"name"`
	URL        string `json:"url"`
	ScannerTTY string `json:"scanner_tty"`
	RelayTTY   string `json:"relay_tty"`
}

// demoTill names a cashier's page and the device's end of its scanner's cable.
type demoTill struct {
	ID         uint16 `json:"id"`
	Name       string `json:"name"`
	URL        string `json:"url"`
	ScannerTTY string `json:"scanner_tty"`
}

func runDemo(ctx context.Context, env Env, args []string) int {
	fs := flag.NewFlagSet("demo", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	asJSON := fs.Bool("json", false, "")
	listen := fs.String("listen", "", "")
	bin := fs.String("bin", "", "")
	verbose := fs.Bool("v", false, "")
	switch err := fs.Parse(args); {
	case err == flag.ErrHelp:
		return say(env.Stdout, demoUsage, exitOK)
	case err != nil || fs.NArg() > 0:
		return say(env.Stderr, demoUsage, exitUsage)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	log := io.Discard
	if *verbose {
		log = env.Stderr
	}
	if err := demonstrate(ctx, env, *asJSON, *listen, *bin, log); err != nil {
		return say(env.Stderr, fmt.Sprintf("gatectl demo: %v\n", err), exitFailed)
	}
	return exitOK
}

// demonstrate runs until ctx ends; everything it started has ended when it
// returns.
func demonstrate(ctx context.Context, env Env, asJSON bool, listen, bin string, log io.Writer) (err error) {
	ln, err := demoPort(listen)
	if err != nil {
		return err
	}
	origin := "http://" + ln.Addr().String()
	starting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	texts := env.Stdout
	if asJSON {
		texts = env.Stderr
	}
	past := campus.Yesterday(env.Now)
	c, err := campus.Start(starting, campus.Options{Bin: bin, FrameAncestors: []string{origin}, Log: log, Texts: texts, Now: past})
	if err != nil {
		_ = ln.Close()
		return err
	}
	defer func() {
		if closed := c.Close(); err == nil {
			err = closed
		}
	}()
	if err := c.Populate(starting); err != nil {
		return fmt.Errorf("people of the demo: %w", err)
	}
	if err := c.OpenCanteen(starting, "一号窗口 Till 1"); err != nil {
		return fmt.Errorf("canteen of the demo: %w", err)
	}
	if err := c.Dine(starting, past); err != nil {
		return fmt.Errorf("yesterday of the demo: %w", err)
	}
	server := &http.Server{Handler: demo.New(c, env.Now).Handler(), ReadHeaderTimeout: 5 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	if err := announce(env.Stdout, c, origin, asJSON); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-served:
		return err
	}
	return server.Close()
}

// demoPort takes the address asked for; without one the usual port, or any that
// is free.
func demoPort(listen string) (net.Listener, error) {
	if listen != "" {
		return net.Listen("tcp", listen)
	}
	if ln, err := net.Listen("tcp", "127.0.0.1:8470"); err == nil {
		return ln, nil
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

func announce(w io.Writer, c *campus.Campus, origin string, asJSON bool) error {
	if asJSON {
		line := demoLine{Page: origin + "/", Server: c.Client.Base, Token: c.Client.Token}
		for _, g := range c.Gates {
			line.Gates = append(line.Gates, demoGate{g.ID, g.Name, g.URL, g.Scanner.Device, g.Relay.Device})
		}
		for _, t := range c.Tills {
			line.Tills = append(line.Tills, demoTill{t.ID, t.Name, t.URL, t.Scanner.Device})
		}
		return json.NewEncoder(w).Encode(line)
	}
	_, err := fmt.Fprintf(w, `打开 / open   %[1]s/
 1. 发一个通行码，在东门扫：绿灯；再到西门扫：已使用。 Issue a pass, scan it at the east gate: green; at the west gate: already used.
 2. 断开网络，再发、再扫：东门照常，西门说明由东门判定。 Cut the network and go on: east still decides, west names east.
 3. 恢复网络，看事件补传到服务器。Restore it and see the events arrive.
 4. 食堂：在收款台按 12.5 和回车，出示付款码，在收款台扫；断网再来一次；恢复后看余额。
    Canteen: key in 12.5 and Enter at the till, show the payment code, scan it there; once more without the network; restore it and see the balance.
    收银主管 supervisor at the till  %[3]s / %[4]s
 5. 日结：财务在控制台“日结”里对账并关闭昨天。 Close yesterday in the console as finance: till, server and merchant agree.

手机申请 / apply by phone   %[2]s/m/           控制台 / console   %[2]s/console/
 用手机号登录，验证码显示在这里。 Sign in with a phone number; the code appears here.
 13800130021  居民 resident, 林国栋 · 松林坡 3栋 201      13800130001  教职工 staff, applies for a work pass
 13800130002  单位负责人 head of the unit, agrees         13800130006  社区办 community office, paper passes
 13800130004  门卫 guard, opens the address in a code     13800130010  管理员 administrator
 13800130009  财务 finance, money of the campus card      13800130005  食堂经理 manager of the canteen
Ctrl-C 结束 / ends it all.
`, origin, c.Client.Base, campus.Cashier, campus.CashierPIN)
	return err
}
