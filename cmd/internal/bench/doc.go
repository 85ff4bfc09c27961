// Package bench measures what the promises about speed say, on the product's
// own code, each figure against a peer that does the least that must be done.
//
// Ours and the peer run in turns inside one run, so that other load on the
// machine meets both alike; a figure is a median over the turns, and its ratio
// is that of the medians. A figure that is over its limit is no error: a
// machine may be busy. One that could not be taken is.
//
// The floor of everything durable is one append of 4 KiB to a file and its
// fdatasync, on the file system that holds the stores of the same run.
package bench
