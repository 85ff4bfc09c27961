package snapshot

import (
	"fmt"
	"time"

	"campusgate/agent/disk"
	"campusgate/signing/wire"
)

// table is one of the long lists. Names come from here only.
type table string

const (
	revocations table = "revocations"
	phones      table = "phones"
	owners      table = "owners"
	elsewhere   table = "elsewhere"
	passes      table = "passes"
	cards       table = "cards"
)

var lists = []table{revocations, phones, owners, elsewhere, passes, cards}

// key is the column of what a list is about.
func (t table) key() string {
	if t == cards {
		return "account"
	}
	return "pass"
}

// The statements of each list, written once so that they are prepared once.
var (
	inserts = map[wire.ItemKind]string{
		wire.ItemRevocation: `INSERT INTO revocations (pass, gen, gone, expires) VALUES ($1, $2, $3, $4)
			ON CONFLICT (pass, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires`,
		wire.ItemPhone: `INSERT INTO phones (pass, gen, gone, expires, phone) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (pass, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires, phone = excluded.phone`,
		wire.ItemOwner: `INSERT INTO owners (pass, gen, gone, expires, gate, epoch, agent_epoch) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (pass, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires, gate = excluded.gate,
				epoch = excluded.epoch, agent_epoch = excluded.agent_epoch`,
		wire.ItemUse: `INSERT INTO elsewhere (pass, gen, gone, expires, first_gate, first_at, count, mine)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
			ON CONFLICT (pass, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires,
				first_gate = excluded.first_gate, first_at = excluded.first_at, count = excluded.count,
				mine = excluded.mine`,
		wire.ItemPass: `INSERT INTO passes (pass, gen, gone, expires, kind, name, starts, uses, zones)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (pass, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires, kind = excluded.kind,
				name = excluded.name, starts = excluded.starts, uses = excluded.uses, zones = excluded.zones`,
		wire.ItemCard: `INSERT INTO cards (account, gen, gone, expires, state, epoch, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (account, gen) DO UPDATE SET gone = excluded.gone, expires = excluded.expires,
				state = excluded.state, epoch = excluded.epoch, at = excluded.at`,
	}
	deletes = map[wire.ItemKind]string{
		wire.ItemRevocation: "DELETE FROM revocations WHERE pass = $1",
		wire.ItemPhone:      "DELETE FROM phones WHERE pass = $1",
		wire.ItemOwner:      "DELETE FROM owners WHERE pass = $1",
		wire.ItemUse:        "DELETE FROM elsewhere WHERE pass = $1",
		wire.ItemPass:       "DELETE FROM passes WHERE pass = $1",
		wire.ItemCard:       "DELETE FROM cards WHERE account = $1",
	}
	ends = perList("SELECT max(%[2]s) FROM (SELECT %[2]s FROM %[1]s WHERE %[2]s > $1 ORDER BY %[2]s LIMIT $2)")
	// Of each key, all but the latest row in force, and that too where it says
	// that there is nothing any more.
	sweeps = perList(`DELETE FROM %[1]s WHERE %[2]s > $1 AND %[2]s <= $2 AND (gen < $3 OR gen > $4 OR gone = 1
		OR EXISTS (SELECT 1 FROM %[1]s n WHERE n.%[2]s = %[1]s.%[2]s AND n.gen > %[1]s.gen AND n.gen <= $4))`)
	prunes = perList("DELETE FROM %[1]s WHERE %[2]s > $1 AND %[2]s <= $2 AND expires < $3")
)

func perList(format string) map[table]string {
	m := map[table]string{}
	for _, t := range lists {
		m[t] = fmt.Sprintf(format, t, t.key())
	}
	return m
}

func insert(tx *disk.Tx, r *row, gen int64) error {
	args := []any{r.key[:], gen, r.gone, r.expires}
	switch r.kind {
	case wire.ItemPhone:
		args = append(args, r.phone[:])
	case wire.ItemOwner:
		args = append(args, int64(r.gate), int64(r.epoch), int64(r.agentEpoch))
	case wire.ItemUse:
		args = append(args, int64(r.gate), r.at, int64(r.count), int64(r.mine))
	case wire.ItemPass:
		p := r.look
		if p == nil { // gone
			p = &wire.Pass{}
		}
		args = append(args, int64(p.Kind), p.Name, p.From, int64(p.Uses), int64(p.Zones))
	case wire.ItemCard:
		args = append(args, string(r.card.State), int64(r.card.Epoch), r.card.At)
	default:
	}
	return tx.Exec(inserts[r.kind], args...)
}

// replace writes a row straight into the generation in force.
func replace(tx *disk.Tx, r *row, gen int64) error {
	if err := tx.Exec(deletes[r.kind], r.key[:]); err != nil || r.gone {
		return err
	}
	return insert(tx, r, gen)
}

// sweep removes the rows that are not in force.
func (s *Snapshot) sweep(base, current int64) error {
	for _, t := range lists {
		if err := s.walk(t, sweeps[t], base, current); err != nil {
			return err
		}
	}
	if err := s.few(sweepInside, base); err != nil {
		return err
	}
	return s.db.Update(func(tx *disk.Tx) error {
		return tx.Exec("UPDATE snapshot SET dirty = 0 WHERE id = 1")
	})
}

// walk runs a statement over all of a list, a short range of keys at a time.
func (s *Snapshot) walk(t table, statement string, args ...any) error {
	from := []byte{}
	for from != nil {
		err := s.db.Update(func(tx *disk.Tx) error {
			var to []byte
			if _, err := tx.Get(ends[t], []any{from, chunk}, &to); err != nil || to == nil {
				from = nil
				return err
			}
			err := tx.Exec(statement, append([]any{from, to}, args...)...)
			from = to
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Prune forgets what is said about passes that ended by themselves more than a
// day before now. The computer's clock alone is not believed: what counts is
// the last time that it was compared with the server's.
func (s *Snapshot) Prune(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var synced int64
	err := s.db.Update(func(tx *disk.Tx) error {
		_, err := tx.Get("SELECT synced FROM clock WHERE id = 1", nil, &synced)
		return err
	})
	if err != nil {
		return fmt.Errorf("prune snapshot: %w", err)
	}
	base, current, dirty, err := s.generations()
	if err == nil && dirty {
		// A superseded row would come back when the one above it is removed.
		err = s.sweep(base, current)
	}
	if err != nil {
		return fmt.Errorf("prune snapshot: %w", err)
	}
	before := min(now.UnixMilli(), synced)/1000 - 24*3600
	for _, t := range lists {
		if err := s.walk(t, prunes[t], before); err != nil {
			return fmt.Errorf("prune snapshot: %w", err)
		}
	}
	if err := s.few(pruneInside, before); err != nil {
		return fmt.Errorf("prune snapshot: %w", err)
	}
	return nil
}
