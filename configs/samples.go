package configs

import "embed"

// Samples holds the commented sample files: server.yaml and gate.yaml.
//
//go:embed *.yaml
var Samples embed.FS
