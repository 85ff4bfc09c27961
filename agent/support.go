package agent

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/snapshot"
	"campusgate/agent/support"
)

// Support writes the bundle of the running agent; see package support.
func (a *Agent) Support(ctx context.Context, w io.Writer) error {
	b := support.Bundle{At: a.now(), Config: a.file, Report: a.Examine(ctx)}
	if a.said != nil {
		b.Log = a.said()
	}
	for _, r := range a.desk.Recent() {
		b.People = append(b.People, r.Name)
	}
	return writeBundle(ctx, &b, a.settings, a.journal, a.snapshot, w)
}

// Support writes the bundle of an agent that does not run: file is its
// configuration, said the end of its log. It fails with ErrInUse while one works
// with the folder; the console of that one gives its bundle.
func Support(ctx context.Context, s Settings, w Surroundings, file, said []byte, out io.Writer) error {
	report, err := Doctor(ctx, s, w)
	if err != nil {
		return err
	}
	b := support.Bundle{At: w.real().Now(), Config: file, Report: report, Log: said}
	var j *journal.Journal
	var snap *snapshot.Snapshot
	// What cannot be opened is missing in the bundle, and the report says why.
	if db, err := disk.Open(s.store()); err == nil {
		defer func() { _ = db.Close() }()
		if j, err = journal.Open(db); err == nil {
			if snap, err = s.snapshot(db, j.Identity()); err != nil {
				snap = nil
			}
		} else {
			j = nil
		}
	}
	return writeBundle(ctx, &b, s, j, snap, out)
}

// writeBundle adds what the parts know, as far as they are there.
func writeBundle(ctx context.Context, b *support.Bundle, s Settings, j *journal.Journal, snap *snapshot.Snapshot, out io.Writer) error {
	b.Versions = versions()
	for _, l := range s.Lanes {
		b.Places = append(b.Places, l.Name)
	}
	if j != nil {
		b.Places = append(b.Places, j.Identity().Site)
		// A journal that cannot be counted is what the bundle is for.
		if numbers, err := j.Statistics(ctx); err == nil {
			b.Journal = &numbers
		} else {
			b.Versions["journal"] = err.Error()
		}
	}
	if snap != nil {
		for _, g := range snap.Gates() {
			b.Places = append(b.Places, g.Name)
		}
		names, err := snap.Names(ctx)
		if err != nil {
			b.Log = []byte("left out: the names to be removed from it are not known: " + err.Error() + "\n")
		}
		b.People = append(b.People, names...)
	}
	return b.Write(out)
}

// versions names this program and what it runs on.
func versions() map[string]string {
	v := map[string]string{
		"software": Software, "go": runtime.Version(), "system": runtime.GOOS + "/" + runtime.GOARCH,
		"cpus": fmt.Sprint(runtime.NumCPU()),
	}
	if Version != "" {
		v["version"] = Version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v["revision"] = s.Value
			}
		}
	}
	for name, path := range map[string]string{"kernel": "/proc/sys/kernel/osrelease", "os": "/etc/os-release"} {
		data, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		text := strings.TrimSpace(string(data))
		if _, pretty, ok := strings.Cut(text, "PRETTY_NAME="); ok {
			text, _, _ = strings.Cut(pretty, "\n")
			text = strings.Trim(text, `"`)
		}
		v[name] = text
	}
	return v
}
