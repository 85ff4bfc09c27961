package demo

import (
	"embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"campusgate/cmd/internal/campus"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

//go:embed page
var page embed.FS

// Page serves the demo of one campus. Safe for concurrent use.
type Page struct {
	campus *campus.Campus
	now    func() time.Time

	mu     sync.Mutex
	events []campus.Event // the newest, oldest first
	cursor int64
	shown  map[string]*screen // by pass id
	card   *campus.Client     // session of the payer; nil = nobody pays yet

	carrying sync.Mutex // held while the payer signs in
}

// New makes the page of a running campus.
func New(c *campus.Campus, now func() time.Time) *Page {
	return &Page{campus: c, now: now, shown: map[string]*screen{}}
}

// Handler serves the page and its calls. Requests that do not come from the
// page itself are refused.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	files, err := fs.Sub(page, "page")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/state", p.state)
	mux.HandleFunc("POST /api/issue", p.issue)
	mux.HandleFunc("POST /api/live", p.live)
	mux.HandleFunc("POST /api/scan", p.scan)
	mux.HandleFunc("POST /api/network", p.network)
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", p.policy())
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if host, err := url.Parse("http://" + r.Host); err != nil || host.Hostname() != "127.0.0.1" {
			http.Error(w, "this page is served on 127.0.0.1 only", http.StatusForbidden)
			return
		}
		guard.Handler(mux).ServeHTTP(w, r)
	})
}

func (p *Page) policy() string {
	frames := ""
	for _, g := range p.campus.Gates {
		frames += " " + strings.TrimSuffix(g.URL, "/")
	}
	for _, t := range p.campus.Tills {
		frames += " " + strings.TrimSuffix(t.URL, "/")
	}
	return "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; " +
		"base-uri 'none'; frame-ancestors 'none'; frame-src" + frames
}

// gateView, tillView, eventView and stateView are what the page shows.
type gateView struct {
	ID   uint16 `json:"id"`
	Name string `json:"name"`
	URL  string `json:"url"`
}

type tillView struct {
	gateView
	Cashier string `json:"cashier"` // who opens and voids, and by what
	PIN     string `json:"pin"`
}

type eventView struct {
	campus.Event
	Zh    string `json:"zh"` // the reason in words
	En    string `json:"en"`
	Opens bool   `json:"opens"`
}

type stateView struct {
	Cut    bool        `json:"cut"`
	Gates  []gateView  `json:"gates"`
	Tills  []tillView  `json:"tills"`
	Events []eventView `json:"events"`

	BalanceFen *int64 `json:"balance_fen,omitempty"` // of the payer
}

func (p *Page) state(w http.ResponseWriter, r *http.Request) {
	balance := p.balance(r.Context())
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh, next, err := p.campus.Client.Events(r.Context(), p.cursor)
	if err != nil {
		fail(w, http.StatusBadGateway, err)
		return
	}
	p.cursor = next
	for _, e := range fresh {
		if e.Reason != "" { // what was decided about a code
			p.events = append(p.events, e)
		}
	}
	if extra := len(p.events) - 12; extra > 0 {
		p.events = p.events[extra:]
	}
	view := stateView{Cut: p.campus.Network.IsCut(), Tills: []tillView{}, Events: []eventView{}, BalanceFen: balance}
	for _, e := range p.events {
		view.Events = append(view.Events, viewOf(e))
	}
	for _, g := range p.campus.Gates {
		view.Gates = append(view.Gates, gateView{g.ID, g.Name, g.URL})
	}
	for _, t := range p.campus.Tills {
		view.Tills = append(view.Tills, tillView{gateView{t.ID, t.Name, t.URL}, campus.Cashier, campus.CashierPIN})
	}
	reply(w, view)
}

func viewOf(e campus.Event) eventView {
	v := eventView{Event: e, Zh: e.Reason, En: e.Reason}
	if r, err := verdict.ParseReason(e.Reason); err == nil {
		v.Zh, v.En, v.Opens = verdict.TextOf(r, "zh").Title, verdict.TextOf(r, "en").Title, r.Opens()
	}
	if e.Type == string(wire.EventCharge) && v.Opens {
		v.Zh, v.En = "已收款", "Paid"
	}
	return v
}

// scan writes a code into a scanner's tty, ended by CR as a scanner does.
func (p *Page) scan(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Pass string `json:"pass"`
		Text string `json:"text"` // instead of a pass: anything a scanner might read
		Gate uint16 `json:"gate"` // or till
	}
	if !decode(w, r, &in) {
		return
	}
	text := in.Text
	if in.Pass != "" {
		p.mu.Lock()
		if on := p.shown[in.Pass]; on != nil {
			text = on.code
		}
		p.mu.Unlock()
	}
	device, err := p.scanner(in.Gate)
	if err != nil {
		fail(w, http.StatusNotFound, err)
		return
	}
	if err := present(device, text); err != nil {
		fail(w, http.StatusInternalServerError, err)
		return
	}
	reply(w, struct{}{})
}

// present writes a code to the device end of a scanner's cable.
func present(device, text string) error {
	tty, err := os.OpenFile(device, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = tty.WriteString(text + "\r")
	return errors.Join(err, tty.Close())
}

func (p *Page) network(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Cut bool `json:"cut"`
	}
	if !decode(w, r, &in) {
		return
	}
	p.campus.Network.Cut(in.Cut)
	reply(w, struct{}{})
}

func decode(w http.ResponseWriter, r *http.Request, v any) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<14))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		fail(w, http.StatusBadRequest, err)
		return false
	}
	return true
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the page has gone; nothing is left to tell
}

func fail(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"message": err.Error()})
}
