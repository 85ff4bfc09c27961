package code_test

import (
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/pass"
)

const formatFile = "../FORMAT.md"

// example is the worked example of FORMAT.md: what the code makes of the fixed
// keys, block by block.
func example(t *testing.T) map[string]string {
	t.Helper()
	w := newWorld(t)
	issuerSeed := w.gate.Private.Seed()
	d, err := w.phone.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	p := bearer()
	p.ID, p.Kind, p.Uses, p.Owner = signing.PassID{1, 2, 3, 4, 5, 6, 7, 8}, signing.Visitor, 1, 3
	static := mustSign(t, p, w.gate)
	p.Phone = &w.phoneKey
	cred := mustSign(t, p, w.gate)
	live := mustProve(t, w.phone, cred, proof(signing.ContextGate))
	parts := peerSign1(t, static)
	point := w.phoneKey.Compressed()
	phoneID := w.phoneKey.ID()
	return map[string]string{
		"issuer seed":      hex.EncodeToString(issuerSeed),
		"issuer public":    hex.EncodeToString(w.gate.Key.Public),
		"kid":              w.gate.Key.ID.String(),
		"payload":          hex.EncodeToString(parts.Payload),
		"signed bytes":     hex.EncodeToString(toBeSigned(t, parts.Protected, nil, parts.Payload)),
		"credential":       hex.EncodeToString(static),
		"static code":      pass.URL("gate.example.edu", static),
		"phone d":          hex.EncodeToString(d),
		"phone key":        hex.EncodeToString(point[:]),
		"phone id":         hex.EncodeToString(phoneID[:]),
		"bound credential": hex.EncodeToString(cred),
		"proof payload":    hex.EncodeToString(proofPayload(day+43200, 17, "\xca\xfe\x00\x01", 1)),
		"live bytes":       hex.EncodeToString(live),
		"live code":        pass.LiveText(live),
		"site root":        signing.Fingerprint(w.other.Key.Public),
	}
}

// block is a fenced block with a name, as "```text kid".
var block = regexp.MustCompile("(?s)```text ([a-z ]+)\n(.*?)```\n")

// wrapped breaks a text into lines of 76 characters.
func wrapped(s string) string {
	var b strings.Builder
	for line := range slices.Chunk([]byte(s), 76) {
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

func TestExampleInTheFormatIsWhatTheCodeMakes(t *testing.T) {
	text, err := os.ReadFile(formatFile)
	if err != nil {
		t.Fatal(err)
	}
	want := example(t)
	seen := map[string]bool{}
	next := block.ReplaceAllStringFunc(string(text), func(found string) string {
		parts := block.FindStringSubmatch(found)
		name := parts[1]
		value, ok := want[name]
		if !ok || seen[name] {
			t.Errorf("block %q: unknown, or there twice", name)
			return found
		}
		seen[name] = true
		if parts[2] != wrapped(value) && !*update {
			t.Errorf("block %q is\n%swant\n%s(-update writes it anew)", name, parts[2], wrapped(value))
		}
		return "```text " + name + "\n" + wrapped(value) + "```\n"
	})
	for name := range want {
		if !seen[name] {
			t.Errorf("block %q is missing", name)
		}
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(formatFile, []byte(next), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPayloadTakenApartIsThePayload puts the hex of the annotated listing
// together again.
func TestPayloadTakenApartIsThePayload(t *testing.T) {
	text, err := os.ReadFile(formatFile)
	if err != nil {
		t.Fatal(err)
	}
	_, listing, found := strings.Cut(string(text), "The payload, taken apart:\n\n```\n")
	listing, _, closed := strings.Cut(listing, "```")
	if !found || !closed {
		t.Fatal("the listing is not there")
	}
	isHex := regexp.MustCompile("^([0-9A-F]{2})+$")
	var together strings.Builder
	for line := range strings.Lines(listing) {
		for _, word := range strings.Fields(line) {
			if !isHex.MatchString(word) {
				break
			}
			together.WriteString(strings.ToLower(word))
		}
	}
	if want := example(t)["payload"]; together.String() != want {
		t.Errorf("the listing gives %s, the payload is %s", together.String(), want)
	}
}
