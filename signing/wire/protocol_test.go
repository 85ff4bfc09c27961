package wire_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func protocol(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("PROTOCOL.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// examples gives the frames of PROTOCOL.md.
func examples(t testing.TB) []string {
	t.Helper()
	var lines []string
	for _, block := range regexp.MustCompile("(?ms)^```json\n(.*?)^```$").FindAllStringSubmatch(protocol(t), -1) {
		lines = append(lines, strings.Split(strings.TrimSpace(block[1]), "\n")...)
	}
	return lines
}

// constants gives the constants of this package whose names have a prefix, as
// written.
func constants(t *testing.T, prefix string) map[string]string {
	t.Helper()
	found := make(map[string]string)
	for _, name := range []string{"message.go", "bye.go", "check.go", "event.go", "call.go", "print.go", "peer.go", "move.go", "lease.go", "program.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 || !strings.HasPrefix(spec.Names[0].Name, prefix) {
				return true
			}
			if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				found[spec.Names[0].Name] = text
			}
			return true
		})
	}
	return found
}

// message gives an empty message for a type; nil if there is no such type.
func message(typ string) any {
	switch typ {
	case wire.TypeHello:
		return new(wire.Hello)
	case wire.TypeAuth:
		return new(wire.Auth)
	case wire.TypeWelcome:
		return new(wire.Welcome)
	case wire.TypeClock:
		return new(wire.Clock)
	case wire.TypeBye:
		return new(wire.Bye)
	case wire.TypeDelta:
		return new(wire.Delta)
	case wire.TypeApplied:
		return new(wire.Applied)
	case wire.TypeEvents:
		return new(wire.Events)
	case wire.TypeAcked:
		return new(wire.Acked)
	case wire.TypeClaim:
		return new(wire.Claim)
	case wire.TypeAnswer:
		return new(wire.Answer)
	case wire.TypePing:
		return new(wire.Ping)
	case wire.TypePong:
		return new(wire.Pong)
	case wire.TypeRing:
		return new(wire.Ring)
	case wire.TypeReply:
		return new(wire.Reply)
	case wire.TypeStand:
		return new(wire.Stand)
	case wire.TypePrint:
		return new(wire.Print)
	case wire.TypePrinted:
		return new(wire.Printed)
	case wire.TypeMove:
		return new(wire.Move)
	case wire.TypeMoved:
		return new(wire.Moved)
	case wire.TypeFetch:
		return new(wire.Fetch)
	case wire.TypePart:
		return new(wire.Part)
	}
	return nil
}

func TestProtocol_EveryMessageTypeHasAnExampleThatReads(t *testing.T) {
	shown := make(map[string]bool)
	for _, line := range examples(t) {
		f, err := wire.DecodeFrame([]byte(line))
		if err != nil {
			t.Errorf("%s\n%v", line, err)
			continue
		}
		if err := f.Into(message(f.Type)); err != nil {
			t.Errorf("%s\n%v", line, err)
		}
		shown[f.Type] = true
	}
	types := constants(t, "Type")
	if len(types) != 22 {
		t.Fatalf("found %d message types in the source: %v", len(types), types)
	}
	for name, typ := range types {
		if message(typ) == nil {
			t.Errorf("%s = %q is no message of these tests", name, typ)
		}
		if !shown[typ] {
			t.Errorf("%s = %q has no example", name, typ)
		}
	}
}

func TestProtocol_EveryByeCodeIsInTheTableAndNoOther(t *testing.T) {
	codes := constants(t, "Bye")
	if len(codes) != 11 {
		t.Fatalf("found %d codes in the source: %v", len(codes), codes)
	}
	text := protocol(t)
	table := text[strings.Index(text, "## Goodbye"):strings.Index(text, "## Streams")]
	rows := make(map[string]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\| (.*) \\|$").FindAllStringSubmatch(table, -1) {
		rows[row[1]] = row[2]
	}
	for name, code := range codes {
		want := map[bool]string{true: "tries every 10 s", false: "backs off"}[wire.Lasting(code)]
		if rows[code] != want {
			t.Errorf("%s = %q: the table says %q, want %q", name, code, rows[code], want)
		}
		delete(rows, code)
	}
	if len(rows) > 0 {
		t.Errorf("codes that do not exist: %v", rows)
	}
}

func TestProtocol_EveryItemKindIsInTheTableAndNoOther(t *testing.T) {
	kinds := constants(t, "Item")
	if len(kinds) != 16 {
		t.Fatalf("found %d kinds in the source: %v", len(kinds), kinds)
	}
	text := protocol(t)
	feed := text[strings.Index(text, "### down: the feed"):strings.Index(text, "### up: events")]
	rows := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(feed, -1) {
		rows[row[1]] = true
	}
	for name, kind := range kinds {
		if !rows[kind] {
			t.Errorf("%s = %q is not in the table", name, kind)
		}
		delete(rows, kind)
	}
	if len(rows) > 0 {
		t.Errorf("kinds that do not exist: %v", rows)
	}
}

func TestProtocol_EveryEventTypeIsInTheTableAndNoOther(t *testing.T) {
	types := constants(t, "Event")
	if len(types) != 11 {
		t.Fatalf("found %d types in the source: %v", len(types), types)
	}
	text := protocol(t)
	up := text[strings.Index(text, "### up: events"):strings.Index(text, "### ask: claims")]
	rows := make(map[string]bool)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(up, -1) {
		rows[row[1]] = true
	}
	for name, typ := range types {
		if !rows[typ] {
			t.Errorf("%s = %q is not in the table", name, typ)
		}
		delete(rows, typ)
	}
	if len(rows) > 0 {
		t.Errorf("types that do not exist: %v", rows)
	}
}

