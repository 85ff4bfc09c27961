package report

import (
	"regexp"
	"strings"

	"campusgate/server/apply"
	"campusgate/server/cards"
)

// What a masked file hides: of names all but the last character; of numbers of
// persons all but the last two; and in any text digits that could be a phone, an
// ID card or a bank card.
var (
	digits     = regexp.MustCompile(`[0-9０-９](?:[-  ]?[0-9０-９]){5,}[Xx]?`)
	nameLike   = regexp.MustCompile(`(?i)姓名|名字|联系人|访客|name|visitor|contact`)
	numberLike = regexp.MustCompile(`(?i)证件|身份证|学号|工号|学工号|id_?number|identity`)
	words      = regexp.MustCompile(`[^\s,，、;；]+`)
)

// cell is what stands in the file.
func (e *Export) cell(c Column, m *apply.Matter) string {
	cell := e.service.cell(c, m)
	if e.plain || c.holds != text {
		return cell
	}
	switch {
	case c.field != "":
		return MaskField(c.ID, c.Name, c.person, cell)
	case c.ID == "number":
		return maskNumber(cell)
	case c.ID == "person":
		return maskNames(cell)
	}
	return MaskDigits(cell)
}

// MaskField is what a masked file shows of a field of a form; person says that it
// names persons whatever it is called.
func MaskField(id, name string, person bool, text string) string {
	called := id + " " + name
	switch {
	case numberLike.MatchString(called):
		return maskNumber(text)
	case person, nameLike.MatchString(called):
		return maskNames(text)
	}
	return MaskDigits(text)
}

func maskNames(text string) string { return words.ReplaceAllStringFunc(text, cards.MaskName) }

// MaskDigits hides runs of six and more digits but their last two.
func MaskDigits(text string) string { return digits.ReplaceAllStringFunc(text, maskNumber) }

func maskNumber(text string) string {
	runes := []rune(text)
	shown := 2
	if len(runes) < 4 {
		shown = 0
	}
	return strings.Repeat("*", len(runes)-shown) + string(runes[len(runes)-shown:])
}
