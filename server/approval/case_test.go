package approval_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"campusgate/configs"
	"campusgate/server/approval"
)

// TestCases plays the cases that the product ships.
func TestCases_CQ003_CQ008_CQ041_CQ044_CQ068_CQ070_ZZ007_ZZ020_ZZ021_ZA021_AllComeOutAsWritten(t *testing.T) {
	flows := slices.Collect(maps.Values(shipped(t)))
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
			trace, err := c.Run(flows)
			if err != nil {
				t.Errorf("%v\n%s", err, strings.Join(trace, "\n"))
			}
		})
	}
}
