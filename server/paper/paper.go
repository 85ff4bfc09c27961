package paper

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing"
)

// ErrInvalid is wrapped by every Fault.
var ErrInvalid = errors.New("invalid request")

// Fault says what is wrong with one field, in both languages. Nothing was
// changed.
type Fault struct{ Field, ZH, EN string }

func (f *Fault) Error() string { return f.Field + ": " + f.EN }

// Is makes a Fault an ErrInvalid.
func (f *Fault) Is(target error) bool { return target == ErrInvalid }

func fault(field, zh, en string) error { return &Fault{field, zh, en} }

// Codes of refusals. Details name what is missing, when to come, where to go.
const (
	OutOfHours       = "OUT_OF_HOURS"
	WrongDesk        = "WRONG_DESK"
	NotYourDesk      = "NOT_YOUR_DESK"
	Incomplete       = "DOCUMENT_INCOMPLETE"
	Held             = "PAPER_PASS_HELD"
	HouseholdUnknown = "HOUSEHOLD_UNKNOWN"
)

// How long a paper pass lasts, in days.
const (
	DefaultDays = 30
	MaxDays     = 180
)

// Config is what a Service works with. All fields are required; Prints may be set
// later, before the first Print.
type Config struct {
	Store    *store.Store
	Signer   *issue.Service
	People   *people.Service
	Now      func() time.Time
	Location *time.Location
	Prints   Prints
}

// Service hands out paper passes. Safe for concurrent use.
type Service struct{ Config }

// New makes a Service.
func New(c Config) *Service { return &Service{c} }

// Clerk is who works at a desk.
type Clerk struct {
	Actor string
	Units []string // of their posts; "" = every desk
}

func (c Clerk) worksAt(d Desk) bool {
	for _, u := range c.Units {
		if u == "" || u == d.Unit {
			return true
		}
	}
	return d.Unit == ""
}

// Request asks for a paper pass. Household or Person is set, or both.
type Request struct {
	Desk      string
	Household int64
	Person    string
	Name      string // on the sheet and in the code; "" = the person's, or the head's
	Doc4      string // last four characters of the document
	Until     string // last day; "" = DefaultDays
	Documents []string
	Note      string
}

// Paper is a pass on paper.
type Paper struct {
	Number     string
	Desk       string
	Household  int64
	Person     string
	Name       string
	Doc4       string
	Address    string
	Documents  []string
	Note       string
	Pass       signing.PassID
	From, To   string // first and last day
	IssuedBy   string
	IssuedAt   int64
	ReturnedBy string
	ReturnedAt int64
	LostBy     string
	LostAt     int64
}

// State is issued, returned or lost.
func (p Paper) State() string {
	switch {
	case p.ReturnedAt > 0:
		return "returned"
	case p.LostAt > 0:
		return "lost"
	}
	return "issued"
}

const paperColumns = `SELECT number, desk, coalesce(household, 0), coalesce(person, ''), name, doc4, address, documents, note,
	pass, first_day, last_day, issued_by, issued_at, coalesce(returned_by, ''), coalesce(returned_at, 0),
	coalesce(lost_by, ''), coalesce(lost_at, 0) FROM papers`

func scanPaper(rows *sql.Rows) (p Paper, err error) {
	var documents string
	var pass []byte
	err = rows.Scan(&p.Number, &p.Desk, &p.Household, &p.Person, &p.Name, &p.Doc4, &p.Address, &documents, &p.Note,
		&pass, &p.From, &p.To, &p.IssuedBy, &p.IssuedAt, &p.ReturnedBy, &p.ReturnedAt, &p.LostBy, &p.LostAt)
	p.Documents = strings.Fields(documents)
	copy(p.Pass[:], pass)
	return p, err
}

// Find gives a paper pass, or store.ErrNotFound.
func (s *Service) Find(ctx context.Context, src store.Source, number string) (Paper, error) {
	return one(ctx, src, " WHERE number = $1", number)
}

func one(ctx context.Context, src store.Source, where string, args ...any) (Paper, error) {
	found, err := store.List(ctx, src, scanPaper, paperColumns+where, args...)
	if err != nil {
		return Paper{}, err
	}
	if len(found) == 0 {
		return Paper{}, fmt.Errorf("%w: paper pass", store.ErrNotFound)
	}
	return found[0], nil
}

const out = " AND returned_at IS NULL AND lost_at IS NULL"

// HeldByHousehold gives the number of the paper pass that a household has out,
// "" for none.
func (s *Service) HeldByHousehold(ctx context.Context, src store.Source, household int64) (string, error) {
	return held(ctx, src, " WHERE household = $1"+out, household)
}

// HeldByPerson gives the number of the paper pass that a person has out, ""
// for none.
func (s *Service) HeldByPerson(ctx context.Context, src store.Source, person string) (string, error) {
	return held(ctx, src, " WHERE person = $1"+out, person)
}

func held(ctx context.Context, src store.Source, where string, arg any) (string, error) {
	p, err := one(ctx, src, where, arg)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return p.Number, err
}

// Filter chooses paper passes.
type Filter struct {
	Text   string // in the number, name or address
	State  string // issued, returned, lost; "" = any
	Limit  int
	Offset int
}

// List gives paper passes, newest first, and how many fit the filter in all.
func (s *Service) List(ctx context.Context, f Filter) (found []Paper, total int, err error) {
	where := " WHERE (instr(number, $1) > 0 OR instr(name, $2) > 0 OR instr(address, $3) > 0)"
	switch f.State {
	case "issued":
		where += out
	case "returned":
		where += " AND returned_at IS NOT NULL"
	case "lost":
		where += " AND lost_at IS NOT NULL AND returned_at IS NULL"
	}
	args := []any{f.Text, f.Text, f.Text}
	src := s.Store.Reader()
	if err := src.QueryRowContext(ctx, "SELECT count(*) FROM papers"+where, args...).Scan(&total); err != nil {
		return nil, 0, err
	}
	found, err = store.List(ctx, src, scanPaper, paperColumns+where+" ORDER BY issued_at DESC, number LIMIT $4 OFFSET $5",
		append(args, f.Limit, f.Offset)...)
	return found, total, err
}

// Return takes a sheet back: its code is revoked, and codes may be applied for
// again. Doing it again changes nothing. store.ErrNotFound.
func (s *Service) Return(ctx context.Context, actor, number string) error {
	return s.end(ctx, actor, number, "returned", "纸质通行证已交回 paper pass handed back")
}

// Lose revokes the code of a sheet that is gone. Like Return otherwise; a lost
// one that turns up may still be returned.
func (s *Service) Lose(ctx context.Context, actor, number string) error {
	return s.end(ctx, actor, number, "lost", "纸质通行证遗失 paper pass lost")
}

func (s *Service) end(ctx context.Context, actor, number, how, reason string) error {
	var refused error
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		p, err := s.Find(t.Context(), t, number)
		if refused = nil; errors.Is(err, store.ErrNotFound) {
			refused = err
			return nil
		}
		if err != nil || p.ReturnedAt > 0 || how == "lost" && p.LostAt > 0 {
			return err
		}
		return errors.Join(
			t.Exec("UPDATE papers SET "+how+"_by = $1, "+how+"_at = $2 WHERE number = $3", actor, t.Now(), number),
			t.RevokePass(actor, p.Pass, reason),
			t.Trail(actor, "paper."+how, "paper "+number, nil),
		)
	})
	return errors.Join(err, refused)
}

func refuse(code, zh, en string, details map[string]any) *approval.Refusal {
	return &approval.Refusal{Code: code, Say: zh, En: en, Details: details}
}
