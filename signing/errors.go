package signing

import "errors"

// What can be wrong with a code, in the order in which it is found. Reading a
// code wraps exactly one of these, with what is wrong in words.
var (
	// ErrMalformed: not the one canonical form of a code, or a contradiction
	// inside it. Nothing was looked up.
	ErrMalformed = errors.New("malformed code")
	// ErrUnknownKey: well formed, signed by a key that is not in the keyring.
	ErrUnknownKey = errors.New("unknown key")
	// ErrBadSignature: the issuer's or the phone's signature does not fit, or
	// the key may not sign this kind.
	ErrBadSignature = errors.New("bad signature")
	// ErrCompromised: every signature fits, but the issuer key is marked
	// compromised, so that they prove nothing.
	ErrCompromised = errors.New("compromised key")
)

// What can be wrong with keys and with what is to be signed.
var (
	// ErrKeyring: a keyring or its signed form is not well formed.
	ErrKeyring = errors.New("malformed keyring")
	// ErrKeyExists: two keys of one keyring share a key id.
	ErrKeyExists = errors.New("key id is taken")
	// ErrRootSignature: a signed keyring was not signed by this root.
	ErrRootSignature = errors.New("keyring not signed by the site root")
	// ErrSerialFell: a signed keyring is older than one already accepted.
	ErrSerialFell = errors.New("keyring serial fell")
	// ErrKey: a public or private key is not of the form or type required.
	ErrKey = errors.New("unusable key")
	// ErrClaim: a value cannot be put into a code; nothing was signed.
	ErrClaim = errors.New("value cannot be signed")
)
