// Package update changes the program of an agent and goes back by itself.
//
// The installed program is never replaced. Updates lie in the data folder, where
// the agent may write, each under its hash; the installed program starts as the
// launcher, finds in state.json which program is to run, and runs it as its
// child. So a program that crashes before its first line, or hangs, is found out
// by one that is known to be good. The child ends when its standard input does:
// it never outlives the launcher, however that ended.
//
//	update/state.json        what runs, what is tried, what it was before
//	update/HASH/gateagent    a program; two at most are kept beside the installed
//
// An update is staged (Stage): the manifest is signed by the site root, the site,
// system and hash fit, the serial is not below the highest one ever staged, and
// the program passes its self-test on a copy of the store. Then it is the trial.
// The launcher notes on the disk that the trial had its chance, and starts it:
// once. When it has worked for a while it confirms itself (Confirm); when it ends
// or the time is over before, the program before it comes back, at once, or at
// the next start if the launcher died too.
//
// state.json is written aside, flushed and renamed, so it is always whole. While
// a trial is under way only launcher and trial write it, and Stage and Back
// refuse. A program whose hash is not the noted one is not started: the one
// before it is, and last the installed one. When the installed program itself was
// replaced, by its package, it counts as newer than every update, and they go.
//
// A program that is newer may have migrated the store. Going back never puts an
// old store back, which would have forgotten events: the older program takes all
// rows over into a store of its own migrations, where it knows every table and
// column (disk.StepBack), and otherwise leaves all as it is and says so.
package update
