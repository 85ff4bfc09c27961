// Package paycode is the credential that pays in canteens. It carries a
// pseudonymous account, the limits for payments without a network, and always a
// phone key: it is only ever shown as a live code, and never admits anybody.
//
// To read a scanned text use package code: parsing alone verifies nothing.
package paycode
