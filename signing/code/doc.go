// Package code reads a scanned text without knowing beforehand what it is: a
// static pass, a live pass or a payment code.
//
// The order of the checks is part of the contract, since the first that fails is
// the verdict that people see: malformed, unknown key, bad signature (the
// issuer's, then the phone's), compromised. Whether a genuine code is welcome
// here and now is not decided here.
package code
