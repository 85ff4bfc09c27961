package configs

import (
	"embed"
	"io/fs"
)

//go:embed flows/*.yaml flows/cases/*.yaml
var flows embed.FS

// Flows holds the files of flows that the product ships, of schema flow/v1:
// passes.yaml for the gate, and one for each kind of house that may use them.
func Flows() fs.FS {
	sub, err := fs.Sub(flows, "flows")
	if err != nil {
		panic(err) // only a name that is no path comes here
	}
	return sub
}
