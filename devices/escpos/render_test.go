package escpos_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	encoder "github.com/skip2/go-qrcode"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"

	"campusgate/devices"
	"campusgate/devices/escpos"
	"campusgate/devices/escpos/paper"
)

// printed renders a slip and puts it on paper.
func printed(t testing.TB, s devices.Slip, columns int) *paper.Slip {
	t.Helper()
	data, err := escpos.Render(s, columns)
	if err != nil {
		t.Fatal(err)
	}
	slips, err := paper.Read(data, columns)
	if err != nil || len(slips) != 1 {
		t.Fatalf("%d slips, %v\n% X", len(slips), err, data)
	}
	return slips[0]
}

func text(t testing.TB, s devices.Slip, columns int) string {
	t.Helper()
	p := printed(t, s, columns)
	return p.Text()
}

func TestRender_AReceiptIsWhatItSays(t *testing.T) {
	p := printed(t, devices.Slip{
		{Text: "第一食堂家常菜", Align: devices.Center, Size: 2, Bold: true},
		{Rule: true},
		{Text: "持卡人 Holder", Right: "**远"},
		{Text: "红烧肉", Right: "2 × 12.50"},
		{Text: "合计", Right: "¥25.00", Size: 2},
		{Feed: 2},
		{Text: "谢谢", Align: devices.Right},
		{Cut: true},
	}, 32)
	want := "第一食堂家常菜\n" + strings.Repeat("-", 32) + "\n" +
		"持卡人 Holder               **远\n" +
		"红烧肉                2 × 12.50\n" +
		"合计     □25.00\n谢谢\n" // ¥ is in GBK only at full width
	if p.Text() != want || !p.Cut {
		t.Errorf("got\n%s want\n%s", p.Text(), want)
	}
	if l := p.Lines[0]; l.Align != 1 || l.Size != 0x11 || !l.Bold {
		t.Errorf("the head: %+v", l)
	}
	if l := p.Lines[2]; l.Align != 0 || l.Size != 0 || l.Bold {
		t.Errorf("a row: %+v", l)
	}
	if p.Lines[5].Align != 2 {
		t.Errorf("the end: %+v", p.Lines[5])
	}
}

func TestRender_RowsBreakWhereTheyDoNotFit(t *testing.T) {
	for _, c := range []struct {
		row  devices.Row
		want string
	}{
		{devices.Row{Text: strings.Repeat("宽", 17)}, strings.Repeat("宽", 16) + "\n宽\n"},
		{devices.Row{Text: "a" + strings.Repeat("宽", 16)}, "a" + strings.Repeat("宽", 15) + "\n宽\n"},
		{devices.Row{Text: "Show this pass at the gate; let the guard scan it"}, "Show this pass at the gate; let\nthe guard scan it\n"},
		{devices.Row{Text: strings.Repeat("x", 40)}, strings.Repeat("x", 32) + "\n" + strings.Repeat("x", 8) + "\n"},
		{devices.Row{Text: "教工套餐（含例汤与水果，可续饭）", Right: "1 × 28.00"}, "教工套餐（含例汤与水果，可续饭）\n                      1 × 28.00\n"},
		{devices.Row{Right: "右"}, strings.Repeat(" ", 30) + "右\n"},
		{devices.Row{Text: strings.Repeat("店", 20), Right: "12"}, strings.Repeat("店", 16) + "\n店店店店                      12\n"},
	} {
		if got := text(t, devices.Slip{c.row}, 32); got != c.want {
			t.Errorf("%+v\n got %q\nwant %q", c.row, got, c.want)
		}
	}
}

func TestRender_WhatThePrinterDoesNotHaveIsABox(t *testing.T) {
	for in, want := range map[string]string{
		"龙𠮷": "龙□", "€5": "□5", "😀 ok": "□ ok", "a\u202eb": "a□b", "\xff\xfe": "□□", "a\tb\nc\r": "a□b□c□", "é": "é", "ü": "ü", "Å": "□",
		"\x1b@": "□@", "\u0080": "□", "\x7f": "□", "\ue000": "□",
	} {
		if got := text(t, devices.Slip{{Text: in}}, 32); got != want+"\n" {
			t.Errorf("%q is printed as %q", in, got)
		}
	}
}

// The table of package escpos agrees with an encoder, and a code of every length
// reads as what it is.
func TestRender_EveryCodeFitsThePaperAndReads(t *testing.T) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 $%*+-./:"
	for columns, lengths := range map[int][]int{escpos.Columns58: {1, 180, 450, 1059}, escpos.Columns80: {450}} {
		for _, n := range lengths {
			for _, lower := range []bool{false, true} {
				code := "HTTPS://GATE.EXAMPLE.EDU/V/" + strings.Repeat(letters, 1+n/len(letters))
				if lower {
					code = strings.ToLower(code)
				}
				code = code[:n]
				p := printed(t, devices.Slip{{Text: "上"}, {QR: code}, {Text: "下"}}, columns)
				got, err := p.Code()
				if err != nil || got != code {
					t.Errorf("%d characters on %d columns: %q, %v", n, columns, got, err)
				}
			}
		}
	}
	if _, err := escpos.Render(devices.Slip{{QR: strings.Repeat("a", 1368)}}, escpos.Columns58); !errors.Is(err, devices.ErrSlip) {
		t.Errorf("a code too large for the paper: %v", err)
	}
	for _, bad := range []string{"\x1b@", "码", "\xff", "a\n"} {
		if _, err := escpos.Render(devices.Slip{{QR: bad}}, escpos.Columns80); !errors.Is(err, devices.ErrSlip) {
			t.Errorf("a code of %q: %v", bad, err)
		}
	}
}

