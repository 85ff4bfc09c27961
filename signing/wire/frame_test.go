package wire_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// bad are frames that must be refused, with a word of the reason.
var bad = []struct{ name, frame, reason string }{
	{"nothing", ``, "object"},
	{"null", `null`, "object"},
	{"a list", `[]`, "object"},
	{"half an object", `{"stream":"up"`, "EOF"},
	{"two objects", `{"stream":"up","type":"acked","body":{"seq":1}}{}`, "follows"},
	{"a word behind", `{"stream":"up","type":"acked","body":{"seq":1}} x`, "follows"},
	{"an unknown field", `{"stream":"up","type":"acked","body":{"seq":1},"more":1}`, "unknown field"},
	{"an unknown stream", `{"stream":"side","type":"acked","body":{"seq":1}}`, "no message"},
	{"an unknown type", `{"stream":"up","type":"ack","body":{"seq":1}}`, "no message"},
	{"a type of another stream", `{"stream":"up","type":"delta","body":{}}`, "no message"},
	{"bytes that are no text", "{\"stream\":\"up\",\"type\":\"\xff\"}", "UTF-8"},
	{"too many bytes", `{"stream":"up"` + strings.Repeat(" ", wire.MaxFrameBytes), "at most"},

	{"no body", `{"stream":"up","type":"acked"}`, "object"},
	{"a null body", `{"stream":"up","type":"acked","body":null}`, "object"},
	{"an unknown field in the body", `{"stream":"up","type":"acked","body":{"seq":1,"x":0}}`, "unknown field"},
	{"a negative seq", `{"stream":"up","type":"acked","body":{"seq":-1}}`, "seq"},
	{"no events", `{"stream":"up","type":"events","body":{"records":[]}}`, "0 records"},
	{"events from 0", `{"stream":"up","type":"events","body":{"records":[{"seq":0,"hash":"` + zeros + `","body":{}}]}}`, "start at 1"},
	{"a gap", `{"stream":"up","type":"events","body":{"records":[{"seq":4,"hash":"` + zeros + `","body":{}},{"seq":6,"hash":"` + zeros + `","body":{}}]}}`, "want 5"},
	{"an event that is none", `{"stream":"up","type":"events","body":{"records":[{"seq":4,"hash":"` + zeros + `","body":7}]}}`, "not an object"},
	{"a short hash", `{"stream":"up","type":"events","body":{"records":[{"seq":4,"hash":"00","body":{}}]}}`, "malformed hash"},
	{"an item of no kind", `{"stream":"down","type":"delta","body":{"cursor":{"lineage":"a","revision":1},"items":[{"kind":"","key":"k","body":{}}]}}`, "kind"},
	{"an item gone with a body", `{"stream":"down","type":"delta","body":{"cursor":{"lineage":"a","revision":1},"items":[{"kind":"use","key":"k","gone":true,"body":{}}]}}`, "not both"},
	{"an item of nothing", `{"stream":"down","type":"delta","body":{"cursor":{"lineage":"a","revision":1},"items":[{"kind":"use","key":"k"}]}}`, "not both"},
	{"an endless lineage", `{"stream":"down","type":"applied","body":{"cursor":{"lineage":"` + strings.Repeat("a", 65) + `","revision":1}}}`, "lineage"},
	{"a claim without an id", `{"stream":"ask","type":"claim","body":{"pass":"0011223344556677"}}`, "event id"},
	{"a claim id of two parts", `{"stream":"ask","type":"claim","body":{"id":"7-2"}}`, "event id"},
	{"an answer of no state", `{"stream":"ask","type":"answer","body":{"id":"7-2-1","state":""}}`, "no answer"},
	{"an answer of another state", `{"stream":"ask","type":"answer","body":{"id":"7-2-1","state":"maybe"}}`, "no answer"},
	{"a call without an id", `{"stream":"call","type":"ring","body":{"gate":1,"lane":"a","at":1,"reason":"help"}}`, "event id"},
	{"a call of no gate", `{"stream":"call","type":"ring","body":{"id":"7-2-1","gate":0,"lane":"a","at":1,"reason":"help"}}`, "start at 1"},
	{"a call for no reason", `{"stream":"call","type":"ring","body":{"id":"7-2-1","gate":1,"lane":"a","at":1,"reason":"tea"}}`, "none of a call"},
	{"a document call without a scan", `{"stream":"call","type":"ring","body":{"id":"7-2-1","gate":1,"lane":"a","at":1,"reason":"document"}}`, "want a scan"},
	{"a call with an endless name", `{"stream":"call","type":"ring","body":{"id":"7-2-1","gate":1,"lane":"a","at":1,"reason":"help","subject":{"name":"` + zeros + zeros + `"}}}`, "name"},
	{"an admission by nobody", `{"stream":"call","type":"reply","body":{"id":"7-2-1","answer":"admit","gate":1,"documents":["id_card"]}}`, "wants a guard"},
	{"an admission without documents", `{"stream":"call","type":"reply","body":{"id":"7-2-1","answer":"admit","gate":1,"guard":"G1"}}`, "wants a guard"},
	{"a guard who comes with documents", `{"stream":"call","type":"reply","body":{"id":"7-2-1","answer":"coming","gate":1,"documents":["id_card"]}}`, "without an admission"},
	{"an answer to a call of another kind", `{"stream":"call","type":"reply","body":{"id":"7-2-1","answer":"later","gate":1}}`, "none to a call"},
	{"a call that stands nowhere", `{"stream":"call","type":"stand","body":{"id":"7-2-1","state":"calling"}}`, "cannot stand"},
	{"a print of nothing", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[]}}`, "0 rows"},
	{"a print of a whole roll", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[` + strings.Repeat(`{},`, 60) + `{}]}}`, "61 rows"},
	{"a print without an id", `{"stream":"ask","type":"print","body":{"id":"","rows":[{"rule":true}]}}`, "print id"},
	{"a print with an id of blanks", `{"stream":"ask","type":"print","body":{"id":"0190 aaaa","rows":[{"rule":true}]}}`, "letters"},
	{"a print of an endless line", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[{"text":"` + strings.Repeat("x", 1001) + `"}]}}`, "text of 1001"},
	{"a print of an endless code", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[{"qr":"` + strings.Repeat("X", 701) + `"}]}}`, "QR text of 701"},
	{"a print of a code of control bytes", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[{"qr":"\u001b@"}]}}`, "ASCII"},
	{"a print askew", `{"stream":"ask","type":"print","body":{"id":"0190aaaa","rows":[{"align":"up"}]}}`, "align"},
	{"a move nowhere", `{"stream":"ask","type":"move","body":{"id":"move-0001","pass":"00112233445566cc","from":3,"to":3,"epoch":1,"agent_epoch":1,"iat":1,"exp":2}}`, "two gates"},
	{"a move of no epoch", `{"stream":"ask","type":"move","body":{"id":"move-0001","pass":"00112233445566cc","from":3,"to":5,"epoch":0,"agent_epoch":1,"iat":1,"exp":2}}`, "epochs"},
	{"a move with an id of blanks", `{"stream":"ask","type":"move","body":{"id":"move 0001","pass":"00112233445566cc","from":3,"to":5,"epoch":1,"agent_epoch":1,"iat":1,"exp":2}}`, "letters"},
	{"moved in no state", `{"stream":"ask","type":"moved","body":{"id":"move-0001","state":"perhaps"}}`, "none of a move"},
	{"released by nothing", `{"stream":"ask","type":"moved","body":{"id":"move-0001","state":"released"}}`, "another move"},
	{"an answer that grants and sends elsewhere", `{"stream":"ask","type":"answer","body":{"id":"7-2-88","state":"granted","owner":5,"epoch":1}}`, "owner 5"},
	{"an answer with an owner of no epoch", `{"stream":"ask","type":"answer","body":{"id":"7-2-88","state":"silent","owner":5}}`, "epoch 0"},
	{"an address without a port", `{"stream":"link","type":"clock","body":{"t0":1,"health":{"queue":0,"addresses":["gate"]}}}`, "host:port"},
	{"nine addresses", `{"stream":"link","type":"clock","body":{"t0":1,"health":{"queue":0,"addresses":["a:1","a:2","a:3","a:4","a:5","a:6","a:7","a:8","a:9"]}}}`, "at most 8"},
	{"printed in no state", `{"stream":"ask","type":"printed","body":{"id":"0190aaaa","state":"perhaps"}}`, "print state"},
	{"not printed, for no reason", `{"stream":"ask","type":"printed","body":{"id":"0190aaaa","state":"failed"}}`, "reason"},
	{"a hello with a short nonce", `{"stream":"link","type":"hello","body":{"version":1,"site":"s","nonce":"AAEC"}}`, "nonce"},
	{"an auth of nobody", `{"stream":"link","type":"auth","body":{"version":1,"agent":0,"epoch":1}}`, "start at 1"},
	{"an auth with half a signature", `{"stream":"link","type":"auth","body":{"version":1,"agent":1,"epoch":1,"signature":"AAEC"}}`, "signature"},
	{"a bye without a code", `{"stream":"link","type":"bye","body":{"message":"ciao"}}`, "code"},
}

var zeros = strings.Repeat("0", 64)

// readFrame reads a frame and its body.
func readFrame(raw []byte) (wire.Frame, any, error) {
	f, err := wire.DecodeFrame(raw)
	if err != nil {
		return f, nil, err
	}
	m := message(f.Type)
	return f, m, f.Into(m)
}

func TestFrame_RefusesWhatMustNotBe(t *testing.T) {
	for _, c := range bad {
		_, _, err := readFrame([]byte(c.frame))
		if !errors.Is(err, wire.ErrProtocol) || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want a protocol error with %q", c.name, err, c.reason)
		}
	}
}

func TestFrame_AnotherVersionIsReadFarEnoughToBeTold(t *testing.T) {
	for _, raw := range []string{
		`{"stream":"link","type":"hello","body":{"version":9,"realm":{"new":true}}}`,
		`{"stream":"link","type":"auth","body":{"version":9,"agent":0,"proofs":[1,2]}}`,
		`{"stream":"link","type":"bye","body":{"code":"version","message":"","retry_after":3}}`,
	} {
		if _, _, err := readFrame([]byte(raw)); err != nil {
			t.Errorf("%s\n%v", raw, err)
		}
	}
}

func TestFrame_TooLargeIsNotSent(t *testing.T) {
	_, err := wire.EncodeFrame(wire.Down, wire.TypeApplied, wire.Applied{Fault: strings.Repeat("x", wire.MaxFrameBytes)})
	if !errors.Is(err, wire.ErrTooLarge) {
		t.Fatal(err)
	}
}

func TestClip_CutsBetweenCharacters(t *testing.T) {
	long := strings.Repeat("门", 400)
	got := wire.Clip(long)
	if !strings.HasPrefix(long, got) || len(got) != 498 || wire.Clip("short") != "short" {
		t.Fatalf("%d bytes: %q", len(got), got)
	}
}

// The bytes were put together by hand from the layout in PROTOCOL.md.
func TestAuthBytes_AreWhatTheProtocolSays(t *testing.T) {
	got := wire.AuthBytes("xq", 7, 0x102, []byte{0xaa, 0xbb}, []byte{0xcc})
	want := "63616d70757367617465206c696e6b206175746820763100" + "00027871" + "00000007" + "00000102" + "0002aabb" + "0001cc"
	if hex.EncodeToString(got) != want {
		t.Fatalf("got  %x\nwant %s", got, want)
	}
}

func TestAuthBytes_DifferWhenAnyFieldDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type fields struct {
			Site            string
			Agent, Epoch    uint32
			Nonce, Exporter []byte
		}
		draw := func(label string) fields {
			return fields{
				rapid.SampledFrom([]string{"", "a", "ab", "b"}).Draw(t, label+" site"),
				rapid.Uint32Range(0, 2).Draw(t, label+" agent"), rapid.Uint32Range(0, 2).Draw(t, label+" epoch"),
				rapid.SliceOfN(rapid.ByteRange(0, 1), 0, 3).Draw(t, label+" nonce"),
				rapid.SliceOfN(rapid.ByteRange(0, 1), 0, 3).Draw(t, label+" exporter"),
			}
		}
		a, b := draw("a"), draw("b")
		same := bytes.Equal(
			wire.AuthBytes(a.Site, a.Agent, a.Epoch, a.Nonce, a.Exporter),
			wire.AuthBytes(b.Site, b.Agent, b.Epoch, b.Nonce, b.Exporter))
		equal := a.Site == b.Site && a.Agent == b.Agent && a.Epoch == b.Epoch && bytes.Equal(a.Nonce, b.Nonce) && bytes.Equal(a.Exporter, b.Exporter)
		if same != equal {
			t.Fatalf("%+v and %+v: same bytes %v", a, b, same)
		}
	})
}

func TestEventsFrame_KeepsOrderBytesAndBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var prev wire.Hash
		var records []wire.Record
		for i := range rapid.IntRange(1, 300).Draw(t, "records") {
			e := wire.Event{ID: wire.EventID{Agent: 1, Epoch: 1, Seq: uint64(i + 1)}, Type: wire.EventScan, Lane: rapid.StringN(0, 200, 800).Draw(t, "lane")}
			r, err := wire.Seal(prev, &e)
			if err != nil {
				t.Fatal(err)
			}
			records, prev = append(records, r), r.Hash
		}
		prev = wire.Hash{}
		for rest := records; len(rest) > 0; {
			frame, n, err := wire.EventsFrame(rest)
			if err != nil || n == 0 {
				t.Fatal(n, err)
			}
			if n > 1 && len(frame) > wire.FrameTarget+100 {
				t.Fatalf("a frame of %d records has %d bytes", n, len(frame))
			}
			_, m, err := readFrame(frame)
			if err != nil {
				t.Fatal(err)
			}
			for i, r := range m.(*wire.Events).Records {
				if r.Seq != rest[i].Seq || wire.Chain(prev, r.Body) != r.Hash {
					t.Fatalf("record %d: its bytes have changed on the way", r.Seq)
				}
				prev = r.Hash
			}
			rest = rest[n:]
		}
	})
}

func TestDeltaFrames_AreOneGroupOfAllItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := wire.Delta{
			Cursor: wire.Cursor{Lineage: "l", Revision: 9},
			Reset:  rapid.Bool().Draw(t, "reset"), More: rapid.Bool().Draw(t, "more"),
		}
		for range rapid.IntRange(0, 500).Draw(t, "items") {
			body, err := json.Marshal(strings.Repeat("x", rapid.IntRange(0, 3000).Draw(t, "size")))
			if err != nil {
				t.Fatal(err)
			}
			d.Items = append(d.Items, wire.Item{Kind: wire.ItemUse, Key: "k", Body: body})
		}
		frames, err := wire.DeltaFrames(d)
		if err != nil {
			t.Fatal(err)
		}
		var items []wire.Item
		for i, frame := range frames {
			_, m, err := readFrame(frame)
			if err != nil {
				t.Fatal(err)
			}
			got := m.(*wire.Delta)
			last := i == len(frames)-1
			if got.Cursor != d.Cursor || got.Reset != (d.Reset && i == 0) || got.More != (d.More || !last) {
				t.Fatalf("frame %d of %d: %+v", i, len(frames), got)
			}
			items = append(items, got.Items...)
		}
		if len(items) != len(d.Items) || (len(items) > 0 && !reflect.DeepEqual(items, d.Items)) {
			t.Fatalf("%d items came of %d", len(items), len(d.Items))
		}
	})
}

func TestPack_RefusesWhatNoFrameHolds(t *testing.T) {
	body, err := json.Marshal(strings.Repeat("x", wire.MaxFrameBytes))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.DeltaFrames(wire.Delta{Items: []wire.Item{{Kind: wire.ItemUse, Body: body}}}); !errors.Is(err, wire.ErrTooLarge) {
		t.Error(err)
	}
	if _, _, err := wire.EventsFrame([]wire.Record{{Seq: 1, Body: body}}); !errors.Is(err, wire.ErrTooLarge) {
		t.Error(err)
	}
}

func TestOutbox_GivesTheMostUrgentFirst(t *testing.T) {
	o := wire.NewOutbox()
	for _, s := range []wire.Stream{wire.Down, wire.Up, wire.Ask, wire.Link, wire.Down} {
		if err := o.Put(t.Context(), s, []byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for range 5 {
		frame, err := o.Take(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(frame))
	}
	if want := []string{"link", "ask", "up", "down", "down"}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
}

func TestOutbox_IsBoundedAndAStreamFillsOnlyItself(t *testing.T) {
	o := wire.NewOutbox()
	n := 0
	for o.Offer(wire.Down, nil) {
		if n++; n > 1000 {
			t.Fatal("no bound")
		}
	}
	if !o.Offer(wire.Ask, nil) || o.Offer("no such stream", nil) {
		t.Fatal("full, or a stream that does not exist takes frames")
	}
	why := errors.New("the end")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if err := o.Put(ctx, wire.Down, nil); !errors.Is(err, why) {
		t.Fatal(err)
	}
	empty := wire.NewOutbox()
	if _, err := empty.Take(ctx); !errors.Is(err, why) {
		t.Fatal(err)
	}
}

func TestPending_AnswersEverybodyWhoWaitsOnce(t *testing.T) {
	var p wire.Pending[wire.Answer]
	one, forgetOne, _ := p.Wait("1-1-1")
	two, forgetTwo, _ := p.Wait("1-1-1")
	other, forgetOther, _ := p.Wait("1-1-2")
	a := wire.Answer{ID: "1-1-1", State: verdict.ClaimGranted}
	p.Settle(a.ID, a)
	p.Settle(a.ID, wire.Answer{ID: "1-1-1", State: verdict.ClaimUsed}) // a second answer is dropped
	p.Settle("1-1-9", wire.Answer{ID: "1-1-9"})
	if got := <-one; got.ID != a.ID || got.State != a.State || !reflect.DeepEqual(<-two, a) || len(other) != 0 || len(one) != 0 {
		t.Fatal("answers went astray")
	}
	forgetOne()
	forgetOne()
	forgetTwo()
	forgetOther()
	for i := range wire.AskWindow {
		if _, _, ok := p.Wait("1-1-3"); !ok {
			t.Fatalf("full with %d", i)
		}
	}
	if _, _, ok := p.Wait("1-1-4"); ok {
		t.Fatal("no bound")
	}
}

func TestBackoff_GrowsToItsLimitAndIsJittered(t *testing.T) {
	const all = 1<<32 - 1
	var got []time.Duration
	for n := range 8 {
		got = append(got, wire.Backoff(n+1, time.Second, 20*time.Second, all))
	}
	want := []time.Duration{1e9, 2e9, 4e9, 8e9, 16e9, 20e9, 20e9, 20e9}
	if !slices.Equal(got, want) {
		t.Fatalf("%v", got)
	}
	if low := wire.Backoff(64, time.Second, 20*time.Second, 0); low != 10*time.Second {
		t.Fatalf("%v", low)
	}
}

func FuzzFrame(f *testing.F) {
	for _, line := range examples(f) {
		f.Add([]byte(line))
	}
	for _, c := range bad {
		f.Add([]byte(c.frame))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		frame, m, err := readFrame(raw)
		if err != nil {
			if !errors.Is(err, wire.ErrProtocol) {
				t.Fatalf("%v is no protocol error", err)
			}
			return
		}
		again, err := wire.EncodeFrame(frame.Stream, frame.Type, m)
		if errors.Is(err, wire.ErrTooLarge) {
			return // escapes are longer than what they stand for
		}
		if err != nil {
			t.Fatal(err)
		}
		_, m2, err := readFrame(again)
		if err != nil {
			t.Fatalf("%s\nbecame %s\n%v", raw, again, err)
		}
		third, err := wire.EncodeFrame(frame.Stream, frame.Type, m2)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%s\nbecame %s, %v", again, third, err)
		}
	})
}

func TestFuzzCorpora_AreThere(t *testing.T) {
	for target, least := range map[string]int{"FuzzFrame": 11, "FuzzEnrolCode": 3} {
		seeds, err := filepath.Glob(filepath.Join("testdata", "fuzz", target, "*"))
		if err != nil || len(seeds) < least {
			t.Errorf("%s has %d seeds, want %d: %v", target, len(seeds), least, err)
		}
		for _, name := range seeds {
			if raw, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(raw, []byte("go test fuzz v1\n")) {
				t.Errorf("%s is no seed: %v", name, err)
			}
		}
	}
	if n := len(examples(t)); n < 11 {
		t.Errorf("PROTOCOL.md gives %d frames to start from", n)
	}
}
