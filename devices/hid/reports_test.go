package hid_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"campusgate/devices/hid"
)

// The report descriptors of three kinds of scanners, and of a keyboard.
var (
	// named says what is what: a byte count, the AIM identifier, 56 bytes of data,
	// two bytes of the maker, and a bit that tells that the code goes on; and a
	// trigger that the host may send.
	named = []byte{
		0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x09, 0x12, 0xA1, 0x02, 0x85, 0x02, 0x15, 0x00, 0x26, 0xFF, 0x00,
		0x75, 0x08, 0x95, 0x01, 0x05, 0x01, 0x09, 0x3B, 0x81, 0x02, 0x95, 0x03, 0x05, 0x8C,
		0x09, 0xFB, 0x09, 0xFC, 0x09, 0xFD, 0x81, 0x02, 0x09, 0xFE, 0x95, 0x38, 0x82, 0x02, 0x01,
		0x06, 0x66, 0xFF, 0x95, 0x02, 0x09, 0x04, 0x09, 0x00, 0x81, 0x02,
		0x05, 0x8C, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0xFF, 0x81, 0x02, 0x95, 0x07, 0x81, 0x03, 0xC0,
		0x09, 0x14, 0xA1, 0x02, 0x85, 0x04, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x01, 0x09, 0x60, 0x91, 0x02,
		0x95, 0x07, 0x91, 0x03, 0xC0, 0xC0,
	}
	// unnamed is of the same report, and says only how long it is.
	unnamed = []byte{
		0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x85, 0x02, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x3F,
		0x09, 0x12, 0x81, 0x02, 0xC0,
	}
	// plain has 62 bytes of data in a report numbered 1, and no bit at its end.
	plain = []byte{
		0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x85, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x3F,
		0x09, 0x12, 0x81, 0x02, 0xC0,
	}
	// bare has neither a number nor a byte count: the identifier in three fields,
	// and data that is filled up with zeros.
	bare = []byte{
		0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, 0x95, 0x01,
		0x09, 0xFB, 0x81, 0x02, 0x09, 0xFC, 0x81, 0x02, 0x09, 0xFD, 0x81, 0x02, 0x95, 0x08, 0x09, 0xFE, 0x82, 0x02, 0x01,
		0x75, 0x01, 0x95, 0x01, 0x09, 0xFF, 0x81, 0x02, 0x75, 0x07, 0x81, 0x03, 0xC0,
	}
	bootKeyboard = []byte{
		0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0x05, 0x07, 0x19, 0xE0, 0x29, 0xE7, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01,
		0x95, 0x08, 0x81, 0x02, 0x95, 0x01, 0x75, 0x08, 0x81, 0x01, 0x95, 0x05, 0x75, 0x01, 0x05, 0x08, 0x19, 0x01,
		0x29, 0x05, 0x91, 0x02, 0x95, 0x01, 0x75, 0x03, 0x91, 0x01, 0x95, 0x06, 0x75, 0x08, 0x15, 0x00, 0x25, 0x65,
		0x05, 0x07, 0x19, 0x00, 0x29, 0x65, 0x81, 0x00, 0xC0,
	}
)

// access are the reports of a code as Access-IS scanners send them.
func access(aim, code string) (reports [][]byte) {
	for {
		part := code[:min(56, len(code))]
		code = code[len(part):]
		r := make([]byte, 64)
		r[0], r[1] = 2, byte(len(part))
		copy(r[2:5], aim)
		copy(r[5:61], part)
		if code != "" {
			r[63] = 1
		}
		if reports = append(reports, r); code == "" {
			return reports
		}
	}
}

// microscan are those of Microscan scanners.
func microscan(code string) (reports [][]byte) {
	for code != "" {
		r := make([]byte, 64)
		r[0], r[1] = 1, byte(copy(r[2:], code))
		code = code[r[1]:]
		reports = append(reports, r)
	}
	return reports
}

