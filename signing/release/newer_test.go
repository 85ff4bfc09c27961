package release_test

import (
	"testing"

	"pgregory.net/rapid"

	"campusgate/signing/release"
)

func TestNewer_IsTheOrderOfPackageManagers(t *testing.T) {
	rising := []string{"1.0~rc1", "1.0", "1.0+git1", "1.0.1", "1.2", "1.9", "1.10", "1.10a", "2", "2.0"}
	for i, a := range rising {
		for j, b := range rising {
			if got := release.Newer(a, b); got != (i > j) {
				t.Errorf("%s after %s: %v", a, b, got)
			}
		}
	}
	if release.Newer("1.02", "1.2") || release.Newer("1.2", "1.02") {
		t.Error("leading zeros make another version")
	}
}

func TestNewer_IsAnOrder(t *testing.T) {
	version := rapid.StringMatching(`[0-9][0-9a.~+]{0,6}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := version.Draw(t, "a"), version.Draw(t, "b"), version.Draw(t, "c")
		if release.Newer(a, a) || release.Newer(a, b) && release.Newer(b, a) {
			t.Fatalf("%q and %q after each other", a, b)
		}
		if release.Newer(a, b) && release.Newer(b, c) && !release.Newer(a, c) {
			t.Fatalf("%q after %q after %q", a, b, c)
		}
	})
}
