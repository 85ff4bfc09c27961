package serial

import (
	"fmt"
	"strings"
	"sync"

	"campusgate/devices"
)

// Shared is a port to which several write: the relays of one board, each of which
// opens a lane. Windows lets a port be opened once, and two writers would mix
// their frames. Safe for concurrent use.
type Shared struct{ *devices.Share[*common] }

// common is a port and what its users have to agree on.
type common struct {
	*Port
	baud int

	writing sync.Mutex // one frame at a time; also covers broken
	broken  error
}

// pool is the open ports by path.
var pool devices.Pool[*common]

// Join opens the port of c for writing, or joins those who have it open, which
// has to be at the same rate.
func Join(c Config) (*Shared, error) {
	if c.Baud == 0 {
		c.Baud = DefaultBaud
	}
	name := c.Path
	if !strings.HasPrefix(name, "/") {
		name = strings.ToUpper(name) // com3 is COM3
	}
	share, err := pool.Join(name, func() (*common, error) {
		p, err := Open(c)
		return &common{Port: p, baud: c.Baud}, err
	})
	if err != nil {
		return nil, err
	}
	s := &Shared{share}
	if rate := s.Of.baud; rate != c.Baud {
		_ = s.Close() // nothing was written
		return nil, fmt.Errorf("serial port %s: %d baud asked for, and open at %d for another relay", c.Path, c.Baud, rate)
	}
	return s, nil
}

// Write writes one frame; see Port.Write.
func (s *Shared) Write(b []byte) (n int, err error) {
	err = s.use(func() error {
		n, err = s.Of.Write(b)
		return err
	})
	return n, err
}

// Alive returns an error when the device is gone.
func (s *Shared) Alive() error { return s.use(s.Of.Alive) }

// use keeps a port that failed from all of its users, so that they give it up and
// it can be opened anew.
func (s *Shared) use(do func() error) error {
	s.Of.writing.Lock()
	defer s.Of.writing.Unlock()
	if s.Of.broken == nil {
		if s.Of.broken = do(); s.Of.broken != nil {
			s.Forget()
		}
	}
	return s.Of.broken
}
