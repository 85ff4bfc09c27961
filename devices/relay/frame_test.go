package relay_test

import (
	"bytes"
	"testing"

	"campusgate/devices/relay"
)

// line keeps what was written.
type line struct{ bytes.Buffer }

func (*line) Alive() error { return nil }
func (*line) Close() error { return nil }

func TestEachBoardHasItsFrames(t *testing.T) {
	for _, c := range []struct {
		board   string
		channel int
		on, off string
	}{
		{"lcus", 0, "\xA0\x01\x01\xA2", "\xA0\x01\x00\xA1"},
		{"lcus", 1, "\xA0\x01\x01\xA2", "\xA0\x01\x00\xA1"},
		{"lcus", 2, "\xA0\x02\x01\xA3", "\xA0\x02\x00\xA2"},
		{"lcus", 8, "\xA0\x08\x01\xA9", "\xA0\x08\x00\xA8"},
		{"lcus-aa", 1, "\xAA", "\xBB"},
		{"lcus-letter", 1, "A", "a"},
		{"lcus-d0", 1, "\xD0\x01", "\xD0\x00"},
		{"kmtronic", 3, "\xFF\x03\x01", "\xFF\x03\x00"},
	} {
		b, l := relay.Boards[c.board], &line{}
		if err := b.Check(c.channel); err != nil {
			t.Errorf("%s: %v", c.board, err)
		}
		for on, want := range map[bool]string{true: c.on, false: c.off} {
			l.Reset()
			if err := b.On(l, c.channel).Switch(on); err != nil || l.String() != want {
				t.Errorf("%s channel %d, on %v: % X, %v; want % X", c.board, c.channel, on, l.String(), err, want)
			}
		}
	}
}

func TestAChannelThatNoBoardHasIsRefused(t *testing.T) {
	for _, name := range relay.BoardNames() {
		b := relay.Boards[name]
		for _, channel := range []int{-1, b.Channels + 1} {
			if b.Check(channel) == nil {
				t.Errorf("%s took channel %d", name, channel)
			}
		}
	}
}