// What an example shows is what the types hold: nothing in it is unknown, and
// a decision in it is the judge's.
func TestProtocol_ExamplesOfEventsAndItemsAreTrue(t *testing.T) {
	strictly := func(raw json.RawMessage, into any) {
		t.Helper()
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.DisallowUnknownFields()
		if err := d.Decode(into); err != nil {
			t.Errorf("%s\n%v", raw, err)
		}
	}
	judged, items := 0, make(map[wire.ItemKind]bool)
	for _, line := range examples(t) {
		f, err := wire.DecodeFrame([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		m := message(f.Type)
		if err := f.Into(m); err != nil {
			t.Fatal(err)
		}
		switch m := m.(type) {
		case *wire.Events:
			for _, r := range m.Records {
				var e wire.Event
				strictly(r.Body, &e)
				if e.Case == nil {
					continue
				}
				judged++
				if v := verdict.Judge(e.Case); v != e.Verdict || !e.Type.Judged() {
					t.Errorf("%s: judged %+v, the example says %+v", e.ID, v, e.Verdict)
				}
			}
		case *wire.Delta:
			for _, it := range m.Items {
				if items[it.Kind] = true; it.Gone {
					continue
				}
				body := map[wire.ItemKind]any{
					wire.ItemRevocation: new(wire.Revocation), wire.ItemPhone: new(wire.Phone), wire.ItemDocuments: new(verdict.Guideline),
					wire.ItemGuard: new(wire.Guard), wire.ItemPass: new(wire.Pass),
					wire.ItemPolicy: new(wire.Policy), wire.ItemAlarm: new(wire.Alarm), wire.ItemInside: new(wire.Inside), wire.ItemPeer: new(wire.Peer), wire.ItemOwner: new(wire.Ownership),
				}[it.Kind]
				strictly(it.Body, body)
				if c, ok := body.(interface{ Check() error }); ok && c.Check() != nil {
					t.Errorf("%s: %v", it.Body, c.Check())
				}
			}
		}
	}
	if !items[wire.ItemPolicy] || !items[wire.ItemAlarm] || !items[wire.ItemInside] || !items[wire.ItemPeer] || !items[wire.ItemOwner] {
		t.Errorf("items %v: examples of policies are missing", items)
	}
	if judged == 0 || !items[wire.ItemDocuments] || !items[wire.ItemGuard] || !items[wire.ItemPass] {
		t.Errorf("%d judged events, items %v: examples are missing", judged, items)
	}
}

func TestProtocol_LimitsAreThoseOfTheCode(t *testing.T) {
	want := map[string]int{
		"MaxFrameBytes": wire.MaxFrameBytes, "FrameTarget": wire.FrameTarget, "MaxBatch": wire.MaxBatch,
		"MaxGroupItems": wire.MaxGroupItems, "MaxGroupBytes": wire.MaxGroupBytes, "UpWindow": wire.UpWindow,
		"AskWindow": wire.AskWindow, "AskTimeoutMS": wire.AskTimeoutMS, "RingMS": wire.RingMS, "CallLifeMS": wire.CallLifeMS, "MaxCalls": wire.MaxCalls, "HeartbeatMS": wire.HeartbeatMS,
		"PeerSilenceMS": wire.PeerSilenceMS, "WriteTimeoutMS": wire.WriteTimeoutMS, "HandshakeMS": wire.HandshakeMS,
		"FreshMS": wire.FreshMS, "MaxAddresses": wire.MaxAddresses, "MaxPeerFrame": wire.MaxPeerFrame, "PeerIdleMS": wire.PeerIdleMS, "PeerDoorMS": wire.PeerDoorMS, "PrintWaitMS": wire.PrintWaitMS, "MoveWaitMS": wire.MoveWaitMS, "MaxMoves": wire.MaxMoves, "MaxPrints": wire.MaxPrints, "ExporterBytes": wire.ExporterBytes, "NonceBytes": wire.NonceBytes,
		"LeasePingMS": wire.LeasePingMS, "LeaseMS": wire.LeaseMS, "LeaseGateMS": wire.LeaseGateMS, "ReserveMS": wire.ReserveMS,
		"AttemptMS": wire.AttemptMS, "MaxDark": wire.MaxDark, "MaxPart": wire.MaxPart,
	}
	text := protocol(t)
	for _, row := range regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| ([0-9]+) \\|$").FindAllStringSubmatch(text, -1) {
		if n, _ := strconv.Atoi(row[2]); want[row[1]] != n {
			t.Errorf("%s is %d, the table says %s", row[1], want[row[1]], row[2])
		}
		delete(want, row[1])
	}
	if len(want) > 0 {
		t.Errorf("not in the table: %v", want)
	}
	for _, s := range []string{wire.Path, wire.EnrolPath, wire.ExporterLabel, wire.PeerProtocol, "Version " + strconv.Itoa(wire.Version) + "."} {
		if !strings.Contains(text, s) {
			t.Errorf("%q is not mentioned", s)
		}
	}
}

func TestProtocol_EnrolExampleReads(t *testing.T) {
	block := regexp.MustCompile("(?ms)^```json enrol\n(.*?)^```$").FindStringSubmatch(protocol(t))
	if block == nil {
		t.Fatal("no example")
	}
	var e wire.Enrol
	d := json.NewDecoder(strings.NewReader(block[1]))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		t.Fatal(err)
	}
	code, err := wire.ParseEnrolCode(e.Code)
	if err != nil {
		t.Fatal(err)
	}
	if !code.Names(e.PublicKey) || code.Secret != [10]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9} {
		t.Fatalf("the example is not made of what it says; it should be %s", wire.FormatEnrolCode([10]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, e.PublicKey))
	}
}
