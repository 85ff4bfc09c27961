package sheet

import (
	"bytes"
	"encoding/csv"
	"fmt"

	"github.com/xuri/excelize/v2"
)

// Column describes one column of a table to fill in.
type Column struct {
	Name string
	Note string // what belongs into it
}

// CSV makes an empty table with these headings, in UTF-8 with a mark, as
// spreadsheet programs want it.
func CSV(columns []Column) ([]byte, error) {
	var out bytes.Buffer
	out.Write(bom)
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.Name
	}
	if err := w.Write(names); err != nil {
		return nil, err
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// Workbook makes an empty table with these headings, and a second sheet that
// explains them. Cells are text, so that long numbers stay what they are.
func Workbook(columns []Column) (_ []byte, err error) {
	const table, notes = "数据", "说明"
	book := excelize.NewFile()
	defer func() { _ = book.Close() }()
	if err := book.SetSheetName(book.GetSheetName(0), table); err != nil {
		return nil, err
	}
	if _, err := book.NewSheet(notes); err != nil {
		return nil, err
	}
	text, err := book.NewStyle(&excelize.Style{NumFmt: 49})
	if err != nil {
		return nil, err
	}
	for i, c := range columns {
		name, err := excelize.ColumnNumberToName(i + 1)
		if err != nil {
			return nil, err
		}
		if err := book.SetColStyle(table, name, text); err != nil {
			return nil, err
		}
		if err := book.SetColWidth(table, name, name, 18); err != nil {
			return nil, err
		}
		if err := book.SetCellStr(table, name+"1", c.Name); err != nil {
			return nil, err
		}
		if err := book.SetSheetRow(notes, fmt.Sprintf("A%d", i+1), &[]any{c.Name, c.Note}); err != nil {
			return nil, err
		}
	}
	if err := book.SetColWidth(notes, "A", "B", 40); err != nil {
		return nil, err
	}
	out, err := book.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
