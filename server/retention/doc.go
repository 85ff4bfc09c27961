// Package retention forgets what was kept long enough, and erases persons.
//
// The days are those of the configuration (retention); here are the defaults. 0
// keeps for ever. What goes is overwritten in the file (secure_delete), and the
// log is emptied after each round; backups forget it as they are rotated.
//
//	class         days  what                                       what becomes of it
//	events          30  uploaded events, records in quarantine     deleted; uses, charges, ledger and gaps stay
//	registers      400  register entries and annulments            deleted; who is still out is among them until then
//	passes          30  after the end: name, document, code, key   masked; id, kind, dates, owner, uses stay for counts
//	applications   180  after the end, and that of its passes      form, opinions, names, attachments go; the skeleton stays
//	messages       180  messages to persons                        deleted
//	logins         180  who signed in, from where                  deleted
//	calls           30  calls for help, outages of devices that    deleted
//	                    ended, messages that the webhook took
//	papers         180  after the last day: name, address, note    masked; the number and what became of it stay
//	people         365  who left, with nothing open                erased, as below
//
// For ever: the ledger and everything that it settles (accounts are pseudonyms),
// and the trail, which names persons by their numbers only, with what officials
// wrote as their reason about cards, money, alarms and erasures. Sessions, codes,
// nonces and previews of imports end by themselves within days. Logs of the server
// name nobody and are the system's to rotate. A gate PC keeps the events that the
// server has for 90 days (journal.Keep), since a server that was restored asks for
// them again; names that a gate can look up leave it a month after their pass ended.
//
// To erase a person is refused while a matter of theirs is open, a card is, money
// is on its way, a pass is good, a paper is out or a post is held. After it nothing
// here says who their number was: that stays in ledger and trail as a pseudonym.
// Register entries name who went by name and number in text, under no key; they go
// with their class.
//
// Journals stay verifiable: an agent's says how far it was pruned and with which
// hash the rest begins, and the server keeps the head of each beside the events.
package retention
