package qr_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/common/reedsolomon"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
	"github.com/makiuchi-d/gozxing/qrcode/encoder"
	goqr "github.com/skip2/go-qrcode"
	"pgregory.net/rapid"

	"campusgate/devices/qr"
)

// alphabet is what our codes are made of.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// live is a text as long as that of a live code.
var live = "CP1:" + strings.Repeat("6BFOXN*TS0BI$ZD.P9UOL97O4-2HH77HRM3DSPTV9", 8)

// scene is a frame with a code in it, as a camera sees it: black and white of the
// screen, and how the four corners of the code lie in the frame.
type scene struct {
	text        string
	w, h        int
	dark, light float64
	corners     [4][2]float64 // top left, top right, bottom right, bottom left, as shares of the frame
	blur        int           // pixels
	noise       float64
	inverted    bool
	shadow      float64 // how much darker the right edge is
	bare        bool    // no code at all
}

// straight is a code in the middle of the frame.
func straight(text string) scene {
	return scene{
		text: text, w: 640, h: 480, dark: 30, light: 220,
		corners: [4][2]float64{{0.2, 0.1}, {0.8, 0.1}, {0.8, 0.9}, {0.2, 0.9}},
	}
}

func draw(t testing.TB, s scene) *image.Gray {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	frame := image.NewGray(image.Rect(0, 0, s.w, s.h))
	var modules [][]bool
	if !s.bare {
		code, err := goqr.New(s.text, goqr.Medium)
		if err != nil {
			t.Fatal(err)
		}
		modules = code.Bitmap() // with a quiet zone of four
	}
	inverse := square(s)
	level := make([]float64, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			v := s.light
			if u, w := inverse(float64(x)+0.5, float64(y)+0.5); !s.bare && u >= 0 && u < 1 && w >= 0 && w < 1 {
				n := float64(len(modules))
				if modules[int(w*n)][int(u*n)] {
					v = s.dark
				}
			}
			if s.inverted {
				v = s.dark + s.light - v
			}
			level[y*s.w+x] = v * (1 - s.shadow*float64(x)/float64(s.w))
		}
	}
	for y := range s.h {
		for x := range s.w {
			sum, n := 0.0, 0.0
			for dy := -s.blur; dy <= s.blur; dy++ {
				for dx := -s.blur; dx <= s.blur; dx++ {
					if i, j := x+dx, y+dy; i >= 0 && i < s.w && j >= 0 && j < s.h {
						sum, n = sum+level[j*s.w+i], n+1
					}
				}
			}
			v := sum/n + s.noise*random.NormFloat64()
			frame.Pix[y*s.w+x] = byte(max(0, min(v, 255)))
		}
	}
	return frame
}

// square gives the map from the frame to the unit square that the corners span.
func square(s scene) func(x, y float64) (u, v float64) {
	var p [4][2]float64
	for i, c := range s.corners {
		p[i] = [2]float64{c[0] * float64(s.w), c[1] * float64(s.h)}
	}
	// Of the square to the corners, after Heckbert.
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

// scenes are codes as people show them.
func scenes() map[string]scene {
	tilt := straight(live)
	tilt.corners = [4][2]float64{{0.25, 0.15}, {0.75, 0.1}, {0.85, 0.95}, {0.12, 0.88}}
	turned := straight(live)
	turned.corners = [4][2]float64{{0.5, 0.02}, {0.86, 0.5}, {0.5, 0.98}, {0.14, 0.5}}
	blurred := straight(live)
	blurred.blur, blurred.noise = 2, 2
	faint := straight(live)
	faint.dark, faint.light, faint.noise = 110, 135, 2
	dusk := straight(live)
	dusk.shadow, dusk.noise = 0.85, 2
	night := straight(live)
	night.inverted = true
	large := straight(live)
	large.w, large.h = 1280, 720
	tiny := straight("HTTPS://GATE.EXAMPLE.EDU/V/ABCDEFGHIJ")
	tiny.w, tiny.h, tiny.corners = 120, 120, [4][2]float64{{0.1, 0.1}, {0.9, 0.1}, {0.9, 0.9}, {0.1, 0.9}}
	return map[string]scene{
		"straight": straight(live), "tilt": tilt, "turned": turned, "blurred": blurred, "faint": faint,
		"shadow": dusk, "inverted": night, "large": large, "tiny": tiny,
	}
}

func TestCodesAreReadAsPeopleShowThem(t *testing.T) {
	for name, s := range scenes() {
		t.Run(name, func(t *testing.T) {
			frame := draw(t, s)
			var still, stream qr.Decoder
			if got := still.Decode(frame); !slices.Equal(got, []string{s.text}) {
				t.Errorf("Decode: %q", got)
			}
			for n := range 8 {
				if got := stream.Frame(frame); slices.Equal(got, []string{s.text}) {
					return
				} else if len(got) > 0 {
					t.Fatalf("Frame %d: %q", n, got)
				}
			}
			t.Error("not read in eight frames")
		})
	}
}

func TestEveryTextComesBackAsItWas(t *testing.T) {
	var d qr.Decoder
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune(alphabet)), 1, 120, -1).Draw(rt, "text")
		s := straight(text)
		s.w, s.h = 256, 192
		if got := d.Decode(draw(t, s)); !slices.Equal(got, []string{text}) {
			rt.Errorf("%q was read as %q", text, got)
		}
	})
}

