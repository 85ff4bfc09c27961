//go:build linux

package nets_test

import (
	"bufio"
	"bytes"
	"strconv"
	"strings"
)

// figures reads the lines without labels of what /metrics says.
func figures(text []byte) map[string]float64 {
	values := map[string]float64{}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), " ")
		if v, err := strconv.ParseFloat(value, 64); ok && err == nil {
			values[name] = v
		}
	}
	return values
}
