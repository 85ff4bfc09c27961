// Package desk is what the gates and tills of an agent have in common. [Desk]
// runs a core: it reads codes in the callers' goroutines, queues them, has
// everything that queued up stepped in one transaction ([Settle]), and only then
// shows results, asks questions and sends answers. [Base] is the part of a core
// that keeps the clock and who is on duty.
//
// What is decided stands in packages lane and till.
package desk