func TestTwoCodesSideBySideAreBothRead(t *testing.T) {
	left, right := straight("CP1:LEFT"), straight("CP1:RIGHT")
	left.corners = [4][2]float64{{0.05, 0.2}, {0.4, 0.2}, {0.4, 0.7}, {0.05, 0.7}}
	right.corners = [4][2]float64{{0.55, 0.2}, {0.9, 0.2}, {0.9, 0.7}, {0.55, 0.7}}
	a, b := draw(t, left), draw(t, right)
	for i, v := range b.Pix {
		a.Pix[i] = min(a.Pix[i], v)
	}
	var d qr.Decoder
	got := d.Decode(a)
	slices.Sort(got)
	if !slices.Equal(got, []string{"CP1:LEFT", "CP1:RIGHT"}) {
		t.Errorf("got %q", got)
	}
}

func TestColoursAndJPEGAreReadAsGrey(t *testing.T) {
	frame := draw(t, straight(live))
	var b bytes.Buffer
	if err := jpeg.Encode(&b, frame, &jpeg.Options{Quality: 60}); err != nil {
		t.Fatal(err)
	}
	photo, err := jpeg.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	// A part of a larger picture, with transparent paper.
	part := image.NewNRGBA(image.Rect(-50, -50, 800, 600))
	for y := range frame.Rect.Dy() {
		for x := range frame.Rect.Dx() {
			if frame.GrayAt(x, y).Y < 100 {
				part.SetNRGBA(x, y, color.NRGBA{R: 40, B: 90, A: 255})
			}
		}
	}
	colour := image.NewYCbCr(frame.Rect, image.YCbCrSubsampleRatio420)
	copy(colour.Y, frame.Pix)
	var d qr.Decoder
	for name, p := range map[string]image.Image{"jpeg": photo, "transparent": part.SubImage(frame.Rect), "colour": colour} {
		if got := d.Decode(p); !slices.Equal(got, []string{live}) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestALargePhotoIsMadeSmallerFirst(t *testing.T) {
	s := straight(live)
	s.w, s.h = 2600, 1900
	var d qr.Decoder
	if got := d.Decode(draw(t, s)); !slices.Equal(got, []string{live}) {
		t.Errorf("got %q", got)
	}
}

func TestNothingIsReadWhereNoCodeIs(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	pictures := map[string]*image.Gray{}
	for name, level := range map[string]func(x, y int) byte{
		"black":    func(int, int) byte { return 0 },
		"white":    func(int, int) byte { return 255 },
		"noise":    func(int, int) byte { return byte(random.Uint32()) },
		"checks":   func(x, y int) byte { return byte((x/8 + y/8) % 2 * 255) },
		"stripes":  func(x, _ int) byte { return byte(x / 5 % 2 * 255) },
		"gradient": func(x, y int) byte { return byte(x + y) },
	} {
		p := image.NewGray(image.Rect(0, 0, 320, 240))
		for i := range p.Pix {
			p.Pix[i] = level(i%320, i/320)
		}
		pictures[name] = p
	}
	for name, r := range map[string]image.Rectangle{
		"nothing": {}, "pixel": image.Rect(0, 0, 1, 1), "line": image.Rect(0, 0, 5000, 1), "pole": image.Rect(0, 0, 3, 5000),
	} {
		pictures[name] = image.NewGray(r)
	}
	var d qr.Decoder
	for name, p := range pictures {
		if got := d.Decode(p); len(got) > 0 {
			t.Errorf("%s was read as %q", name, got)
		}
		for range 8 {
			if got := d.Frame(p); len(got) > 0 {
				t.Errorf("%s was read as %q", name, got)
			}
		}
	}
}

// A damaged code is read rightly or not at all: here more and more of it is
// painted over.
func TestADamagedCodeIsReadRightlyOrNotAtAll(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	clean := draw(t, straight(live))
	frame := image.NewGray(clean.Rect)
	var d qr.Decoder
	unread := 0
	for spots := 0; spots < 60; spots += 5 {
		copy(frame.Pix, clean.Pix)
		for range spots {
			x, y, v := 130+random.IntN(370), 50+random.IntN(370), byte(random.IntN(2)*255)
			for i := range 12 * 12 {
				frame.Pix[(y+i/12)*frame.Stride+x+i%12] = v
			}
		}
		got := d.Decode(frame)
		if len(got) == 0 {
			unread++
		} else if !slices.Equal(got, []string{live}) {
			t.Fatalf("%d spots: read as %q", spots, got)
		}
	}
	if unread == 0 || unread > 10 {
		t.Errorf("%d of 12 could not be read: the damage says nothing", unread)
	}
}

// segment is how a message begins: bits of it.
type segment struct{ value, bits int }

// message makes a code of version 1, level L, of segments.
func message(t *testing.T, segments ...segment) *image.Gray {
	t.Helper()
	bits := gozxing.NewEmptyBitArray()
	for _, s := range segments {
		if err := bits.AppendBits(s.value, s.bits); err != nil {
			t.Fatal(err)
		}
	}
	for bits.GetSize() < 19*8 {
		bits.AppendBit(false)
	}
	data := make([]byte, 19)
	bits.ToBytes(0, data, 0, 19)
	words := make([]int, 26)
	for i, b := range data {
		words[i] = int(b)
	}
	if err := reedsolomon.NewReedSolomonEncoder(reedsolomon.GenericGF_QR_CODE_FIELD_256).Encode(words, 7); err != nil {
		t.Fatal(err)
	}
	for _, w := range words[19:] {
		if err := bits.AppendBits(w, 8); err != nil {
			t.Fatal(err)
		}
	}
	version, err := decoder.Version_GetVersionForNumber(1)
	if err != nil {
		t.Fatal(err)
	}
	modules := encoder.NewByteMatrix(21, 21)
	if err := encoder.MatrixUtil_buildMatrix(bits, decoder.ErrorCorrectionLevel_L, version, 0, modules); err != nil {
		t.Fatal(err)
	}
	const scale, quiet = 6, 4
	side := (21 + 2*quiet) * scale
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for i := range picture.Pix {
		x, y := i%side/scale-quiet, i/side/scale-quiet
		if x < 0 || x > 20 || y < 0 || y > 20 || modules.Get(x, y) == 0 {
			picture.Pix[i] = 255
		}
	}
	return picture
}

func TestAPartOfATextIsNoText(t *testing.T) {
	admit := []segment{{0b0100, 4}, {5, 8}, {'A', 8}, {'D', 8}, {'M', 8}, {'I', 8}, {'T', 8}, {0, 4}}
	first := []segment{{0b0011, 4}, {0x01, 8}, {0, 8}} // structured append: the first of two
	var d qr.Decoder
	if got := d.Decode(message(t, admit...)); !slices.Equal(got, []string{"ADMIT"}) {
		t.Fatalf("the whole text: %q", got)
	}
	if got := d.Decode(message(t, append(first, admit...)...)); len(got) > 0 {
		t.Errorf("the part: %q", got)
	}
	if got := d.Decode(message(t)); len(got) > 0 {
		t.Errorf("an empty code: %q", got)
	}
}

func BenchmarkFrame(b *testing.B) {
	bare := straight("")
	bare.bare, bare.noise = true, 4
	for name, frame := range map[string]*image.Gray{"code": draw(b, straight(live)), "none": draw(b, bare)} {
		b.Run(name, func(b *testing.B) {
			var d qr.Decoder
			for b.Loop() {
				d.Frame(frame)
			}
		})
		b.Run(name+"/library", func(b *testing.B) {
			reader := qrcode.NewQRCodeReader()
			for b.Loop() {
				picture, err := gozxing.NewBinaryBitmapFromImage(frame)
				if err != nil {
					b.Fatal(err)
				}
				_, _ = reader.DecodeWithoutHints(picture)
			}
		})
	}
}
