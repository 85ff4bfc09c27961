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
	"pgregory.net/rapid"

	"campusgate/devices/qr"
	"campusgate/devices/qr/scene"
)

// alphabet is what our codes are made of.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// live is a text as long as that of a live code.
var live = "CP1:" + strings.Repeat("6BFOXN*TS0BI$ZD.P9UOL97O4-2HH77HRM3DSPTV9", 8)

// draw draws a scene.
func draw(t testing.TB, s scene.Scene) *image.Gray {
	t.Helper()
	frame, err := s.Draw()
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

func TestCodesAreReadAsPeopleShowThem(t *testing.T) {
	for name, s := range scene.All(live) {
		t.Run(name, func(t *testing.T) {
			frame := draw(t, s)
			var still, stream qr.Decoder
			if got := still.Decode(frame); !slices.Equal(got, []string{s.Text}) {
				t.Errorf("Decode: %q", got)
			}
			for n := range 8 {
				if got := stream.Frame(frame); slices.Equal(got, []string{s.Text}) {
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
		s := scene.Straight(text)
		s.W, s.H = 256, 192
		if got := d.Decode(draw(t, s)); !slices.Equal(got, []string{text}) {
			rt.Errorf("%q was read as %q", text, got)
		}
	})
}

func TestTwoCodesSideBySideAreBothRead(t *testing.T) {
	left, right := scene.Straight("CP1:LEFT"), scene.Straight("CP1:RIGHT")
	left.Corners = [4][2]float64{{0.05, 0.2}, {0.4, 0.2}, {0.4, 0.7}, {0.05, 0.7}}
	right.Corners = [4][2]float64{{0.55, 0.2}, {0.9, 0.2}, {0.9, 0.7}, {0.55, 0.7}}
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
	frame := draw(t, scene.Straight(live))
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
	s := scene.Straight(live)
	s.W, s.H = 2600, 1900
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
	clean := draw(t, scene.Straight(live))
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
	bare := scene.Straight("")
	bare.Noise = 4
	for name, frame := range map[string]*image.Gray{"code": draw(b, scene.Straight(live)), "none": draw(b, bare)} {
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
