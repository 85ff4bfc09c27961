// Package sim plays whole sites in one process, from a seed, against what the
// product promises.
//
// [Lunch] is a canteen at noon: the tills' decision core on its real journal, the
// server's real database, ledger, cards and settlement. In between stand a network
// and a power supply that fail as the seed says: links go down, questions and answers
// are lost, uploads come twice, cut otherwise and out of order, commits fail, or fail
// and were done all the same, tills lose power before and after their commits, the
// server goes down. At the end everything is connected and has to come out even.
//
// The same seed gives the same run: one goroutine, a clock that is a number, and
// one source of randomness for what happens. The bytes of keys differ; nothing
// depends on them.
package sim
