// Package pass is the credential that opens gates: what it says, how it is
// signed and how it is read. A pass without a phone key is shown as a static code
// (an address), or for two minutes as a code that the server made for a phone
// without a key store; a pass with a phone key is shown as a live code.
//
// To read a scanned text use package code: parsing alone verifies nothing.
package pass
