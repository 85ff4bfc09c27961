package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"campusgate/signing/wire"
)

// The rank of a kind is its place in a snapshot. Kinds that do not concern the
// decision at a gate go last.
const (
	rankKeyring    = 1
	rankRevocation = 2
	rankPhone      = 3
	rankCard       = 4
	rankGate       = 5
	rankPolicy     = 6
	rankAlarm      = 7
	rankOwner      = 8
	rankUse        = 9 // not in table feed: the rows of table uses
	rankInside     = 10
	rankRelease    = 11
	rankDocuments  = 12
	rankTill       = 13
	rankGuard      = 14
	rankPass       = 15
	rankPeer       = 16
	rankEnd        = 17
)

var rankKinds = [rankEnd]wire.ItemKind{
	rankKeyring:    wire.ItemKeyring,
	rankRevocation: wire.ItemRevocation,
	rankPhone:      wire.ItemPhone,
	rankCard:       wire.ItemCard,
	rankGate:       wire.ItemGate,
	rankPolicy:     wire.ItemPolicy,
	rankAlarm:      wire.ItemAlarm,
	rankOwner:      wire.ItemOwner,
	rankUse:        wire.ItemUse,
	rankInside:     wire.ItemInside,
	rankRelease:    wire.ItemRelease,
	rankDocuments:  wire.ItemDocuments,
	rankTill:       wire.ItemTill,
	rankGuard:      wire.ItemGuard,
	rankPass:       wire.ItemPass,
	rankPeer:       wire.ItemPeer,
}

// put replaces an item of the feed and gives it the next revision. Expires is
// when nobody needs the item any more, in ms; 0 = never.
func (t *Tx) put(rank int, key string, body any, expires int64) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("feed %s %s: %w", rankKinds[rank], key, err)
	}
	revision, err := t.revisions(1)
	if err != nil {
		return err
	}
	return t.Exec(`INSERT INTO feed (kind, key, revision, gone, body, changed_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (kind, key) DO UPDATE SET revision = excluded.revision, gone = excluded.gone,
			body = excluded.body, changed_at = excluded.changed_at, expires_at = excluded.expires_at`,
		rank, key, revision, false, string(text), t.now, nullable(expires))
}

// PutCard tells the tills of a card account.
func (t *Tx) PutCard(account uint64, c wire.Card) error {
	return t.put(rankCard, strconv.FormatUint(account, 10), c, c.Expires*1000)
}

// RemoveCard ends what PutCard told: the card is in order.
func (t *Tx) RemoveCard(account uint64) error {
	return t.remove(rankCard, strconv.FormatUint(account, 10))
}

// PutTill gives a till its rules.
func (t *Tx) PutTill(gate uint16, rules wire.Till) error {
	return t.put(rankTill, strconv.Itoa(int(gate)), rules, 0)
}

// remove takes an item away. The mark of that stays until PruneFeed.
func (t *Tx) remove(rank int, key string) error {
	revision, err := t.revisions(1)
	if err != nil {
		return err
	}
	return t.Exec("UPDATE feed SET revision = $1, gone = $2, body = '', changed_at = $3, expires_at = NULL WHERE kind = $4 AND key = $5",
		revision, true, t.now, rank, key)
}

// revisions takes n revisions and gives the first.
func (t *Tx) revisions(n int) (int64, error) {
	t.grew = true
	before, err := t.count("revision", int64(n))
	return before + 1, err
}

// Changed gives a channel that is closed when the feed grows. Ask for it
// before reading the feed, so that nothing falls between.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

func (s *Store) broadcast() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
}

// Revision is the last revision of the feed.
func (s *Store) Revision(ctx context.Context) (uint64, error) {
	v, err := counter(ctx, s.read, "revision")
	return uint64(v), err
}

// Notice wakes those who wait on Changed. It is for changes that another
// process made.
func (s *Store) Notice() { s.broadcast() }

