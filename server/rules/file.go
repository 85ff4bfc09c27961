package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"campusgate/configs"
	"campusgate/signing"
	"campusgate/signing/verdict"
)

// Sample is the name of the guideline that comes with the program, in
// configs.Samples. A new site begins with it.
const Sample = "documents.yaml"

// Bounds of a guideline. A guard must find a document on one page.
const (
	maxKinds = 40
	maxRules = 30
	maxSets  = 20
	maxSet   = 5
	maxName  = 120 // bytes of a name or a note
	// MaxYAML is how long the text may be, in bytes.
	MaxYAML = 24 << 10
)

// file is the guideline as written. configs/documents.yaml shows every key.
type file struct {
	Documents []fileKind    `yaml:"documents"`
	Addresses []fileAddress `yaml:"addresses"`
	Rules     []fileRule    `yaml:"rules"`
}

type fileKind struct {
	ID      string    `yaml:"id"`
	ZH      string    `yaml:"zh"`
	EN      string    `yaml:"en"`
	Issuer  fileWords `yaml:"issuer"`
	Form    string    `yaml:"form"`
	Address bool      `yaml:"address"`
	Beside  bool      `yaml:"beside"`
	Never   bool      `yaml:"never"`
}

type fileWords struct {
	ZH string `yaml:"zh"`
	EN string `yaml:"en"`
}

type fileAddress struct {
	Campus string   `yaml:"campus"`
	Places []string `yaml:"places"`
}

type fileRule struct {
	ID        string         `yaml:"id"`
	ZH        string         `yaml:"zh"`
	EN        string         `yaml:"en"`
	Passes    []string       `yaml:"passes"`
	Documents [][]string     `yaml:"documents"`
	Effect    string         `yaml:"effect"`
	Register  string         `yaml:"register"`
	Relations []fileRelation `yaml:"relations"`
	Collect   bool           `yaml:"collect"`
	Note      fileWords      `yaml:"note"`
}

type fileRelation struct {
	ID string `yaml:"id"`
	ZH string `yaml:"zh"`
	EN string `yaml:"en"`
}

// Parse reads a guideline. Errors wrap configs.ErrConfig and name file, line
// and key; the first fault is reported. Name is for the messages.
func Parse(name string, data []byte) (*verdict.Guideline, error) {
	if len(data) > MaxYAML {
		return nil, fmt.Errorf("%w: %s: %d bytes, at most %d", configs.ErrConfig, name, len(data), MaxYAML)
	}
	var f file
	doc, err := configs.Decode(name, data, &f)
	if err != nil {
		return nil, err
	}
	r := reader{Doc: doc, g: &verdict.Guideline{}}
	if err := r.read(&f); err != nil {
		return nil, err
	}
	return r.g, nil
}

// reader checks a file and builds the guideline of it.
type reader struct {
	*configs.Doc
	g *verdict.Guideline
}

func (r *reader) read(f *file) error {
	switch {
	case len(f.Documents) == 0:
		return r.Fault("documents", "missing: the kinds of document")
	case len(f.Documents) > maxKinds:
		return r.Fault("documents", "%d kinds, at most %d", len(f.Documents), maxKinds)
	case len(f.Rules) == 0:
		return r.Fault("rules", "missing")
	case len(f.Rules) > maxRules:
		return r.Fault("rules", "%d rules, at most %d", len(f.Rules), maxRules)
	}
	for i := range f.Documents {
		if err := r.kind(fmt.Sprintf("documents[%d]", i), &f.Documents[i]); err != nil {
			return err
		}
	}
	for i, a := range f.Addresses {
		if err := r.address(fmt.Sprintf("addresses[%d]", i), a); err != nil {
			return err
		}
	}
	for i := range f.Rules {
		if err := r.rule(fmt.Sprintf("rules[%d]", i), &f.Rules[i]); err != nil {
			return err
		}
	}
	for _, kind := range signing.GateKinds.Kinds() {
		if !slices.ContainsFunc(r.g.Rules, func(rule verdict.DocumentRule) bool { return slices.Contains(rule.Passes, kind) }) {
			return r.Fault("rules", "no rule names passes: [%s]: say what is shown beside such a pass, or refuse it", kind)
		}
	}
	return nil
}

var goodID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

func (r *reader) kind(key string, k *fileKind) error {
	if !goodID.MatchString(k.ID) {
		return r.Fault(key+".id", "%q: want a short name of a to z, 0 to 9 and _", k.ID)
	}
	if r.g.Document(k.ID) != nil {
		return r.Fault(key+".id", "%q is the id of an earlier one", k.ID)
	}
	if err := r.words(key, k.ZH, k.EN); err != nil {
		return err
	}
	if k.Issuer != (fileWords{}) {
		if err := r.words(key+".issuer", k.Issuer.ZH, k.Issuer.EN); err != nil {
			return err
		}
	}
	switch k.Form {
	case "", "original", "copy":
	default:
		return r.Fault(key+".form", "%q: want original or copy", k.Form)
	}
	if k.Never && (k.Address || k.Beside || k.Form == "copy") {
		return r.Fault(key+".never", "says that nothing else about the document matters")
	}
	if k.Beside && k.Address {
		return r.Fault(key+".beside", "a document with a campus address proves something alone")
	}
	r.g.Documents = append(r.g.Documents, verdict.DocumentKind{
		ID: k.ID, Name: verdict.Words{ZH: k.ZH, EN: k.EN}, Issuer: verdict.Words(k.Issuer),
		Address: k.Address, Copy: k.Form == "copy", Beside: k.Beside, Never: k.Never,
	})
	return nil
}

func (r *reader) address(key string, a fileAddress) error {
	for _, text := range append([]string{a.Campus}, a.Places...) {
		if err := legible(text); err != nil {
			return r.Fault(key, "%v", err)
		}
	}
	r.g.Addresses = append(r.g.Addresses, verdict.Addresses(a))
	return nil
}

// words wants a text in both languages.
func (r *reader) words(key, zh, en string) error {
	if err := legible(zh); err != nil {
		return r.Fault(key+".zh", "%v", err)
	}
	if err := legible(en); err != nil {
		return r.Fault(key+".en", "%v", err)
	}
	return nil
}

func legible(s string) error {
	if s == "" {
		return errors.New("missing")
	}
	return signing.CheckWords(s, maxName)
}
