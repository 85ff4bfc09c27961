package snapshot

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// forever is the expiry of a card that is never forgotten. Seconds.
const forever = math.MaxInt64

// tillItem is the rules of this till, or that it is none any more.
type tillItem struct {
	rules *wire.Till
	body  []byte
}

// AccountKey is how the store names an account.
func AccountKey(account uint64) (key [8]byte) {
	binary.BigEndian.PutUint64(key[:], account)
	return key
}

// Till is the rules of this till; nil = this is none, as far as is known. They
// are immutable and replaced as a whole.
func (s *Snapshot) Till() *wire.Till { return s.till.Load() }

// readTill reads the rules of this till; nil for another's.
func (s *Snapshot) readTill(it *wire.Item) (*tillItem, error) {
	id, err := strconv.ParseUint(it.Key, 10, 16)
	if err != nil || id == 0 {
		return nil, fmt.Errorf("key: want a gate number")
	}
	if uint16(id) != s.gate {
		return nil, nil
	}
	if it.Gone {
		return &tillItem{}, nil
	}
	item := &tillItem{rules: new(wire.Till), body: it.Body}
	if err := json.Unmarshal(it.Body, item.rules); err != nil {
		return nil, err
	}
	return item, item.rules.Check()
}

func readCard(it *wire.Item) (row, error) {
	account, err := strconv.ParseUint(it.Key, 10, 64)
	if err != nil || account == 0 {
		return row{}, fmt.Errorf("key: want an account")
	}
	r := row{kind: it.Kind, key: AccountKey(account), gone: it.Gone, expires: forever}
	if it.Gone {
		return r, nil
	}
	if err := json.Unmarshal(it.Body, &r.card); err != nil {
		return row{}, err
	}
	switch r.card.State {
	case wire.CardActive, wire.CardLost, wire.CardFrozen, wire.CardClosed:
	default:
		return row{}, fmt.Errorf("state %q", r.card.State)
	}
	if r.card.Expires != 0 {
		r.expires = r.card.Expires
	}
	return r, nil
}

func putTill(tx *disk.Tx, item *tillItem) error {
	if item.rules == nil {
		return tx.Exec("DELETE FROM till")
	}
	return tx.Exec(`INSERT INTO till (id, body) VALUES (1, $1)
		ON CONFLICT (id) DO UPDATE SET body = excluded.body`, item.body)
}

func loadTill(tx *disk.Tx) (*wire.Till, error) {
	var body []byte
	known, err := tx.Get("SELECT body FROM till WHERE id = 1", nil, &body)
	if err != nil || !known {
		return nil, err
	}
	rules := new(wire.Till)
	if err := json.Unmarshal(body, rules); err != nil {
		return nil, fmt.Errorf("till: %w", err)
	}
	return rules, nil
}

// keepCards settles whether cards are kept. A list that was not kept up to the
// cursor is worth nothing: then the snapshot begins anew, and is not taken for
// current before the server has sent it.
func keepCards(tx *disk.Tx, want bool) error {
	if !want {
		return tx.Exec("UPDATE snapshot SET cards = 0 WHERE id = 1 AND cards = 1")
	}
	return tx.Exec("UPDATE snapshot SET cards = 1, lineage = '', revision = 0, fresh = 0 WHERE id = 1 AND cards = 0")
}
