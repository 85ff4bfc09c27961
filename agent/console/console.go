// Package console is what an agent shows on its own computer: the guard's
// page, the HTTP API and the feed behind it, health and metrics. It decides
// nothing: a [Desk] does, and the console hands over what a person typed and
// shows what came back.
//
// It listens on loopback, asks for no login and refuses what a browser could
// be tricked into sending (see fence.go).
package console

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/agent/web"
	"campusgate/signing/verdict"
)

// ErrNotLoopback is returned by Serve for a listener that other computers
// reach.
var ErrNotLoopback = errors.New("the console listens on loopback only")

// ErrBadConfig is wrapped by every refusal of New.
var ErrBadConfig = errors.New("console configuration")

// Config is what a Console needs. Status and either Lanes or Till are required.
type Config struct {
	Lanes Lanes
	Till  Till
	// Calls are those for help; nil = none are made or taken.
	Calls Calls
	// Kiosk says that nobody stands at this gate; nil = a guard does.
	Kiosk *Kiosk
	// Status says how the agent is. It must be quick and safe for concurrent use.
	Status func() Status
	// StatusChanged tells that Status would now answer differently. Ages need no
	// telling.
	StatusChanged <-chan struct{}
	// Trigger has the scanners of a lane read, or stop. Errors are desk.ErrNoLane,
	// errors.ErrUnsupported, and any other where the scanner did not take it. Nil
	// means that none can.
	Trigger func(ctx context.Context, lane string, stop bool) error
	// Guideline says which documents a guard can choose and what they are good
	// for. Nil, or nil given, means StandardDocuments.
	Guideline func() *verdict.Guideline
	// Guards puts guards on duty; nil means that nobody can be.
	Guards Guards
	// Lookup tells of passes and registers; nil means that there are none.
	Lookup Lookup
	// Service checks the agent and its devices; nil means that nobody does.
	Service Service
	// Press prints a till's receipts; nil means that there is no printer.
	Press Press
	// FrameAncestors are the origins that may show the page in a frame; empty
	// means none.
	FrameAncestors []string
	// Hosts are names, beside those of loopback, that a Host header may carry.
	// Naming one also lets Serve listen on other than loopback.
	Hosts []string
	// Page overrides the page that was built into the program. Without an
	// index.html it counts as not built.
	Page fs.FS
	// Registry receives the console's metrics and is what /metrics shows; nil
	// means one of its own.
	Registry *prometheus.Registry
	// Log never sees a code or a name; nil discards.
	Log *slog.Logger
	// Rand numbers the requests; nil means crypto/rand. It is read by one at a time.
	Rand io.Reader
	// Refresh is how often the status goes to the pages while nothing changes;
	// zero means a second. The pages take five seconds of silence for a fault.
	Refresh time.Duration
}

// Console serves one agent. Run it and serve its Handler, or do both with
// Serve.
type Console struct {
	desk           Desk  // lanes or till
	lanes          Lanes // nil at a till
	till           Till  // nil at a gate
	calls          Calls
	kiosk          *Kiosk // nil where a guard stands
	pass           guardKey
	status         func() Status
	trigger        func(ctx context.Context, lane string, stop bool) error
	changed        <-chan struct{}
	guideline      func() *verdict.Guideline
	guards         Guards
	lookup         Lookup
	service        Service
	serving        sync.Mutex // held while the service works
	press          Press      // nil without a printer
	frameAncestors []string
	hosts          map[string]bool
	page           fs.FS
	log            *slog.Logger
	randMu         sync.Mutex
	rand           io.Reader
	refresh        time.Duration
	metrics        *metrics
	hub            *hub
	told           *verdict.Guideline // the pages; belongs to Run
	handler        http.Handler
	patterns       []string
}

// New checks the configuration and makes a console. It starts nothing.
func New(cfg Config) (*Console, error) {
	if (cfg.Lanes == nil) == (cfg.Till == nil) || cfg.Status == nil {
		return nil, fmt.Errorf("%w: a status, and either lanes or a till, are required", ErrBadConfig)
	}
	for _, a := range cfg.FrameAncestors {
		if err := checkAncestor(a); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadConfig, err)
		}
	}
	c := &Console{
		desk:           cfg.Lanes,
		lanes:          cfg.Lanes,
		till:           cfg.Till,
		calls:          cfg.Calls,
		kiosk:          cfg.Kiosk,
		status:         cfg.Status,
		changed:        cfg.StatusChanged,
		trigger:        cfg.Trigger,
		guideline:      cfg.Guideline,
		guards:         cfg.Guards,
		lookup:         cfg.Lookup,
		service:        cfg.Service,
		press:          cfg.Press,
		frameAncestors: cfg.FrameAncestors,
		hosts:          map[string]bool{},
		page:           cfg.Page,
		log:            cfg.Log,
		rand:           cfg.Rand,
		refresh:        cfg.Refresh,
	}
	if c.till != nil {
		c.desk = c.till
	}
	for _, h := range cfg.Hosts {
		if h == "" || strings.ContainsAny(h, "/ *") {
			return nil, fmt.Errorf("%w: host %q: want a name or an address", ErrBadConfig, h)
		}
		c.hosts[strings.ToLower(h)] = true
	}
	c.fillIn()
	registry := cfg.Registry
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	var err error
	if c.metrics, err = newMetrics(registry, c.status); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConfig, err)
	}
	c.hub = newHub(c.metrics)
	c.handler = c.fence(c.routes(registry))
	return c, nil
}

// fillIn puts the usual thing where the configuration is silent.
func (c *Console) fillIn() {
	if c.calls == nil {
		c.calls = silent{}
	}
	if c.guideline == nil {
		c.guideline = func() *verdict.Guideline { return nil }
	}
	if c.page == nil {
		if built, ok := web.FS(); ok {
			c.page = built
		}
	} else if _, err := fs.Stat(c.page, "index.html"); err != nil {
		c.page = nil
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.rand == nil {
		c.rand = rand.Reader
	}
	if c.refresh <= 0 {
		c.refresh = time.Second
	}
}

// Handler answers everything the console serves. It is safe for concurrent
// use and works before Run, but feeds then stay at their first message.
func (c *Console) Handler() http.Handler { return c.handler }

// Patterns lists what is served: a method, a space and a path of net/http.
func (c *Console) Patterns() []string { return c.patterns }

// Serve runs the console and serves it on ln until ctx ends, which closes ln
// and every feed. It returns nil then, and otherwise why it stopped.
func (c *Console) Serve(ctx context.Context, ln net.Listener) error {
	if tcp, ok := ln.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() && len(c.hosts) == 0 {
		return fmt.Errorf("%w: not on %v", ErrNotLoopback, ln.Addr())
	}
	srv := &http.Server{
		Handler:           c.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      presentTimeout + 10*time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(c.log.Handler(), slog.LevelWarn),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	running := make(chan error, 1)
	go func() { running <- c.Run(ctx) }()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case <-ctx.Done():
	case err := <-served:
		stop()
		return errors.Join(fmt.Errorf("console: %w", err), srv.Close(), <-running)
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	err := srv.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, srv.Close())
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return errors.Join(err, <-running)
}
