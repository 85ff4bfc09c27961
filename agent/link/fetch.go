package link

import (
	"context"
	"errors"
	"strconv"
	"time"

	"campusgate/signing/wire"
)

// fetchWait is how long a part of a program may take. A line so slow that
// nothing came by then is not worth it now.
const fetchWait = 30 * time.Second

// Why a part of a program did not come.
var (
	// ErrOffline: there is no connection, or no longer.
	ErrOffline = errors.New("not connected to the server")
	// ErrNoPart: the server did not answer in time.
	ErrNoPart = errors.New("the server sent no part of the program")
)

// Fetch asks the server for a part of the release that it offers. Only one call
// at a time.
func (l *Link) Fetch(ctx context.Context, f wire.Fetch) (wire.Part, error) {
	s := l.current()
	if s == nil {
		return wire.Part{}, ErrOffline
	}
	part, forget, _ := s.parts.Wait(partKey(f.Release, f.Offset)) // it is the only one that waits
	defer forget()
	if err := s.send(wire.Load, wire.TypeFetch, f); err != nil {
		return wire.Part{}, ErrOffline
	}
	patience := time.NewTimer(fetchWait)
	defer patience.Stop()
	select {
	case p := <-part:
		return p, nil
	case <-s.ctx.Done():
		return wire.Part{}, ErrOffline
	case <-ctx.Done():
		return wire.Part{}, ctx.Err()
	case <-patience.C:
		return wire.Part{}, ErrNoPart
	}
}

func partKey(release string, offset int64) string {
	return release + "/" + strconv.FormatInt(offset, 10)
}

// offered tells what the server offers now; "" = nothing, also without a
// connection.
func (l *Link) offered(release string) {
	if l.deps.Offered != nil {
		l.deps.Offered(release)
	}
}
