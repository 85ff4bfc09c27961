// Package auth says who calls the API and what they may do. A caller shows a
// token; a token has scopes, and each route of package api asks for one.
//
// A token is 20 random bytes behind the prefix "cg_", shown once when it is
// made. Only its SHA-256 is kept: that much randomness needs no slow hash, and
// whoever reads the database cannot call the API. Failed attempts are counted by
// remote address, and an address that guesses is turned away for a while.
package auth
