//go:build race

package till_test

// raced: the race detector is on, under which a store takes ten times as long.
const raced = true
