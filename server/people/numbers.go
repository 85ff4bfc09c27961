package people

import (
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

var (
	mobile   = regexp.MustCompile(`^1[3-9][0-9]{9}$`)
	citizen  = regexp.MustCompile(`^[1-9][0-9]{16}[0-9X]$`)
	document = regexp.MustCompile(`^[0-9A-Z]{5,12}$`) // passports and permits of those who have no ID card
)

// CheckPhone gives the kept form of a mainland mobile number: 11 digits. It
// takes full-width digits, spaces, dashes and the country code. The error is a
// Fault of field "phone".
func CheckPhone(text string) (string, error) {
	text = bare(text)
	for _, code := range []string{"+86", "0086"} {
		text = strings.TrimPrefix(text, code)
	}
	if !mobile.MatchString(text) {
		return "", fault("phone", "应为 11 位手机号", "want a mobile number of 11 digits")
	}
	return text, nil
}

// CheckIDNumber gives the kept form of an ID-card number with the right check
// digit, or of a passport or permit. The error is a Fault of field "id_number".
func CheckIDNumber(text string) (string, error) {
	text = strings.ToUpper(bare(text))
	switch {
	case citizen.MatchString(text):
		if _, err := time.Parse("20060102", text[6:14]); err != nil || checkDigit(text) != text[17] {
			return "", fault("id_number", "身份证号的校验位或出生日期有误", "the check digit or the date of birth is wrong")
		}
	case !document.MatchString(text):
		return "", fault("id_number", "应为 18 位身份证号或 5 至 12 位护照、通行证号码",
			"want an ID-card number of 18 characters, or a passport or permit of 5 to 12")
	}
	return text, nil
}

// checkDigit is the last character of an ID-card number, after ISO 7064 MOD 11-2.
func checkDigit(number string) byte {
	sum := 0
	for i := range 17 {
		sum = (sum + int(number[i]-'0')) * 2 % 11
	}
	return "10X98765432"[sum]
}

// bare takes out what people put into numbers to read them more easily.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\t' {
			return -1
		}
		return r
	}, norm.NFKC.String(strings.TrimSpace(text)))
}

// Mask hides the middle of a phone or ID-card number: 138****1234,
// 110***********1234. Of a short one only the last two characters are shown.
func Mask(number string) string {
	n := len(number)
	switch {
	case n == 0:
		return ""
	case n < 11:
		return strings.Repeat("*", max(n-2, 0)) + number[max(n-2, 0):]
	}
	return number[:3] + strings.Repeat("*", n-7) + number[n-4:]
}
