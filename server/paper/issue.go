package paper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
)

// Issue hands out a paper pass. A refusal is a result; what is wrong with the
// request itself is a *Fault.
func (s *Service) Issue(ctx context.Context, clerk Clerk, r Request) (Paper, *approval.Refusal, error) {
	src := s.Store.Reader()
	desks, err := s.Desks(ctx, src)
	if err != nil {
		return Paper{}, nil, err
	}
	i := slices.IndexFunc(desks, func(d Desk) bool { return d.ID == r.Desk })
	if i < 0 {
		return Paper{}, nil, fault("desk", "没有这个窗口", "there is no such desk")
	}
	to, refused, err := s.recipient(ctx, src, r)
	if err != nil || refused != nil {
		return Paper{}, refused, err
	}
	if refused := s.admits(clerk, desks, desks[i], to, r); refused != nil {
		return Paper{}, refused, nil
	}
	terms, err := s.terms(to, r)
	if err != nil {
		return Paper{}, nil, err
	}
	return s.store(ctx, clerk, r, to, terms)
}

// recipient is whom a sheet is for.
type recipient struct {
	household int64
	person    string
	who       string // Residents or Retired
	campus    string // "" = not known
	zone      int    // of the campus, 0 = every zone
	name      string
	address   string
}

// recipient finds the household and the person. A person without a household
// must have retired; the household of one who has is found by itself.
func (s *Service) recipient(ctx context.Context, src store.Source, r Request) (to recipient, refused *approval.Refusal, err error) {
	to = recipient{household: r.Household, person: r.Person, who: Residents}
	if r.Person != "" {
		p, err := s.People.Find(ctx, src, r.Person)
		if errors.Is(err, store.ErrNotFound) || err == nil && p.State != "active" {
			return to, nil, fault("person", "没有这个人或已离校", "there is no such person, or they have left")
		}
		if err != nil {
			return to, nil, err
		}
		to.name = p.Name
		if p.Kind == people.Retired {
			to.who = Retired
		}
		if to.household == 0 {
			homes, err := s.People.HouseholdsOf(ctx, src, r.Person)
			if err != nil {
				return to, nil, err
			}
			if len(homes) > 0 {
				to.household = homes[0].ID
			}
		}
	}
	unknown := refuse(HouseholdUnknown, "未找到该户，请先登记住户信息", "no such household: register it first", nil)
	if to.household == 0 {
		if to.who != Retired {
			return to, unknown, nil
		}
		campus, err := s.People.CampusOf(ctx, src, r.Person)
		if err != nil {
			return to, nil, err
		}
		to.campus = campus
		to.zone, err = s.zoneOf(ctx, src, campus)
		return to, nil, err
	}
	home, err := s.People.Household(ctx, src, to.household)
	if errors.Is(err, store.ErrNotFound) {
		return to, unknown, nil
	}
	if err != nil {
		return to, nil, err
	}
	to.campus, to.address = home.Campus, home.Address
	if to.name == "" {
		to.name = home.Head
	}
	to.zone, err = s.zoneOf(ctx, src, home.Campus)
	return to, nil, err
}

// zoneOf gives the zone of a campus's gates; 0 where it has none of its own.
func (s *Service) zoneOf(ctx context.Context, src store.Source, campus string) (int, error) {
	all, err := s.People.Campuses(ctx, src)
	if err != nil {
		return 0, err
	}
	for _, c := range all {
		if c.ID == campus {
			return c.Zone, nil
		}
	}
	return 0, nil
}

// admits checks the desk: its clerk, whom it serves, its hours, the documents.
func (s *Service) admits(clerk Clerk, desks []Desk, d Desk, to recipient, r Request) *approval.Refusal {
	if !clerk.worksAt(d) {
		return refuse(NotYourDesk, "您不在该窗口值班", "you do not work at this desk", nil)
	}
	if !d.serves(to.who, to.campus) {
		var right []string
		for _, other := range desks {
			if other.serves(to.who, to.campus) {
				right = append(right, other.Name)
			}
		}
		return refuse(WrongDesk, "请到"+strings.Join(right, "、")+"办理", "this desk does not serve them", map[string]any{"desks": right})
	}
	if !s.Open(d) {
		return refuse(OutOfHours, "不在办理时间内", "the desk is closed now", map[string]any{"hours": d.Hours})
	}
	var missing, names []string
	for _, doc := range d.Documents {
		if !slices.Contains(r.Documents, doc) {
			missing, names = append(missing, doc), append(names, Documents[doc][0])
		}
	}
	if missing != nil {
		return refuse(Incomplete, "缺少"+strings.Join(names, "、"), "documents are missing", map[string]any{"missing": missing})
	}
	return nil
}

