package paper

import (
	"bytes"
	"errors"
	"fmt"
	"image"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Slip is what was printed between two cuts.
type Slip struct {
	Lines []Line
	Cut   bool // false: it is still in the printer
	// Picture is the paper, black on white, a dot a pixel. A character is a box:
	// what it says is in Lines.
	Picture *image.Gray
}

// Line is one printed line of text.
type Line struct {
	Text  string
	Align byte // 0 left, 1 middle, 2 right
	Size  byte // as GS ! was given it
	Bold  bool
}

// Text gives the lines, each ended by a line end.
func (s *Slip) Text() string {
	var b bytes.Buffer
	for _, l := range s.Lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}

// errShort: a command ends in the middle.
var errShort = errors.New("the data ends within a command")

// reader interprets bytes as a printer does that has paper of so many dots.
type reader struct {
	in    []byte
	dots  int
	slips []*Slip

	chinese bool
	align   byte
	size    byte
	bold    bool
	line    []byte // in GBK
	symbol  symbol
}

// Read prints data on paper of so many columns. Of an endless roll it gives the
// slips, the last of which may not have been cut.
func Read(data []byte, columns int) ([]*Slip, error) {
	r := &reader{in: data, dots: columns * 12, slips: []*Slip{{}}}
	r.reset()
	for len(r.in) > 0 {
		at := len(data) - len(r.in)
		if err := r.next(); err != nil {
			return nil, fmt.Errorf("byte %d: %w", at, err)
		}
	}
	if len(r.line) > 0 {
		return nil, fmt.Errorf("a line without an end: %q", r.line)
	}
	if last := r.slip(); len(last.Lines) == 0 && last.Picture == nil {
		r.slips = r.slips[:len(r.slips)-1]
	}
	return r.slips, nil
}

func (r *reader) slip() *Slip { return r.slips[len(r.slips)-1] }

func (r *reader) reset() {
	r.chinese, r.align, r.size, r.bold, r.line, r.symbol = false, 0, 0, false, nil, symbol{level: 0x30, dots: 3}
}

// take gives the next n bytes.
func (r *reader) take(n int) ([]byte, error) {
	if len(r.in) < n {
		return nil, errShort
	}
	b := r.in[:n]
	r.in = r.in[n:]
	return b, nil
}

func (r *reader) next() error {
	b, err := r.take(1)
	if err != nil {
		return err
	}
	switch c := b[0]; {
	case c == '\n':
		return r.end()
	case c == 0x1B:
		return r.escape()
	case c == 0x1C:
		return r.fieldSeparator()
	case c == 0x1D:
		return r.group()
	case c == 0x10: // DLE EOT n, answered elsewhere
		b, err := r.take(2)
		if err == nil && (b[0] != 4 || b[1] < 1 || b[1] > 4) {
			err = fmt.Errorf("DLE % X", b)
		}
		return err
	case c < ' ' || c == 0x7F:
		return fmt.Errorf("control byte %02X", c)
	case c >= 0x80:
		if !r.chinese || c == 0x80 || c == 0xFF {
			return fmt.Errorf("byte %02X of no character", c)
		}
		trail, err := r.take(1)
		if err != nil {
			return err
		}
		if trail[0] < 0x40 || trail[0] == 0x7F {
			return fmt.Errorf("half a character: %02X %02X", c, trail[0])
		}
		r.line = append(r.line, c, trail[0])
	default:
		r.line = append(r.line, c)
	}
	return nil
}

// escape reads what follows ESC.
func (r *reader) escape() error {
	b, err := r.take(1)
	if err != nil {
		return err
	}
	if b[0] == '@' {
		r.reset()
		return nil
	}
	n, err := r.take(1)
	if err != nil {
		return err
	}
	switch b[0] {
	case 'a':
		if len(r.line) > 0 || n[0] > 2 {
			return fmt.Errorf("ESC a %d in the midst of a line", n[0])
		}
		r.align = n[0]
	case 'E':
		r.bold = n[0]&1 == 1
	case 'd':
		if len(r.line) > 0 {
			return errors.New("a feed within a line")
		}
		r.feed(int(n[0]) * lineDots)
	default:
		return fmt.Errorf("ESC %02X is no command", b[0])
	}
	return nil
}

// fieldSeparator reads what follows FS.
func (r *reader) fieldSeparator() error {
	b, err := r.take(1)
	if err != nil {
		return err
	}
	switch b[0] {
	case '&':
		r.chinese = true
	case '.':
		r.chinese = false
	default:
		return fmt.Errorf("FS %02X is no command", b[0])
	}
	return nil
}

// group reads what follows GS.
func (r *reader) group() error {
	b, err := r.take(2)
	if err != nil {
		return err
	}
	switch {
	case b[0] == '!':
		if b[1] != 0 && b[1] != 0x11 {
			return fmt.Errorf("GS ! %02X", b[1])
		}
		r.size = b[1]
	case b[0] == 'r': // answered elsewhere
	case b[0] == 'V' && b[1] == 0x42:
		if _, err := r.take(1); err != nil {
			return err
		}
		return r.cut()
	case b[0] == '(' && b[1] == 'k':
		return r.code()
	case b[0] == 'v' && b[1] == '0':
		return r.raster()
	default:
		return fmt.Errorf("GS %02X %02X is no command", b[0], b[1])
	}
	return nil
}

func (r *reader) cut() error {
	if len(r.line) > 0 {
		return errors.New("a cut within a line")
	}
	r.slip().Cut = true
	r.slips = append(r.slips, &Slip{})
	return nil
}

// end ends a line. An overlong one would go on in the next, which nobody wants.
func (r *reader) end() error {
	column := 12 * (1 + int(r.size&1))
	if over := len(r.line)*column - r.dots; over > 0 {
		return fmt.Errorf("a line is %d dots too long: %q", over, r.line)
	}
	text, err := simplifiedchinese.GBK.NewDecoder().Bytes(r.line)
	if err != nil {
		return err
	}
	if len(text) > 0 {
		r.slip().Lines = append(r.slip().Lines, Line{Text: string(text), Align: r.align, Size: r.size, Bold: r.bold})
	}
	r.characters(column)
	r.line = nil
	return nil
}
