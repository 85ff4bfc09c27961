// Package rollout keeps signed releases of the agents' program, and says which
// gate is offered which.
//
// An administrator hands in what `gatectl release` made. It is taken only when
// the site root signed it for this site and the program is the one of its
// manifest: the manifest is looked at before a byte of the program is read, the
// program goes to a file in the data folder as it comes, at most as many bytes as
// the manifest says, and gets its name, its hash, when all of it is there and on
// the disk. Nobody is offered it until somebody says so.
//
// Each release reaches nobody, chosen gates, or all, and can be paused. A PC is
// offered the release with the highest serial of those for its system that reach
// its gate and are not paused. Tills have numbers as gates do, and count as such.
// What an agent does with an offer is its own business (signing/wire, stream
// load): it believes the site root only, so nobody at the server can make a
// release, and nobody can make a gate go back to an older one.
//
// No backup holds the programs. After a restore those that are missing are shown
// as such and offered to nobody, until they are handed in once more.
package rollout
