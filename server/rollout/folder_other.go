//go:build !unix

package rollout

// syncFolder has nothing to do where folders cannot be synced: the file system
// keeps the name with the file.
func syncFolder(string) error { return nil }
