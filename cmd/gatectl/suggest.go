package main

import "strings"

// suggest gives the command that was probably meant: one that begins with name,
// or is at most two slips of the finger away. It gives "" when none is near.
func suggest(name string) string {
	best, slips := "", 3
	for _, c := range commands {
		if len(name) >= 2 && strings.HasPrefix(c.name, name) {
			return c.name
		}
		if d := distance(name, c.name); d < slips && d < len(c.name) {
			best, slips = c.name, d
		}
	}
	return best
}

// distance is the number of letters to insert, remove or replace to turn a into
// b. Long names are not compared: nothing is near them.
func distance(a, b string) int {
	if len(a) > 32 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
