package bench

import (
	"context"
	"errors"
	"image"
	"math/rand/v2"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	goqr "github.com/skip2/go-qrcode"

	"campusgate/devices/qr"
)

var errFrame = errors.New("a frame was read as something else than is in it")

// frames compares what a camera's frame costs with one plain pass of the library
// over the same frame: once with a live code in the middle, once with a street.
func (r *run) frames(ctx context.Context) error {
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	text, shown, err := readable(c)
	if err != nil {
		return err
	}
	empty, err := frame("")
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		picture *image.Gray
		text    string
		limit   float64
	}{
		{"frame_with_code", shown, text, 2},
		{"frame_without_code", empty, "", 3},
	} {
		p, o, err := turns(ctx, r.effort(600, 5), plainPass(f.picture, f.text), ourPass(f.picture, f.text))
		if err != nil {
			return err
		}
		err = r.print(Figure{Name: f.name, Value: Number(o.median() * milli), Unit: "ms"}.
			against("one plain pass of gozxing over the same frame of 640×480", p.median()*milli, f.limit))
		if err != nil {
			return err
		}
	}
	return nil
}

// readable is a live code, in a frame that one plain pass can read: of a few codes
// in a hundred it makes nothing, and then there is nothing to compare with.
func readable(c *campus) (text string, shown *image.Gray, err error) {
	for range 20 {
		if text, _, err = c.live(); err != nil {
			return "", nil, err
		}
		if shown, err = frame(text); err != nil {
			return "", nil, err
		}
		if plainPass(shown, text)() == nil {
			return text, shown, nil
		}
	}
	return "", nil, errFrame
}

// ourPass reads a frame as a camera's goroutine does: without a code, each turn
// makes another of the attempts.
func ourPass(f *image.Gray, text string) func() error {
	var d qr.Decoder
	return func() error {
		texts := d.Frame(f)
		if text == "" && len(texts) == 0 || len(texts) == 1 && texts[0] == text {
			return nil
		}
		return errFrame
	}
}

func plainPass(f *image.Gray, text string) func() error {
	reader := qrcode.NewQRCodeReader()
	return func() error {
		picture, err := gozxing.NewBinaryBitmapFromImage(f)
		if err != nil {
			return err
		}
		result, err := reader.DecodeWithoutHints(picture)
		if text == "" && err != nil || err == nil && result.GetText() == text {
			return nil
		}
		return errFrame
	}
}

// frame is a grey frame with noise, squares of every size as a street has, and
// the code of a text in the middle, if there is one.
func frame(text string) (*image.Gray, error) {
	const w, h = 640, 480
	random := rand.New(rand.NewPCG(1, 2))
	f := image.NewGray(image.Rect(0, 0, w, h))
	fill := func(r image.Rectangle, v byte) {
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				f.Pix[f.PixOffset(x, y)] = v
			}
		}
	}
	fill(f.Rect, 128)
	for range 300 {
		x, y := random.IntN(w), random.IntN(h)
		side := image.Rect(x, y, x+4+random.IntN(80), y+4+random.IntN(80))
		fill(side.Intersect(f.Rect), byte(40+random.IntN(180)))
	}
	if text != "" {
		code, err := goqr.New(text, goqr.Medium)
		if err != nil {
			return nil, err
		}
		modules := code.Bitmap()
		scale := (h - 40) / len(modules)
		left, top := (w-scale*len(modules))/2, (h-scale*len(modules))/2
		for y, line := range modules {
			for x, dark := range line {
				v := byte(210)
				if dark {
					v = 40
				}
				fill(image.Rect(0, 0, scale, scale).Add(image.Pt(left+x*scale, top+y*scale)), v)
			}
		}
	}
	for i, v := range f.Pix {
		f.Pix[i] = byte(max(0, min(int(v)+int(6*random.NormFloat64()), 255)))
	}
	return f, nil
}