func TestRender_TheTableOfCapacitiesIsTheStandards(t *testing.T) {
	for dots, n := range map[int]int{8: 331, 7: 412, 6: 560, 5: 857, 4: 1370, 3: 2331} { // the largest on 576 dots
		data, err := escpos.Render(devices.Slip{{QR: strings.Repeat("a", n)}}, escpos.Columns80)
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(data, []byte{0x1D, '(', 'k', 3, 0, 0x31, 0x43})
		code, err := encoder.New(strings.Repeat("a", n), encoder.Medium)
		if err != nil {
			t.Fatal(err)
		}
		fits := min(576/(17+4*code.VersionNumber), 8)
		if got := int(data[at+7]); got != fits {
			t.Errorf("%d bytes: modules of %d dots, version %d allows %d (%d)", n, got, code.VersionNumber, fits, dots)
		}
	}
}

func TestRender_BoundsAreKept(t *testing.T) {
	for name, s := range map[string]devices.Slip{
		"rows":  make(devices.Slip, 1001),
		"bytes": {{Text: strings.Repeat("长", 100_000)}},
	} {
		if _, err := escpos.Render(s, 32); !errors.Is(err, devices.ErrSlip) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p := printed(t, devices.Slip{{Feed: 1 << 20}}, 32); p.Picture.Rect.Dy() > 1000 {
		t.Errorf("a feed of %d dots", p.Picture.Rect.Dy())
	}
}

// hostile draws a text as somebody might type it who wants the printer to do
// something.
var hostile = rapid.Custom(func(t *rapid.T) string {
	parts := rapid.SliceOfN(rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{"\x1b@", "\x1bi", "\x1dV\x00", "\x1d(k\x03\x001Q0", "\x10\x04\x01", "\x1bp\x00\x32\xfa", "\x1c.", "\n", "\x00", "金额 ¥0.00"}),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) string { return string(b) }),
	), 0, 6).Draw(t, "parts")
	return strings.Join(parts, "")
})

// Whatever the texts are, the paper holds so many characters of text, in their
// order, and nothing else happens: no cut, no code, no other line.
func TestRender_NoTextIsACommand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		columns := rapid.SampledFrom([]int{escpos.Columns58, escpos.Columns80}).Draw(t, "columns")
		left, right := hostile.Draw(t, "left"), hostile.Draw(t, "right")
		row := devices.Row{Text: left, Right: right, Size: rapid.IntRange(0, 3).Draw(t, "size"), Bold: rapid.Bool().Draw(t, "bold")}
		held(t, row, columns)
	})
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"林晓岚", "\x1b@\x1dV\x00", "\x1d(k\x03\x001Q0", "龙𠮷€", "a b c", "\xff\x10\x04\x01"} {
		f.Add(s, s, byte(32), byte(1))
	}
	f.Fuzz(func(t *testing.T, left, right string, columns, size byte) {
		if len(left)+len(right) > 20_000 {
			return
		}
		held(t, devices.Row{Text: left, Right: right, Size: int(size % 4)}, map[bool]int{true: 32, false: 48}[columns%2 == 0])
	})
}

func TestFuzzText_HasSeeds(t *testing.T) {
	seeds, err := filepath.Glob("testdata/fuzz/FuzzText/*")
	if err != nil || len(seeds) < 4 {
		t.Fatalf("%d seeds, %v", len(seeds), err)
	}
	for _, s := range seeds {
		if data, err := os.ReadFile(s); err != nil || !bytes.HasPrefix(data, []byte("go test fuzz v1\n")) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// held prints the row and looks that the paper holds its characters and no more.
func held(t interface {
	Fatalf(format string, args ...any)
}, row devices.Row, columns int,
) {
	data, err := escpos.Render(devices.Slip{row, {Text: "ENDE"}}, columns)
	if err != nil {
		t.Fatalf("%v", err)
	}
	slips, err := paper.Read(data, columns)
	if err != nil || len(slips) != 1 || slips[0].Cut {
		t.Fatalf("%+v: %d slips, %v", row, len(slips), err)
	}
	var got strings.Builder
	for _, l := range slips[0].Lines {
		got.WriteString(l.Text)
	}
	if g, w := bare(got.String()), bare(shown(row.Text)+shown(row.Right)+"ENDE"); g != w {
		t.Fatalf("%+v on paper is %q, want %q", row, g, w)
	}
}

// shown is what can be read of a text, by other means than those of escpos.
func shown(s string) string {
	var b strings.Builder
	for _, r := range s {
		gbk, err := simplifiedchinese.GBK.NewEncoder().String(string(r))
		switch {
		case err == nil && len(gbk) == 2 && r != utf8.RuneError, err == nil && len(gbk) == 1 && r >= ' ' && r < 0x7F:
			b.WriteRune(r)
		default:
			b.WriteRune('□')
		}
	}
	return b.String()
}

// bare leaves the blanks out, of which layout adds and drops some.
func bare(s string) string { return strings.ReplaceAll(s, " ", "") }
