package support

import (
	"bytes"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// removed stands where something was.
const removed = "▇"

// Scrubber takes what may be about a person out of log lines. The log is written
// so that it holds nothing of the kind; the scrubber does not rely on it.
type Scrubber struct {
	places []string
	people *strings.Replacer
}

// NewScrubber makes one that lets these places stay and removes these people. A
// name of two letters or less is not looked for.
func NewScrubber(places, people []string) *Scrubber {
	var pairs []string
	for _, name := range people {
		if len(name) > 2 {
			pairs = append(pairs, name, removed)
		}
	}
	return &Scrubber{places, strings.NewReplacer(pairs...)}
}

// personal is what is removed wherever it stands in a line: codes and the paths
// that hold one, phone and identity numbers in any grouping, ids of passes and
// people, addresses of mail.
var personal = []*regexp.Regexp{
	regexp.MustCompile(`(?i)(https?://[^\s"]*)?/V/[^\s"]*`),
	regexp.MustCompile(`(?i)CP1:[^\s"]*`),
	regexp.MustCompile(`[\w.+-]+@[\w-]+\.[\w.-]+`),
	regexp.MustCompile(`\b\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx]\b`),
	regexp.MustCompile(`\b(\+?86[ -]?)?1\d{2}[ -]?\d{4}[ -]?\d{4}\b`),
	regexp.MustCompile(`\b[0-9A-Fa-f]{12,}\b`),
	regexp.MustCompile(`\b[A-Za-z0-9+/_:$%*.-]*[A-Z0-9]{24,}[A-Za-z0-9+/_:$%*.-]*\b`),
}

// valued are attributes whose values go whatever they are.
var valued = regexp.MustCompile(`\b(name|doc4|number|guard|person|phone|pass|code|text|note|holder|card|account)=("(?:[^"\\]|\\.)*"|\S+)`)

// keptCode: "code" is also what an error of the console's is called, in words of
// ours.
var keptCode = regexp.MustCompile(`^code=[a-z_]+$`)

// han is a word in Chinese, which may be a name.
var han = regexp.MustCompile(`\p{Han}[\p{Han}·]*`)

// Log gives the lines as they may be sent.
func (s *Scrubber) Log(text []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(bytes.ToValidUTF8(text, []byte("?")))) {
		out.WriteString(s.line(line))
	}
	return out.Bytes()
}

func (s *Scrubber) line(line string) string {
	line = valued.ReplaceAllStringFunc(line, func(found string) string {
		if keptCode.MatchString(found) {
			return found
		}
		key, _, _ := strings.Cut(found, "=")
		return key + "=" + removed
	})
	for _, p := range personal {
		line = p.ReplaceAllString(line, removed)
	}
	line = han.ReplaceAllStringFunc(line, func(word string) string {
		for _, place := range s.places {
			if word == place {
				return word
			}
		}
		return removed
	})
	return s.people.Replace(line)
}

// secret are keys of a configuration whose values go.
var secret = regexp.MustCompile(`(?i)(pass|secret|token|auth|cookie|credential|pin$|key$|user)`)

// Config gives an agent's YAML file without comments, without the values of keys
// that name a secret, and without user names, passwords and queries in addresses.
// Of a file that is no YAML it gives nothing but the error.
func Config(text []byte) ([]byte, error) {
	var doc yaml.MapSlice
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("the configuration is not YAML") // its text stays out
	}
	for i := range doc {
		doc[i].Value = plain(fmt.Sprint(doc[i].Key), doc[i].Value)
	}
	return yaml.Marshal(doc)
}

func plain(key string, value any) any {
	if secret.MatchString(key) && value != nil {
		return removed
	}
	switch v := value.(type) {
	case yaml.MapSlice:
		for i := range v {
			v[i].Value = plain(fmt.Sprint(v[i].Key), v[i].Value)
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(k, v[k])
		}
	case []any:
		for i := range v {
			v[i] = plain(key, v[i])
		}
	case string:
		return address(key, v)
	}
	return value
}

// device are keys whose addresses only the device itself understands: any part
// of their paths may be what lets one in.
var device = regexp.MustCompile(`(?i)path$`)

// address drops from a URL what may let somebody in.
func address(key, s string) string {
	u, err := url.Parse(s)
	if err != nil {
		if strings.Contains(s, "@") {
			return removed // it may hold a password all the same
		}
		return s
	}
	if u.Scheme == "" || u.Host == "" {
		return s
	}
	if device.MatchString(key) {
		return u.Scheme + "://" + u.Host
	}
	if u.User == nil && u.RawQuery == "" {
		return s
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return plain.String()
}
