package journal

import (
	"context"
	"fmt"
	"sort"
)

// Between counts the events from one time to before another, in unix ms. It looks
// for both ends by halving, so where the clock was set back between, the count is
// near enough only.
func (j *Journal) Between(from, until int64) (uint64, error) {
	first, err := j.since(from)
	if err != nil {
		return 0, err
	}
	end, err := j.since(until)
	return max(first, end) - first, err
}

// since gives the seq of the first event at or after a time; one past the last
// where there is none.
func (j *Journal) since(at int64) (uint64, error) {
	begins, _, err := j.Begins()
	if err != nil {
		return 0, err
	}
	last := j.Last()
	if last < begins {
		return begins + 1, nil // none is kept
	}
	n := sort.Search(int(last-begins), func(i int) bool {
		var then int64
		if err == nil {
			err = j.db.Read().QueryRowContext(context.Background(),
				"SELECT at FROM events WHERE seq >= $1 ORDER BY seq LIMIT 1", int64(begins)+1+int64(i)).Scan(&then)
		}
		return err != nil || then >= at
	})
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return begins + 1 + uint64(n), nil
}
