package snapshot_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/snapshot"
	"campusgate/signing"
	"campusgate/signing/pin"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

const now = nowMS / 1000

// look is a pass to look up, valid from and until so many hours from now.
func look(tb testing.TB, n uint64, name string, from, until int64, zones signing.Zones) wire.Item {
	return wire.Item{Kind: wire.ItemPass, Key: passID(n).String(), Body: raw(tb, wire.Pass{
		Kind: signing.Work, Name: name, From: now + from*3600, Expires: now + until*3600, Uses: 2, Zones: zones,
	})}
}

func guardItem(tb testing.TB, number, name string, gates ...uint16) wire.Item {
	return wire.Item{Kind: wire.ItemGuard, Key: number, Body: raw(tb, wire.Guard{Name: name, Hash: pin.Nobody, Gates: gates})}
}

func guidelineItem(tb testing.TB, rule string) wire.Item {
	return wire.Item{Kind: wire.ItemDocuments, Body: raw(tb, verdict.Guideline{
		Documents: []verdict.DocumentKind{{ID: "work_permit", Name: verdict.Words{ZH: "工作证", EN: "Work permit"}}},
		Rules:     []verdict.DocumentRule{{ID: rule, Documents: [][]string{{"work_permit"}}}},
	})}
}

func TestApply_GuidelineAndGuardsOfThisGate(t *testing.T) {
	s := newStore(t)
	if s.Guideline() != nil {
		t.Fatal("a guideline before any came")
	}
	check(t, s.Apply(group(true, 1, guidelineItem(t, "one"),
		guardItem(t, "G1", "秦砚书", gate), guardItem(t, "G2", "沈未央"), guardItem(t, "G3", "顾长青", 9))))
	want := func(rule string, guards ...string) {
		t.Helper()
		if g := s.Guideline(); (g == nil) != (rule == "") || g != nil && g.Rule(rule) == nil {
			t.Fatalf("guideline %+v, want one with %q", g, rule)
		}
		n := 0
		for _, number := range []string{"G1", "G2", "G3"} {
			if g, ok := s.Guard(number); ok {
				if n++; g.Hash != pin.Nobody || g.Name == "" {
					t.Fatalf("guard %+v", g)
				}
			}
		}
		for _, number := range guards {
			if _, ok := s.Guard(number); !ok {
				t.Fatalf("%s is not known", number)
			}
		}
		if n != len(guards) || s.rows("guards") != n {
			t.Fatalf("%d guards, %d stored, want %v", n, s.rows("guards"), guards)
		}
	}
	want("one", "G1", "G2")
	s.reopen()
	want("one", "G1", "G2")
	// Another gate now, and gone.
	check(t, s.Apply(group(false, 2, guardItem(t, "G1", "秦砚书", 9), gone(guardItem(t, "G2", "")), guidelineItem(t, "two"))))
	want("two")
	s.reopen()
	want("two")
	check(t, s.Apply(group(false, 3, gone(guidelineItem(t, "")), guardItem(t, "G3", "顾长青", gate, 9))))
	want("", "G3")
	check(t, s.Apply(group(true, 1)))
	want("")
	s.reopen()
	want("")
}

