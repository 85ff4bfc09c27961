package snapshot

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// peerItem is who stands for another gate, or that nobody does any more.
type peerItem struct {
	gate uint16
	gone bool
	peer wire.Peer
}

func readPeer(it *wire.Item) (item peerItem, err error) {
	id, err := strconv.ParseUint(it.Key, 10, 16)
	if err != nil || id == 0 {
		return item, fmt.Errorf("key: want a gate number")
	}
	item = peerItem{gate: uint16(id), gone: it.Gone}
	if it.Gone {
		return item, nil
	}
	if err := json.Unmarshal(it.Body, &item.peer); err != nil {
		return item, err
	}
	if item.peer.Gate != item.gate {
		return item, fmt.Errorf("body is about gate %d", item.peer.Gate)
	}
	return item, item.peer.Check()
}

func putPeer(tx *disk.Tx, item *peerItem) error {
	if item.gone {
		return tx.Exec("DELETE FROM peers WHERE gate = $1", int64(item.gate))
	}
	body, err := json.Marshal(&item.peer)
	if err != nil {
		return err
	}
	return tx.Exec("INSERT INTO peers (gate, body) VALUES ($1, $2) ON CONFLICT (gate) DO UPDATE SET body = excluded.body",
		int64(item.gate), body)
}

func loadPeers(tx *disk.Tx) (map[uint16]wire.Peer, error) {
	peers := map[uint16]wire.Peer{}
	err := tx.Each("SELECT gate, body FROM peers", nil, func(scan func(...any) error) error {
		var gate int64
		var body []byte
		var p wire.Peer
		if err := scan(&gate, &body); err != nil {
			return err
		}
		if err := json.Unmarshal(body, &p); err != nil {
			return fmt.Errorf("peer %d: %w", gate, err)
		}
		peers[uint16(gate)] = p
		return nil
	})
	return peers, err
}

// Peer gives who stands for a gate, as other gates may speak to it.
func (s *Snapshot) Peer(gate uint16) (wire.Peer, bool) {
	p, ok := (*s.peers.Load())[gate]
	return p, ok
}

// Peers lists the gates that Peer knows, by number.
func (s *Snapshot) Peers() []uint16 { return slices.Sorted(maps.Keys(*s.peers.Load())) }
