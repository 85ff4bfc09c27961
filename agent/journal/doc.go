// Package journal is what an agent remembers of its own doing: who it is, every
// event in a hash chain, the uses that follow from them, the questions it asked
// and the answers it gave, and its clock.
//
// Update runs a lane.Core inside one durable transaction, and that of Till a
// till.Core. The rest of the methods are for the link, which uploads the events in order.
//
// One store holds one epoch. An agent that is enrolled again begins with a new
// store, and owns only what is issued after it.
package journal
