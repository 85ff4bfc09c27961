package snapshot

import (
	"encoding/json"
	"fmt"
	"strconv"

	"campusgate/signing"
	"campusgate/signing/pin"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// row is an item about one pass or one account, checked.
type row struct {
	kind    wire.ItemKind // revocation, phone, owner, use, pass or card
	key     [8]byte       // pass id, or account
	gone    bool
	phone   signing.PhoneID
	gate    uint16
	count   uint32
	mine    uint32 // of count, what this journal counted
	at      int64
	expires int64
	look    *wire.Pass // of a pass to look up
	card    wire.Card

	epoch, agentEpoch uint32 // of an owner
}

// group is a whole group of deltas, checked and sorted out.
type group struct {
	reset    bool
	cursor   wire.Cursor
	ring     *signing.Keyring // nil: none came
	signed   []byte
	gates    []gateItem
	guide    *guideItem // nil: none came
	till     *tillItem  // nil: none came
	guards   []guardItem
	policy   *policyItem // nil: none came
	alarms   []alarmItem
	rows     []row
	releases []release
	inside   []insideItem
	peers    []peerItem
}

type gateItem struct {
	id   uint16
	gone bool
	gate wire.Gate
}

// guideItem is the guideline, or that there is none any more.
type guideItem struct {
	guideline *verdict.Guideline
	body      []byte
}

type guardItem struct {
	number string
	gone   bool // or serves elsewhere
	guard  wire.Guard
}

type release struct {
	claim string
	pass  signing.PassID
}

// check reads deltas into a group without changing anything.
func (s *Snapshot) check(deltas []wire.Delta) (*group, error) {
	if len(deltas) == 0 {
		return nil, fmt.Errorf("%w: no delta", ErrGroup)
	}
	last := len(deltas) - 1
	g := &group{reset: deltas[0].Reset, cursor: deltas[last].Cursor}
	for i, d := range deltas {
		if d.More != (i < last) || d.Reset && i > 0 {
			return nil, fmt.Errorf("%w: delta %d of %d", ErrGroup, i+1, len(deltas))
		}
	}
	have := s.Cursor()
	if !g.reset && (g.cursor.Lineage != have.Lineage || g.cursor.Revision < have.Revision) {
		return nil, fmt.Errorf("%w: %v after %v", ErrGroup, g.cursor, have)
	}
	if g.cursor.Revision > 1<<63-1 {
		return nil, fmt.Errorf("%w: revision %d", ErrGroup, g.cursor.Revision)
	}
	for _, d := range deltas {
		for i := range d.Items {
			if err := s.add(g, &d.Items[i]); err != nil {
				return nil, err
			}
		}
	}
	return g, nil
}

func (s *Snapshot) add(g *group, it *wire.Item) error {
	bad := func(err error) error { return fmt.Errorf("%w: %s %q: %w", ErrItem, it.Kind, it.Key, err) }
	switch it.Kind {
	case wire.ItemKeyring:
		return s.addKeyring(g, it)
	case wire.ItemGate:
		item, err := readGate(it)
		if err != nil {
			return bad(err)
		}
		g.gates = append(g.gates, item)
	case wire.ItemRelease:
		var body wire.Release
		if it.Gone {
			return nil
		}
		if err := json.Unmarshal(it.Body, &body); err != nil {
			return bad(err)
		}
		if body.Owner == s.gate {
			g.releases = append(g.releases, release{it.Key, body.Pass})
		}
	case wire.ItemPolicy:
		item, err := s.readPolicy(it)
		if err != nil {
			return bad(err)
		}
		if item != nil {
			g.policy = item
		}
	case wire.ItemAlarm:
		item, err := readAlarm(it)
		if err != nil {
			return bad(err)
		}
		g.alarms = append(g.alarms, item)
	case wire.ItemInside:
		item, err := readInside(it)
		if err != nil {
			return bad(err)
		}
		g.inside = append(g.inside, item)
	case wire.ItemPeer:
		item, err := readPeer(it)
		if err != nil {
			return bad(err)
		}
		g.peers = append(g.peers, item)
	case wire.ItemDocuments:
		item, err := readGuideline(it)
		if err != nil {
			return bad(err)
		}
		g.guide = item
	case wire.ItemGuard:
		item, err := s.readGuard(it)
		if err != nil {
			return bad(err)
		}
		g.guards = append(g.guards, item)
	case wire.ItemTill:
		item, err := s.readTill(it)
		if err != nil {
			return bad(err)
		}
		if item != nil {
			g.till = item
		}
	case wire.ItemCard:
		if !s.cards {
			return nil
		}
		r, err := readCard(it)
		if err != nil {
			return bad(err)
		}
		g.rows = append(g.rows, r)
	case wire.ItemRevocation, wire.ItemPhone, wire.ItemOwner, wire.ItemUse, wire.ItemPass:
		r, err := s.readRow(it)
		if err != nil {
			return bad(err)
		}
		g.rows = append(g.rows, r)
	default:
		return fmt.Errorf("%w: kind %q", ErrItem, it.Kind)
	}
	return nil
}

// addKeyring verifies a keyring. Two keyrings with one serial would be a root
// that said two things.
func (s *Snapshot) addKeyring(g *group, it *wire.Item) error {
	var body wire.SignedKeyring
	if it.Gone {
		return fmt.Errorf("%w: a keyring is replaced, never removed", ErrKeyring)
	}
	if err := json.Unmarshal(it.Body, &body); err != nil {
		return fmt.Errorf("%w: %w", ErrKeyring, err)
	}
	have, signed := s.Keyring(), s.signed
	if g.ring != nil {
		have, signed = g.ring, g.signed
	}
	ring, err := openRing(s.root, s.site, body.Signed, have.Serial)
	if err != nil {
		return err
	}
	if ring.Serial == have.Serial && string(body.Signed) != string(signed) {
		return fmt.Errorf("%w: two of serial %d", ErrKeyring, ring.Serial)
	}
	g.ring, g.signed = ring, body.Signed
	return nil
}

func readGate(it *wire.Item) (gateItem, error) {
	id, err := strconv.ParseUint(it.Key, 10, 16)
	if err != nil || id == 0 {
		return gateItem{}, fmt.Errorf("key: want a gate number")
	}
	item := gateItem{id: uint16(id), gone: it.Gone}
	if it.Gone {
		return item, nil
	}
	if err := json.Unmarshal(it.Body, &item.gate); err != nil {
		return gateItem{}, err
	}
	gate := &item.gate
	switch {
	case gate.ID != item.id:
		return gateItem{}, fmt.Errorf("body is about gate %d", gate.ID)
	case gate.Zone < 0 || gate.Zone > 32:
		return gateItem{}, fmt.Errorf("zone %d: want 0 to 32", gate.Zone)
	case gate.Offline != nil && gate.Offline.MaxAgeMS < 0:
		return gateItem{}, fmt.Errorf("offline for %d ms", gate.Offline.MaxAgeMS)
	}
	switch gate.Mode {
	case verdict.Owner, verdict.Online, verdict.FirstSeen:
	default:
		return gateItem{}, fmt.Errorf("mode %q", gate.Mode)
	}
	return item, nil
}

func readGuideline(it *wire.Item) (*guideItem, error) {
	if it.Gone {
		return &guideItem{}, nil
	}
	g := &guideItem{guideline: new(verdict.Guideline), body: it.Body}
	return g, json.Unmarshal(it.Body, g.guideline)
}

// readGuard keeps the guards of this gate. Of others a gate needs to know
// nothing.
func (s *Snapshot) readGuard(it *wire.Item) (item guardItem, err error) {
	if item = (guardItem{number: it.Key, gone: it.Gone}); it.Key == "" {
		return item, fmt.Errorf("no number")
	}
	if it.Gone {
		return item, nil
	}
	if err := json.Unmarshal(it.Body, &item.guard); err != nil {
		return item, err
	}
	item.gone = !item.guard.Serves(s.gate)
	return item, pin.Valid(item.guard.Hash)
}

func (s *Snapshot) readRow(it *wire.Item) (row, error) {
	pass, err := signing.ParsePassID(it.Key)
	if err != nil {
		return row{}, err
	}
	r := row{kind: it.Kind, key: pass, gone: it.Gone}
	if it.Gone {
		return r, nil
	}
	switch it.Kind {
	case wire.ItemRevocation:
		var body wire.Revocation
		err = json.Unmarshal(it.Body, &body)
		r.at, r.expires = body.At, body.Expires
	case wire.ItemPhone:
		var body wire.Phone
		if err = json.Unmarshal(it.Body, &body); err == nil && body.Phone == (signing.PhoneID{}) {
			err = fmt.Errorf("no phone")
		}
		r.phone, r.expires = body.Phone, body.Expires
	case wire.ItemOwner:
		var body wire.Ownership
		if err = json.Unmarshal(it.Body, &body); err == nil && body.Gate == 0 {
			err = fmt.Errorf("owner 0")
		}
		r.gate, r.epoch, r.agentEpoch, r.expires = body.Gate, body.Epoch, body.AgentEpoch, body.Expires
	case wire.ItemPass:
		r.look = new(wire.Pass)
		if err = json.Unmarshal(it.Body, r.look); err == nil && !r.look.Kind.OpensGates() {
			err = fmt.Errorf("kind %s", r.look.Kind)
		}
		r.expires = r.look.Expires
	default:
		var body wire.Use
		if err = json.Unmarshal(it.Body, &body); err == nil {
			err = parts(&body)
		}
		r.mine = body.By[s.journal]
		r.at, r.gate, r.count, r.expires = body.First.At, body.First.Gate, body.Count, body.Expires
	}
	return r, err
}

// parts checks that a use's parts are parts.
func parts(u *wire.Use) error {
	var sum uint64
	for _, n := range u.By {
		sum += uint64(n)
	}
	if sum > uint64(u.Count) {
		return fmt.Errorf("by: %d of %d uses", sum, u.Count)
	}
	return nil
}
