package snapshot

import (
	"context"
	"errors"
	"fmt"
)

// Names lists the names of everybody that this agent knows of, passes and guards,
// as far as they are in Latin letters: those that a log could not be searched for
// otherwise.
func (s *Snapshot) Names(ctx context.Context) (list []string, err error) {
	rows, err := s.db.Read().QueryContext(ctx, `SELECT name FROM passes WHERE name GLOB '*[A-Za-z]*'
		UNION SELECT name FROM guards WHERE name GLOB '*[A-Za-z]*'`)
	if err != nil {
		return nil, fmt.Errorf("names: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("names: %w", err)
		}
		list = append(list, name)
	}
	return list, rows.Err()
}
