// Package configs reads configuration strictly and holds the commented samples
// of every file a campus writes, the flows of its applications among them.
//
// [Decode] refuses unknown and repeated keys, a second document and wrong
// types, naming file, line and key. What only a daemon can judge (a port that
// makes no sense, a driver that does not exist) it reports through [Doc.Fault],
// so that those errors carry the same file, line and key.
package configs
