package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// handle is a handler that returns what it could not answer.
type handle func(http.ResponseWriter, *http.Request) error

func (c *Console) routes(gather prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	add := func(path string, methods map[string]handle) {
		for method, h := range methods {
			c.patterns = append(c.patterns, method+" "+path)
			if c.kiosk != nil && strings.HasPrefix(path, "/api/v1/") && !kioskOpen[method+" "+path] {
				methods[method] = c.keyed(h)
			}
		}
		mux.Handle(path, c.methods(methods))
	}
	get := func(path string, h handle) { add(path, map[string]handle{http.MethodGet: h}) }

	get("/api/v1/status", c.getStatus)
	get("/api/v1/texts", c.getTexts)
	get("/api/v1/feed", c.getFeed)
	add("/api/v1/scans", map[string]handle{http.MethodGet: c.getScans, http.MethodPost: c.postScan})
	add("/api/v1/frames", map[string]handle{http.MethodPost: c.frames()})
	add("/api/v1/shift", map[string]handle{http.MethodPost: c.postShift, http.MethodDelete: c.deleteShift})
	c.serviceRoutes(add)
	if c.till != nil {
		add("/api/v1/scans/{id}/answer", map[string]handle{http.MethodPost: c.postConfirm})
		get("/api/v1/till", c.getTill)
		add("/api/v1/till/sale", map[string]handle{http.MethodPut: c.putSale, http.MethodDelete: c.deleteSale})
		get("/api/v1/till/charges", c.getCharges)
		add("/api/v1/till/charges/{event}/void", map[string]handle{http.MethodPost: c.postVoid})
		add("/api/v1/till/batch/{move}", map[string]handle{http.MethodPost: c.postBatch})
		get("/api/v1/till/batches", c.getBatches)
		add("/api/v1/till/charges/{event}/print", map[string]handle{http.MethodPost: c.postReceipt})
		add("/api/v1/till/batches/{number}/print", map[string]handle{http.MethodPost: c.postReport})
	} else {
		add("/api/v1/scans/{id}/answer", map[string]handle{http.MethodPost: c.postAnswer})
		add("/api/v1/scans/{id}/annul", map[string]handle{http.MethodPost: c.postAnnul})
		add("/api/v1/entries", map[string]handle{http.MethodPost: c.postEntry})
		get("/api/v1/registers", c.getRegisters)
		add("/api/v1/emergency", map[string]handle{http.MethodPost: c.postEmergency})
		get("/api/v1/passes", c.getPasses)
		get("/api/v1/calls", c.getCalls)
		add("/api/v1/calls/{id}/answer", map[string]handle{http.MethodPost: c.postCallAnswer})
	}
	if c.kiosk != nil {
		get("/api/v1/kiosk/feed", c.getKioskFeed)
		add("/api/v1/kiosk/calls", map[string]handle{http.MethodPost: c.postKioskCall})
		add("/api/v1/kiosk/calls/{id}/cancel", map[string]handle{http.MethodPost: c.postKioskCancel})
	}
	add("/api/v1/lanes/{name}/trigger", map[string]handle{http.MethodPost: c.postTrigger})
	get("/api/", func(http.ResponseWriter, *http.Request) error { return &notFound })
	get("/healthz", c.alive)
	get("/readyz", c.ready)
	metrics := promhttp.HandlerFor(gather, promhttp.HandlerOpts{})
	get("/metrics", func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
	get("/", c.getPage)
	return mux
}

// methods picks the handler of a method, and answers the others in JSON as
// everything else here does.
func (c *Console) methods(by map[string]handle) http.Handler {
	allow := slices.Sorted(maps.Keys(by))
	if by[http.MethodGet] != nil {
		allow = append(allow, http.MethodHead)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		h := by[method]
		if h == nil {
			w.Header().Set("Allow", strings.Join(allow, ", "))
			c.fail(w, r, badMethod.with("allow", allow))
			return
		}
		if err := h(w, r); err != nil {
			c.fail(w, r, err)
		}
	})
}

// alive: the program runs and answers.
func (c *Console) alive(w http.ResponseWriter, _ *http.Request) error {
	c.answer(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// ready: the lanes deliver results to the pages. Being offline is no reason to
// be unready, a gate works without the server.
func (c *Console) ready(w http.ResponseWriter, _ *http.Request) error {
	if !c.hub.running() {
		c.answer(w, http.StatusServiceUnavailable, map[string]string{"status": "starting"})
		return nil
	}
	c.answer(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}
