package people_test

import (
	"strings"
	"testing"

	"campusgate/server/people"
	"campusgate/server/store"
)

// kept are texts that look dangerous and are only texts.
var kept = []string{
	"=1+1", "+86", "-1", "@SUM(A1)", "<script>alert(1)</script>", "'; DROP TABLE persons; --", `"quoted", and \ too`,
	"%_\\", "😀👨‍👩‍👧", "Ünïcode", "{{.}} ${x} $1", strings.Repeat("长", 50),
}

// turnedAway are texts that would show as something else, or not at all.
var turnedAway = []string{
	"张\u202E三", "\u2066x\u2069", "a\u200Fb", "a\x00b", "a\tb", "a\rb", "a\nb", "a\x7fb", "a\u0085b", "a\u2028b", "\xff\xfe", "a\uFFFDb",
	"\uFEFFa", strings.Repeat("长", 10_000),
}

// Every text field keeps what is only a text and refuses, by name, what is not.
func TestHostileTexts_AreKeptAsTheyAreOrRefusedByField(t *testing.T) {
	w := sampled(t)
	ctx := t.Context()
	place := people.Place{Compound: "松林坡", Building: "3栋", Room: "102"}
	for _, f := range []struct {
		field string
		set   func(tx *store.Tx, text string) (string, error)
	}{
		{"name", func(tx *store.Tx, text string) (string, error) {
			p, err := w.UpdatePerson(tx, actor, "T1001", people.PersonChange{Name: &text})
			return p.Name, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			p, err := w.AddPerson(tx, actor, people.Person{Name: text, Kind: people.Outside})
			return p.Name, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			u, err := w.UpdateUnit(tx, actor, people.Unit{ID: "cs", Name: text})
			return u.Name, err
		}},
		{"kind", func(tx *store.Tx, text string) (string, error) {
			u, err := w.UpdateUnit(tx, actor, people.Unit{ID: "cs", Name: "计算机学院", Kind: text})
			return u.Kind, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			c, err := w.UpdateCampus(tx, actor, people.Campus{ID: "A", Name: text})
			return c.Name, err
		}},
		{"police", func(tx *store.Tx, text string) (string, error) {
			c, err := w.UpdateCampus(tx, actor, people.Campus{ID: "A", Name: "A校区", Police: text})
			return c.Police, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			c, err := w.AddCompound(tx, actor, people.Compound{Campus: "A", Name: text})
			return c.Name, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			b, err := w.AddBuilding(tx, actor, people.Building{Compound: 1, Name: text})
			return b.Name, err
		}},
		{"name", func(tx *store.Tx, text string) (string, error) {
			r, err := w.AddRoom(tx, actor, people.Room{Building: 1, Name: text})
			return r.Name, err
		}},
		{"head", func(tx *store.Tx, text string) (string, error) {
			h, err := w.AddHousehold(tx, actor, people.NewHousehold{Place: place, Head: text})
			return h.Head, err
		}},
		{"relation", func(tx *store.Tx, text string) (string, error) {
			h, err := w.AddMember(tx, actor, 1, people.NewMember{Person: "T1002", Relation: text})
			if err != nil {
				return "", err
			}
			for _, m := range h.Members {
				if m.Person == "T1002" {
					return m.Relation, nil
				}
			}
			return "", nil
		}},
	} {
		for _, text := range kept {
			var got string
			err := w.Change(ctx, func(tx *store.Tx) (err error) {
				got, err = f.set(tx, text)
				return err
			})
			if err != nil || got != text {
				t.Errorf("%s %q: %q, %v", f.field, text, got, err)
			}
		}
		for _, text := range turnedAway {
			w.refused(t, f.field, func(tx *store.Tx) error { _, err := f.set(tx, text); return err })
		}
	}
}

func TestHostileNumbers_AreRefusedByField(t *testing.T) {
	w := sampled(t)
	good := people.Person{ID: "T9", Name: "周敏", Kind: people.Staff}
	for field, set := range map[string]func(*people.Person, string){
		"number":    func(p *people.Person, text string) { p.ID = text },
		"kind":      func(p *people.Person, text string) { p.Kind = people.Kind(text) },
		"level":     func(p *people.Person, text string) { p.Kind, p.Level = people.Student, text },
		"unit":      func(p *people.Person, text string) { p.Unit = text },
		"phone":     func(p *people.Person, text string) { p.Phone = text },
		"id_number": func(p *people.Person, text string) { p.IDNumber = text },
		"mail":      func(p *people.Person, text string) { p.Mail = text },
	} {
		for _, text := range append(append([]string{"../etc", "a b", "138****0001", "a@b", "a@b.example\r\nBcc: c@d.example"}, kept...), turnedAway...) {
			p := good
			set(&p, text)
			w.refused(t, field, func(tx *store.Tx) error { _, err := w.AddPerson(tx, actor, p); return err })
		}
	}
}
