package signing

import (
	"encoding/json"
	"fmt"
	"slices"
)

// maxKeyring bounds the bytes of a keyring that is read.
const maxKeyring = 1 << 20

// Keyring is the set of issuer keys that a site trusts, its own and those of
// sites whose codes it recognises. Make one with NewKeyring or ParseKeyring (in
// any other nothing is found) and treat it as immutable: readers share it.
type Keyring struct {
	Site   string `json:"site"`
	Serial uint64 `json:"serial"` // rises with every change
	Keys   []Key  `json:"keys"`

	index map[KeyID]int
}

// NewKeyring checks the keys and indexes them. It fails with ErrKeyExists when
// two share an id, and with ErrKey or ErrKeyring on anything else that is wrong.
func NewKeyring(site string, serial uint64, keys []Key) (*Keyring, error) {
	if err := checkSite(site); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	r := &Keyring{Site: site, Serial: serial, Keys: slices.Clone(keys), index: make(map[KeyID]int, len(keys))}
	for i := range r.Keys {
		if err := r.Keys[i].check(); err != nil {
			return nil, err
		}
		id := r.Keys[i].ID
		if _, taken := r.index[id]; taken {
			return nil, fmt.Errorf("%w: %s", ErrKeyExists, id)
		}
		r.index[id] = i
	}
	return r, nil
}

// Lookup finds a key. It does not allocate, and finds nothing in a nil Keyring.
// The key is the ring's own and not to be changed.
func (r *Keyring) Lookup(id KeyID) (*Key, bool) {
	if r == nil {
		return nil, false
	}
	i, ok := r.index[id]
	if !ok {
		return nil, false
	}
	return &r.Keys[i], true
}

// With gives a keyring with one more key and the next serial; ErrKeyExists when
// the id is taken. The receiver stays as it is.
func (r *Keyring) With(k Key) (*Keyring, error) {
	return NewKeyring(r.Site, r.Serial+1, append(slices.Clone(r.Keys), k))
}

// Marshal gives the keyring as JSON for people to read, keys in their order. The
// same keyring gives the same bytes.
func (r *Keyring) Marshal() []byte {
	plain := struct {
		Site   string `json:"site"`
		Serial uint64 `json:"serial"`
		Keys   []Key  `json:"keys"`
	}{r.Site, r.Serial, r.Keys}
	if plain.Keys == nil {
		plain.Keys = []Key{}
	}
	b, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		// No field can fail to marshal.
		panic(err)
	}
	return append(b, '\n')
}

// ParseKeyring reads what Marshal writes, in any layout of JSON. Unknown and
// repeated names, bytes after the end, ids that are not those of their keys and
// everything that NewKeyring refuses are errors wrapping ErrKeyring, ErrKey or
// ErrKeyExists.
func ParseKeyring(data []byte) (*Keyring, error) {
	var plain Keyring
	if err := strictJSON(data, maxKeyring, &plain); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	return NewKeyring(plain.Site, plain.Serial, plain.Keys)
}
