package configs

import "embed"

// Samples holds the commented sample files: server.yaml, gate.yaml and
// documents.yaml.
//
//go:embed *.yaml
var Samples embed.FS

// People holds the sample files of an invented campus, to be imported in the
// order of their names: 1-places.csv, 2-units.csv, 3-people.csv, 4-heads.csv (of
// units), 5-households.csv, 6-posts.csv. Nobody in them lives; their ID numbers
// begin with an area that there is not.
//
//go:embed people/*.csv
var People embed.FS
