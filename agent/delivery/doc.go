// Package delivery brings an agent the release that its server offers, and has it
// staged when nobody is at the gate.
//
// The server says with every heartbeat what it offers (signing/wire, stream
// load); nothing is offered without a connection, so a rollout that was paused
// reaches every gate that could have gone on. What is offered lies in a folder
// of its own until it is staged (package update):
//
//	delivery/release.txt   the signed manifest, which was checked first
//	delivery/part          what has come of the program; its length is where to go on
//	delivery/gateagent     the program, whole and flushed
//
// The manifest has to be signed by the site root, for this site and system, with
// a serial above everything that was ever staged here and a version above the
// one that runs. That is looked at before a byte of the program is written, and
// again when it is staged, with the hash. So a server that turned bad can offer
// what it likes: a forged release is refused, and an old one, or one that was
// taken back, is not tried again.
//
// It comes gently: one part at a time, three times as long a pause as the part
// took and 200 ms at least (120 kB/s, four minutes for 30 MB). A part that is
// damaged is found at the end, by the hash, and everything is fetched again. What
// fails is tried again after a minute, later after up to an hour. When there is
// not room enough nothing is written, and what a full disk broke off is removed:
// the journal needs the room more.
//
// # The quiet moment
//
// Nothing is staged, and nothing takes the agent's place, unless for five
// minutes nobody was at a lane, the server can be reached, no lockdown or
// emergency is in force, no barrier stands open, and at none of the last seven
// days more than ten things happened within half an hour after this time of day.
// So a gate does not restart in front of its morning, nor a till before lunch, and
// a PC that is off at night finds its moment by day. A new gate, which knows no
// days, goes by the five minutes. Who stages by hand is there, and one minute is
// enough.
package delivery
