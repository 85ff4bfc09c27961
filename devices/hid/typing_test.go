package hid_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"campusgate/devices/hid"
)

// Codes of the kernel, written here once more: a slip in the driver's own table
// must not be a slip in the tests'.
const (
	evSyn, evKey, evMsc, evLED = 0, 1, 4, 17
	keyEnter, keyTab           = 28, 15
	leftShift, rightShift      = 42, 54
	leftCtrl, leftAlt          = 29, 56
	leftMeta, capsLock         = 125, 58
	static                     = "HTTPS://GATE.EXAMPLE/V/MFRGGZDF"
)

// keycap is a key, and what it types alone and with Shift.
type keycap struct {
	code           uint16
	plain, shifted byte
}

// us is the US layout.
var us = []keycap{
	{2, '1', '!'},
	{3, '2', '@'},
	{4, '3', '#'},
	{5, '4', '$'},
	{6, '5', '%'},
	{7, '6', '^'},
	{8, '7', '&'},
	{9, '8', '*'},
	{10, '9', '('},
	{11, '0', ')'},
	{12, '-', '_'},
	{13, '=', '+'},
	{15, '\t', '\t'},
	{16, 'q', 'Q'},
	{17, 'w', 'W'},
	{18, 'e', 'E'},
	{19, 'r', 'R'},
	{20, 't', 'T'},
	{21, 'y', 'Y'},
	{22, 'u', 'U'},
	{23, 'i', 'I'},
	{24, 'o', 'O'},
	{25, 'p', 'P'},
	{26, '[', '{'},
	{27, ']', '}'},
	{28, '\r', '\r'},
	{30, 'a', 'A'},
	{31, 's', 'S'},
	{32, 'd', 'D'},
	{33, 'f', 'F'},
	{34, 'g', 'G'},
	{35, 'h', 'H'},
	{36, 'j', 'J'},
	{37, 'k', 'K'},
	{38, 'l', 'L'},
	{39, ';', ':'},
	{40, '\'', '"'},
	{41, '`', '~'},
	{43, '\\', '|'},
	{44, 'z', 'Z'},
	{45, 'x', 'X'},
	{46, 'c', 'C'},
	{47, 'v', 'V'},
	{48, 'b', 'B'},
	{49, 'n', 'N'},
	{50, 'm', 'M'},
	{51, ',', '<'},
	{52, '.', '>'},
	{53, '/', '?'},
	{57, ' ', ' '},
	{86, '\\', '|'},
	{55, '*', '*'},
	{71, '7', '7'},
	{72, '8', '8'},
	{73, '9', '9'},
	{74, '-', '-'},
	{75, '4', '4'},
	{76, '5', '5'},
	{77, '6', '6'},
	{78, '+', '+'},
	{79, '1', '1'},
	{80, '2', '2'},
	{81, '3', '3'},
	{82, '0', '0'},
	{83, '.', '.'},
	{96, '\r', '\r'},
	{98, '/', '/'},
	{117, '=', '='},
	{121, ',', ','},
}

// keypad are the codes of its digits.
var keypad = [10]uint16{82, 79, 80, 81, 75, 76, 77, 71, 72, 73}

// tape is what a keyboard sends, 2 ms for every report.
type tape struct {
	at     time.Duration
	events []hid.Event
}

func (p *tape) add(kind, code uint16, value int32) *tape {
	p.events = append(p.events, hid.Event{At: p.at, Type: kind, Code: code, Value: value})
	return p
}

// turn presses or releases a key as the kernel reports it: the scan code, the
// key, and the end of the report.
func (p *tape) turn(code uint16, value int32) *tape {
	p.add(evMsc, 4, 0x70000+int32(code)).add(evKey, code, value).add(evSyn, 0, 0)
	p.at += 2 * time.Millisecond
	return p
}

func (p *tape) tap(codes ...uint16) *tape {
	for _, code := range codes {
		p.turn(code, 1).turn(code, 0)
	}
	return p
}

// text types with the left Shift. '\r' is Enter.
func (p *tape) text(s string) *tape {
	for _, c := range []byte(s) {
		i := slices.IndexFunc(us, func(k keycap) bool { return k.plain == c || k.shifted == c })
		if us[i].plain == c {
			p.tap(us[i].code)
		} else {
			p.turn(leftShift, 1).tap(us[i].code).turn(leftShift, 0)
		}
	}
	return p
}

