package people

// Vault keeps numbers unreadable in the database.
type Vault interface {
	// Seal encrypts a text. The purpose goes in as well, so that sealed texts
	// of different columns cannot change places.
	Seal(purpose, text string) ([]byte, error)
	// Open decrypts what Seal made for this purpose.
	Open(purpose string, sealed []byte) (string, error)
	// Index gives the same 32 bytes for the same purpose and text, and nobody
	// without the key can tell which text it was.
	Index(purpose, text string) []byte
}
