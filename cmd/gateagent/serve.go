package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"gopkg.in/natefinch/lumberjack.v2"

	"campusgate/agent"
	"campusgate/agent/update"
)

// What the log may take on the disk: a file that is written and those before it.
const (
	logFileMB = 10
	logFiles  = 5
)

// work is this program as the agent, until ctx ends or an update waits. hash is
// what the launcher called it; "" = it was launched by nobody.
func work(ctx context.Context, env Env, o options, hash string) (err error) {
	settings, file, err := configured(o)
	if err != nil {
		return err
	}
	out := env.Stderr
	if o.log != "" {
		rotating := &lumberjack.Logger{Filename: o.log, MaxSize: logFileMB, MaxBackups: logFiles}
		defer func() { err = errors.Join(err, rotating.Close()) }()
		out = rotating
	}
	said := &tail{limit: 256 << 10}
	log := slog.New(slog.NewTextHandler(io.MultiWriter(said, out), nil))
	book := update.Book{Dir: settings.UpdateFolder(), Now: env.Now}
	runs, err := program(o, book, hash)
	if err != nil {
		return err
	}
	a, err := opened(ctx, settings, agent.Deps{
		Now: env.Now, Rand: env.Rand, Log: log, Root: env.Root, Said: said.bytes, File: file, Program: runs,
	}, book)
	if err != nil {
		if o.log != "" {
			log.Error("not started", "error", err) // nobody reads the standard error of a service
		}
		return err
	}
	// A guard page that nobody was told of is served all the same.
	_, _ = fmt.Fprintf(env.Stdout, "门卫页面 / guard page: http://%s/\n", a.Addr())
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var watching sync.WaitGroup
	watching.Go(func() { watch(ctx, a.Alive, log, stop) })
	watching.Go(func() { attend(ctx, a, book, hash, log, stop) })
	err = a.Run(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, agent.ErrHung) {
		err = errors.Join(err, cause)
	}
	stop(nil)
	watching.Wait()
	return err
}

// tail keeps the end of what is written to it. Safe for concurrent use.
type tail struct {
	limit int

	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > t.limit/4 { // now and then, not with every line
		rest := t.kept[over:]
		rest = rest[bytes.IndexByte(rest, '\n')+1:]
		t.kept = append([]byte(nil), rest...)
	}
	return len(p), nil
}

func (t *tail) bytes() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.kept)
}

// watch tells whoever started the agent that it is ready, and from then on that
// it is alive, as long as it is. Under a manager that does not watch, an agent
// that hangs ends itself, to be started again.
func watch(ctx context.Context, alive func(context.Context) error, log *slog.Logger, stop context.CancelCauseFunc) {
	m := findManager()
	if m == nil {
		return
	}
	ready := false
	tick := time.NewTicker(m.every)
	defer tick.Stop()
	for failed := 0; ; {
		asking, cancel := context.WithTimeout(ctx, m.every)
		err := alive(asking)
		cancel()
		switch {
		case ctx.Err() != nil:
			m.say("STOPPING=1")
			return
		case err == nil && !ready:
			ready = true
			m.say("READY=1\nWATCHDOG=1")
		case err == nil:
			failed = 0
			m.say("WATCHDOG=1")
		default:
			log.Error("not alive", "error", err)
			if failed++; m.alone && failed >= aloneTries {
				stop(err)
				return
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// aloneTries is how often an agent may be found hanging before it ends itself.
const aloneTries = 3
