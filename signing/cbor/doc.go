// Package cbor reads and writes the small part of deterministic CBOR that the
// codes use (RFC 8949 section 4.2.1): integers, byte strings, text strings,
// arrays, maps and booleans, each in its one shortest form and with a definite
// length. Floats, tags, null, undefined and indefinite lengths are refused, so
// what is accepted has exactly one encoding and writing it again gives the
// bytes that were read.
//
// Nothing here allocates on the good path or recurses: the caller walks the
// shape it expects. The order of map keys is therefore the caller's to check,
// by asking for the keys in the one order that is right.
package cbor
