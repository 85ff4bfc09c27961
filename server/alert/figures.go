package alert

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// A Service is a prometheus.Collector.
var (
	descDown   = prometheus.NewDesc("campusgate_devices_down", "Devices that are down for too long while their gates are open.", nil, nil)
	descUntold = prometheus.NewDesc("campusgate_webhook_untold_messages", "Messages that the webhook has yet to take.", nil, nil)
)

// scrapeLimit bounds what the database may take for one look.
const scrapeLimit = 2 * time.Second

// Describe names the metrics.
func (*Service) Describe(ch chan<- *prometheus.Desc) {
	ch <- descDown
	ch <- descUntold
}

// Collect gives the metrics.
func (s *Service) Collect(ch chan<- prometheus.Metric) {
	if s.Store == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	var down float64
	if err := s.Store.Reader().QueryRowContext(ctx, "SELECT count(*) FROM outages WHERE ended_at IS NULL").Scan(&down); err != nil {
		ch <- prometheus.NewInvalidMetric(descDown, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(descDown, prometheus.GaugeValue, down)
	standing, err := s.Standing(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descUntold, err)
		return
	}
	ch <- prometheus.MustNewConstMetric(descUntold, prometheus.GaugeValue, float64(standing.Untold))
}
