package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Entry is one line of the audit trail: who changed what.
type Entry struct {
	ID      int64
	At      int64
	Actor   string // "token 3", "agent 2", "init", "schedule" …
	Action  string // noun.verb, stable
	Target  string
	Details json.RawMessage
	Hash    []byte
}

// chain gives the hash of the entry that follows prev. Every field goes in
// with its length, so that no two entries read the same.
func (e *Entry) chain(prev []byte) []byte {
	h := sha256.New()
	h.Write([]byte("campusgate trail 1\x00"))
	var n [8]byte
	for _, part := range [][]byte{
		prev, binary.BigEndian.AppendUint64(nil, uint64(e.ID)), binary.BigEndian.AppendUint64(nil, uint64(e.At)),
		[]byte(e.Actor), []byte(e.Action), []byte(e.Target), e.Details,
	} {
		binary.BigEndian.PutUint64(n[:], uint64(len(part)))
		h.Write(n[:])
		h.Write(part)
	}
	return h.Sum(nil)
}

// Trail adds an entry in the transaction of the change that it tells of.
func (t *Tx) Trail(actor, action, target string, details any) error {
	if details == nil {
		details = struct{}{}
	}
	body, err := json.Marshal(details)
	if err != nil {
		return fmt.Errorf("trail: %w", err)
	}
	e := Entry{At: t.now, Actor: actor, Action: action, Target: target, Details: body}
	var prev []byte
	err = t.QueryRowContext(t.ctx, "SELECT id, hash FROM trail ORDER BY id DESC LIMIT 1").Scan(&e.ID, &prev)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	e.ID++
	return t.Exec(`INSERT INTO trail (id, at, actor, action, target, details, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		e.ID, e.At, e.Actor, e.Action, e.Target, string(e.Details), e.chain(prev))
}

const trailColumns = "SELECT id, at, actor, action, target, details, hash FROM trail"

func scanEntry(rows *sql.Rows) (e Entry, err error) {
	var details string
	err = rows.Scan(&e.ID, &e.At, &e.Actor, &e.Action, &e.Target, &details, &e.Hash)
	e.Details = json.RawMessage(details)
	return e, err
}

// Trail gives at most limit entries that follow after, oldest first.
func (s *Store) Trail(ctx context.Context, after int64, limit int) ([]Entry, error) {
	return trailAfter(ctx, s.read, after, limit)
}

func trailAfter(ctx context.Context, src Source, after int64, limit int) ([]Entry, error) {
	return List(ctx, src, scanEntry, trailColumns+" WHERE id > $1 ORDER BY id LIMIT $2", after, limit)
}

// TrailBefore gives at most limit entries that come before an id, newest first;
// 0 = from the end.
func (s *Store) TrailBefore(ctx context.Context, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = math.MaxInt64
	}
	return List(ctx, s.read, scanEntry, trailColumns+" WHERE id < $1 ORDER BY id DESC LIMIT $2", before, limit)
}

// TrailHead is how far the trail had come at a time: enough to tell later, from
// outside the database, that nothing up to there was changed or cut off.
type TrailHead struct {
	Entries int64
	Hash    []byte // of the last of them
}

// String gives the form that ParseTrailHead reads: 4711:9f86d0….
func (h TrailHead) String() string { return fmt.Sprintf("%d:%x", h.Entries, h.Hash) }

// ParseTrailHead reads what String gave.
func ParseTrailHead(text string) (h TrailHead, err error) {
	entries, hash, _ := strings.Cut(text, ":")
	h.Entries, err = strconv.ParseInt(entries, 10, 64)
	if err == nil {
		h.Hash, err = hex.DecodeString(hash)
	}
	if err != nil || h.Entries < 1 || len(h.Hash) != sha256.Size {
		return TrailHead{}, fmt.Errorf("head of the trail %q: want the number of entries, a colon and 64 hex digits", text)
	}
	return h, nil
}

// TrailHead gives the end of the trail; zero when there is no entry.
func (s *Store) TrailHead(ctx context.Context) (TrailHead, error) {
	last, err := s.TrailBefore(ctx, 0, 1)
	if err != nil || len(last) == 0 {
		return TrailHead{}, err
	}
	return TrailHead{last[0].ID, last[0].Hash}, nil
}

// HoldsTrail wraps ErrBroken unless the trail has come as far as a head that was
// noted before, by the same entries. The chain itself VerifyTrail has to look at.
func (s *Store) HoldsTrail(ctx context.Context, h TrailHead) error {
	at, err := s.Trail(ctx, h.Entries-1, 1)
	if err != nil {
		return err
	}
	switch {
	case len(at) == 0:
		return fmt.Errorf("%w: the audit trail was cut off before entry %d", ErrBroken, h.Entries)
	case at[0].ID != h.Entries || !bytes.Equal(at[0].Hash, h.Hash):
		return fmt.Errorf("%w: entry %d of the audit trail is another one than was noted", ErrBroken, h.Entries)
	}
	return nil
}

// VerifyTrail recomputes the whole chain and gives its length. The error wraps
// ErrBroken and names the first entry that does not follow.
func (s *Store) VerifyTrail(ctx context.Context) (int64, error) { return verifyTrail(ctx, s.read) }

func verifyTrail(ctx context.Context, src Source) (int64, error) {
	var prev []byte
	for last := int64(0); ; {
		page, err := trailAfter(ctx, src, last, 1000)
		if err != nil {
			return last, err
		}
		if len(page) == 0 {
			return last, nil
		}
		for i := range page {
			e := &page[i]
			if e.ID != last+1 || !bytes.Equal(e.chain(prev), e.Hash) {
				return last, fmt.Errorf("%w: audit trail, entry %d", ErrBroken, e.ID)
			}
			prev, last = e.Hash, e.ID
		}
	}
}
