package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"campusgate/server/store"
)

const postColumns = `SELECT o.id, o.role, o.person, coalesce(o.unit, ''), coalesce(o.gate, 0), o.first_day, coalesce(o.last_day, ''),
	p.name, coalesce(u.name, '')
	FROM posts o JOIN persons p ON p.id = o.person LEFT JOIN units u ON u.id = o.unit`

// held is true of posts o of a person p that count on a day, which both
// parameters give.
func held(from, to string) string {
	return "o.ended_at IS NULL AND p.left_at IS NULL AND o.first_day <= " + from +
		" AND (o.last_day IS NULL OR o.last_day >= " + to + ")"
}

func scanPost(rows *sql.Rows) (o Post, err error) {
	err = rows.Scan(&o.ID, &o.Role, &o.Person, &o.Unit, &o.Gate, &o.From, &o.To, &o.PersonName, &o.UnitName)
	return o, err
}

// PostsOf gives the posts that somebody active holds on a campus day, oldest
// first.
func (s *Service) PostsOf(ctx context.Context, src store.Source, person, day string) ([]Post, error) {
	return store.List(ctx, src, scanPost,
		postColumns+" WHERE o.person = $1 AND "+held("$2", "$3")+" ORDER BY o.id", person, day, day)
}

// PostQuery says which posts to list. Empty fields do not matter.
type PostQuery struct {
	Person string
	Role   string
	Unit   string
	Past   bool // also those that are over
	Page
}

const postFilter = ` WHERE ($1 = '' OR o.person = $2) AND ($3 = '' OR o.role = $4) AND ($5 = '' OR o.unit = $6)
	AND ($7 OR o.ended_at IS NULL AND p.left_at IS NULL AND (o.last_day IS NULL OR o.last_day >= $8))`

// Posts gives a page of the posts that are held or will be, oldest first, and
// how many there are.
func (s *Service) Posts(ctx context.Context, src store.Source, q PostQuery) ([]Post, int, error) {
	args := []any{q.Person, q.Person, q.Role, q.Role, q.Unit, q.Unit, q.Past, s.Today()}
	total, err := count(ctx, src, "SELECT count(*) FROM posts o JOIN persons p ON p.id = o.person"+postFilter, args...)
	if err != nil {
		return nil, 0, err
	}
	limit, offset := q.limits()
	all, err := store.List(ctx, src, scanPost, postColumns+postFilter+" ORDER BY o.id LIMIT $9 OFFSET $10", append(args, limit, offset)...)
	return all, total, err
}

// Post gives one post, also one that is over; or store.ErrNotFound.
func (s *Service) Post(ctx context.Context, src store.Source, id int64) (Post, error) {
	found, err := store.List(ctx, src, scanPost, postColumns+" WHERE o.id = $1", id)
	if err != nil {
		return Post{}, err
	}
	if len(found) == 0 {
		return Post{}, fmt.Errorf("%w: post %d", store.ErrNotFound, id)
	}
	return found[0], nil
}

// roles is how the id of a role looks.
var roles = regexp.MustCompile(`^[a-z][0-9a-z_.]{0,63}$`)

// postTerms checks everything of a post that needs no other rows. No first day
// means today.
func postTerms(o Post, today string) (Post, error) {
	if !roles.MatchString(o.Role) {
		return o, fault("role", "没有这种岗位", "no such role")
	}
	if o.From == "" {
		o.From = today
	}
	var err error
	if o.From, err = checkDay("from", o.From); err != nil {
		return o, err
	}
	if o.To != "" {
		if o.To, err = checkDay("to", o.To); err != nil {
			return o, err
		}
		if o.To < o.From {
			return o, fault("to", "结束早于开始", "it ends before it begins")
		}
	}
	if o.Gate != 0 && o.Role != Guard && !atTill(o.Role) {
		return o, fault("gate", "只有门卫和收银岗位可指定校门或收银点", "only guards stand at a gate, and cashiers at a till")
	}
	return o, nil
}

// atTill reports whether a role's place is a till.
func atTill(role string) bool { return role == Cashier || role == Supervisor }

// postPlace checks the person, unit and gate of a post.
func (s *Service) postPlace(ctx context.Context, src store.Source, o Post) error {
	p, err := s.Find(ctx, src, o.Person)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fault("person", "没有这个人员编号", "no person has this number")
	case err != nil:
		return err
	case p.State != Active:
		return fault("person", "该人员已离校", "this person has left")
	}
	if o.Unit != "" {
		if err := s.needUnit(ctx, src, "unit", o.Unit); err != nil {
			return err
		}
	}
	if o.Gate != 0 {
		n, err := count(ctx, src, "SELECT count(*) FROM gates WHERE id = $1 AND (id IN (SELECT gate FROM tills)) = $2", o.Gate, atTill(o.Role))
		switch {
		case err != nil || n > 0:
		case atTill(o.Role):
			err = fault("gate", "没有这个收银点", "no till has this number")
		default:
			err = fault("gate", "没有这个校门", "no gate has this number")
		}
		return err
	}
	return nil
}

