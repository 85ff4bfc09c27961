package qr

import (
	"image"

	"github.com/makiuchi-d/gozxing"
)

const (
	// minSide is the least that holds the smallest code, at a pixel a module.
	minSide = 21
	// small is the most pixels that are worth enlarging: a camera's 640 by 480.
	// In larger frames the same code has more pixels anyway.
	small = 640 * 480
	most  = maxSide * maxSide
)

// attempt is one way to look at a picture.
type attempt struct {
	name        string
	least, most int // pixels of the pictures that it is for
	changes     []change
	binarize    binarizer
}

type (
	// change makes a picture of another one, in the memory of dst if it fits.
	change    func(dst, p *image.Gray) *image.Gray
	binarizer func(p *image.Gray, w *work) gozxing.Binarizer
)

// attempts are in the order of what each adds to those before it.
var attempts = []attempt{
	{"plain", 0, most, nil, hybrid},
	{"sharp and enlarged", 0, small, []change{sharpen, double}, near(8, 5)},
	{"inverted", 0, most, []change{invert}, near(16, 5)},
	{"fine", 0, most, nil, near(40, 5)},
	{"flat", 0, most, nil, global},
	{"reduced", 0, most, []change{halve}, hybrid},
	{"turned", 0, most, []change{turn}, near(8, 5)},
	{"sharp", small + 1, most, []change{sharpen}, near(8, 5)},
	{"enlarged and flat", 0, small, []change{double}, global},
	{"enlarged and sharp", 0, small, []change{double, sharpen}, near(40, 5)},
}

func (a *attempt) fits(p *image.Gray) bool {
	w, h := size(p)
	return w*h >= a.least && w*h <= a.most && min(w, h) >= minSide
}

// streamed is how many of the attempts are made with the frames of a camera; the
// rest cost more than what another frame may show.
const streamed = 8

func halve(dst, p *image.Gray) *image.Gray { return shrink(dst, p, 2) }

// hybrid compares with the blocks of eight pixels around.
func hybrid(p *image.Gray, _ *work) gozxing.Binarizer {
	return gozxing.NewHybridBinarizer(source(p))
}

// global compares with one value for the whole picture.
func global(p *image.Gray, _ *work) gozxing.Binarizer {
	return gozxing.NewGlobalHistgramBinarizer(source(p))
}

// near compares with a square that reaches as far as a share of the picture.
func near(share, bias int) binarizer {
	return func(p *image.Gray, k *work) gozxing.Binarizer {
		w, h := size(p)
		return newMean(p, max(w, h)/share, bias, k)
	}
}
