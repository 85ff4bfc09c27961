package snapshot

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"campusgate/agent/disk"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Why a group of deltas was refused. Nothing of it is in force then.
var (
	// ErrKeyring: not signed by the pinned root, older than the one in force, or
	// of another site.
	ErrKeyring = errors.New("keyring refused")
	// ErrItem: an item that makes no sense.
	ErrItem = errors.New("bad item")
	// ErrGroup: the deltas are not one whole group that follows the cursor.
	ErrGroup = errors.New("not a whole group of deltas")
)

// freshMS is how far the moment of the last confirmation may run ahead of what
// is on the disk.
const freshMS = 10_000

// Snapshot is the open snapshot. All methods are safe for concurrent use.
type Snapshot struct {
	db   *disk.DB
	gate uint16
	site string
	root ed25519.PublicKey
	// journal is the wire.JournalKey of the agent.
	journal string
	cards   bool // are kept

	ring   atomic.Pointer[signing.Keyring]
	gates  atomic.Pointer[map[uint16]wire.Gate]
	guards atomic.Pointer[map[string]wire.Guard]
	peers  atomic.Pointer[map[uint16]wire.Peer]
	guide  atomic.Pointer[verdict.Guideline]
	till   atomic.Pointer[wire.Till]
	cur    atomic.Pointer[wire.Cursor]
	fresh  atomic.Int64 // as confirmed, corrected clock

	mu     sync.Mutex // one Apply or Prune at a time
	signed []byte     // of ring

	freshMu sync.Mutex
	saved   int64 // computer's clock when fresh was last written
}

// Enrol puts the keyring that came with enrolment into a new store, and an
// empty snapshot. It fails with ErrKeyring.
func Enrol(tx *disk.Tx, root ed25519.PublicKey, site string, signed []byte) error {
	ring, err := openRing(root, site, signed, 0)
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	err = tx.Exec("INSERT INTO snapshot (id, lineage, revision, fresh, base, current, dirty) VALUES (1, '', 0, 0, 0, 0, 0)")
	if err == nil {
		err = tx.Exec("INSERT INTO keyring (id, serial, signed) VALUES (1, $1, $2)", int64(ring.Serial), signed)
	}
	if err != nil {
		return fmt.Errorf("enrol: %w", err)
	}
	return nil
}

func openRing(root ed25519.PublicKey, site string, signed []byte, minSerial uint64) (*signing.Keyring, error) {
	ring, err := signing.OpenKeyring(root, signed, minSerial)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrKeyring, err)
	case ring.Site != site:
		return nil, fmt.Errorf("%w: of site %q, this is %q", ErrKeyring, ring.Site, site)
	case ring.Serial > 1<<63-1:
		return nil, fmt.Errorf("%w: serial %d", ErrKeyring, ring.Serial)
	}
	return ring, nil
}

// Open reads what is kept in memory: the keyring, which is verified against the
// pinned root again, the gates and the cursor.
func Open(db *disk.DB, gate uint16, site string, root ed25519.PublicKey) (*Snapshot, error) {
	return open(&Snapshot{db: db, gate: gate, site: site, root: root})
}

// OpenTill is Open for a till, which keeps the states of cards as well.
func OpenTill(db *disk.DB, gate uint16, site string, root ed25519.PublicKey) (*Snapshot, error) {
	return open(&Snapshot{db: db, gate: gate, site: site, root: root, cards: true})
}

func open(s *Snapshot) (*Snapshot, error) {
	err := s.db.Update(func(tx *disk.Tx) error {
		if err := keepCards(tx, s.cards); err != nil {
			return err
		}
		var agent, epoch uint32
		if _, err := tx.Get("SELECT agent, epoch FROM identity WHERE id = 1", nil, &agent, &epoch); err != nil {
			return err
		}
		s.journal = wire.JournalKey(agent, epoch)
		return s.load(tx)
	})
	if err != nil {
		return nil, fmt.Errorf("open snapshot: %w", err)
	}
	return s, nil
}

