package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

var bom = []byte("\xEF\xBB\xBF")

func readText(data []byte) (Table, error) {
	text, err := decode(data)
	if err != nil {
		return Table{}, err
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = separator(text)
	r.FieldsPerRecord = -1
	var b builder
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return b.done()
		}
		var bad *csv.ParseError
		if errors.As(err, &bad) {
			return Table{}, refuse(bad.StartLine, "引号有误", "the quotes are wrong")
		}
		if err != nil {
			return Table{}, err
		}
		number, _ := r.FieldPos(0)
		if err := b.add(number, cells); err != nil {
			return Table{}, err
		}
	}
}

// decode turns a file into UTF-8. What is not UTF-8 is taken for GBK, as Chinese
// spreadsheet programs write it, unless its heading shows that it is UTF-8 that
// was damaged.
func decode(data []byte) (string, error) {
	marked := bytes.HasPrefix(data, bom)
	data = bytes.TrimPrefix(data, bom)
	if utf8.Valid(data) {
		return string(data), nil
	}
	head, _, _ := bytes.Cut(data, []byte("\n"))
	if marked || utf8.Valid(head) && !ascii(head) {
		return "", refuse(1+bytes.Count(data[:invalid(data)], []byte("\n")), "不是有效的 UTF-8 文本", "not UTF-8")
	}
	// GB18030 has all of GBK in it.
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(data)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return "", refuse(0, "既不是 UTF-8 也不是 GBK 编码", "neither UTF-8 nor GBK")
	}
	return string(text), nil
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// invalid is where a text stops being UTF-8.
func invalid(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// separator is what the heading uses most.
func separator(text string) rune {
	head, _, _ := strings.Cut(strings.TrimLeft(text, "\r\n"), "\n")
	best := ','
	for _, c := range ";\t" {
		if strings.Count(head, string(c)) > strings.Count(head, string(best)) {
			best = c
		}
	}
	return best
}
