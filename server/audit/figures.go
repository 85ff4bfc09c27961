package audit

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Figures is how far the work has come, and what it has found.
type Figures struct {
	Pending       int64  // events that were taken in and have yet to be judged, at most
	Disagreements int64  // held events on which server and gate differ
	Judged        uint64 // scans judged since the start of the process, again included
}

// Figures asks the database.
func (a *Auditor) Figures(ctx context.Context) (f Figures, err error) {
	judged, err := a.store.Judged(ctx)
	if err != nil {
		return f, err
	}
	last, err := a.store.LastPosition(ctx)
	if err != nil {
		return f, err
	}
	differ, err := a.store.Disagreements(ctx)
	if err != nil {
		return f, err
	}
	f.Pending, f.Judged = last-judged, a.judged.Load()
	for _, d := range differ {
		f.Disagreements += d.Events
	}
	return f, nil
}

// An Auditor is a prometheus.Collector. The labels are names of reasons.
var (
	descPending = prometheus.NewDesc("campusgate_audit_pending_events",
		"Uploaded events that have yet to be judged again.", nil, nil)
	descJudged = prometheus.NewDesc("campusgate_audit_judged_total",
		"Scans judged again since the start.", nil, nil)
	descDiffer = prometheus.NewDesc("campusgate_audit_disagreements",
		"Events on record on which the server differs from the gate.", []string{"gate_said", "server_says"}, nil)
)

// scrapeLimit bounds what the database may take for one look.
const scrapeLimit = 2 * time.Second

// Describe names the metrics.
func (a *Auditor) Describe(ch chan<- *prometheus.Desc) {
	ch <- descPending
	ch <- descJudged
	ch <- descDiffer
}

// Collect asks the database, so that a figure is never older than the
// question. What cannot be read is reported as an error of the metric.
func (a *Auditor) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	ch <- prometheus.MustNewConstMetric(descJudged, prometheus.CounterValue, float64(a.judged.Load()))

	f, err := a.Figures(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descPending, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(descPending, prometheus.GaugeValue, float64(f.Pending))
	differ, err := a.store.Disagreements(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descDiffer, err)
		return
	}
	for _, d := range differ {
		ch <- prometheus.MustNewConstMetric(descDiffer, prometheus.GaugeValue, float64(d.Events),
			d.Reason.String(), d.Opinion.String())
	}
}
