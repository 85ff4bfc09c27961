package qr

import (
	"image"
	"image/color"

	"github.com/makiuchi-d/gozxing"
)

// All pictures in here begin at 0, 0 and have no gap between their rows; those
// that a change makes are written over dst where that is large enough.

// maxSide is the longest side that is searched. Larger pictures are made smaller
// by a whole factor: a code that cannot be read then fills less than a tenth of
// the picture.
const maxSide = 1280

func size(p *image.Gray) (w, h int) { return p.Rect.Dx(), p.Rect.Dy() }

// canvas is a picture of that size, in the memory of dst if it fits.
func canvas(dst *image.Gray, w, h int) *image.Gray {
	if dst == nil || cap(dst.Pix) < w*h {
		return image.NewGray(image.Rect(0, 0, w, h))
	}
	dst.Pix, dst.Stride, dst.Rect = dst.Pix[:w*h], w, image.Rect(0, 0, w, h)
	return dst
}

// source is the picture as the library takes it.
func source(p *image.Gray) gozxing.LuminanceSource {
	w, h := size(p)
	s, err := gozxing.NewPlanarYUVLuminanceSource(p.Pix, w, h, 0, 0, w, h, false)
	if err != nil {
		panic(err) // the whole of a picture fits into it
	}
	return s
}

// gray is how bright a picture is, transparent parts being white paper.
func gray(dst *image.Gray, p image.Image) *image.Gray {
	b := p.Bounds()
	dst = canvas(dst, b.Dx(), b.Dy())
	for y := range b.Dy() {
		row := dst.Pix[y*b.Dx():][:b.Dx()]
		switch p := p.(type) {
		case *image.Gray:
			copy(row, p.Pix[p.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.YCbCr:
			copy(row, p.Y[p.YOffset(b.Min.X, b.Min.Y+y):])
		default:
			for x := range row {
				row[x] = luminance(p.At(b.Min.X+x, b.Min.Y+y))
			}
		}
	}
	return dst
}

// luminance weighs the colours as JPEG does.
func luminance(c color.Color) byte {
	r, g, b, a := c.RGBA()
	return byte(((19595*r+38470*g+7471*b+1<<15)>>16 + 0xffff - a) >> 8)
}

// shrink averages squares of so many pixels a side.
func shrink(dst, p *image.Gray, factor int) *image.Gray {
	w, h := size(p)
	dst = canvas(dst, w/factor, h/factor)
	for i := range dst.Pix {
		x, y := i%dst.Stride*factor, i/dst.Stride*factor
		sum := 0
		for dy := range factor {
			for _, v := range p.Pix[(y+dy)*w+x:][:factor] {
				sum += int(v)
			}
		}
		dst.Pix[i] = byte((sum + factor*factor/2) / (factor * factor))
	}
	return dst
}

// double enlarges a picture to twice its size, with straight lines between the
// middles of the pixels.
func double(dst, p *image.Gray) *image.Gray {
	w, h := size(p)
	dst = canvas(dst, 2*w, 2*h)
	for y := range 2 * h {
		near, far := y/2, y/2-1+y%2*2
		a, b := p.Pix[near*w:][:w], p.Pix[max(0, min(far, h-1))*w:][:w]
		out := dst.Pix[y*2*w:][:2*w]
		last := 3*int(a[0]) + int(b[0])
		for x := range w {
			here := 3*int(a[x]) + int(b[x])
			next := here
			if x+1 < w {
				next = 3*int(a[x+1]) + int(b[x+1])
			}
			out[2*x] = byte((last + 3*here + 8) / 16)
			out[2*x+1] = byte((3*here + next + 8) / 16)
			last = here
		}
	}
	return dst
}

// turn turns a picture by 45 degrees; white is around it. The finder search goes
// by rows and columns, and squares that stand on a corner look least like finders
// there.
func turn(dst, p *image.Gray) *image.Gray {
	const unit, cos = 1 << 16, 46341 // cos 45° in units
	w, h := size(p)
	n := (w+h)*cos/unit + 1
	dst = canvas(dst, n, n)
	for y := range n {
		// From the middle of one to the middle of the other, against the turn.
		sx := w*unit/2 + cos*(y-n/2-n/2)
		sy := h*unit/2 + cos*(y-n/2+n/2)
		out := dst.Pix[y*n:][:n]
		for x := range out {
			fx, fy := sx>>16, sy>>16
			out[x] = 255
			if uint(fx) < uint(w-1) && uint(fy) < uint(h-1) {
				kx, ky := sx>>8&255, sy>>8&255
				a, b := p.Pix[fy*w+fx:], p.Pix[(fy+1)*w+fx:]
				above, below := int(a[0])*(256-kx)+int(a[1])*kx, int(b[0])*(256-kx)+int(b[1])*kx
				out[x] = byte((above*(256-ky) + below*ky) >> 16)
			}
			sx += cos
			sy -= cos
		}
	}
	return dst
}

// sharpen adds twice what a pixel differs from the 25 around it, which undoes
// some of a lens that is out of focus.
func sharpen(dst, p *image.Gray) *image.Gray {
	const reach, area = 2, 25
	w, h := size(p)
	dst = canvas(dst, w, h)
	row := func(y int) []byte { return p.Pix[max(0, min(y, h-1))*w:][:w] }
	// Sums over the rows of the square, with a margin that repeats the edges.
	columns := make([]int32, w+2*reach+1)
	inner := columns[reach : reach+w]
	for y := -reach; y < reach; y++ {
		for x, v := range row(y) {
			inner[x] += int32(v)
		}
	}
	for y := range h {
		for x, v := range row(y + reach) {
			inner[x] += int32(v)
		}
		for i := range reach {
			columns[i], columns[reach+w+i] = inner[0], inner[w-1]
		}
		sum := columns[0] + columns[1] + columns[2] + columns[3]
		out := dst.Pix[y*w:][:w]
		for x, v := range row(y) {
			sum += columns[x+2*reach]
			out[x] = byte(max(0, min(3*int32(v)-2*sum/area, 255)))
			sum -= columns[x]
		}
		for x, v := range row(y - reach) {
			inner[x] -= int32(v)
		}
	}
	return dst
}

func invert(dst, p *image.Gray) *image.Gray {
	dst = canvas(dst, p.Rect.Dx(), p.Rect.Dy())
	for i, v := range p.Pix {
		dst.Pix[i] = 255 - v
	}
	return dst
}
