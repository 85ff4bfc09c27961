package verdict

import (
	"slices"

	"campusgate/signing"
)

// Words is a text in both languages of the product.
type Words struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Guideline says which documents let whom in: what a campus gives its gates, as
// data. The zero Guideline lets nobody in; where none is known at all, any
// document counts (see Beside).
type Guideline struct {
	Documents []DocumentKind `json:"documents"`
	Rules     []DocumentRule `json:"rules"`
	Addresses []Addresses    `json:"addresses,omitempty"` // to compare documents with
}

// DocumentKind is a sort of document that somebody may show.
type DocumentKind struct {
	ID      string `json:"id"`
	Name    Words  `json:"name"`
	Issuer  Words  `json:"issuer,omitzero"`   // who must have issued it; empty = anybody who may
	Address bool   `json:"address,omitempty"` // counts only when it shows a campus address: to choose it says that it does
	Copy    bool   `json:"copy,omitempty"`    // a copy is enough
	Beside  bool   `json:"beside,omitempty"`  // says who somebody is, and proves nothing alone
	Never   bool   `json:"never,omitempty"`   // never admits anybody
}

// DocumentRule is what people of one sort have to show.
type DocumentRule struct {
	ID        string         `json:"id"`
	Who       Words          `json:"who"`
	Passes    []signing.Kind `json:"passes,omitempty"`    // beside a pass of these kinds the rule holds too
	Documents [][]string     `json:"documents,omitempty"` // any one of these sets, all of it; none = nothing to show
	Refuse    bool           `json:"refuse,omitempty"`    // whatever they show
	Register  RegisterKind   `json:"register,omitempty"`
	Relations []Relation     `json:"relations,omitempty"` // of RegisterRelative: no others are admitted
	Collect   bool           `json:"collect,omitempty"`   // the document stays with the guard when the register is closed
	Note      Words          `json:"note,omitzero"`       // for the guard
}

// Relation is how somebody is related to a member of staff.
type Relation struct {
	ID   string `json:"id"`
	Name Words  `json:"name"`
}

// Addresses are the places of one campus that a document may show.
type Addresses struct {
	Campus string   `json:"campus"`
	Places []string `json:"places"`
}

// RegisterKind says what a rule keeps a register of.
type RegisterKind string

// The registers. A student's entry begins when they leave and ends when they
// are back; a relative's begins when they come and ends when they leave.
const (
	RegisterNone     RegisterKind = ""
	RegisterStudent  RegisterKind = "student"
	RegisterRelative RegisterKind = "relative"
)

// Begins is the direction in which an entry of the register begins.
func (k RegisterKind) Begins() Direction {
	if k == RegisterStudent {
		return Exit
	}
	return Entry
}

// Beside gives what the guideline says of the documents shown beside a pass.
// Without a guideline every document counts by itself.
func (g *Guideline) Beside(pass signing.Kind, shown []string) Documents {
	d := Documents{Required: true, Shown: shown}
	if g == nil {
		for _, id := range shown {
			d.Sets = append(d.Sets, DocumentSet{All: []string{id}})
		}
		return d
	}
	for i := range g.Rules {
		if r := &g.Rules[i]; slices.Contains(r.Passes, pass) {
			g.add(&d, r)
		}
	}
	return d
}

// Under gives what one rule says of the documents that somebody without a code
// has shown. It reports false when there is no such rule.
func (g *Guideline) Under(rule string, shown []string) (Documents, bool) {
	r := g.Rule(rule)
	if r == nil {
		return Documents{}, false
	}
	d := Documents{Required: true, Shown: shown, Rule: r.ID}
	g.add(&d, r)
	return d, true
}

// add puts into d what a rule has to do with what was shown. Sets of which
// nothing was shown are left out: an event is not the place for the guideline.
func (g *Guideline) add(d *Documents, r *DocumentRule) {
	if r.Refuse {
		d.Barred, d.Rule = true, r.ID
		return
	}
	if len(r.Documents) == 0 {
		d.Sets = append(d.Sets, DocumentSet{Rule: r.ID})
	}
	for _, all := range r.Documents {
		if !slices.ContainsFunc(all, func(id string) bool { return slices.Contains(d.Shown, id) }) {
			continue
		}
		set := DocumentSet{Rule: r.ID, All: all}
		for _, id := range all {
			if k := g.Document(id); k != nil && k.Beside {
				set.Beside = append(set.Beside, id)
			}
		}
		d.Sets = append(d.Sets, set)
	}
}

// Rule finds a rule; nil = there is none of that id.
func (g *Guideline) Rule(id string) *DocumentRule {
	if g == nil {
		return nil
	}
	i := slices.IndexFunc(g.Rules, func(r DocumentRule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &g.Rules[i]
}

// Document finds a kind of document; nil = there is none of that id.
func (g *Guideline) Document(id string) *DocumentKind {
	if g == nil {
		return nil
	}
	i := slices.IndexFunc(g.Documents, func(k DocumentKind) bool { return k.ID == id })
	if i < 0 {
		return nil
	}
	return &g.Documents[i]
}
