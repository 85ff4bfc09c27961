// Package report tells what was applied for and who came through the gates: the
// records of a flow as a table, the same as a file, and figures over days.
//
// A file that leaves here is inert. In CSV a text that a spreadsheet program
// could take for a formula gets an apostrophe in front, which stays visible; see
// Guard. In a workbook every cell says that it is text, a number or a moment,
// and its text is what was written. Who may ask is apply.Actor.Reads.
package report
