package report_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/configs"
	"campusgate/server/approval"
	"campusgate/server/report"
)

func TestGuard_CQ075_WhatCouldBeAFormulaIsInert(t *testing.T) {
	for _, text := range []string{
		"=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-1", "\ttab", "\rreturn", "\nline", "＝1", "＋1", "－1", "＠x", " =1", "　=1", "\"=1", "'=1",
		"\u200b=1", "\ufeff=1", "\u202e=1", "\x00=1", "“＝1", " \t=1",
	} {
		if got := report.Guard(text); got != "'"+text {
			t.Errorf("%q became %q", text, got)
		}
	}
	for _, text := range []string{"", "值班", "a=1", "1-2", "2026-05-01", "林晓", "<script>", "'; DROP TABLE", "👨‍👩‍👧‍👦", "'", " ", "A+B"} {
		if got := report.Guard(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune("=+-@＝＋－＠\t\r\n \"'\u200b")))).Draw(t, "text")
		got := report.Guard(text)
		if !strings.HasSuffix(got, text) || len(got) > len(text)+1 {
			t.Fatalf("%q became %q", text, got)
		}
		if strings.ContainsAny(strings.TrimSpace(got)[:min(1, len(strings.TrimSpace(got)))], "=+-@") {
			t.Fatalf("%q is a formula", got)
		}
	})
}

func TestColumns_CQ088_FirstFieldsOfTheFormAndNoPhones(t *testing.T) {
	for _, name := range []string{"passes.yaml", "arts.yaml", "college.yaml", "hall.yaml", "township.yaml"} {
		data, err := fs.ReadFile(configs.Flows(), name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := approval.Load(name, data)
		if err != nil {
			t.Fatal(err)
		}
		for _, flow := range file.Flows {
			columns := report.Columns(flow)
			seen := map[string]bool{}
			shown := 0
			for _, c := range columns {
				if seen[c.ID] || c.Name == "" || strings.Contains(c.ID, ",") {
					t.Errorf("%s: column %+v", flow.ID, c)
				}
				seen[c.ID] = true
				if c.Shown {
					shown++
				}
			}
			if shown > 12 || columns[0].ID != "number" || columns[len(columns)-1].ID != "step" {
				t.Errorf("%s: %d of %d columns are shown", flow.ID, shown, len(columns))
			}
			if flow.ID == "cqu.resident_pass" && (seen["phone"] || !slices.ContainsFunc(columns, func(c report.Column) bool { return c.ID == "reason" && !c.Shown })) {
				t.Errorf("%s: %+v", flow.ID, columns)
			}
		}
	}
}
