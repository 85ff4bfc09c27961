package console

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"campusgate/agent/desk"
	"campusgate/signing/verdict"
)

// metrics are what the console knows. The only labels are a reason and a kind of
// device: names, passes and codes never become one.
type metrics struct {
	scans   *prometheus.CounterVec
	feeds   prometheus.Gauge
	dropped prometheus.Counter
}

func newMetrics(registry prometheus.Registerer, status func() Status) (*metrics, error) {
	m := &metrics{
		scans: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "campusgate_scans_total", Help: "Results of scans, by reason; an annulled admission counts once more as annulled.",
		}, []string{"reason"}),
		feeds: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "campusgate_feeds", Help: "Pages that are connected to the feed.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "campusgate_feeds_dropped_total", Help: "Feeds closed because the page did not keep up.",
		}),
	}
	err := errors.Join(registry.Register(m.scans), registry.Register(m.feeds), registry.Register(m.dropped),
		registry.Register(gauges{status}),
		registry.Register(collectors.NewGoCollector()), registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})))
	for _, r := range verdict.Reasons() {
		m.scans.WithLabelValues(r.String())
	}
	return m, err
}

func (m *metrics) count(r desk.Result) {
	if r.Passage == desk.WentThrough && !r.Annulled {
		return // it was counted when the lane was opened
	}
	reason := r.Reason
	if r.Annulled {
		reason = verdict.Annulled
	}
	m.scans.WithLabelValues(reason.String()).Inc()
}

// gauges reads the status when it is asked to, so that a figure is never
// older than the question.
type gauges struct{ status func() Status }

var (
	gaugeOnline   = prometheus.NewDesc("campusgate_online", "1 while the link to the server is up.", nil, nil)
	gaugeQueue    = prometheus.NewDesc("campusgate_queue_events", "Events that the server has not acknowledged.", nil, nil)
	gaugeSnapshot = prometheus.NewDesc("campusgate_snapshot_age_seconds", "Age of what the agent knows of the server's lists.", nil, nil)
	gaugeClock    = prometheus.NewDesc("campusgate_clock_trusted", "1 while the agent's clock can be relied on.", nil, nil)
	gaugeOffset   = prometheus.NewDesc("campusgate_clock_offset_seconds", "Server time minus this computer's.", nil, nil)
	gaugeScanners = prometheus.NewDesc("campusgate_scanners_lost", "Scanners that are not there.", nil, nil)
	gaugeBarriers = prometheus.NewDesc("campusgate_barriers_lost", "Barriers that are not there.", nil, nil)
	gaugeUnwell   = prometheus.NewDesc("campusgate_devices_unwell", "Devices that are lost, stuck, silent or garbled, by kind.", []string{"kind"}, nil)
)

func (gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gaugeOnline, gaugeQueue, gaugeSnapshot, gaugeClock, gaugeOffset, gaugeScanners, gaugeBarriers, gaugeUnwell} {
		ch <- d
	}
}

func (g gauges) Collect(ch chan<- prometheus.Metric) {
	s := g.status()
	scanners, barriers := 0, 0
	unwell := map[string]int{}
	for _, l := range s.Lanes {
		if l.Scanner.State == stateLost {
			scanners++
		}
		if l.Barrier.State == stateLost {
			barriers++
		}
	}
	for _, d := range s.Devices {
		unwell[d.Kind] += int(1 - truth(d.State == stateOK || d.State == stateStarting))
	}
	put := func(d *prometheus.Desc, v float64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	put(gaugeOnline, truth(s.Online))
	put(gaugeQueue, float64(s.Queue))
	put(gaugeSnapshot, float64(s.Snapshot.AgeMS)/1000)
	put(gaugeClock, truth(s.Clock.Trusted))
	put(gaugeOffset, float64(s.Clock.OffsetMS)/1000)
	put(gaugeScanners, float64(scanners))
	put(gaugeBarriers, float64(barriers))
	for kind, n := range unwell {
		ch <- prometheus.MustNewConstMetric(gaugeUnwell, prometheus.GaugeValue, float64(n), kind)
	}
}

// States of package devices, as they stand in a Status.
const (
	stateStarting = "starting"
	stateOK       = "ok"
	stateLost     = "lost"
)

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
