package escpos

import (
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// boxBytes is □, which stands for every character that the printer does not
// have.
var boxBytes = []byte{0xA1, 0xF5}

// encode gives a text as the printer gets it: printable ASCII as it is, and what
// GBK has as two bytes, of which neither is below 0x40. So no text, whatever
// somebody has typed as their name, holds a byte that begins a command or ends a
// line. The number of bytes is the number of columns.
func encode(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text { // U+FFFD for what is no UTF-8
		out = append(out, char(r)...)
	}
	return out
}

func char(r rune) []byte {
	if r >= ' ' && r <= '~' {
		return []byte{byte(r)}
	}
	if r < 0x80 {
		return boxBytes
	}
	b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
	if err != nil || len(b) != 2 || b[0] < 0x81 || b[1] < 0x40 || b[1] == 0x7F {
		return boxBytes // among them the one byte that code page 936 has for €
	}
	return b
}

// width is the columns that a text takes.
func width(text string) int { return len(encode(text)) }

// wrap breaks a text into lines of at most columns, between words where there
// are any and otherwise between any two characters. It gives one line at least.
func wrap(text string, columns int) []string {
	var lines []string
	var line strings.Builder
	used, space := 0, -1 // space is where the last blank of the line is, in bytes
	for _, r := range text {
		w := len(char(r))
		if used+w > columns {
			whole := line.String()
			line.Reset()
			switch {
			case r == ' ':
				lines = append(lines, whole)
				used, space = 0, -1
				continue
			case space > 0 && r < 0x80 && whole[len(whole)-1] != ' ':
				lines = append(lines, whole[:space])
				line.WriteString(whole[space+1:])
			default:
				lines = append(lines, strings.TrimSuffix(whole, " "))
			}
			used, space = width(line.String()), -1
		}
		if r == ' ' {
			space = line.Len()
		}
		line.WriteRune(r)
		used += w
	}
	return append(lines, line.String())
}

// columnsOf lays two texts out on one line, or where they do not fit together
// the second behind the last line of the first.
func columnsOf(left, right string, columns int) []string {
	if w := width(left) + width(right); left != "" && w < columns || w <= columns && left == "" {
		return []string{left + strings.Repeat(" ", columns-w) + right}
	}
	var lines []string
	if left != "" {
		lines = wrap(left, columns)
	}
	for i, part := range wrap(right, columns) {
		if last := len(lines) - 1; i == 0 && last >= 0 && width(lines[last])+1+width(right) <= columns {
			lines[last] += strings.Repeat(" ", columns-width(lines[last])-width(right)) + right
			break
		}
		lines = append(lines, strings.Repeat(" ", columns-width(part))+part)
	}
	return lines
}
