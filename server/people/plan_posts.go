package people

import (
	"database/sql"
	"errors"
	"fmt"
	"strconv"

	"campusgate/server/store"
)

// post looks over a row of posts.
func (p *planner) post(r row) (planned, error) {
	o := Post{Person: r.text("person"), From: r.text("from"), To: r.text("to")}
	var ok bool
	if o.Role, ok = roleNamed(p.roles, r.text("role")); !ok {
		return planned{}, fault("role", "没有这种岗位", "no such role")
	}
	if !p.by.may(o.Role) {
		return planned{}, fault("role", "不能授予超出您权限的岗位", "nobody gives away more than they have")
	}
	var err error
	if o.Unit, err = p.units.find("unit", r.text("unit")); err != nil {
		return planned{}, err
	}
	if o.Gate, err = p.gate(r.text("gate")); err != nil {
		return planned{}, err
	}
	if o, err = postTerms(o, p.today); err != nil {
		return planned{}, err
	}
	if err := p.postPlace(p.ctx, p.src, o); err != nil {
		return planned{}, err
	}
	if name := r.text("name"); name != "" {
		who, err := p.Find(p.ctx, p.src, o.Person)
		if err == nil && headName(name) != who.Name {
			err = fault("name", "与该编号的姓名不一致", "the person of this number has another name")
		}
		if err != nil {
			return planned{}, err
		}
	}
	if err := p.first("role", fmt.Sprintf("post %s %s %s %d", o.Role, o.Person, o.Unit, o.Gate), r); err != nil {
		return planned{}, err
	}
	return p.posts(r, o)
}

// posts compares a post with the one that is held on some of its days.
func (p *planner) posts(r row, o Post) (planned, error) {
	id, err := p.samePost(p.ctx, p.src, o)
	if err != nil {
		return planned{}, err
	}
	if id == 0 {
		return planned{adds, func(t *store.Tx) error {
			_, err := p.writePost(t, p.by.Actor, o)
			return err
		}}, nil
	}
	old, err := p.Post(p.ctx, p.src, id)
	if err != nil {
		return planned{}, err
	}
	if r.text("from") == "" {
		o.From = old.From
	}
	if r.text("to") == "" {
		o.To = old.To
	}
	if o.From == old.From && o.To == old.To {
		return planned{outcome: same}, nil
	}
	if o.To != "" && o.To < o.From {
		return planned{}, fault("to", "结束早于开始", "it ends before it begins")
	}
	if o.Role == Admin && (o.From > p.today || o.To != "" && o.To < p.today) {
		if err := p.endAdmin("to", r, func(held Post) string { return strconv.FormatInt(held.ID, 10) }, strconv.FormatInt(id, 10)); err != nil {
			return planned{}, err
		}
	}
	return planned{changes, func(t *store.Tx) error {
		err := t.Exec("UPDATE posts SET first_day = $1, last_day = $2 WHERE id = $3", o.From, nullable(o.To), id)
		if err != nil {
			return err
		}
		return t.Trail(p.by.Actor, "post.changed", fmt.Sprintf("post %d", id), map[string]any{"from": o.From, "to": o.To})
	}}, nil
}

// gate finds a gate by its number or name; 0 = none is named.
func (p *planner) gate(text string) (uint16, error) {
	if text == "" {
		return 0, nil
	}
	number, _ := strconv.ParseUint(text, 10, 16) // 0, which no gate has, when it is a name
	var id uint16
	err := p.src.QueryRowContext(p.ctx, "SELECT id FROM gates WHERE id = $1 OR name = $2 ORDER BY id = $3 DESC LIMIT 1",
		int64(number), text, int64(number)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, fault("gate", "没有这个校门", "no such gate")
	}
	return id, err
}
