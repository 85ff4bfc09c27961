// Package auth says who calls the API and what they may do. A caller shows a
// token, or is a person in a session; either has scopes, and each route of
// package api asks for one.
//
// A token is 20 random bytes behind the prefix "cg_", shown once when it is
// made. A session is 32 random bytes in a cookie. Of both only the SHA-256 is
// kept: that much randomness needs no slow hash, and whoever reads the database
// cannot call the API. A session's scopes are those of the posts that its person
// holds at this moment: they are read with every call, so that who has left may
// nothing more at once. Reading them costs less than a tenth of a millisecond.
//
// Persons come in by phone and one-time code, by number and password, through
// the campus's sign-on service (package sso), and the first of them by the link
// that gateserver init prints. Each login makes a new session. Passwords are
// kept as argon2id; one that somebody else made opens nothing but its own change.
// Codes and passwords are tried a few times only, counted before they
// are checked, by phone or number whether somebody has it or not; package api
// counts by address beside that. What is refused, and how long it takes, does not
// tell whether somebody has a phone or a number.
//
// Neither log nor trail nor error ever has a phone, a code or a password.
package auth
