package people_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/people"
)

// fileKinds gives, for each kind, a heading and what its cells are drawn from:
// few values, so that rows meet each other and what is there.
var fileKinds = map[people.ImportKind][][]string{
	people.ImportPeople: {
		{"number", "T1001", "T1010", "S1", "S2", "S3", "", "r000001"},
		{"name", "周敏", "甲", "乙", ""},
		{"kind", "staff", "student", "resident", "x"},
		{"unit", "", "cs", "arch", "none"},
		{"phone", "", "13800130001", "13800130071", "13800130072", "1"},
		{"id_number", "", "999001197001120019", "EA1234567"},
		{"state", "", "离校"},
	},
	people.ImportHouseholds: {
		{"compound", "松林坡", "松 林坡", "无"},
		{"building", "3栋", "77栋"},
		{"room", "201", "202"},
		{"head", "林国栋", "甲"},
		{"name", "", "甲", "乙", "林晓", "周敏"},
		{"phone", "", "13800130001", "13800130023", "13800130071", "13800130072"},
		{"id_number", "", "999001197001120019", "EA1234567", "EA7654321", "EA7654322"},
		{"number", "", "", "T1001", "S9"},
		{"relation", "", "子女"},
		{"verified", "", "否"},
	},
	people.ImportUnits: {
		{"id", "cs", "u1", "u2", "u3", "u4"},
		{"name", "", "计算机学院", "甲", "乙"},
		{"parent", "", "yl", "cs", "cs-lab", "u1", "u2", "u3", "u4"},
		{"head", "", "T1001", "T9999"},
	},
	people.ImportPosts: {
		{"role", "desk", "guard", "社区办", "x"},
		{"person", "T1001", "T1002", "S26001", "x"},
		{"unit", "", "cs", "社区办"},
		{"from", "", "2026-11-01", "2026-12-01", "x"},
		{"to", "", "2026-11-30", "2027-01-01"},
	},
	people.ImportPlaces: {
		{"campus", "A", "E", "F"},
		{"campus_name", "", "A校区", "E校区", "F校区"},
		{"police", "", "甲派出所"},
		{"compound", "", "松林坡", "东苑", "西苑"},
		{"on_campus", "", "是", "否"},
		{"building", "", "3栋", "1栋"},
		{"room", "", "201", "1"},
	},
}

// What a preview promises is what its confirmation does, whatever is in the
// file and in the database.
func TestImport_DoesWhatThePreviewPromises(t *testing.T) {
	for kind, columns := range fileKinds {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := sampled(t)
			rapid.Check(t, func(r *rapid.T) {
				var file strings.Builder
				for i, c := range columns {
					fmt.Fprint(&file, strings.Repeat(",", min(i, 1)), c[0])
				}
				rows := rapid.IntRange(1, 8).Draw(r, "rows")
				for range rows {
					file.WriteByte('\n')
					for i, c := range columns {
						fmt.Fprint(&file, strings.Repeat(",", min(i, 1)), rapid.SampledFrom(c[1:]).Draw(r, c[0]))
					}
				}
				p, err := w.Import(t.Context(), by, kind, "x.csv", []byte(file.String()))
				if err != nil {
					r.Fatalf("%v\n%s", err, file.String())
				}
				if p.Adds+p.Changes+p.Same+p.Faulty != p.Rows || p.Faulty != len(p.Faults) {
					r.Fatalf("counts %+v\n%s", p, file.String())
				}
				done, err := w.Confirm(t.Context(), by, p.ID, true)
				if err != nil || done != (people.Imported{Added: p.Adds, Changed: p.Changes, Skipped: p.Faulty}) {
					r.Fatalf("%+v, %v; promised %+v\n%s", done, err, p, file.String())
				}
			})
		})
	}
}
