package bench

import (
	"math"
	"strconv"
)

// What the ratio of a Figure is to, and what its limit is compared with.
const (
	ofBaseline = "baseline" // ratio = value / baseline; the limit bounds the ratio
	ofLimit    = "limit"    // ratio = value / limit; the limit bounds the value
)

// Figure is one line of the output.
type Figure struct {
	Name  string `json:"name"`
	Value Number `json:"value"`
	Unit  string `json:"unit"`
	Limit Number `json:"limit,omitzero"`
	Min   bool   `json:"min,omitempty"` // the limit is the least, not the most
	Ratio Number `json:"ratio,omitzero"`
	Of    string `json:"of,omitempty"`
	// Baseline is what the peer took, in the same unit, and Peer what it is.
	Baseline Number `json:"baseline,omitzero"`
	Peer     string `json:"peer,omitempty"`
	Within   *bool  `json:"within,omitempty"` // whether the limit is kept
	CPUs     int    `json:"cpus,omitempty"`   // with load
}

// Number prints with four significant digits.
type Number float64

// MarshalJSON implements json.Marshaler. A Number that is not finite is an
// error of whoever made it; it prints as null.
func (n Number) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', 4, 64), 64)
	if err != nil {
		return nil, err
	}
	return strconv.AppendFloat(nil, rounded, 'f', -1, 64), nil
}

// against completes a figure whose limit bounds the ratio to a peer.
func (f Figure) against(peer string, baseline, limit float64) Figure {
	f.Of, f.Peer, f.Baseline, f.Limit = ofBaseline, peer, Number(baseline), Number(limit)
	f.Ratio = f.Value / f.Baseline
	return f.compared(f.Ratio)
}

// atMost completes a figure whose limit bounds the value itself.
func (f Figure) atMost(limit float64) Figure {
	f.Of, f.Limit = ofLimit, Number(limit)
	f.Ratio = f.Value / f.Limit
	return f.compared(f.Value)
}

func (f Figure) compared(n Number) Figure {
	kept := n <= f.Limit
	if f.Min {
		kept = n >= f.Limit
	}
	f.Within = &kept
	return f
}
