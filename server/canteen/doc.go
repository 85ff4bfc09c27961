// Package canteen keeps merchants, their tills and the rules of those: prices,
// meal periods, limits, and what a till may accept without the server.
//
// A till is a gate with a row of its own, so that it is enrolled, connected and
// followed as gates are; lists of gates leave it out. Every change of a till
// makes a new version of its rules, which goes to the till by the feed. Old
// versions stay: a charge names the one it was made by, and the merchant of that
// version is who is paid, whoever has the till when the charge arrives.
package canteen
