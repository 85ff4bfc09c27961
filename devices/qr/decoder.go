// Package qr reads QR codes from pictures: from stills with everything that it
// knows, from the frames of a camera with a share of it in each.
//
// It is a cascade over the gozxing library. Each attempt changes the picture,
// makes it black and white and looks for codes; what one does not see another
// does. Which attempts there are and their order was measured (see the sweep in
// the tests).
//
// # No wrong text
//
// Many attempts are many chances to see a code in noise. What keeps texts right
// is the code itself: a text is only taken when every block of it has a clean
// Reed–Solomon syndrome after correction, of a version and a level that their own
// error-correcting codes confirm. Noise passes that less than once in a million
// grids for the smallest code there is, and never within reason for the sizes
// that ours have; a damaged text differs from the right one in more symbols than
// can be corrected, or it is corrected. A part of a text that is spread over
// several codes is none. The credentials in our codes are signed besides.
package qr

import (
	"image"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode/decoder"
)

// Decoder reads pictures. It keeps their memory for the next one, so that a
// camera makes little garbage. One goroutine uses it at a time; the zero value
// is ready to use.
type Decoder struct {
	codes *decoder.Decoder
	turn  int // which attempt is the next frame's second one

	picture *image.Gray    // what is read
	changed [2]*image.Gray // by the changes of an attempt
	work    work
}

// Decode gives the texts of the codes in a still picture, in no order. It tries
// everything, which takes up to some tenths of a second where there is none.
func (d *Decoder) Decode(picture image.Image) []string {
	p := d.load(picture)
	for _, a := range attempts {
		if !a.fits(p) {
			continue
		}
		if texts := d.attempt(a, p); len(texts) > 0 {
			return texts
		}
	}
	return nil
}

// Frame gives the texts of the codes in one frame of a stream. It makes two
// attempts: the quickest, which reads a code that is shown well, and one that
// changes from frame to frame, so that a code held for a second has had them all.
func (d *Decoder) Frame(picture image.Image) []string {
	p := d.load(picture)
	if !attempts[0].fits(p) {
		return nil
	}
	if texts := d.attempt(attempts[0], p); len(texts) > 0 {
		return texts
	}
	for range streamed {
		d.turn = d.turn%(streamed-1) + 1
		if attempts[d.turn].fits(p) {
			return d.attempt(attempts[d.turn], p)
		}
	}
	return nil
}

// load is the picture in grey, not larger than is searched.
func (d *Decoder) load(picture image.Image) *image.Gray {
	d.picture = gray(d.picture, picture)
	w, h := size(d.picture)
	if factor := (max(w, h) + maxSide - 1) / maxSide; factor > 1 {
		d.changed[0] = shrink(d.changed[0], d.picture, factor)
		d.picture, d.changed[0] = d.changed[0], d.picture
	}
	return d.picture
}

// attempt reads the codes that one attempt shows. The library is not ours: a
// picture that makes it panic has no code.
func (d *Decoder) attempt(a attempt, p *image.Gray) (texts []string) {
	defer func() {
		if recover() != nil {
			texts = nil
		}
	}()
	for i, change := range a.changes {
		i %= len(d.changed)
		d.changed[i] = change(d.changed[i], p)
		p = d.changed[i]
	}
	matrix, err := a.binarize(p, &d.work).GetBlackMatrix()
	if err != nil {
		return nil
	}
	locate(matrix, func(grid *gozxing.BitMatrix) bool {
		text, ok := d.text(grid)
		if ok {
			texts = append(texts, text)
		}
		return ok
	})
	return texts
}

// text is what the modules of a code say.
func (d *Decoder) text(grid *gozxing.BitMatrix) (string, bool) {
	if d.codes == nil {
		d.codes = decoder.NewDecoder()
	}
	r, err := d.codes.Decode(grid, nil)
	if err != nil || r.HasStructuredAppend() || r.GetText() == "" {
		return "", false
	}
	return r.GetText(), true
}