// alt types a character as Alt and digits on the keypad.
func (p *tape) alt(digits string) *tape {
	p.turn(leftAlt, 1)
	for _, d := range digits {
		p.tap(keypad[d-'0'])
	}
	return p.turn(leftAlt, 0)
}

// bytes is the tape as a device gives it.
func (p *tape) bytes(wide bool) []byte {
	var out bytes.Buffer
	for _, e := range p.events {
		sec, usec := e.At/time.Second, e.At%time.Second/time.Microsecond
		var err error
		if wide {
			err = binary.Write(&out, binary.NativeEndian, []int64{int64(sec), int64(usec)})
		} else {
			err = binary.Write(&out, binary.NativeEndian, []int32{int32(sec), int32(usec)})
		}
		if err == nil {
			err = binary.Write(&out, binary.NativeEndian, struct {
				Type, Code uint16
				Value      int32
			}{e.Type, e.Code, e.Value})
		}
		if err != nil {
			panic(err)
		}
	}
	return out.Bytes()
}

// typed is all the text of a tape, read by a keyboard at rest.
func typed(p *tape) string {
	var k hid.Keyboard
	var out []byte
	for _, e := range p.events {
		out = append(out, k.Take(e)...)
	}
	return string(out)
}

func TestEveryKeyTypesWhatItDoesOnAUSKeyboard(t *testing.T) {
	for _, k := range us {
		p := (&tape{}).tap(k.code).turn(rightShift, 1).tap(k.code).turn(rightShift, 0).tap(k.code)
		if got, want := typed(p), string([]byte{k.plain, k.shifted, k.plain}); got != want {
			t.Errorf("key %d types %q, want %q", k.code, got, want)
		}
	}
	// Keys that type nothing: Esc, Backspace, F1, Num Lock, Home, a media key.
	if got := typed((&tape{}).text("A").tap(1, 14, 59, 69, 102, 164, 0x2ff, 0xffff).text("B")); got != "AB" {
		t.Errorf("got %q", got)
	}
}

