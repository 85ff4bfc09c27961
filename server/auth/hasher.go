package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// cost of argon2id: the least that OWASP's password storage guide names, since
// two of them run beside gates that wait for answers.
type cost struct {
	memory uint32 // KiB
	time   uint32
	lanes  uint8
}

var currentCost = cost{memory: 19 << 10, time: 2, lanes: 1}

const (
	saltSize = 16
	hashSize = 32

	hashesAtOnce = 2 // so many cores, and 19 MiB each, at most
	hashWait     = 5 * time.Second
)

// hasher makes and checks password hashes in the PHC string format, a few at a
// time. Safe for concurrent use.
type hasher struct {
	random io.Reader
	slots  chan struct{}
}

func newHasher(random io.Reader) *hasher {
	return &hasher{random: random, slots: make(chan struct{}, hashesAtOnce)}
}

// decoy is checked where there is no hash, so that it takes as long.
var decoy = currentCost.text(make([]byte, saltSize), make([]byte, hashSize))

// run does work when it is its turn; ErrBusy when that takes too long.
func (h *hasher) run(ctx context.Context, work func()) error {
	turn := time.NewTimer(hashWait)
	defer turn.Stop()
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		work()
		return nil
	case <-turn.C:
		return ErrBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hash gives the text to keep of a password.
func (h *hasher) hash(ctx context.Context, password string) (text string, err error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	err = h.run(ctx, func() {
		text = currentCost.text(salt, currentCost.key(password, salt, hashSize))
	})
	return text, err
}

// check reports whether a password has this hash, and whether the hash was made
// at another cost than new ones are.
func (h *hasher) check(ctx context.Context, text, password string) (good, outdated bool, err error) {
	c, salt, want, err := parseHash(text)
	if err != nil {
		return false, false, err
	}
	err = h.run(ctx, func() {
		good = subtle.ConstantTimeCompare(c.key(password, salt, len(want)), want) == 1
	})
	return good, c != currentCost, err
}

func (c cost) key(password string, salt []byte, size int) []byte {
	return argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, uint32(size))
}

// text is $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, base64 without padding.
func (c cost) text(salt, key []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s",
		argon2.Version, c.memory, c.time, c.lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

func parseHash(text string) (c cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	bad := fmt.Errorf("password hash is damaged")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, bad
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &c.memory, &c.time, &c.lanes); err != nil ||
		c.memory > 1<<20 || c.time == 0 || c.time > 100 || c.lanes == 0 {
		return c, nil, nil, bad
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(key) < 16 {
		return c, nil, nil, bad
	}
	return c, salt, key, nil
}
