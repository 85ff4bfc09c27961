package hid

// Codes of keys (linux/input-event-codes.h). Those of the main block follow the
// rows of a keyboard from left to right.
const (
	key1          = 2
	keyTab        = 15
	keyQ          = 16
	keyEnter      = 28
	keyA          = 30
	keyBackslash  = 43
	keyZ          = 44
	keySpace      = 57
	keyCapsLock   = 58
	keyAngle      = 86 // the key beside the left Shift of ISO keyboards
	keyKPEnter    = 96
	keyKPSlash    = 98
	keyKPAsterisk = 55
	keyKP7        = 71
	keyKPMinus    = 74
	keyKP4        = 75
	keyKPPlus     = 78
	keyKP1        = 79
	keyKP0        = 82
	keyKPDot      = 83
	keyKPEqual    = 117
	keyKPComma    = 121
)

var modifierKeys = map[uint16]modifiers{
	42: leftShift, 54: rightShift,
	29: leftCtrl, 97: rightCtrl,
	56: leftAlt, 100: rightAlt,
	125: leftMeta, 126: rightMeta,
}

// char is what a key types, alone and with Shift.
type char struct{ plain, shifted byte }

func (c char) letter() bool { return c.plain >= 'a' && c.plain <= 'z' }

func (c char) under(shift bool) byte {
	if shift {
		return c.shifted
	}
	return c.plain
}

// layout is the US layout. The keypad types digits whether Num Lock is on or not:
// a scanner has no cursor to move.
var layout = func() map[uint16]char {
	keys := map[uint16]char{}
	row := func(first uint16, plain, shifted string) {
		for i := range len(plain) {
			keys[first+uint16(i)] = char{plain[i], shifted[i]}
		}
	}
	row(key1, "1234567890-=", "!@#$%^&*()_+")
	row(keyQ, "qwertyuiop[]", "QWERTYUIOP{}")
	row(keyA, "asdfghjkl;'`", `ASDFGHJKL:"~`)
	row(keyZ, "zxcvbnm,./", "ZXCVBNM<>?")
	row(keyBackslash, `\`, "|")
	row(keyAngle, `\`, "|")
	for first, same := range map[uint16]string{
		keyTab: "\t", keyEnter: "\r", keyKPEnter: "\r", keySpace: " ",
		keyKP7: "789", keyKPMinus: "-", keyKP4: "456", keyKPPlus: "+", keyKP1: "123", keyKP0: "0",
		keyKPDot: ".", keyKPSlash: "/", keyKPAsterisk: "*", keyKPEqual: "=", keyKPComma: ",",
	} {
		row(first, same, same)
	}
	return keys
}()

// keypadDigits are the digits that count while Alt is held.
var keypadDigits = map[uint16]int{
	keyKP0: 0, keyKP1: 1, keyKP1 + 1: 2, keyKP1 + 2: 3, keyKP4: 4, keyKP4 + 1: 5, keyKP4 + 2: 6,
	keyKP7: 7, keyKP7 + 1: 8, keyKP7 + 2: 9,
}
