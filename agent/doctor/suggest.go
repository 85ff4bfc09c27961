package doctor

import (
	"fmt"
	"strings"

	"campusgate/devices/find"
)

// Known says which drivers the program has, by role; a fit with another is of
// no use.
type Known func(role, driver string) bool

// Suggest writes YAML for devices that are there and that the configuration does
// not name: one for each of the roles that it lacks. used are the configured
// paths, root is as with find.Ports.
func Suggest(root string, ports []find.Port, roles, used []string, known Known) string {
	taken := map[string]bool{}
	for _, path := range used {
		if p := find.At(root, ports, path); p != nil {
			taken[p.Node] = true
		}
	}
	var b strings.Builder
	for _, role := range roles {
		p, f := first(ports, taken, role, known)
		if p == nil {
			continue
		}
		taken[p.Node] = true
		indent := "    " // in a lane
		if role == find.RolePrinter {
			indent = ""
		}
		fmt.Fprintf(&b, "%s# %s\n%s%s: {driver: %s, path: %q", indent, strings.ReplaceAll(p.String(), "\n", " "), indent, role, f.Driver, p.Path)
		if f.Preset != "" {
			fmt.Fprintf(&b, ", preset: %s", f.Preset)
		}
		if f.Baud != 0 {
			fmt.Fprintf(&b, ", baud: %d", f.Baud)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// first is the port that fits a role best: one for which the role is the
// likeliest use goes before one for which it is another.
func first(ports []find.Port, taken map[string]bool, role string, known Known) (*find.Port, find.Fit) {
	for rank := range 2 {
		for i := range ports {
			p := &ports[i]
			if taken[p.Node] || len(p.Fits) <= rank {
				continue
			}
			if f := p.Fits[rank]; f.Role == role && known(role, f.Driver) {
				return p, f
			}
		}
	}
	return nil, find.Fit{}
}
