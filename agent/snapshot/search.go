package snapshot

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"campusgate/signing"
)

// ErrQuery: too little to search for.
var ErrQuery = errors.New("search for two characters of a name at least, or the first four of a pass id")

const (
	leastName = 2  // characters of a name
	leastID   = 4  // digits of an id
	maxQuery  = 64 // bytes
	// found is how many passes a search gives.
	found = 20
	// ahead is how far off a pass may begin, as with the server.
	ahead = 3 * 24 * 3600
)

// Found is a pass that a search came upon: what is known of it here. It admits
// nobody.
type Found struct {
	ID    signing.PassID `json:"id"`
	Kind  signing.Kind   `json:"kind"`
	Name  string         `json:"name"`
	From  int64          `json:"valid_from"`  // unix s
	Until int64          `json:"valid_until"` // unix s
	Uses  uint32         `json:"uses"`        // 0 = unlimited
	Used  uint32         `json:"used"`        // as far as this gate knows
	State string         `json:"state"`       // valid, not_yet, used or revoked
}

// Search finds passes that this gate serves and that are valid at a moment
// (corrected clock) or soon after, by a part of the name or the first digits of
// the id. It gives a few; more says that there are others. Errors are ErrQuery
// and the store's.
func (s *Snapshot) Search(ctx context.Context, query string, now time.Time) (list []Found, more bool, err error) {
	query = strings.TrimSpace(query)
	name := utf8.RuneCountInString(query) >= leastName && len(query) <= maxQuery && utf8.ValidString(query)
	id := ""
	if len(query) >= leastID && len(query) <= 16 && strings.Trim(strings.ToLower(query), "0123456789abcdef") == "" {
		id = strings.ToUpper(query)
	}
	if !name {
		return nil, false, ErrQuery
	}
	zone := 0
	if g, ok := s.Gate(s.gate); ok {
		zone = g.Zone
	}
	seconds := now.Unix()
	rows, err := s.db.Read().QueryContext(ctx, searchQuery, seconds, seconds+ahead, zone, query, id, found+1)
	if err != nil {
		return nil, false, fmt.Errorf("search: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f Found
		var pass []byte
		var revoked bool
		if err := rows.Scan(&pass, &f.Kind, &f.Name, &f.From, &f.Until, &f.Uses, &f.Used, &revoked); err != nil {
			return nil, false, fmt.Errorf("search: %w", err)
		}
		copy(f.ID[:], pass)
		switch f.State = "valid"; {
		case revoked:
			f.State = "revoked"
		case f.From > seconds:
			f.State = "not_yet"
		case f.Uses > 0 && f.Used >= f.Uses:
			f.State = "used"
		}
		list = append(list, f)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("search: %w", err)
	}
	if more = len(list) > found; more {
		list = list[:found]
	}
	return list, more, nil
}

// searchQuery: now, how far ahead, zone, part of a name, beginning of an id in
// upper-case hex or nothing, how many. The uses are counted as a lane does.
const searchQuery = `SELECT p.pass, p.kind, p.name, p.starts, p.expires, p.uses,
	coalesce(u.count, 0) + max(coalesce(u.claimed, 0), coalesce(e.count - e.mine, 0)),
	coalesce((SELECT 1 - r.gone FROM revocations r
		WHERE r.pass = p.pass AND r.gen BETWEEN s.base AND s.current ORDER BY r.gen DESC LIMIT 1), 0)
FROM snapshot s
JOIN passes p ON p.gone = 0 AND p.gen = (SELECT max(x.gen) FROM passes x
	WHERE x.pass = p.pass AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN elsewhere e ON e.pass = p.pass AND e.gone = 0 AND e.gen = (SELECT max(x.gen) FROM elsewhere x
	WHERE x.pass = p.pass AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN uses u ON u.pass = p.pass
WHERE s.id = 1 AND p.expires > $1 AND p.starts <= $2 AND ($3 = 0 OR p.zones = 0 OR (p.zones >> ($3 - 1)) & 1 = 1)
	AND (instr(lower(p.name), lower($4)) > 0 OR $5 <> '' AND hex(p.pass) LIKE $5 || '%')
ORDER BY p.name, p.starts, p.pass LIMIT $6`
