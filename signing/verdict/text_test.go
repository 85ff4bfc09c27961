package verdict_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"campusgate/signing/verdict"
)

// How long a text may be, in characters: what fits the guard's screen at the
// size at which it is read from two metres.
var longest = map[string]struct{ word, title, next int }{
	verdict.Chinese: {4, 14, 24},
	verdict.English: {12, 38, 80},
}

func TestTexts_EveryReasonInEveryLanguage(t *testing.T) {
	all := verdict.Texts()
	if len(all) != len(longest) {
		t.Errorf("%d languages, want %d", len(all), len(longest))
	}
	for lang, limit := range longest {
		for key, text := range all[lang] {
			reason, mark, marked := strings.Cut(key, ".")
			r, err := verdict.ParseReason(reason)
			if err != nil {
				t.Errorf("%s: a text of %q: %v", lang, key, err)
				continue
			}
			if marked && text != verdict.TextOfVerdict(verdict.Verdict{Reason: r, Mark: verdict.Mark(mark)}, lang) {
				t.Errorf("%s: TextOfVerdict is not the text of %s", lang, key)
			}
			for part, s := range map[string]struct {
				text string
				max  int
			}{"word": {text.Word, limit.word}, "title": {text.Title, limit.title}, "next": {text.Next, limit.next}} {
				checkText(t, lang+" "+key+" "+part, lang, s.text, s.max)
			}
		}
		for _, r := range verdict.Reasons() {
			text, ok := all[lang][r.String()]
			if !ok {
				t.Errorf("%s: %v has no text", lang, r)
				continue
			}
			if text != verdict.TextOf(r, lang) {
				t.Errorf("%s: TextOf(%v) is not the text of Texts", lang, r)
			}
		}
	}
}

// Every mark that Judge gives has words of its own, and a mark that nobody knows
// the reason's.
func TestTexts_MarksSayMore(t *testing.T) {
	for reason, marks := range map[verdict.Reason][]verdict.Mark{
		verdict.Attention:  {verdict.MarkPassback, verdict.MarkLockdown, verdict.MarkEmergency},
		verdict.WrongKind:  {verdict.MarkLane},
		verdict.Granted:    {verdict.MarkUnconfirmed},
		verdict.NeedsInput: {verdict.MarkUnconfirmed},
	} {
		for _, mark := range marks {
			for lang := range longest {
				if v := (verdict.Verdict{Reason: reason, Mark: mark}); verdict.TextOfVerdict(v, lang) == verdict.TextOf(reason, lang) {
					t.Errorf("%s: %v of %q says no more than %v", lang, reason, mark, reason)
				}
			}
		}
	}
	if got := verdict.TextOfVerdict(verdict.Verdict{Reason: verdict.Granted, Mark: "?"}, "en-GB"); got != verdict.TextOf(verdict.Granted, "en") {
		t.Errorf("an unknown mark: %+v", got)
	}
}

func checkText(t *testing.T, name, lang, s string, limit int) {
	t.Helper()
	n := utf8.RuneCountInString(s)
	han := strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	switch {
	case strings.TrimSpace(s) == "":
		t.Errorf("%s is empty", name)
	case n > limit:
		t.Errorf("%s %q has %d characters, at most %d fit", name, s, n, limit)
	case han != (lang == verdict.Chinese):
		t.Errorf("%s %q is not in its language", name, s)
	case strings.TrimSpace(s) != s || strings.Contains(s, "  "):
		t.Errorf("%s %q has stray spaces", name, s)
	case strings.HasSuffix(s, ".") || strings.HasSuffix(s, "。") || strings.ContainsAny(s, "!\uff01"):
		t.Errorf("%s %q: no full stop, no exclamation mark", name, s)
	case lang == verdict.Chinese && strings.ContainsAny(s, ",;:?()"):
		t.Errorf("%s %q: Chinese punctuation is full width", name, s)
	}
}

// A guard acts on the word before reading on, so it must not say yes to a no.
func TestTexts_WordFitsTheAnswer(t *testing.T) {
	for lang, allow := range map[string]string{verdict.Chinese: "放行", verdict.English: "Allow"} {
		for _, r := range verdict.Reasons() {
			if got := verdict.TextOf(r, lang).Word; (got == allow) != (r == verdict.Granted) {
				t.Errorf("%s: the word for %v is %q", lang, r, got)
			}
		}
	}
}

func TestTexts_TitlesTellReasonsApart(t *testing.T) {
	for lang, list := range verdict.Texts() {
		seen := map[string]string{}
		for name, text := range list {
			if other, twice := seen[text.Title]; twice {
				t.Errorf("%s: %s and %s share the title %q", lang, name, other, text.Title)
			}
			seen[text.Title] = name
		}
	}
}

func TestTextOf_Languages(t *testing.T) {
	zh, en := verdict.TextOf(verdict.AlreadyUsed, "zh"), verdict.TextOf(verdict.AlreadyUsed, "en")
	if zh == en {
		t.Fatal("both languages read the same")
	}
	for lang, want := range map[string]verdict.Text{
		"": zh, "fr": zh, "zh-CN": zh, "zh-Hans": zh, "english": zh, "-en": zh,
		"en-GB": en, "EN": en, "En-us": en,
	} {
		if got := verdict.TextOf(verdict.AlreadyUsed, lang); got != want {
			t.Errorf("language %q: %+v", lang, got)
		}
	}
}

func TestTextOf_NoReasonIsAFault(t *testing.T) {
	for _, r := range []verdict.Reason{0, verdict.Conflict + 1, 65535} {
		if got := verdict.TextOf(r, "zh"); got != verdict.TextOf(verdict.Internal, "zh") {
			t.Errorf("%v: %+v", r, got)
		}
	}
}

func TestTexts_CallerMayChangeItsCopy(t *testing.T) {
	delete(verdict.Texts()[verdict.English], "granted")
	if _, ok := verdict.Texts()[verdict.English]["granted"]; !ok {
		t.Error("the texts are shared")
	}
}
