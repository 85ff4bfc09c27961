package drivers

import (
	"campusgate/devices"
	"campusgate/devices/camera"
)

// networkCamera: a camera that gives a stream or snapshots over HTTP.
func networkCamera(c ScannerConfig) (devices.Scanner, error) {
	return camera.NewScanner(camera.Config{URL: c.Path, Debounce: c.Debounce, Now: c.Now})
}
