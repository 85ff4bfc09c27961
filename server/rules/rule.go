package rules

import (
	"fmt"
	"slices"

	"campusgate/signing"
	"campusgate/signing/verdict"
)

func (r *reader) rule(key string, f *fileRule) error {
	if !goodID.MatchString(f.ID) {
		return r.Fault(key+".id", "%q: want a short name of a to z, 0 to 9 and _", f.ID)
	}
	if r.g.Rule(f.ID) != nil {
		return r.Fault(key+".id", "%q is the id of an earlier one", f.ID)
	}
	if err := r.words(key, f.ZH, f.EN); err != nil {
		return err
	}
	if f.Note != (fileWords{}) {
		if err := r.words(key+".note", f.Note.ZH, f.Note.EN); err != nil {
			return err
		}
	}
	rule := verdict.DocumentRule{
		ID: f.ID, Who: verdict.Words{ZH: f.ZH, EN: f.EN}, Documents: f.Documents, Register: verdict.RegisterKind(f.Register),
		Collect: f.Collect, Note: verdict.Words(f.Note),
	}
	switch f.Effect {
	case "", "admit":
	case "refuse":
		rule.Refuse = true
	default:
		return r.Fault(key+".effect", "%q: want admit or refuse", f.Effect)
	}
	for i, name := range f.Passes {
		kind, err := signing.ParseKind(name)
		if err != nil || !kind.OpensGates() {
			return r.Fault(fmt.Sprintf("%s.passes[%d]", key, i), "%q: want one of %s", name, signing.GateKinds)
		}
		rule.Passes = append(rule.Passes, kind)
	}
	if err := r.sets(key, f); err != nil {
		return err
	}
	if err := r.register(key, f, &rule); err != nil {
		return err
	}
	r.g.Rules = append(r.g.Rules, rule)
	return nil
}

// sets checks the documents of a rule.
func (r *reader) sets(key string, f *fileRule) error {
	switch {
	case f.Effect == "refuse" && len(f.Documents) > 0:
		return r.Fault(key+".documents", "a rule that refuses has none")
	case f.Effect != "refuse" && len(f.Documents) == 0 && f.Register == "":
		return r.Fault(key, "lets everybody in: name documents or a register, or refuse")
	case len(f.Documents) > maxSets:
		return r.Fault(key+".documents", "%d sets, at most %d", len(f.Documents), maxSets)
	}
	for i, set := range f.Documents {
		at := fmt.Sprintf("%s.documents[%d]", key, i)
		if len(set) == 0 || len(set) > maxSet {
			return r.Fault(at, "%d documents: want 1 to %d", len(set), maxSet)
		}
		proves := false
		for j, id := range set {
			one, k := fmt.Sprintf("%s[%d]", at, j), r.g.Document(id)
			switch {
			case k == nil:
				return r.Fault(one, "%q is not among the documents", id)
			case k.Never:
				return r.Fault(one, "%q never admits anybody", id)
			case slices.Contains(set[:j], id):
				return r.Fault(one, "%q is in the set already", id)
			}
			proves = proves || !k.Beside
		}
		if !proves {
			return r.Fault(at, "proves nothing: each of these counts only beside another")
		}
	}
	return nil
}

// register checks what has to do with a register.
func (r *reader) register(key string, f *fileRule, rule *verdict.DocumentRule) error {
	relative := rule.Register == verdict.RegisterRelative
	switch rule.Register {
	case verdict.RegisterNone, verdict.RegisterStudent, verdict.RegisterRelative:
	default:
		return r.Fault(key+".register", "%q: want student or relative", f.Register)
	}
	switch {
	case f.Register != "" && rule.Refuse:
		return r.Fault(key+".register", "a rule that refuses has none")
	case f.Register != "" && len(f.Passes) > 0:
		return r.Fault(key+".passes", "a code has no place for what is registered")
	case relative != (len(f.Relations) > 0):
		return r.Fault(key+".relations", "go with register: relative, which needs some")
	case f.Collect && (rule.Register != verdict.RegisterStudent || len(f.Documents) == 0):
		return r.Fault(key+".collect", "goes with register: student and a document")
	}
	for i, rel := range f.Relations {
		at := fmt.Sprintf("%s.relations[%d]", key, i)
		if !goodID.MatchString(rel.ID) || slices.ContainsFunc(rule.Relations, func(o verdict.Relation) bool { return o.ID == rel.ID }) {
			return r.Fault(at+".id", "%q: want a short name of its own", rel.ID)
		}
		if err := r.words(at, rel.ZH, rel.EN); err != nil {
			return err
		}
		rule.Relations = append(rule.Relations, verdict.Relation{ID: rel.ID, Name: verdict.Words{ZH: rel.ZH, EN: rel.EN}})
	}
	return nil
}
