// Package power takes the power away from real programs, and other things that a
// computer in a gatehouse can lose: room on its disk, its clock, time to run, and
// the version of the program that wrote its data.
//
// Disk is a file system that keeps what was written apart from what was synced,
// and forgets the difference at a cut. It is a tool for tests, Linux only, and
// needs /dev/fuse and root.
package power
