package wire

import (
	"encoding/json"
	"fmt"
	"slices"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Version is the protocol spoken on the link.
//
//	1  2026-11  first version: link, down, up, ask
const Version = 1

// Path is where a server listens for agents.
const Path = "/api/v1/link"

// Limits that both sides enforce.
const (
	MaxFrameBytes  = 256 << 10 // a larger frame ends the connection
	MaxBatch       = 200       // records or items in one frame
	AskTimeoutMS   = 300       // a claim not answered by then is silence
	HeartbeatMS    = 5_000     // between clock messages of an agent
	PeerSilenceMS  = 15_000    // then the other side is taken for dead
	WriteTimeoutMS = 5_000     // then a slow peer is cut
	HandshakeMS    = 10_000    // from dialling to Welcome, and from accepting to Auth
	FreshMS        = 30_000    // at most between two Deltas of an idle down stream
	UpWindow       = 4         // Events frames that wait for an Acked
	AskWindow      = 64        // claims under way on one connection, each way
	MaxGroupItems  = 1 << 20   // items in the frames of one group
	MaxGroupBytes  = 256 << 20 // bytes in the frames of one group

	// FrameTarget is the size at which a sender starts another frame, so that
	// a claim waits for this much at most: 26 ms at 10 Mbit/s.
	FrameTarget = 32 << 10
)

// ExporterLabel and ExporterBytes are what both ends ask of TLS (RFC 8446
// section 7.5, no context) to tie an Auth to the connection it is sent on.
const (
	ExporterLabel = "EXPORTER-campusgate-link"
	ExporterBytes = 32
)

// Stream separates what must not wait for each other.
type Stream string

// The streams. Link carries the handshake, the clock and goodbyes.
const (
	Link Stream = "link"
	Down Stream = "down"
	Up   Stream = "up"
	Ask  Stream = "ask"
)

// Frame is one websocket text message.
type Frame struct {
	Stream Stream          `json:"stream"`
	Type   string          `json:"type"`
	Body   json.RawMessage `json:"body,omitempty"`
}

// Hello opens the connection: server to agent.
type Hello struct {
	Version int    `json:"version"`
	Site    string `json:"site"`
	Nonce   []byte `json:"nonce"` // 32 random bytes
	Now     int64  `json:"now"`   // unix ms
}

// Auth answers Hello: agent to server. Signature is Ed25519 over AuthBytes.
type Auth struct {
	Version   int    `json:"version"`
	Software  string `json:"software"`
	Agent     uint32 `json:"agent"`
	Epoch     uint32 `json:"epoch"`
	Signature []byte `json:"signature"`
	Cursor    Cursor `json:"cursor"`
	Last      uint64 `json:"last"` // highest seq in the agent's journal

	// The agent has forgotten its events up to here, and the next one follows this
	// hash. Absent = it has all.
	Pruned     uint64 `json:"pruned,omitempty"`
	PrunedHash Hash   `json:"pruned_hash,omitzero"`
}

// Welcome accepts the agent: server to agent.
type Welcome struct {
	Acked uint64 `json:"acked"` // highest contiguous seq that the server holds
}

// Clock is the heartbeat. An agent sends T0; the server answers with T1 and T0
// echoed. Unix ms, each of its own clock.
type Clock struct {
	T0 int64 `json:"t0"`
	T1 int64 `json:"t1,omitempty"`
	// Offset is what the agent adds to its PC's clock, in ms, once it knows.
	Offset *int64 `json:"offset,omitempty"`
	// Health is what the agent says of itself, for the console.
	Health *Health `json:"health,omitempty"`
	// Offer is the release that the server offers to this agent, with T1: SHA-256
	// of the program, hex. "" = none.
	Offer string `json:"offer,omitempty"`
}

// Health is an agent's own report.
type Health struct {
	Queue    uint64            `json:"queue"` // events not yet acked
	Lanes    map[string]string `json:"lanes,omitempty"`
	LastScan int64             `json:"last_scan,omitempty"`
	Till     *TillHealth       `json:"till,omitempty"`
	Devices  []Device          `json:"devices,omitempty"`
	Printer  bool              `json:"printer,omitempty"` // it has a receipt printer, which is ready
	// Addresses are where other gates may ask this one, host:port; none = nowhere.
	Addresses []string `json:"addresses,omitempty"`
	// Program is which one runs. Absent = it takes none from the server.
	Program *Program `json:"program,omitempty"`
}

// TillHealth is what a till adds: its last batch, and what it took that is not
// acked. Money is fen.
type TillHealth struct {
	Batch    uint32 `json:"batch"`
	Open     bool   `json:"open"`
	Records  uint64 `json:"records"` // charges and voids
	Fen      int64  `json:"fen"`
	OldestAt int64  `json:"oldest_at,omitempty"` // unix ms
}

// Bye says why a connection ends. The codes are the Bye… constants.
type Bye struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Cursor is how far an agent has applied the down stream. Lineage changes when
// a server's store is replaced; a foreign or too old cursor gets a snapshot.
type Cursor struct {
	Lineage  string `json:"lineage"`
	Revision uint64 `json:"revision"`
}

// ItemKind says what an Item is about.
type ItemKind string

// The kinds, in the order in which a snapshot sends them: keys and
// revocations first.
const (
	ItemKeyring    ItemKind = "keyring"    // key "": SignedKeyring
	ItemRevocation ItemKind = "revocation" // key pass id: Revocation
	ItemPhone      ItemKind = "phone"      // key pass id: Phone
	ItemCard       ItemKind = "card"       // key account, decimal: Card
	ItemGate       ItemKind = "gate"       // key gate number: Gate
	ItemPolicy     ItemKind = "policy"     // key gate number: Policy
	ItemAlarm      ItemKind = "alarm"      // key scope: Alarm
	ItemOwner      ItemKind = "owner"      // key pass id: Ownership
	ItemUse        ItemKind = "use"        // key pass id: Use
	ItemInside     ItemKind = "inside"     // key area/pass id: Inside
	ItemRelease    ItemKind = "release"    // key claim id: Release
	ItemDocuments  ItemKind = "documents"  // key "": verdict.Guideline
	ItemTill       ItemKind = "till"       // key gate number: Till
	ItemGuard      ItemKind = "guard"      // key staff number: Guard
	ItemPass       ItemKind = "pass"       // key pass id: Pass
)

// Item is one fact of the snapshot. Same kind and key replaces; Gone removes.
type Item struct {
	Kind ItemKind        `json:"kind"`
	Key  string          `json:"key"`
	Gone bool            `json:"gone,omitempty"`
	Body json.RawMessage `json:"body,omitempty"`
}

// SignedKeyring is the body of ItemKeyring: the bytes of signing.SignKeyring.
type SignedKeyring struct {
	Signed []byte `json:"signed"`
}

// Revocation is the body of ItemRevocation.
type Revocation struct {
	At      int64  `json:"at"`
	Reason  string `json:"reason,omitempty"`
	Expires int64  `json:"exp"` // unix s, when the pass ends by itself and this can be forgotten
}

// Phone is the body of ItemPhone: of the phone keys of a pass that was moved
// from one phone to another, this is the one that may still be shown.
type Phone struct {
	Phone   signing.PhoneID `json:"phone"`
	Expires int64           `json:"exp"` // unix s, when the credentials of the others have ended
}

// Gate is the body of ItemGate: every gate of the site, with its policy.
type Gate struct {
	ID        uint16       `json:"id"`
	Name      string       `json:"name"`
	Zone      int          `json:"zone"`
	Mode      verdict.Mode `json:"mode"`
	OwnsFrom  int64        `json:"owns_from,omitempty"` // unix s, see verdict.Lane
	Documents bool         `json:"documents,omitempty"`
	Offline   *Offline     `json:"offline,omitempty"` // with first_seen
}

// Ownership is the body of ItemOwner: the pass is now decided by Gate, and
// there by the agent of that epoch only.
type Ownership struct {
	Gate       uint16 `json:"gate"`
	Epoch      uint32 `json:"epoch"` // how often the pass was moved; as it was signed is 0
	AgentEpoch uint32 `json:"agent_epoch"`
	Expires    int64  `json:"exp"`
}

// Use is the body of ItemUse: admissions that the server has counted,
// wherever they were.
type Use struct {
	First   verdict.Use `json:"first"`
	Count   uint32      `json:"count"`
	Expires int64       `json:"exp"`
	// By is the part of Count that each journal counted, by JournalKey. What the
	// server decided itself is in nobody's part.
	By map[string]uint32 `json:"by,omitempty"`
}

// JournalKey names an agent's journal: "agent-epoch", as an EventID begins.
func JournalKey(agent, epoch uint32) string { return fmt.Sprintf("%d-%d", agent, epoch) }

// Release is the body of ItemRelease: a claim that was granted by gate Owner
// and never opened.
type Release struct {
	Owner uint16         `json:"owner"`
	Pass  signing.PassID `json:"pass"`
}

// Guard is the body of ItemGuard: somebody who may begin a shift at a gate.
type Guard struct {
	Name  string   `json:"name"`
	Hash  string   `json:"hash"`            // of the PIN, see package pin
	Gates []uint16 `json:"gates,omitempty"` // none = all
	// Supervisor may void at a till and close its batch.
	Supervisor bool `json:"supervisor,omitempty"`
}

// Serves reports whether the guard may work at a gate.
func (g *Guard) Serves(gate uint16) bool { return len(g.Gates) == 0 || slices.Contains(g.Gates, gate) }

// Pass is the body of ItemPass: what a guard may look up of a pass that can be
// used now or soon. It admits nobody: only the signed code does.
type Pass struct {
	Kind    signing.Kind  `json:"kind"`
	Name    string        `json:"name"`
	From    int64         `json:"from"` // unix s
	Expires int64         `json:"exp"`  // unix s
	Uses    uint32        `json:"uses,omitempty"`
	Zones   signing.Zones `json:"zones,omitempty"`
}

// Delta brings an agent from one revision to the next: server to agent. A
// snapshot is a Delta with Reset on its first frame; the frames up to the one
// without More are a group and are applied in one transaction. Only the cursor
// of a group's last frame may be kept. An empty Delta with the agent's own
// cursor says that the agent is up to date.
type Delta struct {
	Cursor Cursor `json:"cursor"` // after applying
	Reset  bool   `json:"reset,omitempty"`
	More   bool   `json:"more,omitempty"`
	Items  []Item `json:"items"`
}

// Applied answers a group: agent to server. Without a Fault the agent is at
// Cursor and wants what follows. With a Fault the group was not taken; the
// server sends nothing until an Applied without one.
type Applied struct {
	Cursor Cursor `json:"cursor"`
	Fault  string `json:"fault,omitempty"`
}

// Events carries journal records in order: agent to server.
type Events struct {
	Records []Record `json:"records"`
}

// Acked answers Events after the server's own commit: every seq up to this one
// is held.
type Acked struct {
	Seq uint64 `json:"seq"`
}

// Claim asks the decider of a pass: agent to server, and server to owner.
// Asking again with the same id gets the same answer.
type Claim struct {
	ID      string         `json:"id"` // "agent-epoch-number"
	Pass    signing.PassID `json:"pass"`
	Gate    uint16         `json:"gate"`  // that asks
	Owner   uint16         `json:"owner"` // that decides; 0 = the server
	Uses    uint32         `json:"uses"`
	Issued  int64          `json:"iat"` // unix s, of the credential
	Expires int64          `json:"exp"`
	At      int64          `json:"at"`
	Charge  *ChargeAsk     `json:"charge,omitempty"` // money is asked for, of the server; Uses is 0
	// Reserve: the pass is shared by gates of the policy first_seen. Owner is
	// whom this question goes to, and does not decide alone.
	Reserve Reserve `json:"reserve,omitempty"`
	// Try counts the times that the server is asked anew, and comes back in the
	// answer: an answer of before may name too few dark gates.
	Try uint32 `json:"try,omitempty"`
}

// OfServer reports whether the server itself asks, for a guard without a gate
// PC. The guard's gate may then be the very one that is asked.
func (m *Claim) OfServer() bool {
	id, err := ParseEventID(m.ID)
	return err == nil && id.Agent == 0
}

// Answer settles a Claim. State is granted, used or silent; of a charge granted,
// refused or silent, with Charge unless silent; with Reserve also reserved, of a
// gate, and refused, of the server.
type Answer struct {
	ID     string             `json:"id"`
	State  verdict.ClaimState `json:"state"`
	First  *verdict.Use       `json:"first,omitempty"`
	Charge *ChargeAnswer      `json:"charge,omitempty"`
	// Dark are the gates that may have admitted without the server knowing, with
	// the server's granted to a Claim with Reserve: they have to be asked too.
	Dark []uint16 `json:"dark,omitempty"`
	// From is the gate that answers a Claim with Reserve: several are asked under
	// one id. 0 = the server. Try is that of the Claim.
	From uint16 `json:"from,omitempty"`
	Try  uint32 `json:"try,omitempty"`
	// Owner, with silent, is the gate that the pass was moved to, and Epoch the
	// epoch of that move: ask there.
	Owner uint16 `json:"owner,omitempty"`
	Epoch uint32 `json:"epoch,omitempty"`
}

// Message types of each stream.
const (
	TypeHello   = "hello"   // link, Hello
	TypeAuth    = "auth"    // link, Auth
	TypeWelcome = "welcome" // link, Welcome
	TypeClock   = "clock"   // link, Clock
	TypeBye     = "bye"     // link, Bye
	TypeDelta   = "delta"   // down, Delta
	TypeApplied = "applied" // down, Applied
	TypeEvents  = "events"  // up, Events
	TypeAcked   = "acked"   // up, Acked
	TypeClaim   = "claim"   // ask, Claim
	TypeAnswer  = "answer"  // ask, Answer
)
