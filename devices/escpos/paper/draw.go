package paper

import (
	"errors"
	"fmt"
	"image"
	"image/color"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	encoder "github.com/skip2/go-qrcode"
)

// lineDots is the height of a line of text, with the gap below.
const lineDots = 30

// symbol is what GS ( k has set.
type symbol struct {
	model, level byte
	dots         int
	text         string
}

// feed moves the paper and gives the row of dots at which the head was.
func (r *reader) feed(dots int) (top int) {
	s := r.slip()
	if s.Picture != nil {
		top = s.Picture.Rect.Dy()
	}
	grown := image.NewGray(image.Rect(0, 0, r.dots, top+dots))
	for i := range grown.Pix {
		grown.Pix[i] = 0xFF
	}
	if s.Picture != nil {
		copy(grown.Pix, s.Picture.Pix)
	}
	s.Picture = grown
	return top
}

// start is where something so wide begins.
func (r *reader) start(wide int) int {
	return (r.dots - wide) * int(r.align) / 2
}

// characters draws the line as boxes, one for each character.
func (r *reader) characters(column int) {
	top := r.feed(lineDots * column / 12)
	x := r.start(len(r.line) * column)
	for i := 0; i < len(r.line); i++ {
		wide := column
		if r.line[i] >= 0x80 {
			wide *= 2
			i++
		}
		if r.line[i] != ' ' {
			box(r.slip().Picture, image.Rect(x+1, top+2, x+wide-1, top+2*column))
		}
		x += wide
	}
}

func box(to *image.Gray, at image.Rectangle) {
	for x := at.Min.X; x < at.Max.X; x++ {
		to.SetGray(x, at.Min.Y, color.Gray{})
		to.SetGray(x, at.Max.Y-1, color.Gray{})
	}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		to.SetGray(at.Min.X, y, color.Gray{})
		to.SetGray(at.Max.X-1, y, color.Gray{})
	}
}

// code reads what follows GS ( k.
func (r *reader) code() error {
	size, err := r.take(2)
	if err != nil {
		return err
	}
	b, err := r.take(int(size[0]) | int(size[1])<<8)
	if err != nil {
		return err
	}
	if len(b) < 3 || b[0] != 0x31 {
		return fmt.Errorf("GS ( k % X is for no QR code", b)
	}
	switch fn, n := b[1], b[2]; {
	case fn == 0x41 && len(b) == 4 && n == 0x32:
		r.symbol.model = n
	case fn == 0x43 && len(b) == 3 && n >= 1 && n <= 16:
		r.symbol.dots = int(n)
	case fn == 0x45 && len(b) == 3 && n >= 0x30 && n <= 0x33:
		r.symbol.level = n
	case fn == 0x50 && n == 0x30:
		r.symbol.text = string(b[3:])
	case fn == 0x51 && len(b) == 3 && n == 0x30:
		return r.symbolOut()
	default:
		return fmt.Errorf("GS ( k % X", b[:3])
	}
	return nil
}

// symbolOut draws the code. A printer leaves out what does not fit.
func (r *reader) symbolOut() error {
	if r.symbol.model != 0x32 || r.symbol.text == "" {
		return errors.New("a QR code of no model or without a text")
	}
	levels := []encoder.RecoveryLevel{encoder.Low, encoder.Medium, encoder.High, encoder.Highest}
	code, err := encoder.New(r.symbol.text, levels[r.symbol.level-0x30])
	if err != nil {
		return err
	}
	code.DisableBorder = true
	bits := code.Bitmap()
	wide := len(bits) * r.symbol.dots
	if wide > r.dots {
		return fmt.Errorf("a QR code of %d dots on paper of %d", wide, r.dots)
	}
	x, top := r.start(wide), r.feed(wide+lineDots)
	for i, row := range bits {
		for j, dark := range row {
			if dark {
				r.fill(image.Rect(0, 0, r.symbol.dots, r.symbol.dots).Add(image.Pt(x+j*r.symbol.dots, top+i*r.symbol.dots)))
			}
		}
	}
	return nil
}

func (r *reader) fill(at image.Rectangle) {
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			r.slip().Picture.SetGray(x, y, color.Gray{})
		}
	}
}

// raster reads and draws what follows GS v 0.
func (r *reader) raster() error {
	h, err := r.take(5)
	if err != nil {
		return err
	}
	wide, high := int(h[1])|int(h[2])<<8, int(h[3])|int(h[4])<<8
	if h[0] != 0 || wide == 0 || wide*8 > r.dots {
		return fmt.Errorf("raster mode %d of %d dots on paper of %d", h[0], wide*8, r.dots)
	}
	bits, err := r.take(wide * high)
	if err != nil {
		return err
	}
	x, top := r.start(wide*8), r.feed(high)
	for i := range wide * high * 8 {
		if bits[i/8]>>(7-i%8)&1 == 1 {
			r.slip().Picture.SetGray(x+i%(wide*8), top+i/(wide*8), color.Gray{})
		}
	}
	return nil
}

// margin is the part of the paper that no head reaches, 4 mm at each side.
const margin = 32

// Code reads the QR code on the paper, as a scanner does.
func (s *Slip) Code() (string, error) {
	if s.Picture == nil {
		return "", errors.New("the paper is blank")
	}
	paper := image.NewGray(s.Picture.Rect.Inset(-margin))
	for i := range paper.Pix {
		paper.Pix[i] = 0xFF
	}
	for y := range s.Picture.Rect.Dy() {
		copy(paper.Pix[paper.PixOffset(0, y):], s.Picture.Pix[y*s.Picture.Stride:(y+1)*s.Picture.Stride])
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(paper)
	if err != nil {
		return "", err
	}
	read, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", err
	}
	return read.GetText(), nil
}
