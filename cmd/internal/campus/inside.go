package campus

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"

	"campusgate/agent"
	"campusgate/server"
)

// foundInside is gateserver init by the campus's own clock, and has the server run
// inside this process.
func (c *Campus) foundInside(ctx context.Context, config string) (made server.Founded, err error) {
	data, err := os.ReadFile(config)
	if err != nil {
		return made, err
	}
	settings, err := server.ParseConfig(config, data)
	if err != nil {
		return made, err
	}
	now, log := c.options.Now, slog.New(slog.NewTextHandler(c.Server.log, nil))
	c.Server.inside = func(ctx context.Context) error {
		s, err := server.New(ctx, settings, server.Deps{Now: now, Rand: rand.Reader, Log: log, Terminal: c.Texts})
		if err != nil {
			return err
		}
		return s.Run(ctx)
	}
	err = server.Init(ctx, settings, now, rand.Reader, func(f server.Founded) error {
		made = f
		return nil
	})
	return made, err
}

// enrolInside is gateagent enroll by the campus's own clock, and has the agent run
// inside this process.
func (c *Campus) enrolInside(ctx context.Context, p *Process, config, code string) error {
	data, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	settings, err := agent.ParseConfig(config, data)
	if err != nil {
		return err
	}
	deps := agent.Deps{Now: c.options.Now, Rand: rand.Reader, Log: slog.New(slog.NewTextHandler(p.log, nil))}
	p.inside = func(ctx context.Context) error {
		a, err := agent.New(settings, deps)
		if err != nil {
			return err
		}
		return a.Run(ctx)
	}
	_, err = agent.Enrol(ctx, settings, settings.Server.String(), code, deps)
	return err
}

// Resume ends the daemons inside this process and starts them as processes, on
// the same data: a campus with a past goes on today.
func (c *Campus) Resume(ctx context.Context) error {
	c.Suspend()
	c.Texts.tell(c.options.Texts)
	if err := c.StartServer(ctx); err != nil {
		return err
	}
	for _, g := range c.Gates {
		if err := g.Start(ctx); err != nil {
			return fmt.Errorf("gate %q: %w", g.Name, err)
		}
	}
	for _, t := range c.Tills {
		if err := t.Start(ctx); err != nil {
			return fmt.Errorf("till %q: %w", t.Name, err)
		}
	}
	c.options.Now = nil
	return nil
}

// Suspend ends all daemons. Those that Resume starts are processes.
func (c *Campus) Suspend() {
	for _, g := range c.Gates {
		g.Agent.Stop()
		g.Agent.inside = nil
	}
	for _, t := range c.Tills {
		t.Agent.Stop()
		t.Agent.inside = nil
	}
	c.Server.Stop()
	c.Server.inside = nil
}
