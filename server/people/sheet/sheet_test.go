package sheet_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"campusgate/server/people/sheet"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// shown is a table as one text: cells between bars, rows with their numbers.
func shown(t sheet.Table) string {
	all := strings.Join(t.Header, "|")
	for _, r := range t.Rows {
		all += fmt.Sprintf(" / %d %s", r.Number, strings.Join(r.Cells, "|"))
	}
	return all
}

func TestRead_TextAsSpreadsheetProgramsWriteIt(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("编号,姓名\r\n1,周敏\r\n")
	ok(t, err)
	for name, c := range map[string]struct{ in, want string }{
		"utf-8":           {"编号,姓名\n1,周敏\n", "编号|姓名 / 2 1|周敏"},
		"mark":            {"\xEF\xBB\xBF编号,姓名\r\n1,周敏", "编号|姓名 / 2 1|周敏"},
		"gbk":             {gbk, "编号|姓名 / 2 1|周敏"},
		"semicolons":      {"编号;姓名\n1;\"周,敏\"\n", "编号|姓名 / 2 1|周,敏"},
		"tabs":            {"编号\t姓名\n1\t周 敏\n", "编号|姓名 / 2 1|周 敏"},
		"short rows":      {"a,b,c\n1\n1,2\n", "a|b|c / 2 1|| / 3 1|2|"},
		"empty rows":      {"\n,,\na,b\n\n,\n1,2\n", "a|b / 6 1|2"},
		"empty at right":  {"a,b,,\n1,2,,,,\n", "a|b / 2 1|2"},
		"spaces":          {" a , b\n 1 ,\u30002\n", "a|b / 2 1|2"},
		"quotes":          {"a,b\n\"x \"\"y\"\"\",2\n", `a|b / 2 x "y"|2`},
		"formulas":        {"a,b\n=1+1,@SUM(A1)\n", "a|b / 2 =1+1|@SUM(A1)"},
		"a line in it":    {"a,b\n\"x\ny\",2\n3,4\n", "a|b / 2 x\ny|2 / 4 3|4"},
		"only a heading":  {"a,b", "a|b"},
		"one long column": {"a\n1\n2\n", "a / 2 1 / 3 2"},
	} {
		got, err := sheet.Read([]byte(c.in))
		if err != nil || shown(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", name, shown(got), err, c.want)
		}
	}
}

// refusedAt requires an Error of this row.
func refusedAt(t testing.TB, name string, row int, data []byte) {
	t.Helper()
	began := time.Now()
	_, err := sheet.Read(data)
	var e *sheet.Error
	if !errors.Is(err, sheet.ErrTable) || !errors.As(err, &e) || e.Row != row || e.ZH == "" || e.EN == "" {
		t.Errorf("%s: got %v, want a refusal of row %d", name, err, row)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("%s: it took %s", name, took)
	}
}

func TestRead_RefusesWhatIsNoTable(t *testing.T) {
	for name, c := range map[string]struct {
		row int
		in  string
	}{
		"nothing":             {0, ""},
		"only a mark":         {0, "\xEF\xBB\xBF"},
		"only commas":         {0, ",,,\n,,\n"},
		"damaged utf-8":       {3, "编号,姓名\n1,周敏\n2,\xE5\x91\n"},
		"damaged with a mark": {2, "\xEF\xBB\xBFa\n\xff\n"},
		"neither":             {0, "a,b\n\xff\xff,\x80\n"},
		"open quote":          {3, "a,b\n1,2\n\"3,4\n"},
		"quote within":        {2, "a,b\n1\"2,3\n"},
		"wider than heading":  {2, "a,b\n1,2,3\n"},
		"too many columns":    {1, strings.Repeat("x,", 65) + "x\n"},
		"too many rows":       {sheet.MaxRows + 2, "a\n" + strings.Repeat("1\n", sheet.MaxRows+1)},
		"too large":           {0, "a\n" + strings.Repeat("x", sheet.MaxBytes)},
		"old xls":             {0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + strings.Repeat("\x00", 600)},
		"no zip":              {0, "PK\x03\x04 and nothing more"},
		"a picture":           {0, "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xd8\xff\xe0"},
	} {
		refusedAt(t, name, c.row, []byte(c.in))
	}
	most, err := sheet.Read([]byte("a\n" + strings.Repeat("1\n", sheet.MaxRows)))
	if err != nil || len(most.Rows) != sheet.MaxRows {
		t.Errorf("%d rows are refused: %v", sheet.MaxRows, err)
	}
}

// book makes a workbook with the library.
func book(t testing.TB, fill func(f *excelize.File, sheet string)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f, f.GetSheetName(0))
	out, err := f.WriteToBuffer()
	ok(t, err)
	ok(t, f.Close())
	return out.Bytes()
}

func TestRead_WorkbookGivesWhatTheProgramShows(t *testing.T) {
	data := book(t, func(f *excelize.File, s string) {
		ok(t, f.SetSheetRow(s, "A1", &[]any{"编号", "手机号", "日期", "公式"}))
		ok(t, f.SetSheetRow(s, "A2", &[]any{"007", 13800130001, time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)}))
		ok(t, f.SetCellFormula(s, "D2", `HYPERLINK("https://evil.example","x")`))
		ok(t, f.SetCellStr(s, "A5", "=1+1"))
		date, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		ok(t, err)
		ok(t, f.SetCellStyle(s, "C2", "C2", date))
		_, err = f.NewSheet("另一页")
		ok(t, err)
		ok(t, f.SetCellStr("另一页", "A1", "not read"))
		f.SetActiveSheet(1)
	})
	got, err := sheet.Read(data)
	if want := "编号|手机号|日期|公式 / 2 007|13800130001|2026-05-01| / 5 =1+1|||"; err != nil || shown(got) != want {
		t.Fatalf("%q, %v; want %q", shown(got), err, want)
	}
}

