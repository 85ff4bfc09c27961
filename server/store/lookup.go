package store

import (
	"context"
	"database/sql"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// PassesAhead is how long before its first moment a pass is told to the gates,
// so that guards can look it up, in seconds.
const PassesAhead = 3 * 24 * 3600

// lookupChunk is how many passes one change tells the gates of.
const lookupChunk = 200

// PutGuideline tells every gate which documents let whom in.
func (t *Tx) PutGuideline(g *verdict.Guideline) error { return t.put(rankDocuments, "", g, 0) }

// PutGuard tells the gates of somebody who may begin a shift.
func (t *Tx) PutGuard(number string, g wire.Guard) error { return t.put(rankGuard, number, g, 0) }

// RemoveGuard tells the gates that somebody may not any more.
func (t *Tx) RemoveGuard(number string) error { return t.remove(rankGuard, number) }

// Guards gives what the gates were told of guards.
func (t *Tx) Guards() ([]wire.Item, error) {
	rows, err := List(t.ctx, t, scanFeedRow, feedColumns+" WHERE kind = $1 AND gone = $2 ORDER BY key", rankGuard, false)
	items := make([]wire.Item, len(rows))
	for i := range rows {
		items[i] = rows[i].item
	}
	return items, err
}

// putPass tells the gates of a pass that begins soon enough; later ones come
// with FeedPasses. A revocation is an item of its own.
func (t *Tx) putPass(p *Pass) error {
	ahead, err := counter(t.ctx, t, "passes_ahead")
	if err != nil || p.From > ahead {
		return err
	}
	return t.put(rankPass, p.ID.String(), wire.Pass{
		Kind: p.Kind, Name: p.Name, From: p.From, Expires: p.Until, Uses: p.Uses, Zones: p.Zones,
	}, p.Until*1000)
}

// FeedPasses tells the gates of the passes that begin within PassesAhead and
// were not told of yet, and drops those that ended a day ago: the gates forget
// them by themselves. It is meant to run every hour, and works in short changes.
func (s *Store) FeedPasses(ctx context.Context) error {
	var ahead, fed int64
	// From here on whoever is issued a pass that soon is told of at once; so
	// nothing falls between that and the walk through the rest.
	err := s.Change(ctx, func(t *Tx) (err error) {
		ahead = t.now/1000 + PassesAhead
		if fed, err = counter(t.ctx, t, "passes_fed"); err != nil {
			return err
		}
		return t.Exec("UPDATE counters SET value = $1 WHERE name = 'passes_ahead' AND value < $2", ahead, ahead)
	})
	last := Pass{From: fed}
	for more := true; err == nil && more; {
		err = s.submit(&job{ctx: ctx, rows: lookupChunk, fn: func(t *Tx) (err error) {
			last, more, err = t.feedPasses(last, ahead)
			return err
		}}, false)
	}
	if err != nil {
		return err
	}
	return s.Change(ctx, func(t *Tx) error {
		err := t.Exec("DELETE FROM feed WHERE kind = $1 AND expires_at < $2", rankPass, t.now-24*3600*1000)
		if err != nil {
			return err
		}
		return t.Exec("UPDATE counters SET value = $1 WHERE name = 'passes_fed' AND value < $2", ahead, ahead)
	})
}

// feedPasses tells of the next passes after one, and gives the last of them.
func (t *Tx) feedPasses(after Pass, ahead int64) (last Pass, more bool, err error) {
	found, err := List(t.ctx, t, scanPass, passColumns+` WHERE (p.valid_from > $1 OR p.valid_from = $2 AND p.id > $3)
		AND p.valid_from <= $4 AND p.valid_until > $5 AND p.revoked_at IS NULL ORDER BY p.valid_from, p.id LIMIT $6`,
		after.From, after.From, after.ID[:], ahead, t.now/1000, lookupChunk)
	if err != nil {
		return after, false, err
	}
	for i := range found {
		after = found[i].Pass
		if err := t.putPass(&after); err != nil {
			return after, false, err
		}
	}
	return after, len(found) == lookupChunk, nil
}

// UnnamePasses takes the passes of a person out of what gates can look up by name.
// The passes themselves are not changed.
func (t *Tx) UnnamePasses(person string) error {
	keys, err := List(t.ctx, t, func(rows *sql.Rows) (key string, err error) {
		var id []byte
		err = rows.Scan(&id)
		return signing.PassID(id).String(), err
	}, `SELECT pass FROM application_passes WHERE person = $1 UNION SELECT pass FROM papers WHERE person = $2`, person, person)
	for i := 0; i < len(keys) && err == nil; i++ {
		err = t.remove(rankPass, keys[i])
	}
	return err
}
