package main

import (
	"strings"
	"testing"
)

func TestOptions_FlagsStandAnywhere(t *testing.T) {
	for _, args := range [][]string{
		{"-out", "f", "-n", "3", "a", "b"},
		{"a", "-out", "f", "b", "-n", "3"},
		{"a", "b", "-out=f", "--n=3"},
		{"-n", "3", "-out", "f", "--", "a", "b"},
		{"a", "-n", "3", "-out", "f", "--", "b"},
	} {
		o := newOptions(Env{Stdout: &strings.Builder{}, Stderr: &strings.Builder{}}, "test", "", "")
		out, n := o.String("out", "", "`FILE`"), o.Int("n", 0, "`N`")
		operands, _, ok := o.parse(args, 2, 2, "out")
		if !ok || strings.Join(operands, " ") != "a b" || *out != "f" || *n != 3 {
			t.Errorf("%q: %q, out %q, n %d, ok %v", args, operands, *out, *n, ok)
		}
	}
}

func TestOptions_AfterTwoDashesNothingIsAFlag(t *testing.T) {
	o := newOptions(Env{}, "test", "", "")
	n := o.Int("n", 0, "`N`")
	operands, _, ok := o.parse([]string{"--", "-n", "3"}, 0, 2)
	if !ok || strings.Join(operands, " ") != "-n 3" || *n != 0 {
		t.Errorf("%q, n %d, ok %v", operands, *n, ok)
	}
}

func TestHelp_EveryCommandShowsItsUsage(t *testing.T) {
	for _, c := range commands {
		var out, said strings.Builder
		if exit := c.run(t.Context(), Env{Stdout: &out, Stderr: &said}, []string{"-h"}); exit != exitOK || said.Len() > 0 {
			t.Errorf("%s -h: exit %d, %q", c.name, exit, said.String())
		}
		if !strings.Contains(out.String(), "gatectl "+c.name) {
			t.Errorf("%s -h does not show its usage: %q", c.name, out.String())
		}
		if strings.Contains(out.String(), "`") {
			t.Errorf("%s -h shows a backquote: %q", c.name, out.String())
		}
	}
}

func TestSuggest_NearNamesOnly(t *testing.T) {
	for name, want := range map[string]string{
		"verfy": "verify", "isue": "issue", "ins": "inspect", "key-gen": "keygen", "QR": "",
		"": "", "x": "", "qt": "qr", "open": "", strings.Repeat("v", 1<<20): "",
	} {
		if got := suggest(name); got != want {
			t.Errorf("suggest(%.20q) = %q, want %q", name, got, want)
		}
	}
}
