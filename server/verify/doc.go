// Package verify is a gate without a PC: a guard opens the address in a pass
// with any phone, signs in, sees what the pass says and what the judge makes of
// it, and admits. It judges as the lanes of the agents do, with what the server
// knows. A pass whose uses are counted is put to its decider, like any gate's
// question: the server itself, or the gate that owns it, whose silence refuses.
//
// Every look that ends in a refusal, and every admission, is an event of the
// server's own (agent 0), at the guard's gate, with the guard's number.
package verify
