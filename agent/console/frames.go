package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"mime"
	"net/http"
	"time"

	"campusgate/devices/qr"
)

const (
	// maxFramePixels is what a page may send: 1920 by 1080 with some room.
	maxFramePixels = 2 << 20
	// maxFrameBody holds that in grey, a byte a pixel, with its header.
	maxFrameBody = maxFramePixels + 64
	// frameReaders is how many frames are decoded at once, and frameWait how long
	// another one waits for its turn: the next is newer.
	frameReaders = 2
	frameWait    = time.Second
)

var (
	badFrame     = failure{status: http.StatusUnprocessableEntity, code: "bad_frame", zh: "图像无法读取", en: "the picture cannot be read"}
	badFrameType = failure{status: http.StatusUnsupportedMediaType, code: "bad_content_type", zh: "图像必须是 JPEG 或 PGM", en: "the picture must be a JPEG or a PGM"}
)

// frames makes the route that reads the codes of one frame, for pages whose
// browser cannot. It answers {texts: […]}, which the page presents as any other
// scan; nothing of a frame is kept or logged.
func (c *Console) frames() handle {
	readers := make(chan *qr.Decoder, frameReaders)
	for range frameReaders {
		readers <- new(qr.Decoder)
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		picture, err := frameOf(w, r)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(r.Context(), frameWait)
		defer cancel()
		select {
		case <-ctx.Done():
			return &busy
		case d := <-readers:
			texts := d.Frame(picture)
			readers <- d
			if texts == nil {
				texts = []string{}
			}
			c.answer(w, http.StatusOK, map[string][]string{"texts": texts})
			return nil
		}
	}
}

// frameOf reads the picture of a request: a JPEG, or a binary PGM, which is grey
// as it is. A page of another origin can send neither kind without asking first.
func frameOf(w http.ResponseWriter, r *http.Request) (image.Image, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "image/jpeg" && kind != "image/x-portable-graymap" {
		return nil, badFrameType.with("accept", []string{"image/jpeg", "image/x-portable-graymap"})
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFrameBody))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, bodyTooLarge.with("limit", tooLarge.Limit)
	}
	if err != nil {
		return nil, badFrame.because(err)
	}
	read := readJPEG
	if kind != "image/jpeg" {
		read = readPGM
	}
	picture, err := read(body)
	if err != nil {
		return nil, badFrame.with("problem", err.Error())
	}
	return picture, nil
}

func readJPEG(data []byte) (image.Image, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if err := checkFrame(c.Width, c.Height); err != nil {
		return nil, err
	}
	return jpeg.Decode(bytes.NewReader(data))
}

// readPGM reads "P5 width height 255", one white space, and the pixels.
func readPGM(data []byte) (image.Image, error) {
	rest := bytes.NewReader(data) // a RuneScanner: Fscan takes no byte more than it needs
	var magic string
	var w, h, most int
	if _, err := fmt.Fscan(rest, &magic, &w, &h, &most); err != nil || magic != "P5" || most != 255 {
		return nil, errors.New("want a PGM that begins with P5, width, height and 255")
	}
	if err := checkFrame(w, h); err != nil {
		return nil, err
	}
	pixels := data[len(data)-rest.Len():]
	if len(pixels) != 1+w*h {
		return nil, fmt.Errorf("%d bytes follow the header, want a white space and %d pixels", len(pixels), w*h)
	}
	return &image.Gray{Pix: pixels[1:], Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
}

func checkFrame(w, h int) error {
	if w < 1 || h < 1 || w > maxFramePixels || h > maxFramePixels || w*h > maxFramePixels {
		return fmt.Errorf("%d by %d pixels: want at most %d of them", w, h, maxFramePixels)
	}
	return nil
}