// AddPost gives somebody a post. A Fault names what is wrong with it; it is
// store.ErrTaken when they hold the same post on some of these days already.
// Whether any flow knows the role is for the caller to ask AllRoles.
func (s *Service) AddPost(t *store.Tx, actor string, o Post) (Post, error) {
	ctx := t.Context()
	o, err := postTerms(o, s.dayOf(t))
	if err != nil {
		return o, err
	}
	if err := s.postPlace(ctx, t, o); err != nil {
		return o, err
	}
	same, err := s.samePost(ctx, t, o)
	if err != nil {
		return o, err
	}
	if same != 0 {
		return o, taken("role", "该人员在这段时间已有此岗位", "this person holds this post on some of these days already")
	}
	return s.writePost(t, actor, o)
}

// samePost gives the post that overlaps with this one in everything, or 0.
func (s *Service) samePost(ctx context.Context, src store.Source, o Post) (id int64, err error) {
	err = src.QueryRowContext(ctx, `SELECT id FROM posts WHERE role = $1 AND person = $2 AND coalesce(unit, '') = $3
		AND coalesce(gate, 0) = $4 AND ended_at IS NULL AND (last_day IS NULL OR last_day >= $5) AND ($6 = '' OR first_day <= $7)
		ORDER BY id LIMIT 1`, o.Role, o.Person, o.Unit, o.Gate, o.From, o.To, o.To).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

func (s *Service) writePost(t *store.Tx, actor string, o Post) (Post, error) {
	var gate any
	if o.Gate != 0 {
		gate = o.Gate
	}
	err := t.QueryRowContext(t.Context(), `INSERT INTO posts (role, person, unit, gate, first_day, last_day)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		o.Role, o.Person, nullable(o.Unit), gate, o.From, nullable(o.To)).Scan(&o.ID)
	if err != nil {
		return o, err
	}
	err = t.Trail(actor, "post.added", fmt.Sprintf("post %d", o.ID), map[string]any{
		"role": o.Role, "person": o.Person, "unit": o.Unit, "gate": o.Gate, "from": o.From, "to": o.To,
	})
	if err != nil {
		return o, err
	}
	return s.Post(t.Context(), t, o.ID)
}

// EndPost ends a post at once; today is its last day. One that is over stays as
// it is. store.ErrNotFound, and store.ErrState for the last administrator.
func (s *Service) EndPost(t *store.Tx, actor string, id int64) (Post, error) {
	o, err := s.Post(t.Context(), t, id)
	if err != nil {
		return o, err
	}
	if o.Role == Admin {
		if err := s.keepAdmin(t.Context(), t, s.dayOf(t), func(held Post) bool { return held.ID == id }); err != nil {
			return o, err
		}
	}
	today := s.dayOf(t)
	n, err := t.Affect(`UPDATE posts SET ended_at = $1, last_day = $2,
			first_day = CASE WHEN first_day > $3 THEN $4 ELSE first_day END
		WHERE id = $5 AND ended_at IS NULL AND (last_day IS NULL OR last_day >= $6)`, t.Now(), today, today, today, id, today)
	if err != nil || n == 0 {
		return o, err
	}
	err = t.Trail(actor, "post.ended", fmt.Sprintf("post %d", id), map[string]any{"role": o.Role, "person": o.Person})
	if err != nil {
		return o, err
	}
	return s.Post(t.Context(), t, id)
}

// keepAdmin refuses a change after which nobody could administer on a day: goes
// says which posts the change ends.
func (s *Service) keepAdmin(ctx context.Context, src store.Source, day string, goes func(Post) bool) error {
	all, err := store.List(ctx, src, scanPost, postColumns+" WHERE o.role = '"+Admin+"' AND "+held("$1", "$2"), day, day)
	if err != nil {
		return err
	}
	if len(all) > 0 && !slices.ContainsFunc(all, func(o Post) bool { return !goes(o) }) {
		return fmt.Errorf("%w: nobody else is an administrator; make another one first", store.ErrState)
	}
	return nil
}

// roleNamed finds a role by its id or Chinese name.
func roleNamed(all []Role, text string) (string, bool) {
	text = strings.TrimSpace(text)
	for _, r := range all {
		if r.Role == text || r.Name == text {
			return r.Role, true
		}
	}
	return "", false
}
