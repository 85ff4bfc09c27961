package recharge

import (
	"fmt"
	"strconv"
	"strings"
)

// maxYuanDigits keeps amounts far from what 64 bits hold.
const maxYuanDigits = 12

// Yuan writes fen as channels do: 1234 is 12.34.
func Yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// ParseYuan reads an amount with at most two decimals, exactly: 12, 12.3,
// 12.34, -12.34. ok is false for everything else.
func ParseYuan(text string) (fen int64, ok bool) {
	digits, negative := strings.CutPrefix(text, "-")
	whole, part, dotted := strings.Cut(digits, ".")
	if whole == "" || len(whole) > maxYuanDigits || len(part) > 2 || dotted && part == "" || !isDigits(whole+part) {
		return 0, false
	}
	fen, err := strconv.ParseInt(whole+(part + "00")[:2], 10, 64)
	if negative {
		fen = -fen
	}
	return fen, err == nil
}

func isDigits(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}
