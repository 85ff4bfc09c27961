package auth

// SetCost makes new hashes at another cost until restore.
func SetCost(memory, time uint32) (restore func()) {
	old := currentCost
	currentCost = cost{memory: memory, time: time, lanes: 1}
	return func() { currentCost = old }
}
