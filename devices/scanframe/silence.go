package scanframe

import "time"

// Silence tells when a line has been quiet for so long that a frame without a
// terminator is over. It asks for a second, shorter look: a program that was not run
// for a while, since its computer was busy, finds its timer run out though the rest of
// the code is here, and has read it by then. One goroutine uses it.
type Silence struct {
	gap    time.Duration
	looked bool
}

// NewSilence ends frames after a gap.
func NewSilence(gap time.Duration) *Silence { return &Silence{gap: gap} }

// Wait is how long to wait for bytes now.
func (s *Silence) Wait() time.Duration {
	if s.looked {
		return s.gap / 5
	}
	return s.gap
}

// Heard says that bytes came.
func (s *Silence) Heard() { s.looked = false }

// Over says that none came for Wait, and reports whether the frame is over. If not,
// wait once more.
func (s *Silence) Over() bool {
	s.looked = !s.looked
	return !s.looked
}
