// Package wire is what a server and its agents say to each other: the
// messages of the link, the events of the journal and their hash chain, and
// the bodies of the enrolment call. PROTOCOL.md beside this file tells the
// same in prose.
package wire
