package camera

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"time"

	"campusgate/devices"
)

// watch asks the camera and hands over its frames, the newest of those that came
// meanwhile, until ctx ends, the camera is lost or see returns an error.
func (s *Scanner) watch(ctx context.Context, see func(frame) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	newest := make(chan frame, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		stop(s.failure(devices.Catch(func() error { return s.fetch(ctx, newest) })))
	}()
	// The reader is gone before this returns, so that the next one is alone.
	defer func() { stop(nil); <-ended }()
	for {
		select {
		case <-ctx.Done():
			return s.lost(ctx)
		case f := <-newest:
			if ctx.Err() != nil {
				return s.lost(ctx)
			}
			if err := see(f); err != nil {
				return err
			}
		}
	}
}

// lost is why watching ended.
func (s *Scanner) lost(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != errSilent {
		return cause
	}
	return s.failure(errSilent)
}

// fetch keeps the newest frame in a channel of one.
func (s *Scanner) fetch(ctx context.Context, newest chan frame) error {
	transport := &http.Transport{
		Proxy:                  nil, // a camera is in the same house
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    answerTimeout,
		ResponseHeaderTimeout:  answerTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: sameHost}
	put := func(data []byte) {
		select {
		case <-newest: // nobody had time for it
		default:
		}
		newest <- frame{data, s.now()}
	}
	for {
		next := time.NewTimer(s.period)
		again, err := s.ask(ctx, client, put)
		if err != nil || !again {
			next.Stop()
			return err
		}
		select {
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		case <-next.C:
		}
	}
}

// ask makes one request. again tells that its answer was a single picture.
func (s *Scanner) ask(ctx context.Context, client *http.Client, put func([]byte)) (again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address.String(), nil)
	if err != nil {
		return false, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return false, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("it answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	kind, params, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "multipart/x-mixed-replace" && strings.Trim(params["boundary"], "-") != "":
		in := newParts(answer.Body, params["boundary"])
		for {
			data, err := in.next()
			if err == io.EOF {
				return false, errEnded
			}
			if err != nil {
				return false, err
			}
			put(data)
		}
	case err == nil && (kind == "image/jpeg" || kind == "image/jpg"):
		data, err := io.ReadAll(io.LimitReader(answer.Body, maxFrame+1))
		if err != nil {
			return false, err
		}
		if len(data) > maxFrame {
			return false, errLarge
		}
		put(data)
		return true, nil
	}
	return false, fmt.Errorf("it answers neither a stream nor a JPEG but %q", answer.Header.Get("Content-Type"))
}
