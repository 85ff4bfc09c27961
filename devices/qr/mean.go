package qr

import (
	"image"

	"github.com/makiuchi-d/gozxing"
)

// mean is a gozxing.Binarizer: a pixel is black when it is darker than its
// neighbourhood, a square of 2·reach+1 pixels, by bias per cent. Unlike the
// library's it does not care how bright or flat a part of the picture is, and
// thus reads what shadows, reflections and faint screens hide. The sums of all
// squares come from one table, so that the reach costs nothing.
type mean struct {
	gozxing.Binarizer // rows, which nobody asks for
	picture           *image.Gray
	reach, bias       int
	work              *work
}

// work is the memory of a mean that the next one uses again.
type work struct {
	sums   []int32 // of all pixels above and to the left; 8 million white ones fit
	matrix *gozxing.BitMatrix
	row    *gozxing.BitArray
}

func (m *mean) CreateBinarizer(source gozxing.LuminanceSource) gozxing.Binarizer {
	return newMean(&image.Gray{
		Pix: source.GetMatrix(), Stride: source.GetWidth(), Rect: image.Rect(0, 0, source.GetWidth(), source.GetHeight()),
	}, m.reach, m.bias, &work{})
}

func newMean(picture *image.Gray, reach, bias int, w *work) *mean {
	return &mean{
		Binarizer: gozxing.NewGlobalHistgramBinarizer(source(picture)),
		picture:   picture, reach: reach, bias: bias, work: w,
	}
}

// GetBlackMatrix gives a matrix that the next mean with the same work overwrites.
func (m *mean) GetBlackMatrix() (*gozxing.BitMatrix, error) {
	w, h := size(m.picture)
	m.work.fit(w, h)
	m.work.add(m.picture)
	for y := range h {
		m.line(y, w, h)
		m.work.matrix.SetRow(y, m.work.row)
	}
	return m.work.matrix, nil
}

// line compares the pixels of a row with their neighbourhoods.
func (m *mean) line(y, w, h int) {
	sums, row := m.work.sums, m.picture.Pix[y*w:][:w]
	top, bottom := max(0, y-m.reach), min(h, y+m.reach+1)
	above, below := sums[top*(w+1):][:w+1], sums[bottom*(w+1):][:w+1]
	share, high := int64(100-m.bias), int64(100*(bottom-top))
	var word uint32
	for x, v := range row {
		left, right := max(0, x-m.reach), min(w, x+m.reach+1)
		sum := below[right] - above[right] - below[left] + above[left]
		word >>= 1
		if int64(v)*high*int64(right-left) <= share*int64(sum) {
			word |= 1 << 31
		}
		if x&31 == 31 {
			m.work.row.SetBulk(x, word)
		}
	}
	if rest := w & 31; rest != 0 {
		m.work.row.SetBulk(w-1, word>>(32-rest))
	}
}

// fit makes room for a picture of that size.
func (k *work) fit(w, h int) {
	if n := (w + 1) * (h + 1); cap(k.sums) < n {
		k.sums = make([]int32, n)
	}
	k.sums = k.sums[:(w+1)*(h+1)]
	clear(k.sums[:w+1])
	if k.matrix == nil || k.matrix.GetWidth() != w || k.matrix.GetHeight() != h {
		k.matrix, _ = gozxing.NewBitMatrix(w, h) // fails for no pixels only
		k.row = gozxing.NewBitArray(w)
	}
}

func (k *work) add(picture *image.Gray) {
	w, h := size(picture)
	for y := range h {
		above, here := k.sums[y*(w+1):][:w+1], k.sums[(y+1)*(w+1):][:w+1]
		line := int32(0)
		here[0] = 0
		for x, v := range picture.Pix[y*w:][:w] {
			line += int32(v)
			here[x+1] = above[x+1] + line
		}
	}
}
