package recharge

import (
	"context"
	"database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"campusgate/server/store"
)

// A Service is a prometheus.Collector.
var (
	descOpen = prometheus.NewDesc("campusgate_recharge_issues_open",
		"Findings about recharges that nobody has resolved.", []string{"kind"}, nil)
	descFound = prometheus.NewDesc("campusgate_recharge_issues_total",
		"Findings about recharges, ever.", []string{"kind"}, nil)
	descDiffers = prometheus.NewDesc("campusgate_recharge_bill_differences",
		"Where bills of channels and our orders do not agree, by the last comparison of each day.", []string{"kind"}, nil)
)

// scrapeLimit bounds what the database may take for one look.
const scrapeLimit = 2 * time.Second

// kinds of issues and of differences: each has a figure, though it be 0.
var (
	issueKinds      = []string{Mismatch, AccountClosed, PaidTwice, PartRefund, RefundUnknown, NotPosted}
	differenceKinds = []string{MissingHere, MissingThere, Differs}
)

// Describe names the metrics.
func (*Service) Describe(ch chan<- *prometheus.Desc) {
	ch <- descOpen
	ch <- descFound
	ch <- descDiffers
}

// Collect gives the metrics.
func (s *Service) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	all, err := s.counted(ctx, "SELECT kind, count(*) FROM recharge_issues GROUP BY kind")
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descFound, err)
		return
	}
	open, err := s.counted(ctx, "SELECT kind, count(*) FROM recharge_issues WHERE resolved_at IS NULL GROUP BY kind")
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descOpen, err)
		return
	}
	differ, err := s.counted(ctx, "SELECT kind, count(*) FROM bill_differences GROUP BY kind")
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descDiffers, err)
		return
	}
	for _, kind := range issueKinds {
		ch <- prometheus.MustNewConstMetric(descFound, prometheus.CounterValue, all[kind], kind)
		ch <- prometheus.MustNewConstMetric(descOpen, prometheus.GaugeValue, open[kind], kind)
	}
	for _, kind := range differenceKinds {
		ch <- prometheus.MustNewConstMetric(descDiffers, prometheus.GaugeValue, differ[kind], kind)
	}
}

func (s *Service) counted(ctx context.Context, query string) (map[string]float64, error) {
	by := map[string]float64{}
	_, err := store.List(ctx, s.Store.Reader(), func(rows *sql.Rows) (struct{}, error) {
		var kind string
		var n float64
		err := rows.Scan(&kind, &n)
		by[kind] = n
		return struct{}{}, err
	}, query)
	return by, err
}