func read(t *testing.T, descriptor []byte, reports ...[]byte) string {
	t.Helper()
	r, err := hid.NewReports(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, report := range reports {
		out.Write(r.Take(report))
	}
	return out.String()
}

func TestReportsOfEveryKindBecomeTheirCodes(t *testing.T) {
	hundred := strings.Repeat("0123456789", 10)
	for name, descriptor := range map[string][]byte{"named": named, "unnamed": unnamed} {
		reports := slices.Concat(access("]Q1", static), access("]Q1", hundred), access("]Q1", "A"))
		if len(reports) != 4 {
			t.Fatalf("%d reports", len(reports))
		}
		if got, want := read(t, descriptor, reports...), "]Q1"+static+"\r]Q1"+hundred+"\r]Q1A\r"; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if got := read(t, descriptor, access("\x00Q1", "A")[0]); got != "]Q1A\r" {
			t.Errorf("%s, identifier without its bracket: %q", name, got)
		}
		if got := read(t, descriptor, access("", "A")[0]); got != "A\r" {
			t.Errorf("%s, no identifier: %q", name, got)
		}
		// Another report, one cut short, an empty one, and more data than fits.
		trigger, short := []byte{4, 1}, access("]Q1", "A")[0][:63]
		long := access("]Q1", strings.Repeat("B", 56))[0]
		long[1] = 255
		if got := read(t, descriptor, trigger, short, nil, long); got != "]Q1"+strings.Repeat("B", 56)+"\r" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := read(t, plain, slices.Concat(microscan("A"), microscan(hundred))...); got != "A\r"+hundred+"\r" {
		t.Errorf("plain: %q", got)
	}
	if got := read(t, bare, []byte("]Q112345678\x01]Q19\x00\x00\x00\x00\x00\x00\x00\x00"[:12]), []byte("]Q19\x00\x00\x00\x00\x00\x00\x00\x00")); got != "]Q1123456789\r" {
		t.Errorf("bare: %q", got)
	}
}

func TestACodeThatEndsWithItsReportIsEndedBySilence(t *testing.T) {
	for name, c := range map[string]struct {
		descriptor, full, next []byte
		want                   string
	}{
		"goes on without more": {named, func() []byte {
			r := access("]Q1", strings.Repeat("A", 56))[0]
			r[63] = 1
			return r
		}(), access("]Q1", "B")[0], "]Q1B\r"},
		"no bit": {plain, microscan(strings.Repeat("A", 62))[0], microscan("B")[0], "B\r"},
	} {
		r, err := hid.NewReports(c.descriptor)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(r.Take(c.full)); strings.HasSuffix(got, "\r") || !strings.HasSuffix(got, "AAAA") {
			t.Errorf("%s: %q", name, got)
		}
		r.Quiet()
		if got := string(r.Take(c.next)); got != c.want {
			t.Errorf("%s: then %q, want %q", name, got, c.want)
		}
	}
}

func TestOtherDevicesAreNoScanners(t *testing.T) {
	twoBytes := slices.Clone(unnamed)
	twoBytes[16] = 2
	for name, c := range map[string]struct {
		descriptor []byte
		want       error
	}{
		"a keyboard":              {bootKeyboard, hid.ErrNoScanner},
		"nothing":                 {nil, hid.ErrNoScanner},
		"reports of two bytes":    {twoBytes, hid.ErrNoScanner},
		"half an item":            {named[:7], hid.ErrDescriptor},
		"half a long item":        {[]byte{0xFE, 0x10}, hid.ErrDescriptor},
		"a pop of nothing":        {[]byte{0xB4}, hid.ErrDescriptor},
		"pushes without end":      {slices.Repeat([]byte{0xA4}, 100), hid.ErrDescriptor},
		"a report numbered zero":  {[]byte{0x85, 0x00}, hid.ErrDescriptor},
		"a report of a gigabyte":  {[]byte{0x75, 0x20, 0x97, 0xFF, 0xFF, 0xFF, 0xFF, 0x81, 0x02}, hid.ErrDescriptor},
		"too long a descriptor":   {make([]byte, 5000), hid.ErrDescriptor},
		"usages without end":      {slices.Concat(slices.Repeat([]byte{0x1B, 0, 0, 0, 0, 0x2B, 0xFF, 0xFF, 0xFF, 0xFF}, 400)), hid.ErrNoScanner},
		"ends before it began":    {[]byte{0xC0, 0xC0, 0xC0}, hid.ErrNoScanner},
		"a long item of no known": {[]byte{0xFE, 0x02, 0x00, 0x01, 0x02}, hid.ErrNoScanner},
	} {
		if r, err := hid.NewReports(c.descriptor); !errors.Is(err, c.want) || r != nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestADescriptorIsReadFieldByField(t *testing.T) {
	d, err := hid.ParseDescriptor(named)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Numbered || len(d.Bits) != 1 || d.Bits[2] != 512 || !slices.Equal(d.Applications, []uint32{0x8C0002}) {
		t.Errorf("%+v", d)
	}
	var at []int
	for _, f := range d.Fields {
		at = append(at, f.Offset, f.Bits, f.Count, len(f.Usages))
	}
	if want := []int{8, 8, 1, 1, 16, 8, 3, 3, 40, 8, 56, 1, 488, 8, 2, 2, 504, 1, 1, 1}; !slices.Equal(at, want) {
		t.Errorf("fields %v, want %v", at, want)
	}
	// Push and pop, a range of usages, and a usage that brings its page.
	d, err = hid.ParseDescriptor([]byte{
		0x05, 0x01, 0x75, 0x08, 0xA4, 0x05, 0x07, 0x95, 0x03, 0x19, 0x04, 0x29, 0x06, 0x81, 0x02, 0xB4,
		0x95, 0x01, 0x0B, 0x02, 0x00, 0x8C, 0x00, 0x81, 0x02, 0x09, 0x30, 0x81, 0x02,
	})
	if err != nil || len(d.Fields) != 3 {
		t.Fatalf("%+v, %v", d, err)
	}
	for i, want := range [][]uint32{{0x70004, 0x70005, 0x70006}, {0x8C0002}, {0x10030}} {
		if !slices.Equal(d.Fields[i].Usages, want) {
			t.Errorf("field %d: %x, want %x", i, d.Fields[i].Usages, want)
		}
	}
	if d.Numbered || d.Bits[0] != 40 {
		t.Errorf("%+v", d)
	}
}
