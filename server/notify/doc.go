// Package notify brings messages to people: into their list on phone and
// console, and out through channels such as a webhook or an SMS gateway.
//
// A message is stored in the transaction of what it tells of; the channels
// are tried afterwards from an outbox, again and again until one day has
// passed, and a channel that is down keeps nothing else waiting.
package notify
