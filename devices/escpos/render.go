package escpos

import (
	"bytes"
	"fmt"
	"slices"

	"campusgate/devices"
)

// The paper widths, in columns of 12 dots: rolls of 58 mm and of 80 mm.
const (
	Columns58 = 32
	Columns80 = 48
)

// dotsPerColumn is the width of font A; a Chinese character takes two.
const dotsPerColumn = 12

// Bounds of one slip: some metres of paper.
const (
	maxRows  = 1000
	maxBytes = 64 << 10
)

// Commands. All of them are understood by printers that are thirty years old,
// but for GS ( k.
var (
	initialise  = []byte{0x1B, '@', 0x1C, '&'}             // ESC @, then FS &: two bytes are a Chinese character
	feedAndCut  = []byte{0x1B, 'd', 3, 0x1D, 'V', 0x42, 0} // to the edge where it is torn, to the cutter, and cut
	modelTwo    = []byte{0x1D, '(', 'k', 4, 0, 0x31, 0x41, 0x32, 0}
	levelMedium = []byte{0x1D, '(', 'k', 3, 0, 0x31, 0x45, 0x31}
	printSymbol = []byte{0x1D, '(', 'k', 3, 0, 0x31, 0x51, 0x30}
)

// Render gives the bytes that print a slip on paper of that many columns, or an
// error that wraps devices.ErrSlip.
func Render(s devices.Slip, columns int) ([]byte, error) {
	if len(s) > maxRows {
		return nil, fmt.Errorf("%w: %d rows, at most %d", devices.ErrSlip, len(s), maxRows)
	}
	b := bytes.NewBuffer(slices.Clone(initialise))
	for i, row := range s {
		var err error
		switch {
		case row.QR != "":
			err = symbol(b, row.QR, columns)
		case row.Rule:
			line(b, devices.Row{}, string(bytes.Repeat([]byte("-"), columns)))
		case row.Feed > 0:
			b.Write([]byte{0x1B, 'd', byte(min(row.Feed, 20))})
		case row.Cut:
			b.Write(feedAndCut)
		default:
			text(b, row, columns)
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		if b.Len() > maxBytes {
			return nil, fmt.Errorf("%w: more than %d bytes", devices.ErrSlip, maxBytes)
		}
	}
	return b.Bytes(), nil
}

func text(b *bytes.Buffer, row devices.Row, columns int) {
	if row.Size == 2 {
		columns /= 2
	}
	lines := wrap(row.Text, columns)
	if row.Right != "" {
		row.Align = devices.Left
		lines = columnsOf(row.Text, row.Right, columns)
	}
	for _, l := range lines {
		line(b, row, l)
	}
}

// line prints one line. Every line says all of how it is set, so that one that
// was garbled on the wire spoils no other.
func line(b *bytes.Buffer, row devices.Row, text string) {
	size, bold := byte(0), byte(0)
	if row.Size == 2 {
		size = 0x11
	}
	if row.Bold {
		bold = 1
	}
	b.Write([]byte{0x1B, 'a', byte(min(row.Align, devices.Right)), 0x1D, '!', size, 0x1B, 'E', bold})
	b.Write(encode(text))
	b.WriteByte('\n')
}

// symbol prints a QR code, as large as the paper and a hand allow. A printer
// that knows no GS ( k prints the text instead, which therefore must be ASCII.
func symbol(b *bytes.Buffer, code string, columns int) error {
	for i := range len(code) {
		if code[i] < ' ' || code[i] > '~' {
			return fmt.Errorf("%w: a QR text of other than printable ASCII", devices.ErrSlip)
		}
	}
	dots, err := module(len(code), columns*dotsPerColumn)
	if err != nil {
		return err
	}
	b.Write([]byte{0x1B, 'a', byte(devices.Center)})
	b.Write(modelTwo)
	b.Write([]byte{0x1D, '(', 'k', 3, 0, 0x31, 0x43, byte(dots)})
	b.Write(levelMedium)
	n := len(code) + 3
	b.Write([]byte{0x1D, '(', 'k', byte(n), byte(n >> 8), 0x31, 0x50, 0x30})
	b.WriteString(code)
	b.Write(printSymbol)
	b.Write([]byte{0x1B, 'a', byte(devices.Left)})
	return nil
}

// The sizes of a module: below three dots (0.375 mm) old scanners fail, and a
// short code need not fill the paper.
const (
	minModule = 3
	maxModule = 8
)

// capacity is how many bytes each version of a QR code holds at level M (ISO/IEC
// 18004 table 7). Printers that pack letters and digits closer make a smaller
// symbol than is reckoned with here, never a larger one.
var capacity = [...]int{
	14, 26, 42, 62, 84, 106, 122, 152, 180, 213, 251, 287, 331, 362, 412, 450, 504, 560, 624, 666,
	711, 779, 857, 911, 997, 1059, 1125, 1190, 1264, 1370, 1452, 1538, 1628, 1722, 1809, 1911, 1989, 2099, 2213, 2331,
}

// module is how many dots a module may have for a text of n bytes to fit. The
// margins of the paper, 4 mm at least, are the quiet zone.
func module(n, dots int) (int, error) {
	for i, holds := range capacity {
		if n > holds {
			continue
		}
		if m := dots / (21 + 4*i); m >= minModule {
			return min(m, maxModule), nil
		}
		break
	}
	return 0, fmt.Errorf("%w: a QR code of %d characters", devices.ErrSlip, n)
}
