package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/go-co-op/gocron/v2"
	"golang.org/x/sync/errgroup"

	"campusgate/server/alert"
	"campusgate/server/api"
	"campusgate/server/audit"
	"campusgate/server/auth"
	"campusgate/server/backup"
	"campusgate/server/call"
	"campusgate/server/hub"
	"campusgate/server/issue"
	"campusgate/server/retention"
	"campusgate/server/rollout"
	"campusgate/server/rules"
	"campusgate/server/store"
	"campusgate/server/verify"
	"campusgate/server/web"
	"campusgate/signing/wire"
)

// Version is what the server calls itself.
const Version = "campusgate-server/1"

// Pace of the schedules.
const (
	keysEvery   = time.Hour
	usedEvery   = time.Minute // sessions
	remindEvery = time.Minute // of applications
	claimsEvery = time.Minute
	watchEvery  = 5 * time.Second // devices
	alarmsEvery = time.Second     // gates end them by themselves; this is for the trail
	certEvery   = time.Hour
	pruneEvery  = time.Hour
	feedKept    = 30 * 24 * time.Hour // an agent that was away for longer gets a snapshot
	guardsEvery = time.Minute         // posts begin and end by the day, and are changed at any time
	passesEvery = time.Hour
	holdsEvery  = time.Minute
	proofEvery  = time.Hour       // to see whether tonight's has been made
	cardsEvery  = time.Minute     // subsidies
	askEvery    = 5 * time.Second // what became of recharges, and of payments for meters
	billsEvery  = time.Hour
	backupEvery = time.Minute    // to see whether one is due
	headEvery   = 24 * time.Hour // of the audit trail, into the log
)

// Deps is what a server needs of the world.
type Deps struct {
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger

	// Terminal gets one-time codes where the settings say so. Nil = there is
	// none.
	Terminal io.Writer
}

// Server is an open server. New opens everything, Run works once.
type Server struct {
	settings Settings
	deps     Deps

	lock      *os.File
	db        *store.Store
	signer    *issue.Service
	persons   persons
	money     money
	counters  counters
	matters   matters
	hub       *hub.Hub
	releases  *rollout.Service
	calls     *call.Service
	verify    *verify.Service
	rules     *rules.Service
	auditor   *audit.Auditor
	alert     *alert.Service
	backup    *backup.Service
	retention *retention.Service
	cert      *certificate // nil = plain
	http      *http.Server
	listener  net.Listener
}

// New takes the data folder for itself (ErrInUse), opens the database, which
// must exist, and takes the port. After an error nothing stays open.
func New(ctx context.Context, s Settings, d Deps) (_ *Server, err error) {
	srv := &Server{settings: s, deps: d}
	defer func() {
		if err != nil {
			err = errors.Join(err, srv.close())
		}
	}()
	if srv.lock, err = hold(s); err != nil {
		return nil, err
	}
	if srv.db, err = open(ctx, s, d.Now, d.Rand); err != nil {
		return nil, err
	}
	if srv.signer, err = newSigner(s, srv.db, d.Now, d.Rand); err != nil {
		return nil, err
	}
	if srv.persons, err = newPersons(s, srv.db, d); err != nil {
		return nil, err
	}
	if srv.matters, err = newMatters(ctx, s, srv.db, srv.signer, srv.persons, d); err != nil {
		return nil, err
	}
	if srv.alert, err = srv.newAlert(); err != nil {
		return nil, err
	}
	srv.money = newMoney(s, srv.db, srv.signer, srv.persons, d)
	if srv.counters, err = newCounters(s, srv.db, srv.money.ledger, srv.money.cards, srv.alert, d); err != nil {
		return nil, err
	}
	srv.rules = rules.New(rules.Config{Store: srv.db, People: srv.persons.people, Random: d.Rand})
	if err := srv.rules.Found(ctx); err != nil {
		return nil, err
	}
	srv.auditor = audit.New(srv.db, d.Log)
	srv.backup = backup.New(backup.Config{Store: srv.db, Source: s.source(), Schedule: s.Backup, Now: d.Now, Location: s.Location, Log: d.Log})
	srv.calls = call.New(call.Config{
		Store: srv.db, Now: d.Now, Log: d.Log,
		Tell:      func(agent uint32, typ string, body any) bool { return srv.hub.Tell(agent, typ, body) },
		Connected: func() map[uint16]uint32 { return srv.hub.Connected() },
	})
	srv.releases, err = rollout.New(ctx, rollout.Config{Store: srv.db, Root: srv.db.Site().Root, Site: s.Site, Folder: s.releases(), Log: d.Log})
	if err != nil {
		return nil, err
	}
	srv.hub = hub.New(hub.Config{Site: s.Site, Now: d.Now, Rand: d.Rand, Log: d.Log, Calls: srv.calls, Programs: srv.releases}, agents{srv.db, srv.money.charges, srv.ingested})
	srv.matters.papers.Prints = srv.hub.Print
	srv.verify = srv.newVerify(s.Location)
	srv.retention = retention.New(retention.Config{
		Store: srv.db, Apply: srv.matters.apply, Policy: s.Retention, Now: d.Now, Location: s.Location,
	})
	handler, err := srv.handler()
	if err != nil {
		return nil, err
	}
	if srv.cert, err = newCertificate(s, srv.db.Site().Root, d); err != nil {
		return nil, err
	}
	srv.http = newHTTP(handler, d.Log)
	srv.http.TLSConfig = srv.cert.config()
	if srv.listener, err = net.Listen("tcp", s.Listen); err != nil {
		return nil, err
	}
	return srv, nil
}

