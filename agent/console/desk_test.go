package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"campusgate/agent/console"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// The lanes' own desk is one that the console can use.
var _ console.Lanes = (*lane.Desk)(nil)

// actor is a console.Lanes that follows a script: the text of a code says what
// becomes of it.
type actor struct {
	mu      sync.Mutex
	script  map[string]desk.Result // by text
	results []desk.Result          // newest first
	subs    map[chan desk.Result]bool
	n       int
	calls   []string // what was asked, in order
	fail    error    // answers everything
	stuck   chan struct{}

	anyDocument bool // no guideline is known
}

func newDesk() *actor {
	return &actor{script: map[string]desk.Result{}, subs: map[chan desk.Result]bool{}}
}

func (d *actor) Present(ctx context.Context, where, source, text string) (desk.Result, error) {
	d.mu.Lock()
	d.calls = append(d.calls, fmt.Sprintf("present %s %s %s", where, source, text))
	stuck, fail := d.stuck, d.fail
	r, known := d.script[text]
	d.mu.Unlock()
	if stuck != nil {
		select {
		case <-stuck:
		case <-ctx.Done():
			return desk.Result{}, ctx.Err()
		}
	}
	if fail != nil {
		return desk.Result{}, fail
	}
	if !known {
		r = desk.Result{Reason: verdict.Malformed}
	}
	r.Lane, r.Source = where, source
	return d.publish(r), nil
}

func (d *actor) Answer(_ context.Context, id string, documents []string, refuse bool) (desk.Result, error) {
	d.mu.Lock()
	d.calls = append(d.calls, fmt.Sprintf("answer %s %q %v", id, strings.Join(documents, "+"), refuse))
	i := slices.IndexFunc(d.results, func(r desk.Result) bool { return r.ID == id })
	fail := d.fail
	var r desk.Result
	if i >= 0 {
		r = d.results[i]
	}
	d.mu.Unlock()
	switch {
	case fail != nil:
		return desk.Result{}, fail
	case i < 0:
		return desk.Result{}, desk.ErrNoScan
	case refuse && r.Need == verdict.NeedConfirm:
		r.Need, r.Reason, r.Mark = "", verdict.OfflineNotAllowed, ""
		return d.publish(r), nil
	case r.Need != verdict.NeedDocument:
		return desk.Result{}, desk.ErrNotWaiting
	}
	shown := guideline().Beside(r.Kind, documents)
	if shown.Refused = refuse; d.anyDocument {
		shown = (*verdict.Guideline)(nil).Beside(r.Kind, documents)
		shown.Refused = refuse
	}
	return d.publish(decided(r, shown)), nil
}

func (d *actor) Confirm(_ context.Context, id string) (desk.Result, error) {
	d.mu.Lock()
	d.calls = append(d.calls, "confirm "+id)
	i := slices.IndexFunc(d.results, func(r desk.Result) bool { return r.ID == id })
	fail := d.fail
	var r desk.Result
	if i >= 0 {
		r = d.results[i]
	}
	d.mu.Unlock()
	switch {
	case fail != nil:
		return desk.Result{}, fail
	case i < 0:
		return desk.Result{}, desk.ErrNoScan
	case r.Need != verdict.NeedConfirm:
		return desk.Result{}, lane.ErrBadAnswer
	}
	r.Need, r.Reason, r.Opens = "", verdict.Granted, true
	return d.publish(r), nil
}

// decided is what a lane makes of documents.
func decided(r desk.Result, shown verdict.Documents) desk.Result {
	v := verdict.Judge(&verdict.Case{Vouched: true, Document: shown})
	r.Need, r.Reason, r.Opens, r.Rule, r.Documents = "", v.Reason, v.Opens(), v.Rule, shown.Shown
	if r.Barred = shown.Barred; v.Reason == verdict.DocumentIncomplete {
		r.Missing = shown.Missing()
	}
	return r
}

func (d *actor) Enter(_ context.Context, in lane.Entry) (desk.Result, error) {
	d.mu.Lock()
	call := fmt.Sprintf("enter %s %s %s %q", in.Lane, in.Direction, in.Rule, strings.Join(in.Documents, "+"))
	if g := in.Register; g != nil {
		call += fmt.Sprintf(" %s/%s/%s/%s", g.Person, g.Number, g.Relation, g.Staff)
		if g.Ends != nil {
			call += " ends " + g.Ends.String()
		}
	}
	d.calls = append(d.calls, call+" "+in.Note)
	fail := d.fail
	d.mu.Unlock()
	if fail != nil {
		return desk.Result{}, fail
	}
	shown, ok := guideline().Under(in.Rule, in.Documents)
	if !ok {
		return desk.Result{}, lane.ErrNoRule
	}
	r := desk.Result{Lane: in.Lane, Direction: in.Direction, Source: lane.SourceGuard, Vouched: true}
	if in.Register != nil {
		r.Name = in.Register.Person
	}
	return d.publish(decided(r, shown)), nil
}

// guideline is the one that is shipped, as a gate has it.
var guideline = sync.OnceValue(func() *verdict.Guideline {
	raw, err := os.ReadFile("testdata/guideline.json")
	g := new(verdict.Guideline)
	if err == nil {
		err = json.Unmarshal(raw, g)
	}
	if err != nil {
		panic(err)
	}
	return g
})

func (d *actor) Raise(_ context.Context, state wire.AlarmState, source wire.AlarmSource, reason string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf("raise %q %s %s", state, source, reason))
	return d.fail
}

