package admission

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// mostConflicts is more than there can be.
const mostConflicts = 100_000

// check holds what happened against what the server has, and the gates.
func (w *world) check() error {
	for _, check := range []func() error{w.checkEvents, w.checkUses, w.checkFacts, w.checkJournals} {
		if err := check(); err != nil {
			return err
		}
	}
	w.checkPasses()
	return nil
}

// checkEvents wants the server to hold every event that was written, as it was
// written, but for those that went with a disk.
func (w *world) checkEvents() error {
	db := w.server.db
	held := map[wire.EventID]string{}
	_, err := store.List(ctx, db.Reader(), func(rows *sql.Rows) (struct{}, error) {
		var id wire.EventID
		var hash []byte
		err := rows.Scan(&id.Agent, &id.Epoch, &id.Seq, &hash)
		held[id] = string(hash)
		return struct{}{}, err
	}, "SELECT agent, epoch, seq, hash FROM events")
	if err != nil {
		return err
	}
	epochs := map[uint32]uint32{}
	for _, g := range w.gates {
		epochs[g.agent.ID] = g.agent.Epoch
	}
	for _, e := range w.witness.written {
		hash, there := held[e.id]
		switch {
		case there && hash != string(e.hash[:]):
			w.result.LostEvents++
			w.broken("%v is held with another hash", e.id)
		case there:
		case e.id.Epoch < epochs[e.id.Agent]:
			w.result.Forgotten++
		default:
			w.result.LostEvents++
			w.broken("%v was written, and the server does not hold it", e.id)
		}
		delete(held, e.id)
	}
	for _, id := range slices.SortedFunc(maps.Keys(held), func(a, b wire.EventID) int { return cmp.Compare(a.String(), b.String()) }) {
		w.broken("the server holds %v, which nobody wrote", id)
	}
	return w.none(map[string]string{
		"quarantine":    "SELECT count(*) FROM quarantine",
		"event.refused": "SELECT count(*) FROM trail WHERE action = 'event.refused'",
	})
}

// none wants counts to be zero.
func (w *world) none(queries map[string]string) error {
	for _, what := range slices.Sorted(maps.Keys(queries)) {
		var n int
		if err := w.server.db.Reader().QueryRowContext(ctx, queries[what]).Scan(&n); err != nil {
			return err
		}
		if n != 0 {
			w.broken("%d in %s", n, what)
		}
	}
	return nil
}

// checkUses wants every admission that the server knows of to have its use, and
// every pass with more of them than it is good for to be a conflict.
func (w *world) checkUses() error {
	db := w.server.db
	type use struct {
		pass signing.PassID
		ref  string
	}
	refs, claims := map[use]bool{}, map[use]bool{}
	counted := map[signing.PassID]int{}
	_, err := store.List(ctx, db.Reader(), func(rows *sql.Rows) (struct{}, error) {
		var pass []byte
		var ref, claim string
		err := rows.Scan(&pass, &ref, &claim)
		refs[use{signing.PassID(pass), ref}] = true
		counted[signing.PassID(pass)]++
		if claim != "" {
			claims[use{signing.PassID(pass), claim}] = true
		}
		return struct{}{}, err
	}, "SELECT pass, ref, coalesce(claim, '') FROM uses WHERE annulled_at IS NULL")
	if err != nil {
		return err
	}
	conflicts, err := db.Conflicts(ctx, mostConflicts)
	if err != nil {
		return err
	}
	detected := map[signing.PassID]bool{}
	for _, c := range conflicts {
		detected[c.Pass] = true
	}
	for _, h := range w.holders {
		standing := 0
		for _, a := range w.witness.admissions[h.pass.ID] {
			if a.withdrawn || w.forgotten(a.event) {
				continue
			}
			standing++
			by := use{a.pass, a.claim}
			if a.counts && !refs[use{a.pass, a.event.String()}] || !a.counts && !claims[by] && !w.ownersDiskGone(a) {
				w.broken("%v admitted pass %s, and no use of it is counted", a.event, a.pass)
			}
		}
		if n := counted[h.pass.ID]; n > standing && !w.cfg.Amnesia {
			w.broken("pass %s has %d uses, and was admitted %d times: a grant was not given back", h.pass.ID, n, standing)
		}
		switch {
		case standing > 1 && !detected[h.pass.ID]:
			w.result.Undetected++
			w.broken("pass %s was admitted %d times, and is no conflict", h.pass.ID, standing)
		case standing <= 1 && detected[h.pass.ID]:
			w.broken("pass %s is a conflict, and was admitted %d times", h.pass.ID, standing)
		}
	}
	return nil
}

// forgotten reports whether an event went with a disk.
func (w *world) forgotten(id wire.EventID) bool {
	for _, g := range w.gates {
		if g.agent.ID == id.Agent {
			return id.Epoch < g.agent.Epoch && !w.serverHolds(id)
		}
	}
	return false
}

func (w *world) serverHolds(id wire.EventID) bool {
	acked, err := w.server.db.Acked(ctx, id.Agent, id.Epoch)
	return err == nil && id.Seq <= acked
}

