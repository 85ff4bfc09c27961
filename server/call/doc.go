// Package call brings calls for help from kiosks to guards elsewhere, and keeps
// the record of them: who called, when, and who answered.
//
// It decides nothing: the agent of the kiosk does (signing/wire/PROTOCOL.md). What
// is open is kept in memory, so that a restart of the server loses a call until
// the kiosk's agent has said it again, which it does when it connects.
//
// # Who answers
//
// The gates that an administrator named for a gate, or else all gates of the same
// zone. Whether a guard is there only the agents know: a call rings where a
// guard's page is open, and the kiosk is told of the first such place.
package call
