package wire

// Codes of Bye. They are permanent. The first group asks for a person: the
// agent goes on trying, at its slowest pace. After one of the second group it
// comes back by itself.
const (
	ByeVersion      = "version"       // the two sides speak different protocols
	ByeSite         = "site"          // the server belongs to another site
	ByeUnknownAgent = "unknown_agent" // no such agent, or it was revoked
	ByeEpoch        = "epoch"         // the agent was enrolled again since
	ByeAuth         = "auth"          // the signature does not hold on this connection
	ByeRewound      = "rewound"       // the server holds later events of this epoch than the journal: enrol again

	ByeReplaced = "replaced" // the same agent connected once more
	ByeProtocol = "protocol" // a frame that must not be, or not now
	ByeOverrun  = "overrun"  // more frames than the stream's window
	ByeShutdown = "shutdown" // this side is going down
	ByeInternal = "internal" // a fault of the server; nothing is wrong with the agent
)

// Lasting reports whether a Bye with this code will be repeated until a person
// does something about it.
func Lasting(code string) bool {
	switch code {
	case ByeVersion, ByeSite, ByeUnknownAgent, ByeEpoch, ByeAuth, ByeRewound:
		return true
	}
	return false
}
