package people

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Lengths, in characters.
const (
	maxName  = 100
	maxShort = 50 // of a building, room, relation
	maxMail  = 254
)

// words brings text that people read into the form that is kept: NFC, without
// spaces around it. It refuses what could pass for another text on a screen.
func words(field, text string, most int) (string, error) {
	if !utf8.ValidString(text) {
		return "", fault(field, "不是有效的 UTF-8 文本", "not UTF-8")
	}
	text = strings.TrimSpace(text)
	if n := utf8.RuneCountInString(text); n > most {
		return "", fault(field, fmt.Sprintf("太长:%d 个字符,最多 %d", n, most),
			fmt.Sprintf("too long: %d characters, at most %d", n, most))
	}
	for _, r := range text {
		if hides(r) {
			return "", fault(field, fmt.Sprintf("含有不能显示的字符 U+%04X", r), fmt.Sprintf("character U+%04X cannot be shown", r))
		}
	}
	return norm.NFC.String(text), nil
}

// hides: controls, what turns the direction of writing round, line separators,
// and what is left of a damaged text.
func hides(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) ||
		r == '\u2028' || r == '\u2029' || r == '\uFEFF' || r == unicode.ReplacementChar
}

// needed is words that must be there.
func needed(field, text string, most int) (string, error) {
	text, err := words(field, text, most)
	if err == nil && text == "" {
		err = fault(field, "不能为空", "missing")
	}
	return text, err
}

// CheckText gives the kept form of a text that people must give and others read:
// at most so many characters, all of which can be seen. The error is a Fault of
// the field.
func CheckText(field, text string, most int) (string, error) { return needed(field, text, most) }

// fold gives the form in which names of places are compared: what somebody
// types with a Chinese keyboard differs in width, spaces and case.
func fold(name string) string {
	name = strings.ToLower(norm.NFKC.String(name))
	return strings.Join(strings.Fields(name), "")
}

// headName gives the form of a head's name that is kept and compared.
func headName(name string) string { return norm.NFC.String(strings.TrimSpace(name)) }

// ids is how numbers of persons, units and campuses look.
var ids = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z._-]{0,31}$`)

func checkID(field, id string) (string, error) {
	id = norm.NFKC.String(strings.TrimSpace(id))
	switch {
	case id == "":
		return "", fault(field, "不能为空", "missing")
	case !ids.MatchString(id):
		return "", fault(field, "应为 1 至 32 位字母、数字、点、横线或下划线", "want 1 to 32 letters, digits, dots, dashes or underscores")
	}
	return id, nil
}

// given reports the numbers that are given out here, to people without one of
// their own: nobody else may take them.
var given = regexp.MustCompile(`^[rR][0-9]+$`)

// checkDay reads a day. Tables write 2026/5/1 as well.
func checkDay(field, day string) (string, error) {
	day = strings.TrimSpace(day)
	for _, layout := range []string{time.DateOnly, "2006/1/2", "2006年1月2日"} {
		if at, err := time.Parse(layout, day); err == nil && at.Year() >= 1900 {
			return at.Format(time.DateOnly), nil
		}
	}
	return "", fault(field, "应为日期,如 2026-05-01", "want a day like 2026-05-01")
}

var mails = regexp.MustCompile(`^[0-9A-Za-z.!#$%&'*+/=?^_{|}~-]+@[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?)+$`)

// checkMail accepts an address that every mail server takes; "" is none.
func checkMail(mail string) (string, error) {
	mail = strings.TrimSpace(mail)
	if mail != "" && (len(mail) > maxMail || !mails.MatchString(mail)) {
		return "", fault("mail", "不是有效的邮箱地址", "not a mail address")
	}
	return mail, nil
}
