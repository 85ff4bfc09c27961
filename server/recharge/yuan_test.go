package recharge_test

import (
	"testing"

	"pgregory.net/rapid"

	"campusgate/server/recharge"
)

func TestParseYuan_IsExact(t *testing.T) {
	for text, want := range map[string]int64{"0.01": 1, "12": 1200, "12.3": 1230, "12.34": 1234, "-0.70": -70, "999999999999.99": 99999999999999, "0.29": 29} {
		if fen, ok := recharge.ParseYuan(text); !ok || fen != want {
			t.Errorf("%s: %d %v", text, fen, ok)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "1.234", "1e3", "+1", "--1", " 1", "1 ", "1,000.00", "0x10", "１２", "NaN", "1000000000000", "1.-5"} {
		if fen, ok := recharge.ParseYuan(text); ok {
			t.Errorf("%q is read as %d", text, fen)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		fen := rapid.Int64Range(-1e14+1, 1e14-1).Draw(t, "fen")
		if back, ok := recharge.ParseYuan(recharge.Yuan(fen)); !ok || back != fen {
			t.Fatalf("%d: %s: %d %v", fen, recharge.Yuan(fen), back, ok)
		}
	})
}
