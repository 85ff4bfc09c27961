package signing_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"campusgate/signing"
)

func TestTextsAreReadAsWritten(t *testing.T) {
	data := []byte("\x84 some bytes \xff")
	for text, form := range map[string]signing.Form{
		signing.StaticText("gate.example.edu", data):      signing.FormStatic,
		signing.StaticText("GATE.EXAMPLE.EDU:8443", data): signing.FormStatic,
		signing.StaticText("127.0.0.1:9", data):           signing.FormStatic,
		signing.StaticText("x", data):                     signing.FormStatic,
		signing.LiveText(data):                            signing.FormLive,
	} {
		got, b, err := signing.ParseText([]byte{7}, text)
		if err != nil || got != form || !bytes.Equal(b[1:], data) || b[0] != 7 {
			t.Errorf("%s: %v, %q, %v", text, got, b, err)
		}
		if strings.Trim(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:") != "" {
			t.Errorf("%s: does not fit the alphanumeric mode of a QR code", text)
		}
	}
}

func TestTextsThatAreNotOursAreRefused(t *testing.T) {
	body := strings.TrimPrefix(signing.StaticText("H", []byte("abc")), "HTTPS://H/V/")
	for name, text := range map[string]string{
		"nothing":              "",
		"prefix cut short":     "CP1",
		"lower-case prefix":    "cp1:00",
		"another version":      "CP2:00",
		"space before":         " CP1:00",
		"line end":             "CP1:00\n",
		"byte order mark":      "\ufeffCP1:00",
		"plain http":           "HTTP://H/V/" + body,
		"lower-case scheme":    "https://H/V/" + body,
		"lower-case host":      "HTTPS://h/V/" + body,
		"lower-case path":      "HTTPS://H/v/" + body,
		"lower-case body":      "HTTPS://H/V/" + strings.ToLower(body),
		"no host":              "HTTPS:///V/" + body,
		"no path":              "HTTPS://H/" + body,
		"another path":         "HTTPS://H/X/" + body,
		"longer path":          "HTTPS://H/A/V/" + body,
		"user in host":         "HTTPS://U@H/V/" + body,
		"empty label":          "HTTPS://A..B/V/" + body,
		"label begins hyphen":  "HTTPS://A.-B/V/" + body,
		"label ends in hyphen": "HTTPS://A-.B/V/" + body,
		"name ends in dot":     "HTTPS://A./V/" + body,
		"port empty":           "HTTPS://A:/V/" + body,
		"port zero":            "HTTPS://A:0/V/" + body,
		"port leading zero":    "HTTPS://A:080/V/" + body,
		"port too large":       "HTTPS://A:65536/V/" + body,
		"port a word":          "HTTPS://A:B/V/" + body,
		"IPv6 host":            "HTTPS://[::1]/V/" + body,
		"wide character":       "HTTPS://校/V/" + body,
		"host too long":        "HTTPS://" + strings.Repeat("A", 260) + "/V/" + body,
		"query":                "HTTPS://H/V/" + body + "?A",
		"fragment":             "HTTPS://H/V/" + body + "#A",
		"slash after":          "HTTPS://H/V/" + body + "/",
		"too long":             "CP1:" + strings.Repeat("0", signing.MaxText),
	} {
		if form, b, err := signing.ParseText(nil, text); !errors.Is(err, signing.ErrMalformed) || form != 0 || b != nil {
			t.Errorf("%s: got %v, %q, %v, want ErrMalformed", name, form, b, err)
		}
	}
}

func TestLongestTextFitsTheRoom(t *testing.T) {
	for _, text := range []string{
		"CP1:" + strings.Repeat("0", 1020), "HTTPS://X/V/" + strings.Repeat("A", signing.MaxText-12),
	} {
		room := make([]byte, 0, signing.MaxBytes)
		_, b, err := signing.ParseText(room, text)
		if err != nil || len(b) == 0 || &b[0] != &room[:1][0] {
			t.Errorf("%d characters give %d bytes, %v", len(text), len(b), err)
		}
	}
}

func TestHostIsCheckedInEitherCase(t *testing.T) {
	for _, host := range []string{"gate.example.edu", "GATE.example.edu:443", "localhost:8080", "10.0.0.7", "a-b.c"} {
		if err := signing.CheckHost(host); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	for _, host := range []string{"", "a b", "a_b", "http://a", "a/b", "a:b", "-a", "a-", "[::1]", "校.cn"} {
		if err := signing.CheckHost(host); err == nil {
			t.Errorf("%q is taken for a host", host)
		}
	}
}

func TestWordsThatWouldMisleadAreRefused(t *testing.T) {
	for _, good := range []string{
		"", "林小满", "阿依努尔·买买提", "José", "x\u0302 marks", "བསོད་ནམས", "张\u3000三", "a\u200db",
	} {
		if err := signing.CheckWords(good, 48); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for name, c := range map[string]struct{ s, says string }{
		"too long":             {strings.Repeat("a", 49), "at most 48"},
		"not UTF-8":            {"a\xff", "UTF-8"},
		"decomposed":           {"Jose\u0301", "form C"},
		"singleton":            {"\u212b", "form C"},
		"compatibility glyph":  {"\uf9f4", "form C"},
		"marks out of order":   {"a\u0302\u0323", "form C"},
		"Hangul apart":         {"\u1112\u1161", "form C"},
		"line end":             {"a\nb", "U+000A"},
		"escape":               {"a\x1b[2J", "U+001B"},
		"nul":                  {"\x00", "U+0000"},
		"C1 control":           {"\u0085", "U+0085"},
		"line separator":       {"a\u2028b", "U+2028"},
		"right-to-left":        {"a\u202eb", "U+202E"},
		"isolate":              {"\u2066a\u2069", "U+2066"},
		"right-to-left marker": {"\u200fa", "U+200F"},
	} {
		if err := signing.CheckWords(c.s, 48); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want one that says %q", name, err, c.says)
		}
	}
}
