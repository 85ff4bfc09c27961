package charges

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/signing/verdict"
)

// counts is what happened since the start of the process.
type counts struct {
	posted, voids, late, duplicates, debts, afterLoss, quarantined atomic.Uint64
	granted, refused, silent                                       atomic.Uint64
}

func (c *counts) add(n *tally) {
	c.posted.Add(n.posted)
	c.voids.Add(n.voids)
	c.late.Add(n.late)
	c.duplicates.Add(n.duplicates)
	c.debts.Add(n.debts)
	c.afterLoss.Add(n.afterLoss)
	c.quarantined.Add(n.quarantined)
}

func (c *counts) answered(state verdict.ClaimState) {
	switch state {
	case verdict.ClaimGranted:
		c.granted.Add(1)
	case verdict.ClaimRefused:
		c.refused.Add(1)
	default:
		c.silent.Add(1)
	}
}

// A Service is a prometheus.Collector.
var (
	descPending = prometheus.NewDesc("campusgate_charges_pending_events",
		"Uploaded events whose money has yet to be posted, at most.", nil, nil)
	descPosted = prometheus.NewDesc("campusgate_charges_posted_total",
		"Charges and voids posted since the start.", []string{"kind"}, nil)
	descMarked = prometheus.NewDesc("campusgate_charges_marked_total",
		"Charges posted since the start that were late, further ones of a proof, partly a debt, or after a loss.", []string{"mark"}, nil)
	descQuarantined = prometheus.NewDesc("campusgate_charges_quarantined_total",
		"Events put aside since the start, since no money could be read in them.", nil, nil)
	descAnswers = prometheus.NewDesc("campusgate_charges_answers_total",
		"Answers to tills since the start.", []string{"state"}, nil)
)

// scrapeLimit bounds what the database may take for one look.
const scrapeLimit = 2 * time.Second

// Describe names the metrics.
func (s *Service) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descPending, descPosted, descMarked, descQuarantined, descAnswers} {
		ch <- d
	}
}

// Collect gives the metrics.
func (s *Service) Collect(ch chan<- prometheus.Metric) {
	count := func(d *prometheus.Desc, n *atomic.Uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n.Load()), labels...)
	}
	count(descPosted, &s.counts.posted, kindCharge)
	count(descPosted, &s.counts.voids, kindVoid)
	count(descMarked, &s.counts.late, "late")
	count(descMarked, &s.counts.duplicates, "duplicate")
	count(descMarked, &s.counts.debts, "debt")
	count(descMarked, &s.counts.afterLoss, "after_loss")
	count(descQuarantined, &s.counts.quarantined)
	count(descAnswers, &s.counts.granted, "granted")
	count(descAnswers, &s.counts.refused, "refused")
	count(descAnswers, &s.counts.silent, "silent")

	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	pending, err := s.Pending(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descPending, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(descPending, prometheus.GaugeValue, float64(pending))
}

// Pending is how many uploaded events have yet to be looked at for money, at
// most.
func (s *Service) Pending(ctx context.Context) (int64, error) {
	last, err := position(ctx, s.Store.Reader(), "position")
	if err != nil {
		return 0, err
	}
	followed, err := position(ctx, s.Store.Reader(), "charges_followed")
	return last - followed, err
}
