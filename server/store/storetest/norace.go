//go:build !race

package storetest

// Raced: the race detector is on.
const Raced = false
