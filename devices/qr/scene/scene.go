// Package scene draws frames as a camera sees codes that people hold up: tilted,
// blurred, faint. It is for tests, and decides nothing.
package scene

import (
	"image"
	"math/rand/v2"

	"github.com/skip2/go-qrcode"
)

// Scene is a frame with at most one code in it.
type Scene struct {
	// Text is in the code; "" = there is no code.
	Text string
	// W and H are the size of the frame in pixels.
	W, H int
	// Dark and Light are the two levels of the screen, 0 to 255.
	Dark, Light float64
	// Corners are where the code's are, as shares of the frame: top left, top
	// right, bottom right, bottom left. The quiet zone is inside.
	Corners [4][2]float64
	// Blur is the reach of a lens out of focus, in pixels.
	Blur int
	// Noise is the deviation of every pixel.
	Noise float64
	// Inverted exchanges Dark and Light.
	Inverted bool
	// Shadow is how much darker the right edge is, as a share.
	Shadow float64
}

// Straight is a code in the middle of a frame of 640 by 480.
func Straight(text string) Scene {
	return Scene{
		Text: text, W: 640, H: 480, Dark: 30, Light: 220,
		Corners: [4][2]float64{{0.2, 0.1}, {0.8, 0.1}, {0.8, 0.9}, {0.2, 0.9}},
	}
}

// All are a text's codes as people show them, by name.
func All(text string) map[string]Scene {
	tilt := Straight(text)
	tilt.Corners = [4][2]float64{{0.25, 0.15}, {0.75, 0.1}, {0.85, 0.95}, {0.12, 0.88}}
	turned := Straight(text)
	turned.Corners = [4][2]float64{{0.5, 0.02}, {0.86, 0.5}, {0.5, 0.98}, {0.14, 0.5}}
	blurred := Straight(text)
	blurred.Blur, blurred.Noise = 2, 2
	faint := Straight(text)
	faint.Dark, faint.Light, faint.Noise = 110, 135, 2
	shadow := Straight(text)
	shadow.Shadow, shadow.Noise = 0.85, 2
	inverted := Straight(text)
	inverted.Inverted = true
	large := Straight(text)
	large.W, large.H = 1280, 720
	return map[string]Scene{
		"straight": Straight(text), "tilt": tilt, "turned": turned, "blurred": blurred, "faint": faint,
		"shadow": shadow, "inverted": inverted, "large": large,
	}
}

// Draw draws the frame; the same scene gives the same pixels. A text that no code
// holds is an error.
func (s Scene) Draw() (*image.Gray, error) {
	var modules [][]bool
	if s.Text != "" {
		code, err := qrcode.New(s.Text, qrcode.Medium)
		if err != nil {
			return nil, err
		}
		modules = code.Bitmap() // with a quiet zone of four
	}
	level := s.levels(modules)
	random := rand.New(rand.NewPCG(1, 2))
	frame := image.NewGray(image.Rect(0, 0, s.W, s.H))
	for i := range frame.Pix {
		v := s.around(level, i%s.W, i/s.W) + s.Noise*random.NormFloat64()
		frame.Pix[i] = byte(max(0, min(v, 255)))
	}
	return frame, nil
}

// levels are the frame before the lens.
func (s Scene) levels(modules [][]bool) []float64 {
	n := float64(len(modules))
	place := s.inverse()
	level := make([]float64, s.W*s.H)
	for i := range level {
		x, y := i%s.W, i/s.W
		dark := false
		if u, v := place(float64(x)+0.5, float64(y)+0.5); n > 0 && u >= 0 && u < 1 && v >= 0 && v < 1 {
			dark = modules[int(v*n)][int(u*n)]
		}
		level[i] = s.Light
		if dark != s.Inverted {
			level[i] = s.Dark
		}
		level[i] *= 1 - s.Shadow*float64(x)/float64(s.W)
	}
	return level
}

// around is the mean of the square that the blur reaches.
func (s Scene) around(level []float64, x, y int) float64 {
	sum, n := 0.0, 0.0
	for j := max(0, y-s.Blur); j <= min(y+s.Blur, s.H-1); j++ {
		for _, v := range level[j*s.W+max(0, x-s.Blur) : j*s.W+min(x+s.Blur, s.W-1)+1] {
			sum, n = sum+v, n+1
		}
	}
	return sum / n
}

// inverse maps the frame to the unit square that the corners span: the inverse of
// the projective map of that square to them.
func (s Scene) inverse() func(x, y float64) (u, v float64) {
	var p [4][2]float64
	for i, c := range s.Corners {
		p[i] = [2]float64{c[0] * float64(s.W), c[1] * float64(s.H)}
	}
	sx, sy := p[0][0]-p[1][0]+p[2][0]-p[3][0], p[0][1]-p[1][1]+p[2][1]-p[3][1]
	dx1, dy1 := p[1][0]-p[2][0], p[1][1]-p[2][1]
	dx2, dy2 := p[3][0]-p[2][0], p[3][1]-p[2][1]
	det := dx1*dy2 - dx2*dy1
	g, h := (sx*dy2-dx2*sy)/det, (dx1*sy-sx*dy1)/det
	a, b, c := p[1][0]-p[0][0]+g*p[1][0], p[3][0]-p[0][0]+h*p[3][0], p[0][0]
	d, e, f := p[1][1]-p[0][1]+g*p[1][1], p[3][1]-p[0][1]+h*p[3][1], p[0][1]
	return func(x, y float64) (float64, float64) {
		u := (e-f*h)*x + (c*h-b)*y + b*f - c*e
		v := (f*g-d)*x + (a-c*g)*y + c*d - a*f
		w := (d*h-e*g)*x + (b*g-a*h)*y + a*e - b*d
		return u / w, v / w
	}
}
