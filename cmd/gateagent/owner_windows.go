package main

// owner is of use where one user enrols a PC for another. On Windows files take
// the rights of their folder.
type owner struct{}

func ownerOf(string) owner { return owner{} }

func (owner) give(string) error { return nil }
