package apply

import (
	"context"
	"database/sql"

	"campusgate/server/store"
)

// Bulletin is a text that a matter has published.
type Bulletin struct {
	ID          int64  `json:"id"`
	Application string `json:"application"`
	Title       string `json:"title"`
	Text        string `json:"text"`
	At          int64  `json:"at"`
}

// Bulletins gives a page of what was published for everybody or for somebody's
// unit, the latest first, and how many there are.
func (s *Service) Bulletins(ctx context.Context, person string, q Query) ([]Bulletin, int, error) {
	p, err := s.People.Find(ctx, s.Store.Reader(), person)
	if err != nil {
		return nil, 0, err
	}
	var c clause
	c.add(` FROM bulletins n WHERE EXISTS (SELECT 1 FROM bulletin_units u WHERE u.bulletin = n.id AND (u.unit = '' OR u.unit = ?))`, p.Unit)
	return listPage(ctx, s.Store.Reader(), &c, q, "SELECT n.id, n.application, n.title, n.body, n.published_at", "n.id",
		func(rows *sql.Rows) (b Bulletin, err error) {
			err = rows.Scan(&b.ID, &b.Application, &b.Title, &b.Text, &b.At)
			return b, err
		})
}

// Archived is a matter that was filed.
type Archived struct {
	Application string `json:"application"`
	Title       string `json:"title"`
	Serial      string `json:"serial"`
	FiledAt     int64  `json:"filed_at"`
}

// Archive gives a page of what was filed (备案), the latest first, and how many
// there are. Of the query only the text counts, in title and serial.
func (s *Service) Archive(ctx context.Context, q Query) ([]Archived, int, error) {
	var c clause
	c.add(" FROM archive a WHERE 1 = 1")
	if q.Text != "" {
		c.add(` AND (a.title LIKE ? ESCAPE '\' OR a.serial LIKE ? ESCAPE '\')`, contains(q.Text), contains(q.Text))
	}
	return listPage(ctx, s.Store.Reader(), &c, q, "SELECT a.application, a.title, a.serial, a.filed_at", "a.filed_at",
		func(rows *sql.Rows) (f Archived, err error) {
			err = rows.Scan(&f.Application, &f.Title, &f.Serial, &f.FiledAt)
			return f, err
		})
}

// listPage gives a page of what a clause selects, the latest first, and how many
// rows there are.
func listPage[T any](ctx context.Context, src store.Source, c *clause, q Query, columns, order string, scan func(*sql.Rows) (T, error)) ([]T, int, error) {
	var total int
	if err := src.QueryRowContext(ctx, "SELECT count(*)"+c.text.String(), c.args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	limit, offset := q.limits()
	c.add(" ORDER BY "+order+" DESC LIMIT ? OFFSET ?", limit, offset)
	list, err := store.List(ctx, src, scan, columns+c.text.String(), c.args...)
	return list, total, err
}
