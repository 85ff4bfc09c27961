package journal

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// ErrNotEnrolled: the store holds no identity.
var ErrNotEnrolled = errors.New("store holds no agent")

// Identity is who the agent is, as enrolment settled it.
type Identity struct {
	Agent    uint32
	Epoch    uint32
	Gate     uint16
	Site     string
	TimeZone string // IANA name
	Server   string // address
	Root     ed25519.PublicKey
	Private  ed25519.PrivateKey
}

// String leaves the key out, so that an Identity can be printed.
func (id Identity) String() string {
	return fmt.Sprintf("agent %d epoch %d at gate %d of %s", id.Agent, id.Epoch, id.Gate, id.Site)
}

// GoString is String.
func (id Identity) GoString() string { return id.String() }

// Enrol puts the identity and an empty journal into a new store.
func Enrol(tx *disk.Tx, id Identity) error {
	switch {
	case id.Agent == 0 || id.Epoch == 0 || id.Gate == 0 || id.Site == "":
		return fmt.Errorf("enrol: incomplete identity: %v", id)
	case len(id.Root) != ed25519.PublicKeySize || len(id.Private) != ed25519.PrivateKeySize:
		return errors.New("enrol: root and private key are Ed25519")
	}
	err := tx.Exec(`INSERT INTO identity (id, agent, epoch, gate, site, time_zone, server, root, private)
		VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)`,
		int64(id.Agent), int64(id.Epoch), int64(id.Gate), id.Site, id.TimeZone, id.Server, []byte(id.Root), []byte(id.Private))
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	first := wire.Hash{}
	err = tx.Exec("INSERT INTO progress (id, acked, pruned, pruned_hash, claims) VALUES (1, 0, 0, $1, 0)", first[:])
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	if err := tx.Exec("INSERT INTO clock (id, offset_ms, synced, high_water, seq) VALUES (1, 0, 0, 0, 0)"); err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return nil
}

func identity(tx *disk.Tx) (id Identity, err error) {
	var root, private []byte
	ok, err := tx.Get("SELECT agent, epoch, gate, site, time_zone, server, root, private FROM identity WHERE id = 1", nil,
		&id.Agent, &id.Epoch, &id.Gate, &id.Site, &id.TimeZone, &id.Server, &root, &private)
	if err != nil {
		return id, err
	}
	if !ok {
		return id, ErrNotEnrolled
	}
	id.Root, id.Private = root, private
	return id, nil
}
