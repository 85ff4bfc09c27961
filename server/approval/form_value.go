package approval

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// problem says what is wrong with a value: after the field's name in Chinese,
// after its id in English.
type problem struct{ say, en string }

var (
	phoneText = regexp.MustCompile(`^\+?[0-9][0-9 -]{3,18}[0-9]$`)
	refText   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$`)
)

// mostNumber bounds numbers and fen: below it a float64 holds every whole one.
const mostNumber = 1e15

// parse reads a value at the border, by the type of its field. nil = absent.
func (field *Field) parse(v any, options func(string) []string) (any, *problem) {
	if absent(v) {
		return nil, nil
	}
	if !field.Many {
		return field.parseOne(v, options)
	}
	var sent []any
	switch v := v.(type) {
	case []any:
		sent = v
	case []string:
		for _, one := range v {
			sent = append(sent, one)
		}
	default:
		return nil, &problem{"应为多项", "must be a list"}
	}
	if len(sent) > MaxItems {
		return nil, &problem{fmt.Sprintf("不能超过%d项", MaxItems), fmt.Sprintf("has more than %d items", MaxItems)}
	}
	all := make([]any, 0, len(sent))
	for _, one := range sent {
		parsed, wrong := field.parseOne(one, options)
		switch {
		case wrong != nil:
			return nil, wrong
		case parsed == nil:
			return nil, &problem{"有空项", "has an empty item"}
		case slices.Contains(all, parsed):
			return nil, &problem{"有重复项", "has an item twice"}
		}
		all = append(all, parsed)
	}
	return all, nil
}

func (field *Field) parseOne(v any, options func(string) []string) (any, *problem) {
	if field.Type == Number || field.Type == Money {
		return field.parseNumber(v)
	}
	text, ok := v.(string)
	if !ok {
		return nil, &problem{"应为文字", "must be text"}
	}
	text, wrong := field.clean(text)
	if wrong != nil || text == "" {
		return nil, wrong
	}
	switch field.Type {
	case Date:
		if _, ok := calendar(dateLayout, text); !ok {
			return nil, &problem{"不是有效日期", "must be a date such as 2026-05-01"}
		}
	case Datetime:
		if len(text) == len("2006-01-02 15:04") {
			text += ":00"
		}
		if _, ok := calendar(datetimeLayout, text); !ok {
			return nil, &problem{"不是有效时间", "must be a time such as 2026-05-01 08:00:00"}
		}
	case Phone:
		if !phoneText.MatchString(text) {
			return nil, &problem{"不是有效电话号码", "must be a phone number"}
		}
	case Select:
		offered := field.Options
		if offered == nil && options != nil {
			offered = options(field.ID)
		}
		if len(offered) > 0 && !slices.Contains(offered, text) {
			return nil, &problem{"不在可选项中", "is not among the options"}
		}
	case Unit, User, FileRef, Image:
		if !refText.MatchString(text) {
			return nil, &problem{"无法识别", "is no id"}
		}
	case Text, Textarea, Richtext, Note:
	case Number, Money: // above
	}
	return text, nil
}

// clean gives text as it is kept: composed, and "" where it is all white. What
// spreadsheets and pages take for formulas and markup stays: whoever writes such
// a file or page escapes it.
func (field *Field) clean(text string) (string, *problem) {
	if !utf8.ValidString(text) {
		return "", &problem{"文字编码有误", "must be UTF-8"}
	}
	most := field.Max
	if most == 0 {
		most = MaxText
	}
	// A long text is refused before any work is done on it: composing never makes
	// one character of more than a few.
	if len(text) > most*4*4 {
		return "", tooLong(most)
	}
	text = norm.NFC.String(text)
	if utf8.RuneCountInString(text) > most {
		return "", tooLong(most)
	}
	lines := field.Type == Textarea || field.Type == Richtext || field.Type == Note
	for _, r := range text {
		if forbidden(r) || !lines && (r == '\n' || r == '\t') {
			return "", &problem{"含有不允许的字符", fmt.Sprintf("holds the character U+%04X, which is not allowed", r)}
		}
	}
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	return text, nil
}

func tooLong(most int) *problem {
	return &problem{fmt.Sprintf("不能超过%d字", most), fmt.Sprintf("is longer than %d characters", most)}
}

func (field *Field) parseNumber(v any) (any, *problem) {
	n, ok := asNumber(v)
	if !ok || math.Abs(n) > mostNumber {
		return nil, &problem{"应为数字", "must be a number"}
	}
	if field.Type == Number {
		return n, nil
	}
	if n < 0 || n != math.Trunc(n) {
		return nil, &problem{"应为金额", "must be whole fen, and not negative"}
	}
	return int64(n), nil
}

// calendar reads a real date, within the years that people live in.
func calendar(layout, text string) (time.Time, bool) {
	at, err := time.Parse(layout, text)
	return at, err == nil && at.Format(layout) == text && at.Year() >= 1900 && at.Year() < 2200
}

// forbidden characters are those that no text may hold: controls but line feed
// and tab, marks that turn the direction of what follows, and what stands for
// bytes that were not UTF-8.
func forbidden(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case unicode.IsControl(r), r == unicode.ReplacementChar:
		return true
	}
	return r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
}
