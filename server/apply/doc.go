// Package apply turns applications into passes. It keeps the instances of
// package approval, gives the engine the facts it asks for, and carries out its
// effects in the same transaction as the step that called for them: a quota is
// counted, a pass signed and a notice queued, or nothing of it.
package apply
