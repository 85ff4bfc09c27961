package sheet

import (
	"archive/zip"
	"bytes"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// The most that a workbook may consist of. A sheet with one cell far out on the
// right would otherwise make every row as wide.
const (
	maxParts = 1000
	maxCells = 1000 // in a row, empty ones counted
	maxBlank = 5000 // empty rows in one go
)

func readBook(data []byte) (t Table, err error) {
	damaged := refuse(0, "不是有效的 xlsx 文件", "not an xlsx workbook")
	if err := unzips(data); err != nil {
		return Table{}, err
	}
	// The library was not written for files that somebody has broken on purpose.
	defer func() {
		if p := recover(); p != nil {
			t, err = Table{}, damaged
		}
	}()
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		UnzipSizeLimit: maxUnzip, UnzipXMLSizeLimit: maxUnzip, ShortDatePattern: "yyyy-mm-dd",
	})
	if err != nil {
		return Table{}, damaged
	}
	defer func() { _ = book.Close() }()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return Table{}, damaged
	}
	rows, err := book.Rows(sheets[0])
	if err != nil {
		return Table{}, damaged
	}
	defer func() { _ = rows.Close() }()
	var b builder
	number, blank := 0, 0
	for rows.Next() {
		number++
		cells, err := rows.Columns()
		if err != nil {
			return Table{}, refuse(number, "该行无法读取", "the row cannot be read")
		}
		if len(cells) == 0 {
			if blank++; blank > maxBlank {
				break
			}
			continue
		}
		blank = 0
		if len(cells) > maxCells {
			return Table{}, refuse(number, "列数太多", "too many columns")
		}
		if err := b.add(number, cells); err != nil {
			return Table{}, err
		}
	}
	if rows.Error() != nil {
		return Table{}, damaged
	}
	return b.done()
}

// unzips refuses a workbook that would fill the memory. Reading a part that is
// longer than the archive says fails later.
func unzips(data []byte) error {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return refuse(0, "不是有效的 xlsx 文件", "not an xlsx workbook")
	}
	if len(archive.File) > maxParts {
		return refuse(0, "文件的组成部分太多", fmt.Sprintf("more than %d parts in the archive", maxParts))
	}
	var sum uint64
	for _, f := range archive.File {
		if f.UncompressedSize64 > maxUnzip {
			sum = maxUnzip
		}
		if sum += f.UncompressedSize64; sum > maxUnzip {
			return refuse(0, "文件解压后太大", fmt.Sprintf("unpacks to more than %d MB", maxUnzip>>20))
		}
	}
	return nil
}
