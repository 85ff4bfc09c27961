package auth

import (
	"strings"
	"unicode/utf8"

	"campusgate/server/people"
)

// Lengths of passwords, in characters. Length is what counts; no letters are
// asked for that people then write on the screen's frame.
const (
	shortest = 10
	longest  = 128
)

// known are passwords that are tried first, or parts of which they are made.
var known = []string{
	"12345678", "87654321", "password", "passw0rd", "qwertyui", "asdfghjk", "zxcvbnm", "1q2w3e4r", "1qaz2wsx", "q1w2e3r4",
	"qazwsxed", "abcd1234", "abc12345", "a1234567", "aa123456", "admin123", "iloveyou", "woaini", "5201314", "1314520",
	"11223344", "147258369", "123123123", "123321", "112233", "666888", "campusgate",
}

// enough characters beside the known part that the whole is hard to guess
const besideKnown = 6

// checkPassword refuses what is guessed first: too short, one's own numbers or
// name, well-known ones, and few characters again and again. The fault is of
// field "new".
func checkPassword(password string, p people.Person) error {
	fault := func(zh, en string) error { return &people.Fault{Field: "new", ZH: zh, EN: en} }
	n := utf8.RuneCountInString(password)
	switch {
	case !utf8.ValidString(password):
		return fault("密码含有无法识别的字符", "it is not text")
	case n < shortest:
		return fault("密码至少 10 个字符", "at least 10 characters")
	case n > longest:
		return fault("密码最多 128 个字符", "at most 128 characters")
	}
	folded := strings.ToLower(password)
	for _, own := range []string{p.ID, p.Phone, p.IDNumber, tail(p.IDNumber, 6), tail(p.Phone, 8), p.Name} {
		if guessable(folded, strings.ToLower(own)) {
			return fault("密码不能由学工号、手机号、身份证号或姓名构成", "do not make it of your number, phone, ID number or name")
		}
	}
	for _, word := range known {
		if guessable(folded, word) {
			return fault("密码太常见", "too many people use it")
		}
	}
	if kinds(folded) < 5 {
		return fault("密码的字符重复太多", "too few different characters")
	}
	return nil
}

// guessable: little is left of the password without the part.
func guessable(password, part string) bool {
	if part == "" || !strings.Contains(password, part) {
		return false
	}
	return utf8.RuneCountInString(strings.ReplaceAll(password, part, "")) < besideKnown
}

func tail(text string, n int) string {
	if len(text) <= n {
		return ""
	}
	return text[len(text)-n:]
}

// kinds counts the different characters of a text.
func kinds(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}
