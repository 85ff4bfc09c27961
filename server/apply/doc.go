// Package apply turns applications into passes. It keeps the instances of
// package approval, gives the engine the facts it asks for, and carries out its
// effects in the same transaction as the step that called for them: a quota is
// counted, a pass signed and a notice queued, or nothing of it.
//
// What cannot be done comes back as an *approval.Refusal, which is a result and
// not an error: nothing has changed. Errors are faults, and store.ErrNotFound
// for what is not there or not to be seen by who asks.
//
// The quota of a household (one code in so many days) counts from the submit
// on, so that of several applications that are under way together only one is
// taken. An application that ends without a code gives its dates back, and so
// does a code that is revoked, for the days after the one on which that happens.
//
// Service is safe for concurrent use.
package apply
