package configs

import (
	"embed"
	"strings"
)

// Samples holds the commented sample files: server.yaml, gate.yaml,
// till.yaml, kiosk.yaml and documents.yaml.
//
//go:embed *.yaml
var Samples embed.FS

//go:embed people/*.csv
var people embed.FS

// PeopleFile is a file to be imported, with what is in it: places, units,
// people, households or posts.
type PeopleFile struct {
	Kind string
	Name string
	Data []byte
}

// People gives the sample files of an invented campus in the order in which they
// are imported: the heads of units, a file of units too, come after the people.
// Nobody in them lives; their ID numbers begin with an area that there is not.
func People() ([]PeopleFile, error) {
	entries, err := people.ReadDir("people") // sorted by name: 1-places.csv …
	if err != nil {
		return nil, err
	}
	files := make([]PeopleFile, len(entries))
	for i, e := range entries {
		_, kind, _ := strings.Cut(strings.TrimSuffix(e.Name(), ".csv"), "-")
		if kind == "heads" {
			kind = "units"
		}
		data, err := people.ReadFile("people/" + e.Name())
		if err != nil {
			return nil, err
		}
		files[i] = PeopleFile{Kind: kind, Name: e.Name(), Data: data}
	}
	return files, nil
}
