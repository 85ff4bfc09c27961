// Package camera reads codes with a network camera: a stream of JPEG pictures
// over HTTP (multipart/x-mixed-replace, which nearly every IP camera and every
// phone used as one can send), or a single picture that is asked for again and
// again. Which of the two an address gives is seen from its answer.
//
// The newest frame counts: what arrives while one is being decoded replaces what
// waits. Name and password may stand in the address (basic authentication; for a
// camera that wants digest, allow snapshots or streams without). They and what
// follows a question mark are in no error and no log.
package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"campusgate/devices"
	"campusgate/devices/qr"
)

// What a camera may cost.
const (
	// maxFrame is the largest JPEG that is taken.
	maxFrame = 4 << 20
	// maxPixels is the largest picture that is decoded: 3840 by 2160.
	maxPixels = 3840 * 2160
	// dialTimeout is short: the camera is in the same house, and what is lost here
	// is missing after a cable was plugged in again.
	dialTimeout = time.Second
	// answerTimeout bounds the wait for the head of an answer.
	answerTimeout = 3 * time.Second
	// patience is how long no picture may come before the camera counts as lost.
	patience = 3 * time.Second
	// defaultRate and maxRate are how many snapshots a second are asked for.
	defaultRate, maxRate = 5, 25
)

var (
	errAddress = errors.New("want http://host/path or https://host/path of a stream or a snapshot")
	errRate    = fmt.Errorf("want #fps=N with N from 1 to %d", maxRate)
	errSilent  = fmt.Errorf("no picture for %v", patience)
	errEnded   = errors.New("the stream ended")
)

// Config sets up a Scanner.
type Config struct {
	// URL is where the camera gives a stream or a snapshot. A fragment "fps=N" says
	// how often a snapshot is asked for.
	URL string
	// Debounce is the window of devices.NewDebounce.
	Debounce time.Duration
	// Now is the wall clock of Scan.At; nil means time.Now.
	Now func() time.Time
}

// Scanner reads codes from a camera.
type Scanner struct {
	address  *url.URL
	name     string // the address without what is secret in it
	period   time.Duration
	now      func() time.Time
	debounce *devices.Debounce
	decoder  qr.Decoder // of Run alone
}

var (
	_ devices.Scanner  = (*Scanner)(nil)
	_ devices.Notifier = (*Scanner)(nil)
	_ devices.Prober   = (*Scanner)(nil)
)

// NewScanner makes a Scanner, which asks its camera when it runs.
func NewScanner(c Config) (*Scanner, error) {
	u, err := url.Parse(c.URL)
	// The error of Parse would repeat the address, and the password in it.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return nil, fmt.Errorf("camera: %w", errAddress)
	}
	rate := defaultRate
	if text, ok := strings.CutPrefix(u.Fragment, "fps="); ok {
		if rate, err = strconv.Atoi(text); err != nil || rate < 1 || rate > maxRate {
			return nil, fmt.Errorf("camera: %w", errRate)
		}
	} else if u.Fragment != "" {
		return nil, fmt.Errorf("camera: %w", errRate)
	}
	u.Fragment = ""
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Scanner{
		address: u, name: Place(c.URL), period: time.Second / time.Duration(rate), now: c.Now,
		debounce: devices.NewDebounce(c.Debounce),
	}, nil
}

// Place is an address without name, password and query, for logs and people;
// what is no such address stays as it is.
func Place(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		if strings.Contains(address, "://") {
			return "(an address that cannot be read)"
		}
		return address
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Suppressed is how many repeats of a code held in view were not emitted.
func (s *Scanner) Suppressed() uint64 { return s.debounce.Suppressed() }

// Probe looks at one picture.
func (s *Scanner) Probe(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	var found string
	err := s.watch(ctx, func(f frame) error {
		c, err := jpeg.DecodeConfig(bytes.NewReader(f.data))
		if err != nil {
			return err
		}
		found = fmt.Sprintf("%s, %d×%d", s.name, c.Width, c.Height)
		return errEnough
	})
	if found != "" {
		return found, nil
	}
	return "", err
}

var errEnough = errors.New("seen enough")

// Run reads frames until ctx ends or the camera is lost.
func (s *Scanner) Run(ctx context.Context, emit func(devices.Scan)) error {
	return s.RunNotify(ctx, emit, func() {})
}

// RunNotify is Run, and calls opened with the first picture.
func (s *Scanner) RunNotify(ctx context.Context, emit func(devices.Scan), opened func()) error {
	outer := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(patience, func() { stop(errSilent) })
	defer silence.Stop()
	err := s.watch(ctx, func(f frame) error {
		texts, err := s.read(f)
		if err != nil {
			return nil // a damaged frame: the next may be whole, and patience ends
		}
		silence.Reset(patience)
		if opened != nil {
			opened()
			opened = nil
		}
		for _, text := range texts {
			if outer.Err() == nil && !s.debounce.Repeat(text, f.at) {
				emit(devices.Scan{Text: text, At: f.at})
			}
		}
		return nil
	})
	if outer.Err() != nil {
		return outer.Err()
	}
	return err
}

// read decodes a frame.
func (s *Scanner) read(f frame) ([]string, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(f.data))
	if err != nil {
		return nil, err
	}
	if c.Width*c.Height > maxPixels {
		return nil, fmt.Errorf("a picture of %d×%d pixels", c.Width, c.Height)
	}
	picture, err := jpeg.Decode(bytes.NewReader(f.data))
	if err != nil {
		return nil, err
	}
	texts := s.decoder.Frame(picture)
	for i, text := range texts {
		texts[i] = printable(text)
	}
	return texts, nil
}

// printable keeps the promise of devices.Scan: what cannot be in a code of ours
// becomes U+FFFD.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// failure is an error of the camera, with its name and without its secrets.
func (s *Scanner) failure(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // it repeats the address otherwise
	}
	return fmt.Errorf("camera %s: %w", s.name, err)
}

// frame is a JPEG and when its last byte arrived.
type frame struct {
	data []byte
	at   time.Time
}

// sameHost refuses to be sent elsewhere: the password was meant for this camera.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || r.URL.Host != via[0].URL.Host {
		return errors.New("it sends us elsewhere")
	}
	return nil
}
