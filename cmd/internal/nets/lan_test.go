//go:build linux

package nets_test

func sweep() {}