// Feed gives what follows a cursor: at most limit items, More when there are
// further ones, Reset on the first page of a snapshot. A cursor of another
// lineage, from the future, or from before the horizon gets a snapshot.
//
// The pages of a snapshot go by kind and key and are read from the live
// tables; the last one's cursor is the revision at which the first one was
// read. So a page may hold a fact that is newer than that cursor; the deltas
// that follow, which belong to the same transaction of the agent (More), bring
// it once more, which changes nothing, and everything else that happened
// between the pages. Between pages the cursor's lineage carries the place.
func (s *Store) Feed(ctx context.Context, after wire.Cursor, limit int) (wire.Delta, error) {
	if limit < 1 {
		return wire.Delta{}, fmt.Errorf("feed: limit %d", limit)
	}
	// One transaction: the counters and the rows belong together.
	at, err := s.read.moment(ctx)
	if err != nil {
		return wire.Delta{}, fmt.Errorf("feed: %w", err)
	}
	defer func() { _ = at.end(ctx) }()
	d, err := s.feed(ctx, at, after, limit)
	if err != nil {
		return wire.Delta{}, fmt.Errorf("feed: %w", err)
	}
	return d, nil
}

func (s *Store) feed(ctx context.Context, src Source, after wire.Cursor, limit int) (wire.Delta, error) {
	var lineage string
	err := src.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", settingLineage).Scan(&lineage)
	if err != nil {
		return wire.Delta{}, err
	}
	revision, err := counter(ctx, src, "revision")
	if err != nil {
		return wire.Delta{}, err
	}
	horizon, err := counter(ctx, src, "horizon")
	if err != nil {
		return wire.Delta{}, err
	}
	if p, ok := parsePlace(lineage, after); ok && p.upper <= revision && p.upper >= horizon {
		return snapshotPage(ctx, src, lineage, p, revision, limit)
	}
	if after.Lineage == lineage && after.Revision <= uint64(revision) && after.Revision >= uint64(horizon) {
		return deltaPage(ctx, src, after, revision, limit)
	}
	d, err := snapshotPage(ctx, src, lineage, place{upper: revision, rank: rankKeyring, fresh: true}, revision, limit)
	d.Reset = true
	return d, err
}

// place is how far the pages of a snapshot have come: the last item sent.
type place struct {
	upper int64 // revision of the first page
	rank  int
	key   string
	fresh bool // nothing of this rank was sent; key says nothing
}

func (p place) cursor(lineage string) wire.Cursor {
	return wire.Cursor{Lineage: fmt.Sprintf("%s/%d/%s", lineage, p.rank, p.key), Revision: uint64(p.upper)}
}

func parsePlace(lineage string, c wire.Cursor) (p place, ok bool) {
	rest, ok := strings.CutPrefix(c.Lineage, lineage+"/")
	if !ok || c.Revision > math.MaxInt64 {
		return place{}, false
	}
	rank, key, ok := strings.Cut(rest, "/")
	if !ok {
		return place{}, false
	}
	n, err := strconv.Atoi(rank)
	if err != nil || n < rankKeyring || n >= rankEnd {
		return place{}, false
	}
	return place{upper: int64(c.Revision), rank: n, key: key}, true
}

// feedRow is an item with its place.
type feedRow struct {
	rank     int
	revision int64
	item     wire.Item
}

func scanFeedRow(rows *sql.Rows) (r feedRow, err error) {
	var body string
	if err := rows.Scan(&r.rank, &r.item.Key, &r.revision, &r.item.Gone, &body); err != nil {
		return r, err
	}
	if r.rank < rankKeyring || r.rank >= rankEnd {
		return r, fmt.Errorf("item of kind number %d", r.rank)
	}
	r.item.Kind = rankKinds[r.rank]
	if !r.item.Gone {
		r.item.Body = json.RawMessage(body)
	}
	return r, nil
}

const feedColumns = "SELECT kind, key, revision, gone, body FROM feed"

