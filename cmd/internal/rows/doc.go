// Package rows holds the test that every required row of the pass scheme (CQ) and
// of the campus card (CM) has a test of its own. rows.txt lists the rows; a test claims rows by writing their
// numbers into its name, as TestSubmit_CQ003_… does, or a subtest, or a Vitest
// case. TABLE.md, generated, says which test stands for which row.
package rows
