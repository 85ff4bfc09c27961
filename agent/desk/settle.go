package desk

import (
	"errors"
	"fmt"
)

// What any input can be told.
var (
	// ErrBusy: the queue is full, or the desk has stopped.
	ErrBusy = errors.New("the lanes take no scan now")
	// ErrStore: the transaction failed; nothing may be taken to have happened.
	ErrStore = errors.New("could not be written")
	// ErrNoLane: no lane has that name.
	ErrNoLane = errors.New("no such lane")
	// ErrNoScan: no attempt has that id, or it was too long ago.
	ErrNoScan = errors.New("no such scan")
	// ErrNotWaiting: the attempt has been decided, or gave up waiting.
	ErrNotWaiting = errors.New("the scan does not wait for an answer")
	// ErrNoShift: nobody is on duty who could answer for this.
	ErrNoShift = errors.New("no guard is on duty")
)

// Core decides, in one goroutine, on the book of its kind.
type Core[B any] interface {
	// Step takes one input and says what to do once the transaction is on the
	// disk. An error is the book's; then the transaction must be rolled back, and
	// the core with it.
	Step(book B, in Input) ([]Effect, error)
	// Commit makes the steps since the last call final, Rollback takes them back.
	Commit()
	Rollback()
	// Failed says what to tell the world of an input whose transaction could not
	// be committed. It is called after Rollback.
	Failed(in Input, cause error) []Effect
}

// Settle steps a batch in one durable transaction, and gives the effects of
// each input. Where the transaction failed these are what Failed says, and err
// says why.
func Settle[B any](update func(func(B) error) error, core Core[B], batch []Input) (effects [][]Effect, err error) {
	effects = make([][]Effect, len(batch))
	err = update(func(book B) (err error) {
		for i, in := range batch {
			if effects[i], err = core.Step(book, in); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		core.Rollback()
		err = fmt.Errorf("%w: %w", ErrStore, err)
		for i, in := range batch {
			effects[i] = core.Failed(in, err)
		}
	}
	core.Commit()
	return effects, err
}
