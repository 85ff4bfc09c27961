package console

import "campusgate/signing/verdict"

// Label is a text in both languages.
type Label struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Document is something a guard can be shown beside a pass.
type Document struct {
	ID    string `json:"id"` // goes into the answer and the journal
	Label Label  `json:"label"`
}

// StandardDocuments are what a gate accepts where no policy says otherwise.
func StandardDocuments() []Document {
	return []Document{
		{"work_permit", Label{"工作证", "Work permit"}},
		{"id_card", Label{"身份证", "ID card"}},
		{"residence_permit", Label{"居住证", "Residence permit"}},
		{"retirement_card", Label{"退休证", "Retirement card"}},
		{"other", Label{"其他证件", "Other document"}},
	}
}

// texts is everything the page says about results, so that it holds no copy.
type texts struct {
	Reasons   map[string]map[string]verdict.Text `json:"reasons"` // by language, then reason
	Documents []Document                         `json:"documents"`
}

func (c *Console) texts() texts {
	return texts{Reasons: verdict.Texts(), Documents: c.documents}
}

func (c *Console) knowsDocument(id string) bool {
	for _, d := range c.documents {
		if d.ID == id {
			return true
		}
	}
	return false
}
