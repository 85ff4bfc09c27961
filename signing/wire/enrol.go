package wire

// EnrolPath is where an agent exchanges its one-time code.
const EnrolPath = "/api/v1/enrol"

// Enrol asks for a place: agent to server, once, over HTTP.
type Enrol struct {
	Code      string `json:"code"`
	PublicKey []byte `json:"public_key"` // Ed25519, 32 bytes, made by the agent
	Hostname  string `json:"hostname"`
}

// Enrolled gives the agent its identity. The agent checks Root against the
// fingerprint in its code before it believes anything else, and Keyring
// against Root.
type Enrolled struct {
	Agent   uint32 `json:"agent"`
	Epoch   uint32 `json:"epoch"`
	Gate    uint16 `json:"gate"`
	Site    string `json:"site"`
	Zone    string `json:"time_zone"` // IANA name
	Root    []byte `json:"root"`      // Ed25519 public key
	Keyring []byte `json:"keyring"`   // signed
}
