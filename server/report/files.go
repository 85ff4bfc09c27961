package report

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/xuri/excelize/v2"

	"campusgate/server/apply"
)

// mark tells spreadsheet programs that a text is UTF-8.
const mark = "\uFEFF"

// writeText writes CSV by RFC 4180, row by row. A line break within a cell
// becomes CRLF, as those between the rows.
func (e *Export) writeText(ctx context.Context, w io.Writer) error {
	out := bufio.NewWriter(w)
	if _, err := out.WriteString(mark); err != nil {
		return err
	}
	table := csv.NewWriter(out)
	table.UseCRLF = true
	cells := make([]string, len(e.columns))
	for i, c := range e.columns {
		cells[i] = Guard(c.Name)
	}
	if err := table.Write(cells); err != nil {
		return err
	}
	err := e.service.Apply.EachMatter(ctx, e.ids, func(m *apply.Matter) error {
		for i, c := range e.columns {
			cells[i] = e.cell(c, m)
			if _, isNumber := c.value(cells[i]).(float64); !isNumber { // of which none is a formula
				cells[i] = Guard(cells[i])
			}
		}
		return table.Write(cells)
	})
	table.Flush()
	return errors.Join(err, table.Error(), out.Flush())
}

// How a workbook shows days and moments.
var formats = map[kind]string{date: "yyyy-mm-dd", moment: "yyyy-mm-dd hh:mm:ss"}

// writeBook writes a workbook. Its rows wait in a temporary file, not in memory.
func (e *Export) writeBook(ctx context.Context, w io.Writer) (err error) {
	const sheet = "查询统计"
	book := excelize.NewFile()
	defer func() { err = errors.Join(err, book.Close()) }()
	if err := book.SetSheetName(book.GetSheetName(0), sheet); err != nil {
		return err
	}
	styles := map[kind]int{}
	for holds, format := range formats {
		if styles[holds], err = book.NewStyle(&excelize.Style{CustomNumFmt: &format}); err != nil {
			return err
		}
	}
	rows, err := book.NewStreamWriter(sheet)
	if err != nil {
		return err
	}
	if err := rows.SetColWidth(1, len(e.columns), 18); err != nil {
		return err
	}
	cells := make([]any, len(e.columns))
	for i, c := range e.columns {
		cells[i] = c.Name
	}
	if err := rows.SetRow("A1", cells); err != nil {
		return err
	}
	line := 1
	err = e.service.Apply.EachMatter(ctx, e.ids, func(m *apply.Matter) error {
		for i, c := range e.columns {
			cells[i] = c.value(e.cell(c, m))
			if _, isTime := cells[i].(time.Time); isTime {
				cells[i] = excelize.Cell{StyleID: styles[c.holds], Value: cells[i]}
			}
		}
		line++
		return rows.SetRow("A"+strconv.Itoa(line), cells)
	})
	if err != nil {
		return err
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}
