package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"unicode/utf8"

	"campusgate/agent"
	"campusgate/agent/doctor"
	"campusgate/devices/find"
)

// errUnwell is what a doctor ends with that found something.
var errUnwell = errors.New("some checks failed")

// examine checks the PC, and tries its devices where somebody agrees to that.
func examine(ctx context.Context, env Env, o options) error {
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	v := &visit{env: env, o: o, settings: settings}
	if env.Stdin != nil {
		v.answers = bufio.NewReader(env.Stdin)
	}
	v.report, err = agent.Doctor(ctx, settings, agent.Surroundings{Now: env.Now, Root: env.Root})
	if errors.Is(err, agent.ErrInUse) {
		v.running = true
		v.report, err = fromRunning(ctx, settings, err)
	}
	if err != nil {
		return err
	}
	if !o.json {
		if err := v.report.Write(env.Stdout); err != nil {
			return err
		}
	}
	if err := v.try(ctx); err != nil {
		return err
	}
	if o.json {
		if err := json.NewEncoder(env.Stdout).Encode(struct {
			OK bool `json:"ok"`
			doctor.Report
		}{v.report.OK(), v.report}); err != nil {
			return err
		}
	}
	if !v.report.OK() {
		return errUnwell
	}
	return nil
}

// fromRunning asks the agent that works with the folder. When it cannot be asked,
// its being there is all that there is to report.
func fromRunning(ctx context.Context, s agent.Settings, inUse error) (r doctor.Report, err error) {
	err = inUse
	if _, port, splitErr := net.SplitHostPort(s.Listen); splitErr == nil && port != "0" {
		var asked error
		if asked = ask(ctx, s, "GET", "/api/v1/doctor", nil, &r); asked == nil {
			return r, nil
		}
		err = errors.Join(inUse, asked)
	}
	r = doctor.Report{Checks: []doctor.Check{doctor.Of("数据目录 data folder", err, "",
		"先停止门岗程序 / stop the agent first; while it runs, its guard page shows how it is")}}
	return r, nil
}

// visit is one run of the doctor.
type visit struct {
	env      Env
	o        options
	settings agent.Settings
	running  bool // another process works with the devices
	answers  *bufio.Reader
	report   doctor.Report
}

// agreed asks the person; a script says so beforehand.
func (v *visit) agreed(question string) bool {
	if v.o.yes {
		return true
	}
	if v.o.json || !v.env.Terminal || v.answers == nil {
		return false
	}
	_, _ = fmt.Fprintf(v.env.Stdout, "\n%s [y/N] ", question)
	line, _ := v.answers.ReadString('\n') // an end of input is a no
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes" || answer == "是"
}

// found adds what a try came to.
func (v *visit) found(c doctor.Check) {
	v.report.Checks = append(v.report.Checks, c)
	if !v.o.json {
		v.print(c.String())
	}
}

// print is for the person; one who does not listen misses nothing that the exit
// code does not say.
func (v *visit) print(text string) { _, _ = fmt.Fprint(v.env.Stdout, text) }

// try moves what can be moved, each only with consent.
func (v *visit) try(ctx context.Context) error {
	if !v.running && v.agreed(fmt.Sprintf("试扫码：%v 内扫任意一个码？ / try the scanners: scan any code within %v?", v.o.wait, v.o.wait)) {
		v.tryScan(ctx)
	}
	for _, l := range v.settings.Lanes {
		if l.Barrier.Driver != "none" && v.agreed(fmt.Sprintf("%s：让道闸开一次？旁边没有人吗？ / open the barrier once? Is nobody near it?", l.Name)) {
			v.tryPulse(ctx, l)
		}
	}
	for _, p := range v.report.Ports {
		if p.Kind == find.Printer && v.agreed(fmt.Sprintf("%s：打印测试条？ / print a test slip?", p)) {
			v.found(doctor.Of("试打印 print", agent.TryPrint(ctx, p.Path), p.Path, "检查打印机电源、纸和权限 / is the printer on, has it paper, may this user write to it?"))
		}
	}
	return ctx.Err()
}

func (v *visit) tryScan(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, v.o.wait)
	defer cancel()
	var heard []string
	_ = agent.TryScan(ctx, v.settings, v.report.Ports, func(h agent.Heard) bool {
		line := fmt.Sprintf("%s: %s", h.Port, excerpt(h.Text))
		heard = append(heard, line)
		return true
	})
	var err error
	if len(heard) == 0 {
		err = fmt.Errorf("nothing arrived in %v", v.o.wait)
	}
	v.found(doctor.Of("试扫码 scan", err, strings.Join(heard, "; "),
		"检查扫码器是否为串口 / USB-COM 模式、波特率是否一致；键盘模式的扫码器在门卫页面试 / is the scanner in serial or USB-COM mode, at the same rate? Try one that types on the guard page"))
}

// excerpt shows enough of a code to be told from another, and too little to be
// used.
func excerpt(text string) string {
	n := utf8.RuneCountInString(text)
	const shown = 8
	if n > shown {
		text = string([]rune(text)[:shown]) + "…"
	}
	return fmt.Sprintf("%q (%d characters)", text, n)
}

func (v *visit) tryPulse(ctx context.Context, l agent.LaneSettings) {
	var err error
	if v.running {
		err = ask(ctx, v.settings, "POST", "/api/v1/doctor/pulse", map[string]string{"lane": l.Name}, nil)
	} else {
		err = agent.TryPulse(ctx, l)
	}
	v.found(doctor.Of(l.Name+" 试开闸 pulse", err, "the relay took it; did the barrier open?", "检查继电器供电和接线 / see to the power and the wires of the relay"))
}
