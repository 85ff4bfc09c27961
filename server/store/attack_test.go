package store_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Whatever is done to the trail behind the program's back is found: by the
// chain, or, where the end was cut off or the whole was written anew, by a head
// that was noted elsewhere.
func TestAttack_Trail_AlteredDeletedReorderedTruncated(t *testing.T) {
	for name, c := range map[string]struct {
		sql   []string
		chain bool // finds it
	}{
		"altered":                  {[]string{"UPDATE trail SET details = '{}' WHERE id = 2"}, true},
		"altered time":             {[]string{"UPDATE trail SET at = at + 1 WHERE id = 2"}, true},
		"deleted":                  {[]string{"DELETE FROM trail WHERE id = 2"}, true},
		"deleted and numbered":     {[]string{"DELETE FROM trail WHERE id = 2", "UPDATE trail SET id = 2 WHERE id = 3", "UPDATE trail SET id = 3 WHERE id = 4"}, true},
		"reordered":                {[]string{"UPDATE trail SET id = 99 WHERE id = 2", "UPDATE trail SET id = 2 WHERE id = 3", "UPDATE trail SET id = 3 WHERE id = 99"}, true},
		"cut off at the end":       {[]string{"DELETE FROM trail WHERE id >= 3"}, false},
		"cut off altogether":       {[]string{"DELETE FROM trail"}, false},
		"cut off, and went on":     {[]string{"DELETE FROM trail WHERE id >= 3"}, false},
		"one entry put at the end": {[]string{"INSERT INTO trail (id, at, actor, action, target, details, hash) VALUES (1000, 1, 'x', 'x', 'x', '{}', x'00')"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newStore(t)
			for _, n := range []string{"a", "b", "c"} {
				addGate(t, s, n, verdict.Owner)
			}
			noted := must(s.TrailHead(t.Context()))(t)
			read := must(store.ParseTrailHead(noted.String()))(t)
			ok(t, s.HoldsTrail(t.Context(), read))
			addGate(t, s, "d", verdict.Owner)
			must(s.VerifyTrail(t.Context()))(t)
			ok(t, s.HoldsTrail(t.Context(), read))

			for _, sql := range c.sql {
				ok(t, s.Exec(sql))
			}
			if name == "cut off, and went on" {
				for i := range 5 {
					addGate(t, s, fmt.Sprint("e", i), verdict.Owner)
				}
			}
			_, err := s.VerifyTrail(t.Context())
			if c.chain {
				wants(t, err, store.ErrBroken)
				return
			}
			ok(t, err) // the chain alone does not see it
			wants(t, s.HoldsTrail(t.Context(), read), store.ErrBroken)
		})
	}
	for _, text := range []string{"", "1", "1:00", "-1:" + strings.Repeat("0", 64), "0:" + strings.Repeat("0", 64), "x:y"} {
		if h, err := store.ParseTrailHead(text); err == nil {
			t.Errorf("%q is read as %v", text, h)
		}
	}
}

// poisons are bodies of events that an agent gone bad may write. Those with
// another problem than none do nothing but lie in quarantine.
func poisons(id string) map[string]string {
	deep := strings.Repeat(`{"a":`, 12_000) + "1" + strings.Repeat("}", 12_000)
	event := func(more string) string {
		return `{"id":"` + id + `","type":"scan","gate":1,"verdict":{"reason":"granted"},"counts":true` + more + `}`
	}
	return map[string]string{
		"at the year 292 million": event(fmt.Sprintf(`,"at":%d`, int64(math.MaxInt64))),
		"before all time":         event(fmt.Sprintf(`,"at":%d`, int64(math.MinInt64))),
		"expiry overflows":        event(fmt.Sprintf(`,"pass":"00112233445566aa","case":{"code":{"kind":"work","exp":%d,"uses":4294967295}}`, int64(math.MaxInt64))),
		"expiry underflows":       event(fmt.Sprintf(`,"pass":"00112233445566aa","case":{"code":{"kind":"work","exp":%d,"uses":1}}`, int64(math.MinInt64))),
		"deep":                    event(`,"x":` + deep),
		"an unknown type":         strings.Replace(event(""), `"scan"`, `"explode"`, 1),
		"a claim of SQL":          event(`,"claim":"'; DROP TABLE events; --"`),
		"a claim of nothing":      event(`,"claim":"9-9-9","for":9`),
		"it annuls itself":        event(`,"annuls":"` + id + `"`),
		"it annuls the future":    event(`,"annuls":"1-1-18446744073709551615"`),
		"an alarm without end":    strings.Replace(event(fmt.Sprintf(`,"alarm":{"state":"open","source":"guard","since":%d}`, int64(math.MaxInt64))), `"scan"`, `"alarm"`, 1),
		"twice the same name":     event(`,"gate":1,"gate":1,"gate":1`),
		"no UTF-8":                event(",\"note\":\"\xff\xfe\""),
		"null":                    "null",
		"a list":                  "[]",
		"nothing":                 "",
		"a float":                 event(`,"at":1e400`),
	}
}

