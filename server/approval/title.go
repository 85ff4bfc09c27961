package approval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Dates in a serial: as the file writes them, and the layout of package time.
var serialDates = map[string]string{"{yyyy}": "2006", "{MM}": "01", "{dd}": "02", "{yyyyMM}": "200601", "{yyyyMMdd}": "20060102"}

// sequence gives how many digits {seq:N} asks for, or 0.
func sequence(hole string) int {
	digits, ok := strings.CutPrefix(strings.TrimSuffix(hole, "}"), "{seq:")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > 9 || len(digits) != 1 {
		return 0
	}
	return n
}

// readSerial checks a pattern such as CGSQ{yyyyMMdd}{seq:4}: the number counts
// from 1 in each period, so that the dates must name the period whole.
func (l *loader) readSerial(v value) string {
	pattern := v.words(maxID)
	period, numbers := "", 0
	for _, part := range hole.FindAllString(pattern, -1) {
		layout, isDate := serialDates[part]
		switch {
		case isDate:
			period += layout
		case sequence(part) > 0:
			numbers++
		default:
			v.fault("bad serial: %s is not among {yyyy} {MM} {dd} {yyyyMM} {yyyyMMdd} {seq:1} … {seq:9}", part)
			return pattern
		}
	}
	switch {
	case pattern == "":
	case numbers != 1:
		v.fault("bad serial: it needs one {seq:N}")
	case !slices.Contains([]string{"", "2006", "200601", "20060102"}, period):
		v.fault("bad serial: its dates must be a year, a month with its year, or a day with both")
	}
	return pattern
}

// titled are the types of fields that a title may show: not people and phones,
// whose titles many read.
var titled = []FieldType{Text, Textarea, Select, Number, Money, Date, Datetime}

// readTitle checks a pattern such as {form.name}({serial}).
func (l *loader) readTitle(v value, fields map[string]*Field) string {
	pattern := v.words(maxName)
	for _, part := range hole.FindAllString(pattern, -1) {
		name := strings.Trim(part, "{}")
		id, isField := strings.CutPrefix(name, "form.")
		switch {
		case isField:
			if f := l.field(v, id, fields); f != nil && !slices.Contains(titled, f.Type) {
				v.fault("a title does not show a field of type %s", f.Type)
			}
		case name != "serial" && name != "starter":
			v.fault("unknown name %s in a title; there are {serial} {starter} {form.FIELD}", part)
		}
	}
	return pattern
}

// FormatSerial gives the serial of the n-th matter of a period, n from 1, or ""
// where the flow has none. Now is in campus time.
func (f *Flow) FormatSerial(now time.Time, n int) string {
	return hole.ReplaceAllStringFunc(f.Serial, func(part string) string {
		if layout, ok := serialDates[part]; ok {
			return now.Format(layout)
		}
		return fmt.Sprintf("%0*d", sequence(part), n)
	})
}

// SerialPeriod names the period in which serials count from 1: "20260501",
// "202605", "2026", or "" for ever. Now is in campus time.
func (f *Flow) SerialPeriod(now time.Time) string {
	period := ""
	for _, part := range hole.FindAllString(f.Serial, -1) {
		if layout, ok := serialDates[part]; ok {
			period += now.Format(layout)
		}
	}
	return period
}

// maxTitle bounds a title in characters.
const maxTitle = 100

// FormatTitle gives the title of a matter: one line, at most 100 characters, and
// the flow's name where there is nothing else.
func (f *Flow) FormatTitle(form map[string]any, serial, starterName string) string {
	title := hole.ReplaceAllStringFunc(f.Title, func(part string) string {
		switch name := strings.Trim(part, "{}"); name {
		case "serial":
			return serial
		case "starter":
			return starterName
		default:
			id := strings.TrimPrefix(name, "form.")
			i := slices.IndexFunc(f.Form, func(field *Field) bool { return field.ID == id })
			if i < 0 {
				return ""
			}
			return shown(f.Form[i], form[id])
		}
	})
	title = strings.Join(strings.Fields(title), " ")
	if title == "" {
		return f.Name
	}
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle-1]) + "…"
	}
	return title
}

// shown is a value as people read it.
func shown(f *Field, v any) string {
	if many, ok := v.([]any); ok {
		texts := make([]string, len(many))
		for i, one := range many {
			texts[i] = shown(f, one)
		}
		return strings.Join(texts, "、")
	}
	if text, ok := v.(string); ok {
		return text
	}
	n, ok := asNumber(v)
	switch {
	case !ok:
		return ""
	case f.Type == Money:
		return strconv.FormatFloat(n/100, 'f', 2, 64)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}
