package verdict

import "slices"

// Documents is what the gate asks to see, what was shown, and what the
// guideline says of that (Guideline.Beside, Guideline.Under).
type Documents struct {
	Required bool          `json:"required,omitempty"`
	Shown    []string      `json:"shown,omitempty"`   // kinds, as the guard ticked them; none = not answered
	Refused  bool          `json:"refused,omitempty"` // the guard saw nothing
	Barred   bool          `json:"barred,omitempty"`  // nobody of this sort is let in, whatever they show
	Rule     string        `json:"rule,omitempty"`    // that bars, or that the guard chose for somebody without a code
	Sets     []DocumentSet `json:"sets,omitempty"`    // that admit, of those that something was shown of
}

// DocumentSet is a set of documents that admits when all of it is shown.
type DocumentSet struct {
	Rule   string   `json:"rule,omitempty"`
	All    []string `json:"all,omitempty"`
	Beside []string `json:"beside,omitempty"` // of All, those that prove nothing alone
}

// Complete finds the first set that was shown whole; nil = none was.
func (d *Documents) Complete() *DocumentSet {
	for i := range d.Sets {
		if len(d.missing(&d.Sets[i])) == 0 {
			return &d.Sets[i]
		}
	}
	return nil
}

// Missing is what would complete the set that the least is missing of; the
// first of several. None where a set is complete, and where what was shown
// begins no set.
func (d *Documents) Missing() (missing []string) {
	for i := range d.Sets {
		set := &d.Sets[i]
		begun := slices.ContainsFunc(d.Shown, func(id string) bool {
			return slices.Contains(set.All, id) && !slices.Contains(set.Beside, id)
		})
		lacks := d.missing(set)
		if len(lacks) == 0 {
			return nil
		}
		if begun && (missing == nil || len(lacks) < len(missing)) {
			missing = lacks
		}
	}
	return missing
}

func (d *Documents) missing(set *DocumentSet) (list []string) {
	for _, id := range set.All {
		if !slices.Contains(d.Shown, id) {
			list = append(list, id)
		}
	}
	return list
}

func (d *Documents) answered() bool { return len(d.Shown) > 0 }

// rejected: what was shown is not even a part of what admits.
func (d *Documents) rejected() bool {
	return d.Barred || d.answered() && d.Complete() == nil && d.Missing() == nil
}

func (d *Documents) incomplete() bool { return d.Complete() == nil && d.Missing() != nil }

// vouched judges somebody without a code: by the documents and by nothing that
// this PC knows. A wrong clock or an old snapshot does not keep out whom the
// guard can see to be in order; nor does a closed gate keep anybody in.
func (c *Case) vouched() Verdict {
	d := &c.Document
	v := Verdict{Rule: d.Rule}
	switch {
	case c.Policy.Lockdown && c.Lane.Direction != Exit:
		v.Reason = Lockdown
	case d.Refused, !d.Barred && !d.answered() && d.Complete() == nil:
		v.Reason = DocumentRequired
	case d.rejected():
		v.Reason = DocumentNotAccepted
	case d.incomplete():
		v.Reason = DocumentIncomplete
	default:
		v.Reason = Granted
	}
	return v
}
