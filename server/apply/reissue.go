package apply

import (
	"context"
	"errors"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
)

// Reissue revokes a pass and issues another in its place that a given gate
// decides, with everything else the same: the matter and the household's days
// are the new pass's. It is for a pass whose gate is off for good: a gate that is
// cut off and works goes on admitting by the old code. store.ErrNotFound,
// store.ErrMoveOver, store.ErrMoveDecider, store.ErrMoveGate.
func (s *Service) Reissue(ctx context.Context, actor string, id signing.PassID, owner uint16, reason string) (next store.Pass, err error) {
	var refused error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		refused = nil
		p, err := t.MayReissue(id, owner)
		if err != nil {
			refused = err
			return nil
		}
		moment := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
		r := issue.Request{
			Kind: p.Kind.String(), Name: p.Name, Doc4: p.Doc4, From: moment(p.From), Until: moment(p.Until),
			Uses: &p.Uses, Zones: p.Zones.List(), Owner: &owner, Bound: p.Bound,
		}
		if next, err = s.Issue.IssueIn(t, actor, r); err != nil {
			return err
		}
		return errors.Join(
			t.RevokePass(actor, id, reason),
			t.Exec(`INSERT INTO application_passes (pass, application, person, household)
				SELECT $1, application, person, household FROM application_passes WHERE pass = $2`, next.ID[:], id[:]),
			t.Exec("UPDATE quota_entries SET pass = $1 WHERE pass = $2", next.ID[:], id[:]),
			t.Exec("UPDATE papers SET pass = $1 WHERE pass = $2 AND returned_at IS NULL AND lost_at IS NULL", next.ID[:], id[:]),
			t.Trail(actor, "pass.reissued", "pass "+id.String(), map[string]any{
				"as": next.ID.String(), "from": p.Decider(), "to": owner, "gate_is_off": true, "reason": reason,
			}),
		)
	})
	if err == nil {
		err = refused
	}
	return next, err
}