func (s *Snapshot) load(tx *disk.Tx) error {
	var cursor wire.Cursor
	var revision, fresh int64
	ok, err := tx.Get("SELECT lineage, revision, fresh FROM snapshot WHERE id = 1", nil, &cursor.Lineage, &revision, &fresh)
	if err == nil && ok {
		ok, err = tx.Get("SELECT signed FROM keyring WHERE id = 1", nil, &s.signed)
	}
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: none in the store", ErrKeyring)
	}
	ring, err := openRing(s.root, s.site, s.signed, 0)
	if err != nil {
		return err
	}
	gates := map[uint16]wire.Gate{}
	err = tx.Each(`SELECT id, name, zone, mode, owns_from, documents, offline_max, offline_age_ms, offline_confirm
		FROM gates`, nil, func(scan func(...any) error) error {
		var g wire.Gate
		var o wire.Offline
		var mode string
		if err := scan(&g.ID, &g.Name, &g.Zone, &mode, &g.OwnsFrom, &g.Documents, &o.Max, &o.MaxAgeMS, &o.Confirm); err != nil {
			return err
		}
		if g.Mode = verdict.Mode(mode); o != (wire.Offline{}) {
			g.Offline = &o
		}
		gates[g.ID] = g
		return nil
	})
	if err != nil {
		return err
	}
	rules, err := loadTill(tx)
	if err != nil {
		return err
	}
	guards, guide, err := loadGuards(tx)
	if err != nil {
		return err
	}
	peers, err := loadPeers(tx)
	if err != nil {
		return err
	}
	cursor.Revision = uint64(revision)
	s.peers.Store(&peers)
	s.guards.Store(&guards)
	s.guide.Store(guide)
	s.till.Store(rules)
	s.fresh.Store(fresh)
	s.ring.Store(ring)
	s.gates.Store(&gates)
	s.cur.Store(&cursor)
	return nil
}

// Keyring is the keyring in force. It is immutable and replaced as a whole.
func (s *Snapshot) Keyring() *signing.Keyring { return s.ring.Load() }

// Cursor is how far the snapshot has come.
func (s *Snapshot) Cursor() wire.Cursor { return *s.cur.Load() }

// Gate gives a gate of the site.
func (s *Snapshot) Gate(id uint16) (wire.Gate, bool) {
	g, ok := (*s.gates.Load())[id]
	return g, ok
}

// Gates gives all of them.
func (s *Snapshot) Gates() map[uint16]wire.Gate { return maps.Clone(*s.gates.Load()) }

// Disown ends this gate's right to decide passes, until the server's next word
// about the gate: its store was put back from an earlier copy, so it may have
// forgotten whom it admitted. It is on the disk when Disown returns.
func (s *Snapshot) Disown() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	gates := s.Gates()
	own, known := gates[s.gate]
	if !known || own.OwnsFrom == signing.MaxTime {
		return nil // nothing is decided here
	}
	err := s.db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE gates SET owns_from = $1 WHERE id = $2", int64(signing.MaxTime), int64(s.gate))
	})
	if err != nil {
		return fmt.Errorf("disown: %w", err)
	}
	own.OwnsFrom = signing.MaxTime
	gates[s.gate] = own
	s.gates.Store(&gates)
	return nil
}

// Confirmed is when the server last said that the snapshot is current, in unix
// ms of the corrected clock; 0 = never.
func (s *Snapshot) Confirmed() int64 { return s.fresh.Load() }

// Current records that the server confirmed the snapshot as current at this
// moment of the server's clock. The disk may lag ten seconds behind.
func (s *Snapshot) Current(at time.Time) error {
	s.freshMu.Lock()
	defer s.freshMu.Unlock()
	fresh := at.UnixMilli()
	if d := fresh - s.saved; s.saved != 0 && d < freshMS && d > -freshMS {
		return nil
	}
	err := s.db.Update(func(tx *disk.Tx) error { return tx.Exec("UPDATE snapshot SET fresh = $1 WHERE id = 1", fresh) })
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	s.saved = fresh
	s.fresh.Store(fresh)
	return nil
}