func (d *actor) Annul(_ context.Context, id string) (desk.Result, error) {
	d.mu.Lock()
	d.calls = append(d.calls, "annul "+id)
	i := slices.IndexFunc(d.results, func(r desk.Result) bool { return r.ID == id })
	fail := d.fail
	var r desk.Result
	if i >= 0 {
		r = d.results[i]
	}
	d.mu.Unlock()
	switch {
	case fail != nil:
		return desk.Result{}, fail
	case i < 0:
		return desk.Result{}, desk.ErrNoScan
	case r.Annulled || !r.Opens:
		return desk.Result{}, lane.ErrNotAnnullable
	}
	r.Annulled = true
	return d.publish(r), nil
}

func (d *actor) Recent() []desk.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.results)
}

func (d *actor) Subscribe() (<-chan desk.Result, func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ch := make(chan desk.Result, 1024)
	d.subs[ch] = true
	return ch, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.subs[ch] {
			delete(d.subs, ch)
			close(ch)
		}
	}
}

// stop closes every subscription, as lanes do that end.
func (d *actor) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for ch := range d.subs {
		close(ch)
	}
	clear(d.subs)
}

// publish fills in what a scan always has, and tells the subscribers.
func (d *actor) publish(r desk.Result) desk.Result {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.ID == "" {
		d.n++
		r.ID = fmt.Sprintf("s%d", d.n)
	}
	if r.At == 0 {
		r.At = time.Now().UnixMilli()
	}
	if r.Lane == "" {
		r.Lane, r.Direction, r.Source = "入口", verdict.Entry, "serial"
	}
	if i := slices.IndexFunc(d.results, func(x desk.Result) bool { return x.ID == r.ID }); i >= 0 {
		d.results[i] = r
	} else {
		d.results = append([]desk.Result{r}, d.results...)
	}
	for ch := range maps.Keys(d.subs) {
		ch <- r
	}
	return r
}

func (d *actor) asked() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// gauge is the agent's status, which a test can change.
type gauge struct {
	mu      sync.Mutex
	status  console.Status
	changed chan struct{}
}

func newGauge() *gauge {
	now := time.Now()
	return &gauge{changed: make(chan struct{}, 1), status: console.Status{
		Agent: 7, Epoch: 1, Gate: console.Gate{ID: 3, Name: "北门"}, Site: "示范校园", Software: "1.0",
		Mode: "gate", Documents: "none", Online: true, Since: now.UnixMilli(), Queue: 0,
		Snapshot: console.Snapshot{Revision: 41, At: now.UnixMilli()},
		Clock:    console.Clock{Trusted: true, SyncedAt: now.UnixMilli()},
		Lanes: []console.Lane{{
			Name: "入口", Direction: "in",
			Scanner: console.Scanner{Driver: "serial", State: "ok", Since: now.UnixMilli()},
			Barrier: console.Barrier{Driver: "lcus", State: "ok"},
		}},
	}}
}

func (g *gauge) get() console.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.status
	s.Now = time.Now().UnixMilli()
	s.Lanes = slices.Clone(s.Lanes)
	s.Devices = slices.Clone(s.Devices)
	for _, l := range s.Lanes {
		s.Devices = append(s.Devices,
			console.Device{Lane: l.Name, Kind: "scanner", Driver: l.Scanner.Driver, State: l.Scanner.State, Since: l.Scanner.Since, Detail: l.Scanner.Detail},
			console.Device{Lane: l.Name, Kind: "barrier", Driver: l.Barrier.Driver, State: l.Barrier.State, Detail: l.Barrier.Detail})
	}
	return s
}

func (g *gauge) set(change func(*console.Status)) {
	g.mu.Lock()
	change(&g.status)
	g.mu.Unlock()
	select {
	case g.changed <- struct{}{}:
	default:
	}
}

// served runs a console over a desk and a status until the test ends.
func served(t *testing.T, d *actor, g *gauge, change func(*console.Config)) *httptest.Server {
	t.Helper()
	cfg := console.Config{Lanes: d, Status: g.get, StatusChanged: g.changed, Guideline: guideline, Rand: strings.NewReader(strings.Repeat("request!", 4096))}
	if change != nil {
		change(&cfg)
	}
	c, err := console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	srv := httptest.NewServer(c.Handler())
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	return srv
}

var site = fstest.MapFS{
	"index.html":         {Data: []byte("<!doctype html><title>page</title>")},
	"assets/main-abc.js": {Data: []byte("1")},
}

// The people of the script are invented.
var (
	granted = desk.Result{
		Reason: verdict.Granted, Opens: true, Pass: signing.PassID{1}, Kind: signing.ResidentSingle, Name: "欧阳明月", Doc4: "3047",
		ValidFrom: 1795190400, ValidUntil: 1795363200,
	}
	denied = desk.Result{
		Reason: verdict.Revoked, Pass: signing.PassID{2}, Kind: signing.Work, Name: "陆知行", Doc4: "118X",
		ValidFrom: 1790956800, ValidUntil: 1798819200,
	}
	question = desk.Result{
		Reason: verdict.NeedsInput, Need: verdict.NeedDocument, Pass: signing.PassID{3}, Kind: signing.Work, Name: "苏念安", Doc4: "5521",
		ValidFrom: 1790956800, ValidUntil: 1798819200,
	}
)

func used(ago time.Duration) desk.Result {
	r := granted
	r.Reason, r.Opens = verdict.AlreadyUsed, false
	r.FirstUse = &desk.FirstUse{At: time.Now().Add(-ago).UnixMilli(), Gate: 5, GateName: "东门"}
	return r
}