func TestTheKeysOfScannersBecomeTheirTexts(t *testing.T) {
	for name, c := range map[string]struct {
		tape *tape
		want string
	}{
		"a static code": {(&tape{}).text(static + "\r"), static + "\r"},
		"a live code":   {(&tape{}).text("CP1:6BFOXN%*$/+-. 0\t"), "CP1:6BFOXN%*$/+-. 0\t"},
		"Caps Lock around a code without Shift": {
			(&tape{}).tap(capsLock).text("https").turn(leftShift, 1).tap(39).turn(leftShift, 0).tap(53, 53).tap(capsLock).text("a"),
			"HTTPS://a",
		},
		"Shift takes Caps Lock back, and digits do not care": {(&tape{}).tap(capsLock).text("aB1!"), "Ab1!"},
		"the light of Caps Lock": {
			(&tape{}).add(evLED, 1, 1).text("a").add(evLED, 0, 1).add(evLED, 1, 0).text("a"), "Aa",
		},
		"Alt and numbers":              {(&tape{}).alt("72").alt("084").alt("84").alt("0080").alt("83").alt("58").alt("13"), "HTTPS:\r"},
		"a number above ASCII":         {(&tape{}).text("A").alt("0228").text("B"), "A\uFFFDB"},
		"a number beyond all":          {(&tape{}).alt("99999999999999999999"), "\uFFFD"},
		"Alt without a number":         {(&tape{}).turn(leftAlt, 1).tap(30).turn(leftAlt, 0).text("b"), "b"},
		"Alt forgets its last number":  {(&tape{}).alt("65").turn(leftAlt, 1).turn(leftAlt, 0).alt("66"), "AB"},
		"GS and RS as Ctrl":            {(&tape{}).turn(leftCtrl, 1).tap(27).turn(leftCtrl, 0).text("1").turn(leftCtrl, 1).turn(leftShift, 1).tap(7).turn(leftShift, 0).turn(leftCtrl, 0), "\x1d1\x1e"},
		"Enter as Ctrl M":              {(&tape{}).turn(leftCtrl, 1).tap(50).turn(leftCtrl, 0), "\r"},
		"Ctrl and a digit":             {(&tape{}).turn(leftCtrl, 1).tap(2).turn(leftCtrl, 0).text("1"), "1"},
		"keys with the Windows key":    {(&tape{}).turn(leftMeta, 1).tap(19).turn(leftMeta, 0).text("r"), "r"},
		"repeats of a key that sticks": {(&tape{}).turn(30, 1).turn(30, 2).turn(30, 2).turn(30, 0), "a"},
		"keys that overlap":            {(&tape{}).turn(30, 1).turn(48, 1).turn(30, 0).turn(46, 1).turn(48, 0).turn(46, 0), "abc"},
		"a release of what was held":   {(&tape{}).turn(30, 0).turn(leftShift, 0).text("a"), "a"},
		"one Shift of two let go":      {(&tape{}).turn(leftShift, 1).turn(rightShift, 1).turn(leftShift, 0).tap(30).turn(rightShift, 0).tap(30), "Aa"},
	} {
		if got := typed(c.tape); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLostEventsDamageTheCodeAndNoOther(t *testing.T) {
	var k hid.Keyboard
	take := func(p *tape) (out string) {
		for _, e := range p.events {
			out += string(k.Take(e))
		}
		return out
	}
	// What follows the mark up to the end of its report is not to be trusted.
	lost := (&tape{}).text("AB").turn(leftShift, 1).add(evSyn, 3, 0).add(evKey, 30, 1).add(evSyn, 0, 0)
	if got := take(lost); got != "AB\uFFFD" || !k.Stale() {
		t.Fatalf("got %q, stale %v", got, k.Stale())
	}
	k.Sync(func(code uint16) bool { return code == rightShift }, false)
	if k.Stale() {
		t.Error("still stale")
	}
	if got := take((&tape{}).tap(30).turn(rightShift, 0).tap(30)); got != "Aa" {
		t.Errorf("after Sync %q", got)
	}
	k.Sync(func(uint16) bool { return false }, true)
	if got := take((&tape{}).tap(30)); got != "A" {
		t.Errorf("with Caps Lock lit %q", got)
	}
}

func TestEventsAreReadAsTheKernelWritesThem(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the bytes below are of a little-endian machine")
	}
	want := []hid.Event{
		{At: 1763700000*time.Second + 250_001*time.Microsecond, Type: 4, Code: 4, Value: 0x7000b},
		{At: 1763700000*time.Second + 250_001*time.Microsecond, Type: 1, Code: 35, Value: 1},
		{At: 1763700000*time.Second + 250_001*time.Microsecond},
	}
	wide := []byte{
		0x20, 0xed, 0x1f, 0x69, 0, 0, 0, 0, 0x91, 0xd0, 0x03, 0, 0, 0, 0, 0, 4, 0, 4, 0, 0x0b, 0, 7, 0,
		0x20, 0xed, 0x1f, 0x69, 0, 0, 0, 0, 0x91, 0xd0, 0x03, 0, 0, 0, 0, 0, 1, 0, 35, 0, 1, 0, 0, 0,
		0x20, 0xed, 0x1f, 0x69, 0, 0, 0, 0, 0x91, 0xd0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	narrow := []byte{
		0x20, 0xed, 0x1f, 0x69, 0x91, 0xd0, 0x03, 0, 4, 0, 4, 0, 0x0b, 0, 7, 0,
		0x20, 0xed, 0x1f, 0x69, 0x91, 0xd0, 0x03, 0, 1, 0, 35, 0, 1, 0, 0, 0,
		0x20, 0xed, 0x1f, 0x69, 0x91, 0xd0, 0x03, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	if got := hid.ParseEvents(wide, true); !slices.Equal(got, want) {
		t.Errorf("64 bits: %+v", got)
	}
	if got := hid.ParseEvents(append(narrow, 1, 2, 3), false); !slices.Equal(got, want) {
		t.Errorf("32 bits and a rest: %+v", got)
	}
	p := (&tape{}).text(static + "\r")
	for _, wide := range []bool{true, false} {
		if got := hid.ParseEvents(p.bytes(wide), wide); !slices.Equal(got, p.events) {
			t.Errorf("wide %v: %d events, want %d", wide, len(got), len(p.events))
		}
	}
}