// Poisoned events are taken in or put aside; nothing of them stops what the
// agent, or another one, sends afterwards.
func TestAttack_PoisonedEventsStopNothing(t *testing.T) {
	for name, body := range poisons("1-1-1") {
		t.Run(name, func(t *testing.T) {
			s, c := newStore(t)
			l, other := gateLog(t, s, c, "east", 2), gateLog(t, s, c, "west", 3)
			l.seq, l.head = 1, wire.Chain(wire.Hash{}, []byte(body))
			l.send(t, s, wire.Record{Seq: 1, Hash: l.head, Body: json.RawMessage(body)})
			l.send(t, s, l.add(t, admit(passID(2), 1, c.seconds()+60)))
			other.send(t, s, other.add(t, admit(passID(3), 1, c.seconds()+60)))
			var f feedMap
			f.pull(t, s, 100)
			for _, n := range []int{2, 3} {
				if u, there := f.use(t, passID(n)); !there || u.Count != 1 {
					t.Errorf("pass %d: %+v", n, u)
				}
			}
			ok(t, s.PruneFeed(t.Context(), c.at()))
			ok(t, s.SaveOpinions(t.Context(), nil, 1))
			must(s.VerifyTrail(t.Context()))(t)
		})
	}
}

// The same agent in two epochs, with the number of the other: an agent that was
// enrolled again cannot be spoken for by its earlier disk.
func TestAttack_EarlierEpochCountsForNothingNew(t *testing.T) {
	s, c := newStore(t)
	l := gateLog(t, s, c, "east", 2)
	l.send(t, s, l.add(t, admit(passID(1), 1, c.seconds()+60)))
	c.add(time.Minute)
	now := enrol(t, s, c, l.gate, 4)
	if now.Epoch != 2 {
		t.Fatalf("epoch %d", now.Epoch)
	}
	if _, err := s.Ingest(t.Context(), now.ID, 3, nil); err == nil {
		t.Error("an epoch that never was is taken in")
	}
	forged := l.add(t, admit(passID(2), 1, c.seconds()+60))
	forged.Body = bytes.Replace(forged.Body, []byte(`"1-1-2"`), []byte(`"1-2-2"`), 1)
	forged.Hash = wire.Chain(l.head, forged.Body)
	must(s.Ingest(t.Context(), l.agent, 1, []wire.Record{forged}))(t)
	if q := must(s.Quarantine(t.Context(), 0, 10))(t); len(q) != 1 {
		t.Errorf("quarantine %+v", q)
	}
}

// FuzzIngest: whatever an agent's events say, in a chain that holds, they are
// taken in or put aside, and the next event counts.
func FuzzIngest(f *testing.F) {
	for _, body := range poisons("1-1-1") {
		if len(body) < 1000 {
			f.Add([]byte(body))
		}
	}
	for _, e := range []string{
		`{"id":"1-1-1","type":"grant","at":1,"gate":1,"pass":"00112233445566cc","claim":"2-1-1","for":2,"counts":true,"verdict":{"reason":"granted"}}`,
		`{"id":"1-1-1","type":"annul","at":1,"gate":1,"pass":"00112233445566cc","annuls":"1-1-1","claim":"1-1-1"}`,
		`{"id":"1-1-1","type":"charge","at":1,"gate":1,"verdict":{"reason":"granted"},"charge":{"account":"1","amount_fen":1}}`,
		`{"id":"1-1-1","type":"scan","at":1,"gate":1,"verdict":{"reason":"granted"},"counts":true,"pass":"00112233445566cc","case":{"lane":{"direction":"in"},"code":{"kind":"resident_single","exp":1900000000,"uses":1,"owner":1}}}`,
	} {
		f.Add([]byte(e))
	}
	s, c := newStore(f)
	l := gateLog(f, s, c, "east", 2)
	var feed feedMap
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 64<<10 {
			return
		}
		l.seq++
		text := strings.ReplaceAll(string(body), `"1-1-1"`, fmt.Sprintf(`"1-1-%d"`, l.seq))
		l.head = wire.Chain(l.head, []byte(text))
		l.send(t, s, wire.Record{Seq: l.seq, Hash: l.head, Body: json.RawMessage(text)})
		l.send(t, s, l.add(t, wire.Event{Type: wire.EventScan, Verdict: verdict.Verdict{Reason: verdict.Expired}}))
		feed.pull(t, s, 1000)
	})
}