func TestApply_RefusesGuardsAndPassesThatMakeNoSense(t *testing.T) {
	s := newStore(t)
	for name, it := range map[string]wire.Item{
		"no number":    {Kind: wire.ItemGuard, Body: raw(t, wire.Guard{Hash: pin.Nobody})},
		"no hash":      {Kind: wire.ItemGuard, Key: "G1", Body: raw(t, wire.Guard{Name: "秦砚书"})},
		"dear hash":    {Kind: wire.ItemGuard, Key: "G1", Body: raw(t, wire.Guard{Hash: "$argon2id$v=19$m=4194304,t=9,p=1$AAAA$AAAA"})},
		"no pass":      {Kind: wire.ItemPass, Key: "xy", Body: raw(t, wire.Pass{Kind: signing.Work})},
		"no gate pass": {Kind: wire.ItemPass, Key: passID(1).String(), Body: raw(t, wire.Pass{Kind: signing.Pay})},
		"no guideline": {Kind: wire.ItemDocuments, Body: []byte(`[]`)},
	} {
		if err := s.Apply(group(true, 1, it)); !errors.Is(err, snapshot.ErrItem) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// found searches and gives ids and states.
func (s *store) found(query string) map[signing.PassID]string {
	s.tb.Helper()
	list, _, err := s.Search(s.tb.Context(), query, time.UnixMilli(nowMS))
	check(s.tb, err)
	states := map[signing.PassID]string{}
	for _, f := range list {
		states[f.ID] = f.State
	}
	return states
}

func TestSearch_FindsByNameAndByID(t *testing.T) {
	s := newStore(t)
	check(t, s.Apply(group(true, 1, gateItem(t, "3", wire.Gate{ID: gate, Name: "东门", Zone: 2, Mode: verdict.Owner}),
		look(t, 1, "陆知行", -1, 5, 0), look(t, 2, "陆知夏", 30, 50, 0b10), look(t, 3, "陆知秋", -1, 5, 0b1), // of another zone
		look(t, 4, "陆知冬", -9, -1, 0), look(t, 5, "陆知春", 80, 90, 0), // over, and too far off
		look(t, 6, "Lu Zhi_100%", -1, 5, 0b11), look(t, 7, "陆知礼", -1, 5, 0), look(t, 8, "陆知义", -1, 5, 0),
		revoked(t, 7), used(t, 8, 2),
	)))
	all := map[signing.PassID]string{passID(1): "valid", passID(2): "not_yet", passID(7): "revoked", passID(8): "used"}
	for query, want := range map[string]map[signing.PassID]string{
		"陆知": all, " 陆知 ": all, "知行": {passID(1): "valid"}, "lu zhi": {passID(6): "valid"}, "_1": {passID(6): "valid"}, "0%": {passID(6): "valid"},
		"%%": {}, "__": {}, "' OR 1=1 --": {}, "没有这个人": {},
		passID(2).String(): {passID(2): "not_yet"}, "0000000000000006": {passID(6): "valid"},
	} {
		if got := s.found(query); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
	if got := s.found("0000"); len(got) != 5 {
		t.Errorf("by the beginning of an id: %v", got)
	}
	list, _, err := s.Search(t.Context(), "知行", time.UnixMilli(nowMS))
	check(t, err)
	want := snapshot.Found{ID: passID(1), Kind: signing.Work, Name: "陆知行", From: now - 3600, Until: now + 5*3600, Uses: 2, State: "valid"}
	if len(list) != 1 || list[0] != want {
		t.Errorf("found %+v, want %+v", list, want)
	}
	for _, query := range []string{"", " ", "陆", "\xff\xff", fmt.Sprintf("%0100d", 0)} {
		if _, _, err := s.Search(t.Context(), query, time.UnixMilli(nowMS)); !errors.Is(err, snapshot.ErrQuery) {
			t.Errorf("%.20q: %v", query, err)
		}
	}
}

func TestSearch_GivesAFewAndSaysThatThereAreMore(t *testing.T) {
	s := newStore(t)
	var items []wire.Item
	for n := range uint64(300) { // a large group, staged beforehand
		items = append(items, look(t, n, fmt.Sprintf("陆知%03d", n), -1, 5, 0))
	}
	check(t, s.Apply(group(true, 1, items...)))
	list, more, err := s.Search(t.Context(), "陆知", time.UnixMilli(nowMS))
	if err != nil || !more || len(list) != 20 || list[0].Name != "陆知000" {
		t.Fatalf("%d, more %v, %v", len(list), more, err)
	}
	check(t, s.Apply(group(true, 2, items[:20]...)))
	if list, more, err := s.Search(t.Context(), "陆知", time.UnixMilli(nowMS)); err != nil || more || len(list) != 20 {
		t.Fatalf("%d, more %v, %v", len(list), more, err)
	}
	if n := s.rows("passes"); n != 20 {
		t.Fatalf("%d rows are left", n)
	}
	// Twice the day after they ended.
	check(t, s.j.Update(func(book lane.Book) error { return book.SetClock(desk.Clock{Synced: nowMS + 48*3_600_000}) }))
	check(t, s.Prune(time.UnixMilli(nowMS+48*3_600_000)))
	if n := s.rows("passes"); n != 0 {
		t.Fatalf("%d rows are left of passes that ended", n)
	}
}

// BenchmarkPasses takes a snapshot of 10,000 passes to look up, and searches
// among them.
func BenchmarkPasses(b *testing.B) {
	s := newStore(b)
	var items []wire.Item
	for n := range uint64(10_000) {
		items = append(items, look(b, n*7919, fmt.Sprintf("陆知%04d", n), -1, 24, 0))
	}
	deltas := group(true, 1, items...)
	items = nil
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	before := heap()
	begin := time.Now()
	check(b, s.Apply(deltas))
	applied := time.Since(begin)
	after := heap()
	for b.Loop() {
		if list, _, err := s.Search(b.Context(), "知9999", time.UnixMilli(nowMS)); err != nil || len(list) != 1 {
			b.Fatal(list, err)
		}
	}
	runtime.KeepAlive(deltas)
	b.ReportMetric(applied.Seconds()*1000, "apply-ms")
	b.ReportMetric(after-before, "heap-MB")
}
