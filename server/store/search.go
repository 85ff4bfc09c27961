package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

// PassQuery chooses passes. Zero values choose all.
type PassQuery struct {
	Text   string // in the name, or the beginning of the id
	Kind   signing.Kind
	State  string // issued, used, expired, revoked
	From   int64  // seconds: passes that hold at some moment from here
	Until  int64  // to before here
	Now    int64  // seconds, for State
	Limit  int
	Offset int
}

// conditions collects what a query asks for. Each condition holds the mark %s
// where its value goes.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) add(set bool, condition string, value any) {
	if !set {
		return
	}
	c.args = append(c.args, value)
	c.where = append(c.where, fmt.Sprintf(condition, fmt.Sprintf("$%d", len(c.args))))
}

func (c *conditions) String() string {
	if len(c.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(c.where, " AND ")
}

const usedUp = "p.uses > 0 AND (SELECT count(*) FROM uses u WHERE u.pass = p.id AND u.annulled_at IS NULL) >= p.uses"

// SearchPasses gives passes, newest first, with what became of them, and how
// many fit the query in all.
func (s *Store) SearchPasses(ctx context.Context, q PassQuery) (found []PassStatus, total int, err error) {
	var c conditions
	if id, err := hex.DecodeString(q.Text); err == nil && len(id) == len(signing.PassID{}) {
		c.add(true, "p.id = %s", id)
	} else {
		c.add(q.Text != "", "instr(p.name, %s) > 0", q.Text)
	}
	c.add(q.Kind != 0, "p.kind = %s", int64(q.Kind))
	c.add(q.From != 0, "p.valid_until > %s", q.From)
	c.add(q.Until != 0, "p.valid_from < %s", q.Until)
	const revoked = "(p.revoked_at IS NOT NULL OR p.bound = 0 AND k.compromised_at IS NOT NULL)"
	switch q.State {
	case "":
	case "revoked":
		c.where = append(c.where, revoked)
	case "used":
		c.where = append(c.where, "NOT "+revoked, usedUp)
	case "expired":
		c.where = append(c.where, "NOT "+revoked, "NOT ("+usedUp+")")
		c.add(true, "p.valid_until <= %s", q.Now)
	case "issued":
		c.where = append(c.where, "NOT "+revoked, "NOT ("+usedUp+")")
		c.add(true, "p.valid_until > %s", q.Now)
	default:
		return []PassStatus{}, 0, nil
	}
	err = s.read.QueryRowContext(ctx, "SELECT count(*) FROM passes p LEFT JOIN keys k ON k.kid = p.kid"+c.String(), c.args...).Scan(&total)
	if err != nil {
		return nil, 0, err
	}
	n := len(c.args)
	found, err = List(ctx, s.read, scanPass, fmt.Sprintf("%s%s ORDER BY p.issued_at DESC, p.id LIMIT $%d OFFSET $%d",
		passColumns, c.String(), n+1, n+2), append(c.args, q.Limit, q.Offset)...)
	for i := range found {
		if err == nil {
			found[i].Used, found[i].First, err = standing(ctx, s.read, found[i].ID)
		}
	}
	return found, total, err
}

// EventQuery chooses events. Zero values choose all.
type EventQuery struct {
	From   int64 // ms of the agent's clock, first moment
	Until  int64 // first moment after
	Gate   uint16
	Reason verdict.Reason
	Pass   signing.PassID
	Limit  int
	Offset int
}

// SearchEvents gives events, the last to arrive first, and how many fit the
// query in all.
func (s *Store) SearchEvents(ctx context.Context, q EventQuery) (found []Event, total int, err error) {
	var c conditions
	c.add(q.From != 0, "at >= %s", q.From)
	c.add(q.Until != 0, "at < %s", q.Until)
	c.add(q.Gate != 0, "gate = %s", q.Gate)
	c.add(q.Reason != 0, "reason = %s", int64(q.Reason))
	c.add(!q.Pass.IsZero(), "pass = %s", q.Pass[:])
	if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM events"+c.String(), c.args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	n := len(c.args)
	found, err = List(ctx, s.read, scanEvent, fmt.Sprintf("%s%s ORDER BY position DESC LIMIT $%d OFFSET $%d",
		eventColumns, c.String(), n+1, n+2), append(c.args, q.Limit, q.Offset)...)
	return found, total, err
}
