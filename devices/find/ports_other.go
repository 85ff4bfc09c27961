//go:build !windows

package find

// Ports lists what is plugged in. root is where the system's /sys and /dev are;
// "/" = here. What cannot be read counts as not there.
func Ports(root string) []Port { return tree{root}.ports() }
