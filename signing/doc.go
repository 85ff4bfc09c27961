// Package signing holds what makes and checks the codes of a campus: key ids,
// keys and keyrings, the COSE_Sign1 envelope in one fixed deterministic profile,
// the phone's proof and the two texts a QR code carries. What a code says
// is in the packages pass and paycode below it; a reader who does not know what
// was scanned starts at package code. The bytes are described in FORMAT.md.
//
// Everything here is pure: no clock, no file, no network; randomness comes in
// as an io.Reader. All functions may be called from many goroutines, and a
// Keyring may be shared as long as nobody changes it.
package signing
