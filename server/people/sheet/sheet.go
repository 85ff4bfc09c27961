// Package sheet reads tables that people made with spreadsheet programs, and
// writes ones for them to fill in. It is pure: bytes in, texts out.
//
// Read takes CSV in UTF-8 or GBK, separated by commas, semicolons or tabs, and
// the first sheet of an xlsx workbook. What would take too much memory is
// refused before it does.
package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The most that a file may hold.
const (
	MaxBytes   = 8 << 20  // of the file
	MaxRows    = 20_000   // below the header
	MaxColumns = 64       // that have a heading
	maxText    = 32 << 20 // of all cells together
	maxUnzip   = 32 << 20 // of a workbook
)

// ErrTable is wrapped by every error of Read.
var ErrTable = errors.New("file cannot be read as a table")

// Error says why a file is no table, in both languages.
type Error struct {
	Row    int // of the file, 0 = all of it
	ZH, EN string
}

func (e *Error) Error() string {
	if e.Row > 0 {
		return fmt.Sprintf("row %d: %s", e.Row, e.EN)
	}
	return e.EN
}

// Is makes an Error an ErrTable.
func (e *Error) Is(target error) bool { return target == ErrTable }

func refuse(row int, zh, en string) error { return &Error{Row: row, ZH: zh, EN: en} }

// Table is a heading and the rows below it that are not empty.
type Table struct {
	Header []string
	Rows   []Row
}

// Row is one row; it has as many cells as the heading, without spaces around
// them.
type Row struct {
	Number int // as the spreadsheet program counts, the heading being 1
	Cells  []string
}

// Read reads a file, whatever it is called. Errors wrap ErrTable.
func Read(data []byte) (Table, error) {
	switch {
	case len(data) > MaxBytes:
		return Table{}, refuse(0, "文件超过 8 MB", "the file is larger than 8 MB")
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return readBook(data)
	case bytes.HasPrefix(data, []byte{0xD0, 0xCF, 0x11, 0xE0}):
		return Table{}, refuse(0, "旧版 xls 或加密文件无法读取,请另存为 xlsx 或 csv", "an old xls file or an encrypted one; save it as xlsx or csv")
	}
	return readText(data)
}

// builder puts a table together and keeps it within its limits.
type builder struct {
	table Table
	text  int
}

// add takes a row; the first that is not empty is the heading.
func (b *builder) add(number int, cells []string) error {
	last := 0
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
		b.text += len(cells[i])
		if cells[i] != "" {
			last = i + 1
		}
	}
	cells = cells[:last]
	switch width := len(b.table.Header); {
	case last == 0:
		return nil
	case b.text > maxText:
		return refuse(number, "文件内容太多", "the cells hold too much text")
	case width == 0 && last > MaxColumns:
		return refuse(number, fmt.Sprintf("列数超过 %d", MaxColumns), fmt.Sprintf("more than %d columns", MaxColumns))
	case width == 0:
		b.table.Header = slices.Clone(cells)
		return nil
	case last > width:
		return refuse(number, "该行的列数比表头多", "the row has more cells than the heading")
	case len(b.table.Rows) == MaxRows:
		return refuse(number, fmt.Sprintf("超过 %d 行,请分成几个文件", MaxRows), fmt.Sprintf("more than %d rows; split the file", MaxRows))
	}
	full := make([]string, len(b.table.Header))
	copy(full, cells)
	b.table.Rows = append(b.table.Rows, Row{number, full})
	return nil
}

func (b *builder) done() (Table, error) {
	if len(b.table.Header) == 0 {
		return Table{}, refuse(0, "文件是空的", "the file is empty")
	}
	return b.table, nil
}
