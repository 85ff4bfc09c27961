package console

import (
	"slices"

	"campusgate/signing/verdict"
)

// Document is something a guard can be shown.
type Document struct {
	ID      string        `json:"id"` // goes into the answer and the journal
	Label   verdict.Words `json:"label"`
	Issuer  verdict.Words `json:"issuer,omitzero"`
	Address bool          `json:"address,omitempty"` // only where it shows a campus address
	Copy    bool          `json:"copy,omitempty"`
	Beside  bool          `json:"beside,omitempty"` // proves nothing alone
	Never   bool          `json:"never,omitempty"`
}

// StandardDocuments are what a guard can choose as long as no guideline has
// come; any of them counts then.
func StandardDocuments() []Document {
	return []Document{
		{ID: "work_permit", Label: verdict.Words{ZH: "工作证", EN: "Work permit"}},
		{ID: "id_card", Label: verdict.Words{ZH: "身份证", EN: "ID card"}},
		{ID: "residence_permit", Label: verdict.Words{ZH: "居住证", EN: "Residence permit"}},
		{ID: "retirement_card", Label: verdict.Words{ZH: "退休证", EN: "Retirement card"}},
		{ID: "other", Label: verdict.Words{ZH: "其他证件", EN: "Other document"}},
	}
}

// texts is everything the page says about results and documents, so that it
// holds no copy.
type texts struct {
	Reasons   map[string]map[string]verdict.Text `json:"reasons"` // by language, then reason
	Documents []Document                         `json:"documents"`
	Rules     []verdict.DocumentRule             `json:"rules"` // none without a guideline
	Addresses []verdict.Addresses                `json:"addresses"`
}

func (c *Console) texts() texts {
	t := texts{
		Reasons: verdict.Texts(), Documents: StandardDocuments(), Rules: []verdict.DocumentRule{}, Addresses: []verdict.Addresses{},
	}
	if g := c.guideline(); g != nil {
		t.Documents, t.Rules = make([]Document, len(g.Documents)), g.Rules
		for i, k := range g.Documents {
			t.Documents[i] = Document{
				ID: k.ID, Label: k.Name, Issuer: k.Issuer, Address: k.Address, Copy: k.Copy, Beside: k.Beside, Never: k.Never,
			}
		}
		if g.Addresses != nil {
			t.Addresses = g.Addresses
		}
	}
	return t
}

// unknownDocument gives the first id that no document has; "" = all are known.
func (c *Console) unknownDocument(ids []string) string {
	documents := c.texts().Documents
	for _, id := range ids {
		if !slices.ContainsFunc(documents, func(d Document) bool { return d.ID == id }) {
			return id
		}
	}
	return ""
}
