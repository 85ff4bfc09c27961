package report_test

import (
	"testing"

	"campusgate/server/report"
)

func TestMaskDigits_HidesWhatCouldBeAPhoneOrAnIDNumber(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"值班 2026":                 "值班 2026",
		"电话13800130001找我":         "电话*********01找我",
		"138 0013 0001":           "***********01",
		"身份证 11010119900307123X。": "身份证 ****************3X。",
		"１３８００１３０００１":             "*********０１",
		"12345":                   "12345",
		"2026-12-20":              "********20",
	} {
		if got := report.MaskDigits(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
