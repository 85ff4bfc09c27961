package configs

import "embed"

// Samples holds the commented sample files: server.yaml, gate.yaml and
// documents.yaml.
//
//go:embed *.yaml
var Samples embed.FS
