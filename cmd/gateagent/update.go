package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"campusgate/agent"
	"campusgate/agent/disk"
	"campusgate/agent/update"
	"campusgate/signing/release"
)

// selfTestOK is the first word of what a program says when it is fit.
const selfTestOK = "selftest-ok"

// selfTest tells whether this program could be the agent of this PC.
func selfTest(ctx context.Context, env Env, o options) error {
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	if err := agent.SelfTest(ctx, settings); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.Stdout, "%s %s\n", selfTestOK, agent.Version)
	return err
}

// updates stages a release, or goes back.
func updates(ctx context.Context, env Env, o options) error {
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	owner := ownerOf(settings.Data)
	book := update.Book{Dir: settings.UpdateFolder(), Now: env.Now}
	said := ""
	if o.rollback {
		s, err := book.Back()
		if err != nil {
			return err
		}
		said = "退回 / back to: " + update.Name(s.Current) + "；重启服务后生效 / from the next start of the service on"
	} else {
		m, err := stage(ctx, settings, book, o)
		if err := errors.Join(err, owner.give(settings.Data)); err != nil {
			return err
		}
		said = "已检查，空闲时试运行，失败自动退回 / checked; it is tried when nobody passes, and taken back when it fails: " + m.Version
	}
	if err := owner.give(settings.Data); err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.Stdout, said)
	return err
}

func stage(ctx context.Context, settings agent.Settings, book update.Book, o options) (m release.Manifest, err error) {
	site, root, err := agent.UpdateSite(settings)
	if err != nil {
		return m, err
	}
	installed, err := os.Executable()
	if err != nil {
		return m, err
	}
	return book.Stage(ctx, o.from, update.Here{
		Root: root, Site: site, OS: runtime.GOOS, Arch: runtime.GOARCH, Installed: installed, Test: o.tests,
	})
}

// tests has the program at path test itself.
func (o options) tests(ctx context.Context, path string, m release.Manifest) error {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "selftest", "-config", o.config)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(said.String()))
	}
	if got := strings.Fields(said.String()); len(got) != 2 || got[0] != selfTestOK || got[1] != m.Version {
		return fmt.Errorf("it is not version %s: %q", m.Version, said.String())
	}
	return nil
}

// program is what the agent is told of who runs it. hash is what the launcher
// called it.
func program(o options, book update.Book, hash string) (*agent.Program, error) {
	installed := os.Getenv(update.Home)
	if installed == "" {
		var err error
		if installed, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	return &agent.Program{Book: book, Hash: hash, Installed: installed, Test: o.tests}, nil
}

// serve runs the agent until ctx ends: as the launcher of what is to run, or as
// that program.
func serve(ctx context.Context, env Env, o options) error {
	hash := os.Getenv(update.Variable)
	if hash != "" {
		var stop context.CancelFunc
		ctx, stop = context.WithCancel(ctx)
		defer stop()
		go func() { // the launcher holds the other end, and lets go when it ends
			_, _ = io.Copy(io.Discard, env.Stdin)
			stop()
		}()
		return work(ctx, env, o, hash)
	}
	settings, _, err := configured(o)
	if err != nil {
		return err
	}
	installed, err := os.Executable()
	if err != nil {
		return err
	}
	args := []string{"-config", o.config}
	if o.log != "" {
		args = append(args, "-log", o.log)
	}
	l := update.Launcher{
		Book:      update.Book{Dir: settings.UpdateFolder(), Now: env.Now},
		Installed: installed, Args: args, Stdout: env.Stdout, Stderr: env.Stderr,
		Log: slog.New(slog.NewTextHandler(env.Stderr, nil)),
		Own: func(ctx context.Context) error { return work(ctx, env, o, "") },
	}
	return l.Run(ctx)
}

// How long nobody has been at a lane when an update that somebody brought may take
// the agent's place, and how often that is looked at.
const (
	quiet     = time.Minute
	lookEvery = 5 * time.Second
)

// attend confirms a trial that has worked for long enough, and ends the agent
// when an update waits and nobody passes.
func attend(ctx context.Context, a *agent.Agent, book update.Book, hash string, log *slog.Logger, stop context.CancelCauseFunc) {
	proven := 0
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if a.Alive(ctx) == nil {
			proven++
		} else {
			proven = 0
		}
		if time.Duration(proven)*lookEvery == update.Proof && hash != "" {
			if err := book.Confirm(hash); err != nil {
				log.Error("update not confirmed", "error", err)
				proven--
			}
		}
		if waits, delivered := book.Waits(); waits && (!delivered && a.Quiet(quiet) || delivered && a.Calm()) {
			log.Info("an update waits, and nobody passes")
			stop(nil)
			return
		}
	}
}

// opened is agent.New; where a newer program that was taken back had the store,
// it is made this program's again first.
func opened(ctx context.Context, settings agent.Settings, d agent.Deps, book update.Book) (*agent.Agent, error) {
	a, err := agent.New(settings, d)
	if !errors.Is(err, disk.ErrNewer) {
		return a, err
	}
	s, loadErr := book.Load()
	if loadErr != nil || s.Last == nil || s.Last.Outcome != update.RolledBack && s.Last.Outcome != update.TakenBack {
		return nil, err
	}
	if back := agent.StepBack(ctx, settings); back != nil {
		return nil, errors.Join(err, back)
	}
	d.Log.Warn("the store was taken over from a newer program, with every event", "version", s.Last.Version)
	return agent.New(settings, d)
}
