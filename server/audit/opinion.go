package audit

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// scan is an event with the parts of its body that bear on an opinion.
type scan struct {
	*store.Event
	body struct {
		Verdict verdict.Verdict `json:"verdict"`
		Case    *verdict.Case   `json:"case"`
		Counts  bool            `json:"counts"`
	}
	err error // of reading the body, from which then nothing is taken
}

func readScan(e *store.Event) scan {
	s := scan{Event: e}
	if s.err = json.Unmarshal(e.Body, &s.body); s.err != nil {
		s.body.Case = nil
	}
	return s
}

// knowledge is what the server knows better than the gates.
type knowledge struct {
	compromised map[signing.KeyID]int64 // since when; 0 = it is one of our keys, and sound
	passes      map[signing.PassID]store.KnownPass
}

// opinion judges a scan again. A body without a case, or that cannot be read,
// gives Internal: nobody can repeat what the gate decided there.
func (k *knowledge) opinion(s *scan) verdict.Reason {
	c := s.body.Case
	if c == nil {
		return verdict.Internal
	}
	// Nothing happened after the server heard of it, whatever the gate's clock
	// said. This way it does not matter either how late the event is judged.
	at := min(s.At, s.ReceivedAt)
	if since, ours := k.compromised[c.Code.Key]; ours {
		c.Code.Compromised = since > 0 && (c.Code.Compromised || since < at)
	}
	pass := k.passes[s.Pass]
	if pass.Issued {
		// A gate that knew of the revocation had it from the server, even where its
		// clock makes the refusal look earlier.
		c.Record.Revoked = pass.RevokedAt > 0 && (c.Record.Revoked || pass.RevokedAt < at)
	}
	if c.Code.Uses > 0 && c.Code.Kind.OpensGates() && c.Lane.Direction != verdict.Exit {
		switch {
		case s.body.Verdict.Opens() && s.Claim != "" && !s.asked():
			c.Claim = verdict.Claim{} // somebody else's question is none
		case s.body.Verdict.Opens():
			if over, stands := recount(s, pass.Uses); over && stands {
				return verdict.Conflict
			}
		case s.Reason == verdict.AlreadyUsed:
			support(s, pass.Uses)
		}
	}
	return verdict.Judge(c).Reason
}

// recount puts the uses that came before an admission into its case. It reports
// whether they had used the pass up, and whether the admission's own use
// stands. Where the record holds no use of this admission, as when another
// gate's grant has yet to be uploaded, the case stays as it is.
func recount(s *scan, uses []store.CountedUse) (over, stands bool) {
	c := s.body.Case
	own := ownUse(s, uses)
	if own == nil {
		return false, false
	}
	c.Record.Uses, c.Record.First = 0, nil
	var first *store.CountedUse
	for i := range uses {
		u := &uses[i]
		if u.AnnulledAt != 0 || order(u, own) >= 0 {
			continue
		}
		if c.Record.Uses++; first == nil || order(u, first) < 0 {
			first = u
		}
	}
	if first != nil {
		c.Record.First = &verdict.Use{At: first.At, Gate: first.Gate}
	}
	over = c.Record.Uses >= c.Code.Uses
	if over && (c.Claim.State == verdict.ClaimGranted || c.Claim.State == verdict.ClaimUnreached) {
		// The decider would have said so, had it known.
		c.Claim = verdict.Claim{State: verdict.ClaimUsed, First: c.Record.First}
	}
	return over, own.AnnulledAt == 0
}

// ownUse finds the use that an admission stands for; nil = none.
func ownUse(s *scan, uses []store.CountedUse) *store.CountedUse {
	ref := s.ID.String()
	asked := s.asked()
	for i := range uses {
		if uses[i].Ref == ref || asked && uses[i].Claim == s.Claim {
			return &uses[i]
		}
	}
	return nil
}

// asked reports whether the scan carries a claim of its own agent.
func (s *scan) asked() bool {
	return strings.HasPrefix(s.Claim, strconv.FormatUint(uint64(s.ID.Agent), 10)+"-")
}

// order is that of two uses of a pass in time, and always the same.
func order(a, b *store.CountedUse) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Gate, b.Gate), cmp.Compare(a.Ref, b.Ref))
}

// support puts the uses that a refusal can have rested on into its case: those
// of before it, within what clocks may differ, and the one that the gate named.
// A use that was annulled counts, since it may have stood when it was asked
// about. A decider's word that no use stands behind is not taken.
func support(s *scan, uses []store.CountedUse) {
	c := s.body.Case
	named := cmp.Or(s.body.Verdict.First, &verdict.Use{})
	c.Record.Uses, c.Record.First = 0, nil
	for i := range uses {
		u := verdict.Use{At: uses[i].At, Gate: uses[i].Gate}
		if u.At > s.At+verdict.ClockSlackMS && u != *named {
			continue
		}
		if c.Record.Uses++; c.Record.First == nil || u.At < c.Record.First.At {
			c.Record.First = &u
		}
	}
	if c.Record.Uses < c.Code.Uses && c.Claim.State == verdict.ClaimUsed {
		c.Claim = verdict.Claim{}
	}
}

// touches reports whether an event may change what is known of the uses of its
// pass. A claim does: the server may have decided it.
func touches(e *store.Event, s *scan) bool {
	if e.Pass.IsZero() {
		return false
	}
	return !e.Type.Judged() || e.Claim != "" || s.err != nil || s.body.Counts
}

// overused reports more uses on record than the pass allows, annulled ones
// among them: then opinions on its admissions depend on one another.
func overused(p *store.KnownPass) bool {
	if len(p.Uses) == 0 {
		return false
	}
	allowed := slices.MinFunc(p.Uses, func(a, b store.CountedUse) int { return cmp.Compare(a.Allowed, b.Allowed) }).Allowed
	return len(p.Uses) > int(allowed)
}
