package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// buffer is how many bytes a sender can be ahead of the receiver.
const buffer = 64 << 10

// chunk is bytes on their way.
type chunk struct {
	data    []byte
	arrives time.Time
}

// stream is one direction of a connection.
type stream struct {
	rate  int
	delay time.Duration

	mu     sync.Mutex
	woken  chan struct{} // closed at the next change
	queue  []chunk
	size   int       // bytes sent and not received
	idle   time.Time // when the line has sent everything
	losing bool
	lost   bool // something that was sent will never come
	ended  bool // the sender has closed
	rd, wd time.Time

	readErr, writeErr error // once one end cannot go on
}

func newStream(rate int, delay time.Duration) *stream {
	return &stream{rate: rate, delay: delay, woken: make(chan struct{})}
}

// wake is called under the lock after each change.
func (s *stream) wake() {
	close(s.woken)
	s.woken = make(chan struct{})
}

// wait gives up the lock until something changes or a time is reached; zero is
// never.
func (s *stream) wait(until time.Time) {
	woken := s.woken
	s.mu.Unlock()
	defer s.mu.Lock()
	if until.IsZero() {
		<-woken
		return
	}
	t := time.NewTimer(time.Until(until))
	defer t.Stop()
	select {
	case <-woken:
	case <-t.C:
	}
}

func (s *stream) write(b []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.writeErr != nil:
			return n, s.writeErr
		case passed(s.wd):
			return n, os.ErrDeadlineExceeded
		case len(b) == 0:
			return n, nil
		case s.size == buffer:
			s.wait(s.wd)
			continue
		}
		m := min(len(b), buffer-s.size)
		s.send(b[:m])
		b, n = b[m:], n+m
	}
}

func passed(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

// send puts bytes on the line, under the lock. Lost ones go on filling the
// sender's buffer, as unacknowledged ones do.
func (s *stream) send(b []byte) {
	s.size += len(b)
	if s.losing {
		s.lost = true
	}
	if s.lost {
		return
	}
	start := s.idle
	if now := time.Now(); start.Before(now) {
		start = now
	}
	if s.rate > 0 {
		start = start.Add(time.Duration(len(b)) * time.Second / time.Duration(s.rate))
	}
	s.idle = start
	s.queue = append(s.queue, chunk{append([]byte(nil), b...), start.Add(s.delay)})
	s.wake()
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		until := s.rd
		switch {
		case s.readErr != nil:
			return 0, s.readErr
		case passed(s.rd):
			return 0, os.ErrDeadlineExceeded
		case len(s.queue) > 0 && passed(s.queue[0].arrives):
			c := &s.queue[0]
			n := copy(b, c.data)
			if c.data = c.data[n:]; len(c.data) == 0 {
				s.queue = s.queue[1:]
			}
			s.size -= n
			s.wake()
			return n, nil
		case len(s.queue) > 0:
			if at := s.queue[0].arrives; until.IsZero() || at.Before(until) {
				until = at
			}
		case s.ended && !s.lost:
			return 0, io.EOF
		}
		s.wait(until)
	}
}

// closeWriter ends sending. The receiver learns it behind the last byte, if it
// is not lost.
func (s *stream) closeWriter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended, s.writeErr = true, net.ErrClosed
	s.lost = s.lost || s.losing
	s.wake()
}

// closeReader ends receiving; the sender is told when the news can reach it.
func (s *stream) closeReader(reaches bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readErr = net.ErrClosed
	if reaches {
		s.breakWriter(ErrReset)
	}
	s.wake()
}

// breakOff ends both ends.
func (s *stream) breakOff() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readErr == nil {
		s.readErr = ErrReset
	}
	s.breakWriter(ErrReset)
	s.wake()
}

func (s *stream) breakWriter(err error) {
	if s.writeErr == nil {
		s.writeErr = err
	}
}

func (s *stream) lose(losing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.losing = losing
}

// lossy reports whether bytes, or the end, were lost.
func (s *stream) lossy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lost
}

// loses reports whether what is sent now is lost.
func (s *stream) loses() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.losing || s.lost
}

func (s *stream) readBy(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rd = t
	s.wake()
}

func (s *stream) writeBy(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wd = t
	s.wake()
}