// hold takes the data folder of a site that was founded.
func hold(s Settings) (*os.File, error) {
	if _, err := os.Stat(s.database()); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s; a new site begins with: gateserver init -config FILE", store.ErrNoDatabase, s.database())
	}
	return lockFolder(s.Data)
}

// open opens the database of this site. Another process may have it open too:
// what the commands change a running server sees.
func open(ctx context.Context, s Settings, now func() time.Time, random io.Reader) (*store.Store, error) {
	db, err := store.Open(ctx, s.database(), store.Options{Now: now, Random: random})
	if errors.Is(err, store.ErrNoDatabase) {
		return nil, fmt.Errorf("%w; a new site begins with: gateserver init -config FILE", err)
	}
	if err != nil {
		return nil, err
	}
	if name := db.Site().Name; name != s.Site {
		return nil, errors.Join(fmt.Errorf("the database is of site %q, the configuration says %q", name, s.Site), db.Close())
	}
	return db, nil
}

// handler joins the API, the agents' websocket and the pages.
func (srv *Server) handler() (http.Handler, error) {
	s, d := srv.settings, srv.deps
	calls, err := api.New(api.Deps{
		Store: srv.db, Issue: srv.signer, Auth: auth.New(srv.db, d.Now, d.Rand), Hub: srv.hub, Audit: srv.auditor, Backup: srv.backup, Alert: srv.alert, Retention: srv.retention, Releases: srv.releases,
		Accounts: srv.persons.accounts, People: srv.persons.people, SSO: srv.persons.sso,
		Apply: srv.matters.apply, Notify: srv.matters.notify, Papers: srv.matters.papers, Verify: srv.verify, Rules: srv.rules,
		Cards: srv.money.cards, Ledger: srv.money.ledger, Canteen: srv.money.canteen, Charges: srv.money.charges, Settle: srv.money.settle, Calls: srv.calls,
		Recharge: srv.counters.recharge, Trial: srv.counters.trial, Cash: srv.counters.cash, Utility: srv.counters.utility,
		Now: d.Now, Rand: d.Rand, Log: d.Log, Version: Version, Location: s.Location,
		Site: s.Site, Public: s.Public, Demo: s.SMS.Gateway == gatewayTerminal,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle(wire.Path, srv.hub)
	for _, prefix := range []string{"/api/", "/healthz", "/readyz", "/metrics"} {
		mux.Handle(prefix, calls)
	}
	pages, err := web.New(web.Config{Site: s.Site, Version: Version})
	if err != nil {
		return nil, err
	}
	mux.Handle("/", pages)
	return mux, nil
}

// newHTTP bounds what one connection can hold up.
func newHTTP(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}

// URL is where the server listens.
func (srv *Server) URL() string {
	scheme := "http://"
	if srv.cert != nil {
		scheme = "https://"
	}
	return scheme + srv.listener.Addr().String()
}

// Run serves until ctx ends, which is no error, or until a part fails that the
// server cannot be without. It closes everything.
func (srv *Server) Run(ctx context.Context) error {
	jobs, err := srv.schedule(ctx)
	if err != nil {
		return errors.Join(err, srv.close())
	}
	group, ctx := errgroup.WithContext(ctx)
	ended := func(err error) error {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	group.Go(func() error { return ended(srv.hub.Run(ctx)) })
	group.Go(func() error { return ended(srv.calls.Run(ctx)) })
	group.Go(func() error { return ended(srv.auditor.Run(ctx)) })
	group.Go(func() error { return ended(srv.money.charges.Run(ctx)) })
	group.Go(func() error { return srv.matters.notify.Run(ctx) })
	group.Go(func() error { return srv.alert.Run(ctx) })
	group.Go(srv.serve)
	group.Go(func() error { return srv.watchFeed(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if err := srv.http.Shutdown(grace); err != nil {
			return srv.http.Close() // what is left has had its time
		}
		return nil
	})
	err = group.Wait()
	used := srv.persons.accounts.Flush(context.WithoutCancel(ctx))
	return errors.Join(err, jobs.Shutdown(), used, srv.close())
}

// ingested tells those who follow the gates' events that there are new ones.
func (srv *Server) ingested() {
	srv.auditor.Wake()
	srv.money.charges.Wake()
}

// watchFeed wakes the agents' streams when another process has changed the
// feed, as the rotate command does.
func (srv *Server) watchFeed(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for last := uint64(0); ; {
		if now, err := srv.db.Revision(ctx); err == nil && now != last {
			last = now
			srv.db.Notice()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (srv *Server) serve() error {
	srv.http.ConnState = newCrowd(srv.deps.Log).note
	var err error
	if srv.cert != nil {
		err = srv.http.ServeTLS(srv.listener, "", "")
	} else {
		err = srv.http.Serve(srv.listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// schedule starts what happens by the clock: keys, and what is kept too long.
func (srv *Server) schedule(ctx context.Context) (gocron.Scheduler, error) {
	jobs, err := gocron.NewScheduler()
	if err != nil {
		return nil, err
	}
	add := func(every time.Duration, name string, do func(context.Context) error) {
		_, failed := jobs.NewJob(gocron.DurationJob(every), gocron.NewTask(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				srv.deps.Log.Error("schedule", "job", name, "error", err)
			}
		}), gocron.WithStartAt(gocron.WithStartImmediately()),
			gocron.WithSingletonMode(gocron.LimitModeReschedule)) // a channel or a meter may take its time
		err = errors.Join(err, failed)
	}
	add(keysEvery, "keys", srv.signer.Tick)
	if srv.cert != nil {
		add(certEvery, "certificate", func(context.Context) error { return srv.cert.refresh() })
	}
	add(pruneEvery, "feed", func(ctx context.Context) error {
		return srv.db.PruneFeed(ctx, srv.deps.Now().Add(-feedKept).UnixMilli())
	})
	add(remindEvery, "applications", srv.matters.apply.Tick)
	add(claimsEvery, "claims", srv.verify.Tick)
	add(claimsEvery, "calls", srv.calls.Tick)
	add(alarmsEvery, "alarms", srv.db.EndAlarms)
	add(watchEvery, "devices", srv.alert.Watch)
	add(guardsEvery, "guards", srv.rules.SyncGuards)
	add(cardsEvery, "cards", srv.money.cards.Tick)
	add(cardsEvery, "splits", srv.money.settle.FinishSplits)
	add(askEvery, "recharges", srv.counters.recharge.Tick)
	add(billsEvery, "bills", srv.counters.recharge.TickBills)
	add(askEvery, "utilities", srv.counters.utility.Tick)
	add(passesEvery, "passes", srv.db.FeedPasses)
	add(backupEvery, "backup", srv.backup.Tick)
	add(holdsEvery, "holds", srv.money.ledger.Lapse)
	add(proofEvery, "ledger proof", srv.money.ledger.Nightly)
	add(headEvery, "trail", srv.noteTrail)
	add(usedEvery, "sessions", srv.persons.accounts.Flush)
	add(pruneEvery, "accounts", srv.persons.accounts.Prune)
	add(pruneEvery, "retention", srv.retention.Tick)
	if err != nil {
		return nil, errors.Join(err, jobs.Shutdown())
	}
	jobs.Start()
	return jobs, nil
}

func (srv *Server) close() error {
	var errs []error
	if srv.listener != nil {
		if err := srv.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if srv.db != nil {
		errs = append(errs, srv.db.Close())
	}
	if srv.lock != nil {
		errs = append(errs, srv.lock.Close())
	}
	return errors.Join(errs...)
}
