package journal

import (
	"slices"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func (t *tx) Group(zones signing.Zones, owner uint16) (gates []uint16, shared bool, err error) {
	shared = owner == 0 || owner == t.id.Gate
	err = t.tx.Each("SELECT id, zone FROM gates WHERE mode = $1 ORDER BY id", []any{string(verdict.FirstSeen)},
		func(scan func(...any) error) error {
			var gate uint16
			var zone int
			if err := scan(&gate, &zone); err != nil {
				return err
			}
			shared = shared || gate == owner
			if gate != t.id.Gate && (zone == 0 || zones.Admit(zone)) {
				gates = append(gates, gate)
			}
			return nil
		})
	return slices.Clip(gates), shared, err
}

// unconfirmed notes an admission for which not everybody could be asked, and
// forgets those that the server holds.
func (t *tx) unconfirmed(e *wire.Event) error {
	if e.Case == nil || e.Case.Claim.State != verdict.ClaimUnreached || !e.Verdict.Opens() {
		return nil
	}
	if err := t.tx.Exec("DELETE FROM unconfirmed WHERE seq <= (SELECT acked FROM progress WHERE id = 1)"); err != nil {
		return err
	}
	return t.tx.Exec("INSERT INTO unconfirmed (seq) VALUES ($1)", int64(e.ID.Seq))
}

func (t *tx) Unconfirmed() (n uint32, err error) {
	_, err = t.tx.Get("SELECT count(*) FROM unconfirmed WHERE seq > (SELECT acked FROM progress WHERE id = 1)", nil, &n)
	return n, err
}

func (t *tx) End() (last uint64, mode verdict.Mode, err error) {
	var name string
	_, err = t.tx.Get("SELECT mode FROM gates WHERE id = $1", []any{int64(t.id.Gate)}, &name)
	return t.head.seq, verdict.Mode(name), err
}
