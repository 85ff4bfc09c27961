// Package call keeps an agent's calls for help: those that somebody made here, at
// a kiosk where no guard stands, and those of other gates that ring here.
//
// The agent of the kiosk decides how a call stands: it takes the first answer
// that still has an effect, settles the scan with it, and tells the others
// through the server. Times are kept by the monotonic clock. Nothing of a call
// is on this disk but the event of the scan that it settled; the server keeps
// the record of who called and who answered.
package call
