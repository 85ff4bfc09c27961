package ledger

// Hash is what the content of a transfer hashes to.
func (tr *Transfer) Hash() []byte { return tr.hash() }
