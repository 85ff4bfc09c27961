//go:build race

package api_test

// raced: the race detector is on, under which sweeps take ten times as long.
const raced = true
