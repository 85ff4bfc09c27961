package apply

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"campusgate/server/approval"
	"campusgate/server/store"
)

// Box is one of the lists of a person.
type Box string

// The lists.
const (
	Todo    Box = todo
	Done    Box = done
	Copied  Box = cc
	Started Box = "started"
	Drafts  Box = "drafts"
)

// Boxes lists them in the order of their tabs.
var Boxes = []Box{Todo, Drafts, Done, Started, Copied}

// Query says which matters to list. Empty fields do not matter.
type Query struct {
	Flow  string
	State approval.State
	Text  string // in title, serial, or the starter's name or number
	From  string // days of the submit, or of the making where there was none; both count
	To    string
	Page  int // from 1
	Size  int // up to MaxPage; less than 1 = 20
}

// MaxPage is the most that a page holds.
const MaxPage = 200

// limits of a page.
func (q Query) limits() (limit, offset int) {
	limit = q.Size
	if limit < 1 {
		limit = 20
	}
	limit = min(limit, MaxPage)
	return limit, limit * (max(q.Page, 1) - 1)
}

// clause is a part of a statement with its arguments.
type clause struct {
	text strings.Builder
	args []any
}

// add appends text in which each ? stands for an argument.
func (c *clause) add(text string, args ...any) {
	for _, arg := range args {
		c.args = append(c.args, arg)
		before, after, _ := strings.Cut(text, "?")
		fmt.Fprintf(&c.text, "%s$%d", before, len(c.args))
		text = after
	}
	c.text.WriteString(text)
}

// when is by what lists are filtered and sorted where they have no time of
// their own.
const when = "coalesce(a.submitted_at, a.created_at)"

// filter adds what a query asks for.
func (s *Service) filter(c *clause, q Query) {
	if q.Flow != "" {
		c.add(" AND a.flow = ?", q.Flow)
	}
	if q.State != "" {
		c.add(" AND a.state = ?", string(q.State))
	}
	if text := strings.TrimSpace(q.Text); text != "" {
		like := contains(text)
		c.add(` AND (a.title LIKE ? ESCAPE '\' OR a.serial LIKE ? ESCAPE '\' OR a.starter_name LIKE ? ESCAPE '\' OR a.starter = ?)`,
			like, like, like, text)
	}
	if at, err := time.ParseInLocation(time.DateOnly, q.From, s.Location); err == nil {
		c.add(" AND "+when+" >= ?", at.UnixMilli())
	}
	if at, err := time.ParseInLocation(time.DateOnly, q.To, s.Location); err == nil {
		c.add(" AND "+when+" < ?", at.AddDate(0, 0, 1).UnixMilli())
	}
}

// contains is a LIKE pattern, with ESCAPE '\', for texts that have this one in
// them.
func contains(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

// within adds the matters of a box.
func (b Box) within(c *clause, person string) (task, order string) {
	switch b {
	case Drafts:
		c.add(" FROM applications a WHERE a.starter = ? AND a.state = ?", person, string(approval.Draft))
		return "''", "a.created_at"
	case Started:
		c.add(" FROM applications a WHERE a.starter = ? AND a.state <> ?", person, string(approval.Draft))
		return "''", when
	case Todo, Done, Copied:
	}
	c.add(" FROM application_boxes b JOIN applications a ON a.id = b.application WHERE b.person = ? AND b.box = ?", person, string(b))
	return "b.task", "b.at"
}

// List gives a page of one of a person's lists, the latest first, and how many
// there are.
func (s *Service) List(ctx context.Context, who Actor, box Box, q Query) ([]Row, int, error) {
	var c clause
	task, order := box.within(&c, who.Person)
	s.filter(&c, q)
	v := s.viewer(ctx, who)
	found, total, err := s.page(ctx, v.src, &c, task, order, q)
	if err != nil {
		return nil, 0, err
	}
	rows := make([]Row, len(found))
	for i := range found {
		if rows[i], err = v.row(&found[i].record, found[i].task); err != nil {
			return nil, 0, err
		}
	}
	return rows, total, nil
}

// listed is a matter with the task by which it is in a list.
type listed struct {
	record
	task string
}

func (s *Service) page(ctx context.Context, src store.Source, c *clause, task, order string, q Query) ([]listed, int, error) {
	return listPage(ctx, src, c, q, "SELECT a.body, "+task, order, func(rows *sql.Rows) (l listed, err error) {
		var sealed []byte
		if err := rows.Scan(&sealed, &l.task); err != nil {
			return l, err
		}
		l.record.Instance, err = s.unsealed(sealed)
		return l, err
	})
}

// Counts says how many matters are in each of a person's lists.
func (s *Service) Counts(ctx context.Context, person string) (map[Box]int, error) {
	counts := map[Box]int{}
	for _, box := range Boxes {
		var c clause
		box.within(&c, person)
		var n int
		if err := s.Store.Reader().QueryRowContext(ctx, "SELECT count(*)"+c.text.String(), c.args...).Scan(&n); err != nil {
			return nil, err
		}
		counts[box] = n
	}
	return counts, nil
}
