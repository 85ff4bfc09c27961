package people_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/people"
)

func TestCheckPhone(t *testing.T) {
	for in, want := range map[string]string{
		"13800130001": "13800130001", " 138 0013 0001 ": "13800130001", "138-0013-0001": "13800130001",
		"+8613800130001": "13800130001", "0086 138 0013 0001": "13800130001", "１３８００１３０００１": "13800130001",
		"": "", "1380013000": "", "138001300011": "", "12800130001": "", "02365100000": "", "138****0001": "",
		"+1 212 555 0100": "", "1380013000x": "", "=13800130001": "", "13800130001\u202E": "", "1380013000\xff": "",
		"'13800130001": "", "13800130001;DROP": "",
	} {
		got, err := people.CheckPhone(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v; want %q", in, got, err, want)
		}
		if err != nil && (!errors.Is(err, people.ErrInvalid) || in != "" && strings.Contains(err.Error(), in)) {
			t.Errorf("%q: the refusal repeats it, or is none: %v", in, err)
		}
	}
}

func TestCheckIDNumber(t *testing.T) {
	for in, want := range map[string]string{
		"999001197001120019": "999001197001120019", "999001 19700112 0019": "999001197001120019",
		"11010519491231002x": "11010519491231002X", "ea1234567": "EA1234567", "H12345678": "H12345678",
		"": "", "999001197001120018": "", "999001197013120019": "", "99900119700112001": "", "1234": "",
		"1.1010519491231E+17": "", "999001********0019": "", "=EA12345": "", "EA12345\x00": "",
	} {
		got, err := people.CheckIDNumber(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q gives %q, %v; want %q", in, got, err, want)
		}
	}
}

// The check digit finds every wrong digit and every exchange of neighbours.
func TestCheckIDNumber_FindsEverySlip(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		body := fmt.Sprintf("99900119%02d0%d%02d%03d", rapid.IntRange(10, 99).Draw(r, "year"), rapid.IntRange(1, 9).Draw(r, "month"),
			rapid.IntRange(1, 28).Draw(r, "day"), rapid.IntRange(0, 999).Draw(r, "number"))
		good := 0
		for _, digit := range "0123456789X" {
			if _, err := people.CheckIDNumber(body + string(digit)); err == nil {
				good++
			}
		}
		if good != 1 {
			r.Fatalf("%s has %d check digits", body, good)
		}
		for _, digit := range "0123456789X" {
			whole := body + string(digit)
			if _, err := people.CheckIDNumber(whole); err != nil {
				continue
			}
			at := rapid.IntRange(1, 15).Draw(r, "at")
			slip := whole[:at] + string(whole[at+1]) + string(whole[at]) + whole[at+2:]
			if _, err := people.CheckIDNumber(slip); slip != whole && err == nil {
				r.Fatalf("%s passes for %s", slip, whole)
			}
		}
	})
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"13800131234": "138****1234", "110105194912311234": "110***********1234", "EA1234567": "*******67", "": "", "7": "7",
	} {
		if got := people.Mask(in); got != want {
			t.Errorf("%q is masked %q, want %q", in, got, want)
		}
	}
}
