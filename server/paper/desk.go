package paper

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"campusgate/server/store"
)

// Desk is a place that hands out paper passes.
type Desk struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	EN        string   `json:"en,omitempty"`
	Unit      string   `json:"unit"` // whose clerks work here; "" = every clerk
	Serves    []Serves `json:"serves"`
	Hours     []Hours  `json:"hours"`     // of every day; none = always open
	Documents []string `json:"documents"` // that must be shown, all of them
}

// Serves is whom a desk serves.
type Serves struct {
	Who    string `json:"who"`              // residents or retired
	Campus string `json:"campus,omitempty"` // "" = every campus
}

// Whom a desk can serve.
const (
	Residents = "residents"
	Retired   = "retired"
)

// Hours are campus time, "09:00" to "11:30". The end is not included.
type Hours struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// DefaultDesks are those of the scheme that the product ships with: retired
// people of campus A have their own office, those of B go to the community
// office, like every household.
func DefaultDesks() []Desk {
	hours := []Hours{{"09:00", "11:30"}, {"15:00", "17:30"}}
	documents := []string{"id_card", "household_register"}
	return []Desk{
		{
			ID: "community", Name: "社区办", EN: "Community office", Hours: hours, Documents: documents,
			Serves: []Serves{{Who: Residents}, {Who: Retired, Campus: "B"}},
		},
		{
			ID: "retired_a", Name: "A区离退休处", EN: "Retirement office, campus A", Hours: hours, Documents: documents,
			Serves: []Serves{{Who: Retired, Campus: "A"}},
		},
	}
}

// open reports whether the desk is open at a campus time.
func (d Desk) open(at time.Time) bool {
	clock := at.Format("15:04")
	return len(d.Hours) == 0 || slices.ContainsFunc(d.Hours, func(h Hours) bool { return h.From <= clock && clock < h.To })
}

// serves reports whether the desk serves such people of a campus. One whose
// campus is not known is served by whoever serves them anywhere.
func (d Desk) serves(who, campus string) bool {
	return slices.ContainsFunc(d.Serves, func(s Serves) bool {
		return s.Who == who && (s.Campus == "" || campus == "" || s.Campus == campus)
	})
}

// Desks gives the desks.
func (s *Service) Desks(ctx context.Context, src store.Source) ([]Desk, error) {
	var body string
	err := src.QueryRowContext(ctx, "SELECT body FROM desks WHERE id = 1").Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return DefaultDesks(), nil
	}
	if err != nil {
		return nil, err
	}
	var desks []Desk
	if err := json.Unmarshal([]byte(body), &desks); err != nil {
		return nil, fmt.Errorf("desks: %w", err)
	}
	return desks, nil
}

// Open reports whether a desk is open now.
func (s *Service) Open(d Desk) bool { return d.open(s.Now().In(s.Location)) }

// SetDesks writes down all desks anew. Errors: *Fault.
func (s *Service) SetDesks(ctx context.Context, actor string, desks []Desk) error {
	seen := map[string]bool{}
	for i, d := range desks {
		at := func(key string) string { return fmt.Sprintf("desks[%d].%s", i, key) }
		switch {
		case d.ID == "" || !plain(d.ID, 40) || seen[d.ID]:
			return fault(at("id"), "编号缺失、过长、重复或含有不允许的字符", "missing, too long, used twice, or with a character that is not allowed")
		case d.Name == "" || !plain(d.Name, 60):
			return fault(at("name"), "名称缺失、过长或含有不允许的字符", "missing, too long, or with a character that is not allowed")
		case !plain(d.EN, 60):
			return fault(at("en"), "太长或含有不允许的字符", "too long, or with a character that is not allowed")
		case !plain(d.Unit, 64):
			return fault(at("unit"), "没有这个单位", "there is no such unit")
		case len(d.Serves) == 0 || slices.ContainsFunc(d.Serves, func(s Serves) bool { return s.Who != Residents && s.Who != Retired }):
			return fault(at("serves"), "应为 residents 或 retired", "want residents or retired")
		case slices.ContainsFunc(d.Serves, func(s Serves) bool { return !plain(s.Campus, 64) }):
			return fault(at("serves"), "没有这个校区", "there is no such campus")
		case slices.ContainsFunc(d.Hours, func(h Hours) bool { return !h.valid() }):
			return fault(at("hours"), "应为 09:00 到 11:30 这样的时段", "want hours such as 09:00 to 11:30")
		case slices.ContainsFunc(d.Documents, func(doc string) bool { return Documents[doc] == [2]string{} }):
			return fault(at("documents"), "没有这种证件", "there is no such kind of document")
		}
		seen[d.ID] = true
	}
	body, err := json.Marshal(desks)
	if err != nil {
		return err
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		err := t.Exec("INSERT INTO desks (id, body) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET body = excluded.body", string(body))
		return errors.Join(err, t.Trail(actor, "desks.set", "desks", map[string]any{"desks": len(desks)}))
	})
}

// plain reports whether a text is short and shows all that is in it.
func plain(text string, most int) bool {
	return utf8.RuneCountInString(text) <= most &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) })
}

func (h Hours) valid() bool {
	from, err1 := time.Parse("15:04", h.From)
	to, err2 := time.Parse("15:04", h.To)
	return err1 == nil && err2 == nil && from.Before(to) && from.Format("15:04") == h.From && to.Format("15:04") == h.To
}

// Documents are what a desk can ask to see, with their names in both
// languages.
var Documents = map[string][2]string{
	"id_card":            {"身份证", "Identity card"},
	"household_register": {"户口簿", "Household register"},
	"retirement_permit":  {"退休证", "Retirement permit"},
	"title_deed":         {"房产证", "Title deed"},
	"tenancy":            {"租房合同", "Tenancy agreement"},
	"residence_permit":   {"居住证", "Residence permit"},
}
