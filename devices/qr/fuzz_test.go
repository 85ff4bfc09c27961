package qr_test

import (
	"image"
	"path/filepath"
	"testing"

	"campusgate/devices/qr"
)

// Whatever a frame shows, reading it ends, and gives whole texts or none.
func FuzzFrame(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", "FuzzFrame", "*"))
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no committed seeds: %v, %v", seeds, err)
	}
	f.Fuzz(func(t *testing.T, width uint16, pixels []byte) {
		w := int(width)%640 + 1
		p := image.NewGray(image.Rect(0, 0, w, min(480, len(pixels)/w)))
		copy(p.Pix, pixels)
		var d qr.Decoder
		for range 3 {
			for _, text := range d.Frame(p) {
				if text == "" {
					t.Error("an empty text")
				}
			}
		}
	})
}