// parts is a workbook by hand: a sheet's XML, and whatever else.
func parts(t testing.TB, sheetXML string, more map[string]string) []byte {
	t.Helper()
	all := map[string]string{
		"[Content_Types].xml": `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
			`<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>` +
			`<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
		"_rels/.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" ` +
			`xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>` + sheetXML + `</sheetData></worksheet>`,
	}
	for name, text := range more {
		all[name] = text
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, text := range all {
		part, err := w.Create(name)
		ok(t, err)
		_, err = io.WriteString(part, text)
		ok(t, err)
	}
	ok(t, w.Close())
	return out.Bytes()
}

func cell(ref, text string) string {
	return `<c r="` + ref + `" t="inlineStr"><is><t>` + text + `</t></is></c>`
}

func TestRead_WorkbookFormulasAreWhatTheyLastGave(t *testing.T) {
	data := parts(t, `<row r="1">`+cell("A1", "a")+cell("B1", "b")+`</row>`+
		`<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>WEBSERVICE("http://x")</f><v>kept</v></c></row>`, nil)
	got, err := sheet.Read(data)
	if want := "a|b / 2 2|kept"; err != nil || shown(got) != want {
		t.Fatalf("%q, %v; want %q", shown(got), err, want)
	}
}

func TestRead_RefusesWorkbooksMadeToHarm(t *testing.T) {
	head := `<row r="1">` + cell("A1", "a") + `</row>`
	good := parts(t, head, nil)
	_, err := sheet.Read(good)
	ok(t, err)

	bomb := parts(t, head, map[string]string{"xl/sharedStrings.xml": strings.Repeat(" ", 40<<20)})
	if len(bomb) > 1<<20 {
		t.Fatalf("the bomb is %d bytes", len(bomb))
	}
	refusedAt(t, "bomb", 0, bomb)
	// The same, with a directory that says it is small.
	refusedAt(t, "lying bomb", 0, lying(t, bomb))
	many := map[string]string{}
	for i := range 1001 {
		many[fmt.Sprintf("x%d", i)] = ""
	}
	refusedAt(t, "many parts", 0, parts(t, head, many))
	refusedAt(t, "wide row", 2, parts(t, head+`<row r="2">`+cell("XFD2", "far out")+`</row>`, nil))
	refusedAt(t, "cell beyond the heading", 2, parts(t, head+`<row r="2">`+cell("B2", "x")+`</row>`, nil))
	refusedAt(t, "no sheets", 0, parts(t, head, map[string]string{
		"xl/workbook.xml": `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>`,
	}))
	refusedAt(t, "empty", 0, parts(t, "", nil))
	refusedAt(t, "cut off", 0, good[:len(good)/2])
	long := strings.Repeat("x", 30<<10)
	refusedAt(t, "one text a thousand times", 1094, parts(t, head+strings.Repeat(`<row><c t="s"><v>0</v></c></row>`, 2000), map[string]string{
		"xl/sharedStrings.xml": `<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>` + long + `</t></si></sst>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" ` +
			`Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>`,
	}))
	// A row at the very end of the sheet costs nothing.
	far, err := sheet.Read(parts(t, head+`<row r="1048576">`+cell("A1048576", "x")+`</row>`, nil))
	if err != nil || len(far.Rows) != 0 {
		t.Errorf("a far row: %v, %v", shown(far), err)
	}
}

// lying sets the unpacked size of every part to 10 bytes, in the directory and
// at the parts.
func lying(t testing.TB, data []byte) []byte {
	t.Helper()
	data = bytes.Clone(data)
	for at := 0; ; at += 4 {
		next := bytes.Index(data[at:], []byte("PK\x01\x02"))
		if next < 0 {
			return data
		}
		at += next
		binary.LittleEndian.PutUint32(data[at+24:], 10)
	}
}

func TestWrite_GivesWhatReadReads(t *testing.T) {
	columns := []sheet.Column{{"编号", "必有"}, {"姓名", "=1+1"}, {"a,b \"c\"", ""}}
	for name, make := range map[string]func([]sheet.Column) ([]byte, error){"csv": sheet.CSV, "xlsx": sheet.Workbook} {
		data, err := make(columns)
		ok(t, err)
		got, err := sheet.Read(data)
		if want := "编号|姓名|a,b \"c\""; err != nil || shown(got) != want {
			t.Errorf("%s: %q, %v; want %q", name, shown(got), err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("编号,姓名\n1,周敏\n"))
	f.Add([]byte("a;b\n\"x;y\";2\n"))
	f.Add([]byte("\xEF\xBB\xBFa\tb\r\n1\t2\r\n"))
	f.Add([]byte("\xb1\xe0\xba\xc5,\xd0\xd5\xc3\xfb\n1,\xd6\xdc\xc3\xf4\n"))
	f.Add([]byte("a,b\n\"open"))
	f.Add([]byte("PK\x03\x04"))
	f.Add(parts(f, `<row r="1">`+cell("A1", "a")+`</row><row r="2">`+cell("A2", "x")+`</row>`, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := sheet.Read(data)
		if err != nil {
			if !errors.Is(err, sheet.ErrTable) {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if len(got.Header) == 0 || len(got.Header) > sheet.MaxColumns || len(got.Rows) > sheet.MaxRows {
			t.Fatalf("%d columns, %d rows", len(got.Header), len(got.Rows))
		}
		last := 0
		for _, r := range got.Rows {
			if len(r.Cells) != len(got.Header) || r.Number <= last {
				t.Fatalf("row %+v after %d", r, last)
			}
			last = r.Number
		}
	})
}