// terms are those of the code on the sheet.
func (s *Service) terms(to recipient, r Request) (issue.Request, error) {
	for _, doc := range r.Documents {
		if Documents[doc] == [2]string{} {
			return issue.Request{}, fault("documents", "没有这种证件", "there is no such kind of document")
		}
	}
	if len([]rune(r.Note)) > approval.MaxText {
		return issue.Request{}, fault("note", "太长，最多 1000 字", "too long: at most 1000 characters")
	}
	today := s.Now().In(s.Location)
	until := r.Until
	if until == "" {
		until = today.AddDate(0, 0, DefaultDays-1).Format(time.DateOnly)
	}
	last, err := time.ParseInLocation(time.DateOnly, until, s.Location)
	if err != nil || until < today.Format(time.DateOnly) || until >= today.AddDate(0, 0, MaxDays).Format(time.DateOnly) {
		return issue.Request{}, fault("until", fmt.Sprintf("应为今天起 %d 天内的日期", MaxDays), fmt.Sprintf("want a day within %d days from today", MaxDays))
	}
	name := r.Name
	if strings.TrimSpace(name) == "" {
		name = to.name
	}
	unlimited := uint32(0)
	terms := issue.Request{
		Kind: "resident_multi", Name: name, Doc4: r.Doc4, Uses: &unlimited,
		From: today.Format(time.DateOnly), Until: last.Format(time.DateOnly),
	}
	if to.zone != 0 {
		terms.Zones = []int{to.zone}
	}
	return terms, nil
}

// store signs and keeps it, unless there is one out already.
func (s *Service) store(ctx context.Context, clerk Clerk, r Request, to recipient, terms issue.Request) (p Paper, refused *approval.Refusal, err error) {
	var wrong error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		p, refused = Paper{}, nil
		if wrong = s.Signer.CheckIn(t, terms); wrong != nil {
			return nil
		}
		number, err := s.heldBy(t, to)
		if err != nil {
			return err
		}
		if number != "" {
			refused = refuse(Held, "已领取纸质通行证 "+number, "there is a paper pass out already", map[string]any{"number": number})
			return nil
		}
		pass, err := s.Signer.IssueIn(t, clerk.Actor, terms)
		if err != nil {
			return err
		}
		if number, err = s.number(t); err != nil {
			return err
		}
		p = Paper{
			Number: number, Desk: r.Desk, Household: to.household, Person: to.person, Name: pass.Name, Doc4: pass.Doc4,
			Address: to.address, Documents: r.Documents, Note: r.Note, Pass: pass.ID, From: terms.From, To: terms.Until,
			IssuedBy: clerk.Actor, IssuedAt: t.Now(),
		}
		return errors.Join(
			t.Exec(`INSERT INTO papers (number, desk, household, person, name, doc4, address, documents, note, pass,
				first_day, last_day, issued_by, issued_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
				p.Number, p.Desk, nullable(p.Household, p.Household != 0), nullable(p.Person, p.Person != ""), p.Name, p.Doc4, p.Address,
				strings.Join(p.Documents, " "), p.Note, p.Pass[:], p.From, p.To, p.IssuedBy, p.IssuedAt),
			t.Trail(clerk.Actor, "paper.issued", "paper "+number, map[string]any{"desk": p.Desk, "pass": p.Pass, "documents": p.Documents}),
		)
	})
	return p, refused, errors.Join(err, wrong)
}

func (s *Service) heldBy(t *store.Tx, to recipient) (number string, err error) {
	if to.household != 0 {
		number, err = s.HeldByHousehold(t.Context(), t, to.household)
	}
	if err == nil && number == "" && to.person != "" {
		number, err = s.HeldByPerson(t.Context(), t, to.person)
	}
	return number, err
}

// number gives the next number of the campus day: P20260501-0007.
func (s *Service) number(t *store.Tx) (string, error) {
	day := "P" + time.UnixMilli(t.Now()).In(s.Location).Format("20060102") + "-"
	var n int
	err := t.QueryRowContext(t.Context(), "SELECT count(*) FROM papers WHERE number >= $1 AND number < $2", day, day+"~").Scan(&n)
	return fmt.Sprintf("%s%04d", day, n+1), err
}

func nullable(v any, set bool) any {
	if !set {
		return nil
	}
	return v
}
