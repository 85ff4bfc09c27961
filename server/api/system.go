package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"campusgate/signing/wire"
)

const documentPath = "/api/openapi.json"

// publicPaths are the only ones that need nobody.
var publicPaths = []string{
	wire.EnrolPath, documentPath, "/healthz", "/readyz", "/metrics",
	loginPath + "/ways", loginPath + "/code", loginPath + "/phone", loginPath + "/password", loginPath + "/link",
	callbackPath,
	loginPath + "/oidc/{id}", loginPath + "/oidc/{id}/callback", loginPath + "/cas/{id}", loginPath + "/cas/{id}/callback",
}

// Status is the answer of /healthz and /readyz.
type Status struct {
	Status  string `json:"status"`
	Version string `json:"version"`
}

type statusOutput struct{ Body Status }

type documentOutput struct{ Body json.RawMessage }

func (a *API) systemRoutes() {
	add(a, route{
		method: http.MethodGet, path: "/healthz", scope: public, id: "healthz", text: "进程在运行 The process runs",
	}, func(context.Context, *struct{}) (*statusOutput, error) { return a.status(), nil })
	add(a, route{
		method: http.MethodGet, path: "/readyz", scope: public, id: "readyz",
		text: "可以签发和接收记录 Passes can be issued and events taken in",
	}, a.ready)
	document := sync.OnceValues(func() (json.RawMessage, error) { return json.Marshal(a.OpenAPI()) })
	add(a, route{
		method: http.MethodGet, path: documentPath, scope: public, id: "openapi", text: "本文档 This document",
	}, func(context.Context, *struct{}) (*documentOutput, error) {
		doc, err := document()
		return &documentOutput{doc}, err
	})
	a.metricsRoute()
}

func (a *API) status() *statusOutput { return &statusOutput{Status{Status: "ok", Version: a.Version}} }

func (a *API) ready(ctx context.Context, _ *struct{}) (*statusOutput, error) {
	for what, check := range map[string]func(context.Context) error{"database": a.Store.Ping, "keys": a.Issue.Ready} {
		if err := check(ctx); err != nil {
			a.Log.Error("not ready", "part", what, "err", err)
			p := newProblem(ctx, http.StatusServiceUnavailable, "not_ready", "服务器未就绪 the server is not ready")
			p.Details["part"] = what
			return nil, p
		}
	}
	return a.status(), nil
}

// counts are the API's own figures.
type counts struct {
	requests, internal atomic.Uint64
}

// metricsRoute serves the figures of all parts in the text form of Prometheus.
// It is documented by hand, since its answer is no JSON.
func (a *API) metricsRoute() {
	registry := prometheus.NewRegistry()
	registry.MustRegister(figures{a}, a.Charges, a.Recharge, a.Alert, a.Backup, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if a.Audit != nil {
		registry.MustRegister(a.Audit)
	}
	h := promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	a.mux.HandleFunc("GET /metrics", h.ServeHTTP)
	a.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "metrics", Method: http.MethodGet, Path: "/metrics", Summary: "监控数据 Figures for Prometheus",
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"500": {Description: "figures cannot be read"},
		},
	})
}

// figures collects what the store and the hub have counted. The only labels
// are names of reasons.
type figures struct{ *API }

var (
	descEvents    = prometheus.NewDesc("campusgate_events_total", "Events taken in since the start, by the gate's reason.", []string{"reason"}, nil)
	descAlarms    = prometheus.NewDesc("campusgate_alarms_total", "Records that did not fit and claims that contradict themselves, since the start.", nil, nil)
	descGranted   = prometheus.NewDesc("campusgate_claims_granted_total", "Claims that the server granted, since the start.", nil, nil)
	descUsed      = prometheus.NewDesc("campusgate_claims_used_total", "Claims answered with used, since the start.", nil, nil)
	descSilent    = prometheus.NewDesc("campusgate_claims_silent_total", "Claims not decided, since the start.", nil, nil)
	descRevision  = prometheus.NewDesc("campusgate_feed_revision", "Last revision of the feed.", nil, nil)
	descUnheard   = prometheus.NewDesc("campusgate_unheard_agents", "Agents that a restored server has yet to hear of.", nil, nil)
	descGaps      = prometheus.NewDesc("campusgate_journal_gaps", "Runs of events that nobody has any more.", nil, nil)
	descConnected = prometheus.NewDesc("campusgate_agents_connected", "Agents connected now.", nil, nil)
	descQueue     = prometheus.NewDesc("campusgate_agents_queue_events", "Events that agents have yet to upload, by their own reports.", nil, nil)
	descRequests  = prometheus.NewDesc("campusgate_http_requests_total", "Calls of the API since the start.", nil, nil)
	descInternal  = prometheus.NewDesc("campusgate_http_internal_errors_total", "Calls that ended in an internal error, since the start.", nil, nil)
)

// Describe names the metrics.
func (figures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descEvents, descAlarms, descGranted, descUsed, descSilent, descRevision, descUnheard, descGaps, descConnected, descQueue, descRequests, descInternal,
	} {
		ch <- d
	}
}

// Collect reads them.
func (f figures) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
	s := f.Store.Stats()
	for reason, n := range s.Events {
		if n > 0 {
			count(descEvents, n, reason.String())
		}
	}
	count(descAlarms, s.Alarms)
	count(descGranted, s.Granted)
	count(descUsed, s.Used)
	count(descSilent, s.Silent)
	count(descRequests, f.counts.requests.Load())
	count(descInternal, f.counts.internal.Load())
	var connected, queue uint64
	for _, st := range f.Hub.States() {
		if st.Connected {
			connected++
		}
		queue += st.Queue
	}
	gauge(descConnected, connected)
	gauge(descQueue, queue)
	revision, err := f.Store.Revision(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descRevision, fmt.Errorf("revision: %w", err))
		return
	}
	gauge(descRevision, revision)
	unheard, err := f.Store.Unheard(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descUnheard, fmt.Errorf("unheard: %w", err))
		return
	}
	gauge(descUnheard, uint64(len(unheard)))
	gaps, err := f.Store.Gaps(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descGaps, fmt.Errorf("gaps: %w", err))
		return
	}
	gauge(descGaps, uint64(len(gaps)))
}
