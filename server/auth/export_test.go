package auth

// SetCost makes new hashes at another cost until restore.
func SetCost(memory, time uint32) (restore func()) {
	old := currentCost
	currentCost = cost{memory: memory, time: time, lanes: 1}
	return func() { currentCost = old }
}

// OccupyHasher takes every slot of the hasher until release.
func (a *Accounts) OccupyHasher() (release func()) {
	for range cap(a.hasher.slots) {
		a.hasher.slots <- struct{}{}
	}
	return func() {
		for range cap(a.hasher.slots) {
			<-a.hasher.slots
		}
	}
}
