// Package support makes the bundle that a gate PC's administrator sends to
// whoever helps: what is configured, what the checks found, what was logged and
// how many events there are. It holds no secret, no code and nothing about a
// person; see [Scrub] and [Config] for how that is seen to.
package support

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"campusgate/agent/doctor"
	"campusgate/agent/journal"
)

// maxLog is how much of the end of a log goes along.
const maxLog = 512 << 10

// Bundle is what goes into the file.
type Bundle struct {
	// At names the moment, for the files in the archive.
	At time.Time
	// Config is the agent's YAML file as it is written.
	Config []byte
	Report doctor.Report
	// Versions are names of programs and systems with theirs.
	Versions map[string]string
	// Journal is nil where there is none, or none that can be read.
	Journal *journal.Statistics
	// Log is the end of the log.
	Log []byte
	// Places are names in Chinese that may stay: of gates and lanes.
	Places []string
	// People are names of people in other scripts, which must go.
	People []string
}

// Write makes the archive.
func (b *Bundle) Write(w io.Writer) error {
	config, err := Config(b.Config)
	if err != nil {
		config = []byte("# " + err.Error() + "\n")
	}
	scrub := NewScrubber(b.Places, b.People)
	var said bytes.Buffer
	if err := b.Report.Write(&said); err != nil {
		return err
	}
	log := b.Log
	if len(log) > maxLog {
		log = log[len(log)-maxLog:]
		log = log[bytes.IndexByte(log, '\n')+1:] // from a whole line on
	}
	archive := zip.NewWriter(w)
	for _, f := range []struct {
		name string
		data func() ([]byte, error)
	}{
		{"README.txt", func() ([]byte, error) { return []byte(about), nil }},
		{"config.yaml", func() ([]byte, error) { return config, nil }},
		{"doctor.txt", func() ([]byte, error) { return said.Bytes(), nil }},
		{"doctor.json", func() ([]byte, error) { return pretty(b.Report) }},
		{"versions.json", func() ([]byte, error) { return pretty(b.Versions) }},
		{"journal.json", func() ([]byte, error) { return pretty(b.Journal) }},
		{"log.txt", func() ([]byte, error) { return scrub.Log(log), nil }},
	} {
		data, err := f.data()
		if err != nil {
			return fmt.Errorf("support bundle: %s: %w", f.name, err)
		}
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: b.At})
		if err == nil {
			_, err = entry.Write(data)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("support bundle: %s: %w", f.name, err), archive.Close())
		}
	}
	return archive.Close()
}

const about = `校园通行门岗程序的诊断包：配置（不含密钥）、检查结果、版本、事件数量、最近日志。
其中没有人名、证件号、手机号和通行码，可以发给管理员。

Support bundle of a Campusgate agent: configuration without secrets, findings of
the doctor, versions, numbers of events, the end of the log. It holds no names of
people, ids, phone numbers or codes, and may be sent to whoever helps.
`

func pretty(v any) ([]byte, error) {
	data, err := json.MarshalIndent(v, "", "  ")
	return append(data, '\n'), err
}
