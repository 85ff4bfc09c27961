package campus_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	"campusgate/cmd/internal/bench"
)

// The figures of submitting are taken of the real server; here only as few as
// can be. None got a pass twice, or there would be no figure.
func TestFigures_OfSubmittingAreTaken(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	err := bench.Measure(t.Context(), bench.Options{
		Quick: true, Tiny: true, Only: []string{"submit"}, Dir: t.TempDir(), Bin: bin, Now: time.Now, Rand: rand.Reader,
	}, &out)
	if err != nil {
		t.Fatal(err)
	}
	limits := map[string]float64{"submit_500_at_once": 5, "submit_50_a_second_p50": 0, "submit_50_a_second_p99": 300}
	for lines := json.NewDecoder(&out); lines.More(); {
		var f struct {
			Name         string
			Value, Limit float64
		}
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		if limit, ours := limits[f.Name]; ours && f.Value > 0 && f.Limit == limit {
			delete(limits, f.Name)
		}
	}
	if len(limits) > 0 {
		t.Errorf("no figure, or another limit: %v", limits)
	}
}