// ownersDiskGone reports whether an admission's use was counted by an owner whose
// disk went before the server heard of it.
func (w *world) ownersDiskGone(a *admission) bool {
	for _, h := range w.holders {
		if h.pass.ID == a.pass && h.pass.Owner != 0 {
			return w.gates[h.pass.Owner-1].wiped > 0
		}
	}
	return false
}

// fact is what is known of a pass that was used.
type fact struct {
	first int64
	gate  uint16
	count uint32
}

// checkFacts wants every gate to know what the server does.
func (w *world) checkFacts() error {
	want, gates := map[string]fact{}, map[string]string{}
	for cursor, more := (wire.Cursor{}), true; more; {
		d, err := w.server.db.Feed(ctx, cursor, wire.MaxBatch)
		if err != nil {
			return err
		}
		for _, it := range d.Items {
			switch it.Kind {
			case wire.ItemUse:
				var u wire.Use
				if err := json.Unmarshal(it.Body, &u); err != nil {
					return err
				}
				want[it.Key] = fact{u.First.At, u.First.Gate, u.Count}
			case wire.ItemGate:
				gates[it.Key] = string(it.Body)
			default: // the same for all, or nobody's fact
			}
		}
		cursor, more = d.Cursor, d.More
	}
	for _, g := range w.gates {
		have, err := g.facts()
		if err != nil {
			return err
		}
		w.orphaned(have, want)
		if !maps.Equal(have, want) {
			w.broken("gate %d knows %d used passes, the server %d%s", g.number, len(have), len(want), differ(have, want))
		}
		known := g.snap.Gates()
		if len(known) != len(gates) {
			w.broken("gate %d knows %d gates, the server %d", g.number, len(known), len(gates))
		}
		for id, k := range known {
			body, err := json.Marshal(k)
			if err != nil {
				return err
			}
			if key := fmt.Sprint(id); string(body) != gates[key] {
				w.broken("gate %d has of gate %s %s, the server %s", g.number, key, body, gates[key])
			}
		}
		if q := g.journal.Queue(); q != 0 {
			w.broken("gate %d still has %d events that the server has not acknowledged", g.number, q)
		}
	}
	return nil
}

// orphaned lets a gate be right about what it gave back to an owner whose disk went:
// nobody is left who can take the grant back, so the server goes on counting it.
func (w *world) orphaned(have, want map[string]fact) {
	if !w.cfg.Amnesia {
		return
	}
	for _, h := range w.holders {
		p := h.pass
		if key := p.ID.String(); p.Owner != 0 && w.gates[p.Owner-1].wiped > 0 && len(w.witness.history(p.ID).releases) > 0 &&
			have[key].count < want[key].count {
			have[key] = want[key]
		}
	}
}

func differ(have, want map[string]fact) string {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have[key] != want[key] {
			return fmt.Sprintf(": of %s %+v, the server %+v", key, have[key], want[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		if _, there := want[key]; !there {
			return fmt.Sprintf(": of %s %+v, the server nothing", key, have[key])
		}
	}
	return ""
}

// facts are the uses elsewhere that are in force at a gate.
func (g *gate) facts() (map[string]fact, error) {
	rows, err := g.db.Read().QueryContext(ctx, `SELECT e.pass, e.first_at, e.first_gate, e.count FROM elsewhere e
		JOIN snapshot s ON e.gen BETWEEN s.base AND s.current
		WHERE e.gone = 0 AND e.gen = (SELECT max(x.gen) FROM elsewhere x WHERE x.pass = e.pass AND x.gen BETWEEN s.base AND s.current)`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	have := map[string]fact{}
	for rows.Next() {
		var pass []byte
		var f fact
		if err := rows.Scan(&pass, &f.first, &f.gate, &f.count); err != nil {
			return nil, err
		}
		have[signing.PassID(pass).String()] = f
	}
	return have, rows.Err()
}

// checkJournals verifies the chains.
func (w *world) checkJournals() error {
	for _, g := range w.gates {
		if _, err := g.journal.Verify(ctx); err != nil {
			w.broken("gate %d: %v", g.number, err)
		}
	}
	return nil
}

// checkPasses counts what became of the passes, and wants their histories to be
// those of registers.
func (w *world) checkPasses() {
	r := w.result
	for _, p := range w.holders {
		h := w.witness.history(p.pass.ID)
		if h.double {
			r.DoubleAdmitted++
		}
		if h.path {
			r.DoubleWithPath++
		}
		if slices.ContainsFunc(w.witness.admissions[p.pass.ID], func(a *admission) bool { return a.opened }) {
			r.PassesAdmitted++
			if !w.witness.admissions[p.pass.ID][0].walked {
				r.AsPlanned++
			}
		} else {
			r.RefusedEverywhere++
			r.Refused[p.heard]++
		}
		if w.cfg.Policy != verdict.FirstSeen && !h.linearizable() {
			w.broken("no register that is taken once gives the answers about pass %s: %s", p.pass.ID, h)
		}
	}
}