func deltaPage(ctx context.Context, src Source, after wire.Cursor, revision int64, limit int) (wire.Delta, error) {
	rows, err := List(ctx, src, scanFeedRow, feedColumns+" WHERE revision > $1 ORDER BY revision LIMIT 0+$2",
		int64(after.Revision), limit+1)
	if err != nil {
		return wire.Delta{}, err
	}
	uses, err := useItemsAfter(ctx, src, int64(after.Revision), limit+1)
	if err != nil {
		return wire.Delta{}, err
	}
	d := wire.Delta{Cursor: wire.Cursor{Lineage: after.Lineage, Revision: uint64(revision)}, Items: []wire.Item{}}
	for len(rows)+len(uses) > 0 && len(d.Items) < limit {
		next := &rows
		if len(rows) == 0 || len(uses) > 0 && uses[0].revision < rows[0].revision {
			next = &uses
		}
		d.Items = append(d.Items, (*next)[0].item)
		after.Revision = uint64((*next)[0].revision)
		*next = (*next)[1:]
	}
	if len(rows)+len(uses) > 0 {
		d.More, d.Cursor.Revision = true, after.Revision
	}
	return d, nil
}

func snapshotPage(ctx context.Context, src Source, lineage string, p place, revision int64, limit int) (wire.Delta, error) {
	d := wire.Delta{Items: []wire.Item{}}
	for ; p.rank < rankEnd; p.rank, p.key, p.fresh = p.rank+1, "", true {
		room := limit - len(d.Items)
		rows, err := snapshotRows(ctx, src, p, room+1)
		if err != nil {
			return wire.Delta{}, err
		}
		for i, r := range rows {
			if i == room {
				d.More, d.Cursor = true, p.cursor(lineage)
				return d, nil
			}
			p.key, p.fresh = r.item.Key, false
			d.Items = append(d.Items, r.item)
		}
	}
	d.More, d.Cursor = revision > p.upper, wire.Cursor{Lineage: lineage, Revision: uint64(p.upper)}
	return d, nil
}

func snapshotRows(ctx context.Context, src Source, p place, limit int) ([]feedRow, error) {
	if p.rank == rankUse {
		return useItemsFrom(ctx, src, p.key, limit)
	}
	from := ">"
	if p.fresh {
		from = ">=" // a key may be empty
	}
	return List(ctx, src, scanFeedRow,
		feedColumns+" WHERE kind = $1 AND key "+from+" $2 AND gone = $3 ORDER BY key LIMIT 0+$4",
		p.rank, p.key, false, limit)
}

// PruneFeed forgets what nobody needs: items and uses that expired before the
// given time, in ms, and the marks of what was taken away before it. A cursor
// older than such a mark gets a snapshot from then on.
func (s *Store) PruneFeed(ctx context.Context, before int64) error {
	return s.Change(ctx, func(t *Tx) error {
		var last sql.NullInt64
		err := t.QueryRowContext(t.ctx,
			"SELECT max(revision) FROM feed WHERE gone = $1 AND changed_at < $2", true, before).Scan(&last)
		if err != nil {
			return err
		}
		return errors.Join(
			t.Exec("UPDATE counters SET value = $1 WHERE name = 'horizon' AND value < $2", last.Int64, last.Int64),
			t.Exec("DELETE FROM feed WHERE gone = $1 AND changed_at < $2", true, before),
			t.Exec("DELETE FROM feed WHERE expires_at < $1", before),
			t.Exec("DELETE FROM uses WHERE expires < $1", before/1000),
			t.Exec("DELETE FROM presence WHERE expires < $1", before/1000),
			t.Exec("DELETE FROM claims WHERE expires < $1", before/1000),
			t.Exec("DELETE FROM nonces WHERE expires_at < $1", before),
			t.Exec("DELETE FROM enrolments WHERE expires_at < $1", before),
		)
	})
}

// nullable stores zero as NULL.
func nullable(v int64) sql.NullInt64 { return sql.NullInt64{Int64: v, Valid: v != 0} }
