package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// What Measure refuses to begin with.
var (
	// ErrPart: Options name a part that there is not.
	ErrPart = errors.New("no such part")
	// ErrNoDisk: the folder is kept in memory, where a durable write costs
	// nothing.
	ErrNoDisk = errors.New("the folder has no disk behind it")
)

// Options say what to measure and where.
type Options struct {
	Quick bool
	// Only lists the parts to run, of Parts; nil = all.
	Only []string
	// Dir is where the temporary stores are made, on a disk; "" = one of the usual
	// places for temporary files.
	Dir string
	// Bin is the folder of gateserver and gateagent; "" = beside this program.
	Bin  string
	Now  func() time.Time
	Rand io.Reader
	// Rush is how long each crowd of the part lanes comes; 0 = the usual.
	Rush time.Duration
	// Tiny measures as little as can be; its figures say nothing. It is for tests
	// of everything else.
	Tiny bool
}

// part is a group of figures that share what they set up.
type part struct {
	name    string
	measure func(*run, context.Context) error
}

var parts = []part{
	{"verify", (*run).verify},
	{"frames", (*run).frames},
	{"gate", (*run).gate},
	{"lanes", (*run).rush},
	{"server", (*run).server},
	{"till", (*run).till},
	{"charges", (*run).charges},
	{"start", (*run).start},
	{"submit", (*run).submit},
	{"agent-idle", (*run).idle},
}

// Parts names what Options.Only may hold.
func Parts() (names []string) {
	for _, p := range parts {
		names = append(names, p.name)
	}
	return names
}

// run is one run of Measure.
type run struct {
	o   Options
	out io.Writer
	dir string // temporary, of the part that runs
}

// Measure writes a line of JSON for every figure to out, between two lines
// with the load of the machine. The error joins, by name, the parts of which
// something could not be measured; the others are measured nevertheless.
func Measure(ctx context.Context, o Options, out io.Writer) error {
	for _, name := range o.Only {
		if !slices.Contains(Parts(), name) {
			return fmt.Errorf("%w: %q; there are %s", ErrPart, name, strings.Join(Parts(), ", "))
		}
	}
	if o.Dir == "" {
		o.Dir = usualDir()
	}
	if inMemory(o.Dir) {
		return fmt.Errorf("%w: %s", ErrNoDisk, o.Dir)
	}
	r := &run{o: o, out: out}
	errs := []error{r.load()}
	for _, p := range parts {
		if o.Only != nil && !slices.Contains(o.Only, p.name) {
			continue
		}
		if err := r.measure(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	return errors.Join(append(errs, r.load())...)
}

// usualDir is a place for temporary files that is on a disk, if there is one.
func usualDir() string {
	for _, dir := range []string{os.TempDir(), "/var/tmp", "."} {
		if info, err := os.Stat(dir); err == nil && info.IsDir() && !inMemory(dir) {
			return dir
		}
	}
	return os.TempDir()
}

// measure runs one part in a folder of its own.
func (r *run) measure(ctx context.Context, p part) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.dir, err = os.MkdirTemp(r.o.Dir, "campusgate-bench-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	// What an earlier part left behind is not this one's to collect.
	runtime.GC()
	return p.measure(r, ctx)
}

func (r *run) load() error {
	load, err := loadAverage()
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	return r.print(Figure{Name: "load", Value: Number(load), Unit: "processes", CPUs: runtime.NumCPU()})
}

func (r *run) print(figures ...Figure) error {
	for _, f := range figures {
		if err := json.NewEncoder(r.out).Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// effort is what a measurement may take: of all of it, or of a quick run a
// tenth.
func (r *run) effort(turns int, seconds float64) effort {
	e := effort{turns, time.Duration(seconds * float64(time.Second))}
	if r.o.Quick {
		e.turns, e.time = max(minTurns, e.turns/10), e.time/10
	}
	if r.o.Tiny {
		e.turns = minTurns
	}
	return e
}

// size is how much there is to do in one turn.
func (r *run) size(full int) int {
	if r.o.Tiny {
		return max(1, full/10)
	}
	return full
}
