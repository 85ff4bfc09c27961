// Package pin hashes the PINs with which guards begin a shift, at the server
// that keeps them and at the gates that check them with no network.
//
// A hash is a PHC string of argon2id (RFC 9106). Its cost suits a gate PC: some
// tens of milliseconds and 19 MiB. A PIN has few digits, so that whoever holds
// the hash can find it out by trying all; what it keeps out is whoever stands at
// the keyboard, who gets few tries.
package pin

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/argon2"
)

// What can be wrong with a PIN and its hash.
var (
	// ErrWeak: too short, too long, not of digits, or one that everybody tries.
	ErrWeak = errors.New("a PIN has 6 to 12 digits, which are neither all the same nor in a row")
	// ErrHash: not a hash that Make gave.
	ErrHash = errors.New("not a hash of a PIN")
)

const (
	least, most = 6, 12

	memory  = 19 * 1024 // KiB
	passes  = 2
	saltLen = 16
	keyLen  = 32
)

// prefix is that of every hash: one cost for all, so that checking takes as long
// whoever logs in, and a forged hash cannot ask for more.
var prefix = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$", argon2.Version, memory, passes)

// Nobody is the hash of no PIN: to check against it takes as long as against
// any, and never succeeds.
var Nobody = prefix + encoding.EncodeToString(make([]byte, saltLen)) + "$" + encoding.EncodeToString(make([]byte, keyLen))

var encoding = base64.RawStdEncoding.Strict()

// Check says whether a PIN is good enough to be kept.
func Check(pin string) error {
	if len(pin) < least || len(pin) > most {
		return ErrWeak
	}
	same, up, down := true, true, true
	for i := range len(pin) {
		if pin[i] < '0' || pin[i] > '9' {
			return ErrWeak
		}
		if i > 0 {
			same = same && pin[i] == pin[i-1]
			up = up && pin[i] == pin[i-1]+1
			down = down && pin[i] == pin[i-1]-1
		}
	}
	if same || up || down {
		return ErrWeak
	}
	return nil
}

// Make hashes a PIN with salt from random. It wraps ErrWeak.
func Make(random io.Reader, pin string) (string, error) {
	if err := Check(pin); err != nil {
		return "", err
	}
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(random, salt); err != nil {
		return "", fmt.Errorf("salt: %w", err)
	}
	return prefix + encoding.EncodeToString(salt) + "$" + encoding.EncodeToString(derive(pin, salt)), nil
}

// Matches reports whether a hash is that of a PIN. It takes as long for a wrong
// PIN as for the right one. The error wraps ErrHash.
func Matches(hash, pin string) (bool, error) {
	salt, key, err := parse(hash)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(derive(pin, salt), key) == 1, nil
}

// Valid says whether a hash is one that Matches can look at.
func Valid(hash string) error {
	_, _, err := parse(hash)
	return err
}

func parse(hash string) (salt, key []byte, err error) {
	rest, ok := strings.CutPrefix(hash, prefix)
	saltText, keyText, two := strings.Cut(rest, "$")
	// The lengths too, since the decoder skips the ends of lines.
	if !ok || !two || len(saltText) != encoding.EncodedLen(saltLen) || len(keyText) != encoding.EncodedLen(keyLen) {
		return nil, nil, ErrHash
	}
	if salt, err = encoding.DecodeString(saltText); err != nil || len(salt) != saltLen {
		return nil, nil, ErrHash
	}
	if key, err = encoding.DecodeString(keyText); err != nil || len(key) != keyLen {
		return nil, nil, ErrHash
	}
	return salt, key, nil
}

func derive(pin string, salt []byte) []byte {
	return argon2.IDKey([]byte(pin), salt, passes, memory, 1, keyLen)
}
