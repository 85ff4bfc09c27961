package hid

// damaged stands where something is missing, so that what is left of a code is
// no code. It is U+FFFD, as everything is that cannot be part of one.
var damaged = []byte("\uFFFD")

// Keyboard makes text of the keys of a scanner. It is pure: one goroutine gives
// it the events in their order. The zero value is a keyboard at rest.
type Keyboard struct {
	held modifiers
	caps bool

	// A character typed as Alt and its number on the keypad.
	number, digits int

	skipping, stale bool
}

// modifiers are the keys that are held.
type modifiers uint8

const (
	leftShift modifiers = 1 << iota
	rightShift
	leftCtrl
	rightCtrl
	leftAlt
	rightAlt
	leftMeta
	rightMeta

	shift = leftShift | rightShift
	ctrl  = leftCtrl | rightCtrl
	alt   = leftAlt | rightAlt
	meta  = leftMeta | rightMeta
)

// Take returns the bytes that the event types, usually none. CR is Enter and
// TAB is Tab. Repeats of a key that is held are no text.
func (k *Keyboard) Take(e Event) []byte {
	switch {
	case e.Type == evSyn && e.Code == synDropped:
		k.skipping = true
		return damaged
	case e.Type == evSyn && e.Code == synReport && k.skipping:
		k.skipping, k.stale = false, true
	case k.skipping:
	case e.Type == evLED && e.Code == ledCapsLock:
		k.caps = e.Value != 0
	case e.Type == evKey && (e.Value == keyReleased || e.Value == keyPressed):
		return k.key(e.Code, e.Value == keyPressed)
	}
	return nil
}

// Stale reports that events were lost and the keyboard must be told with Sync
// which keys are held.
func (k *Keyboard) Stale() bool { return k.stale }

// Sync tells which keys are held, and whether the light of Caps Lock is on.
func (k *Keyboard) Sync(held func(code uint16) bool, caps bool) {
	*k = Keyboard{caps: caps, skipping: k.skipping}
	for code, m := range modifierKeys {
		if held(code) {
			k.held |= m
		}
	}
}

func (k *Keyboard) key(code uint16, pressed bool) []byte {
	if m, ok := modifierKeys[code]; ok {
		if pressed {
			k.held |= m
			return nil
		}
		k.held &^= m
		if m&alt != 0 {
			return k.numbered()
		}
		return nil
	}
	if !pressed {
		return nil
	}
	if code == keyCapsLock {
		k.caps = !k.caps
		return nil
	}
	c, ok := layout[code]
	switch {
	case !ok || k.held&meta != 0:
		return nil // types nothing
	case k.held&alt != 0:
		if d, ok := keypadDigits[code]; ok {
			k.number, k.digits = min(10*k.number+d, 1<<16), k.digits+1
		}
		return nil
	case k.held&ctrl != 0:
		return withCtrl(c.under(k.held&shift != 0))
	default:
		upper := k.held&shift != 0
		if c.letter() {
			upper = upper != k.caps
		}
		return []byte{c.under(upper)}
	}
}

// numbered is the character that Alt and a number typed. What is above ASCII
// depends on a code page that nobody named, and no code of ours contains it.
func (k *Keyboard) numbered() []byte {
	number, digits := k.number, k.digits
	k.number, k.digits = 0, 0
	switch {
	case digits == 0:
		return nil
	case number > 0x7F:
		return damaged
	default:
		return []byte{byte(number)}
	}
}

// withCtrl is Ctrl and a character: how scanners type the separators of GS1 codes.
func withCtrl(c byte) []byte {
	switch {
	case c >= 'a' && c <= 'z', c >= '@' && c <= '_':
		return []byte{c & 0x1F}
	default:
		return nil
	}
}
