package approval_test

import (
	"io/fs"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/approval"
)

// shipped are all flows that the product ships, in one file's form.
func shipped(t testing.TB) *approval.File {
	t.Helper()
	all := &approval.File{}
	names, err := fs.Glob(configs.Flows(), "*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no flows: %v", err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(configs.Flows(), name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := approval.Load(name, data)
		if err != nil {
			t.Fatal(err)
		}
		all.Flows = append(all.Flows, file.Flows...)
	}
	return all
}

// TestCases plays the cases that the product ships.
func TestCases_CQ003_CQ008_CQ041_CQ044_CQ068_CQ070_ZZ007_ZZ020_ZZ021_ZA021_AllComeOutAsWritten(t *testing.T) {
	file := shipped(t)
	names, err := fs.Glob(configs.Flows(), "cases/*.yaml")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d cases: %v", len(names), err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(strings.TrimPrefix(name, "cases/"), ".yaml"), func(t *testing.T) {
			data, err := fs.ReadFile(configs.Flows(), name)
			if err != nil {
				t.Fatal(err)
			}
			c, err := approval.LoadCase(name, data)
			if err != nil {
				t.Fatal(err)
			}
			trace, err := c.Run(file)
			if err != nil {
				t.Errorf("%v\n%s", err, strings.Join(trace, "\n"))
			}
		})
	}
}
