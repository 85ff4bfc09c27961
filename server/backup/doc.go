// Package backup makes copies of a running server's data, and says what they
// are worth.
//
// A backup is one file, a compact SQLite database that shows one moment, and
// beside it the folder attachments, which all backups of a folder share: files
// that people attach never change, so each is copied once. A file is written
// under another name, flushed, read from end to end (pages, references,
// migrations, the chain of the trail), and only then gets its name. What was
// broken off never has it, and lacks the mark that is written last.
//
// What a restore needs beside it, and what no backup holds:
//
//	seal.key      opens what is sealed in the database: issuer keys, phones, ID
//	              numbers, applications. A copy of it beside the backups would lay
//	              them open, so it is kept elsewhere, once: it never changes.
//	root.key      signs keyrings. Kept elsewhere, once: it never changes.
//	server.yaml   and what it names: certificate, secrets of other services.
//
// A backup therefore gives a thief what a stolen database gives, which package
// issue states, and the attachments, which are not sealed.
//
// What was admitted and charged after the backup is not lost with the server:
// gates and tills hold their journals for 90 days after it acknowledged them, and
// send again what a restored server lacks. What was only ever at the server is
// lost back to the backup: applications, people, cards, passes and revocations,
// recharges, settings, and what guards admitted on their own phones.
package backup
