//go:build linux

package power

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// ErrLive: the disk has power; cut it first.
var ErrLive = errors.New("the disk has power")

// Loss says what a cut does to writes that were never synced.
type Loss int

// What can become of them. Whatever was synced stays in each.
const (
	// Everything unsynced is lost.
	Everything Loss = iota
	// Some: each write is lost, kept or torn at a sector's border, each by chance.
	// A later one may be kept where an earlier one is lost.
	Some
)

// sector is what a disk writes at once.
const sector = 512

// Disk is what a computer has of a disk while it runs, and what is left of it
// after a cut. Safe for concurrent use.
//
// What a program reads is what was written. What is left after a cut follows rules
// that are at least as hard as those of ext4 with data=ordered:
//
//   - fsync and fdatasync of a file keep its bytes and its size, and nothing else:
//     unlike on ext4 not the name under which it was just made;
//   - names (create, link, rename, unlink, mkdir, rmdir, symlink) are kept by a sync
//     of their folder. It keeps, as a journal would, everything done to names up to
//     the last change in that folder. Names never go back in time to a state that
//     was not: what is left of unsynced changes is a beginning of them;
//   - a rename does not sync what it renames;
//   - bytes that are lost between others that were kept read as zero.
type Disk struct {
	mu      sync.Mutex // guards everything below, and every file
	root    *file
	log     []change // of names, not yet on the disk
	dead    bool
	steps   int // writes, syncs and changes of names since the start
	left    int // steps left until the power fails; 0 = it does not
	failed  chan struct{}
	lastIno uint64
}

// file is a file, a folder or a symbolic link. A file that has no name any more
// lives as long as somebody holds it.
type file struct {
	ino    uint64
	mode   uint32 // with the type
	target string // of a symbolic link

	data    []byte // as programs see it
	durable []byte // as after the last sync
	pending []write

	names map[string]*file // of a folder, as programs see it
	kept  map[string]*file // as on the disk
}

// write is a change of a file's bytes that was not synced. Without data the file
// was cut off, or extended with zeros, at off.
type write struct {
	off  int64
	data []byte
}

// change is a change of names: the whole of it happens, or nothing.
type change struct{ puts []put }

// put gives a name in a folder to a file; nil takes it away.
type put struct {
	dir  *file
	name string
	file *file
}

// New is an empty disk, with power.
func New() *Disk {
	d := &Disk{failed: make(chan struct{})}
	d.root = d.file(dirMode | 0o755)
	return d
}

const (
	dirMode  = 0o040000
	fileMode = 0o100000
	linkMode = 0o120000
	typeMask = 0o170000
)

func (d *Disk) file(mode uint32) *file {
	d.lastIno++
	f := &file{ino: d.lastIno, mode: mode}
	if mode&typeMask == dirMode {
		f.names, f.kept = map[string]*file{}, map[string]*file{}
	}
	return f
}

// FailAfter lets the power fail by itself after so many further steps: writes,
// syncs and changes of names. The step that it fails at is not carried out. Failed
// tells when.
func (d *Disk) FailAfter(steps int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = steps
}

// Failed is closed when the power has failed.
func (d *Disk) Failed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.failed
}

// Steps counts the writes, syncs and changes of names so far.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// Cut takes the power away: from here on everything that programs do to the disk
// fails with EIO, and nothing is kept any more.
func (d *Disk) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut()
}

func (d *Disk) cut() {
	if !d.dead {
		d.dead = true
		close(d.failed)
	}
}

// step counts one, and reports whether there is power for it.
func (d *Disk) step() bool {
	if d.dead {
		return false
	}
	d.steps++
	if d.left > 0 {
		if d.left--; d.left == 0 {
			d.cut()
			return false
		}
	}
	return true
}

// Restore brings the power back after a cut. What programs see from here on is what
// the disk kept, and what loss and random left of the rest. No program of before may
// be running; see Mounted.Close.
func (d *Disk) Restore(loss Loss, random *rand.Rand) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.dead {
		return ErrLive
	}
	if loss == Some {
		d.keep(random.IntN(len(d.log) + 1))
	}
	d.log = nil
	seen := map[*file]bool{}
	d.settle(d.root, loss, random, seen)
	d.dead, d.left, d.failed = false, 0, make(chan struct{})
	return nil
}

// settle makes what the disk kept what programs see, in the order of names, so that
// chance repeats itself.
func (d *Disk) settle(f *file, loss Loss, random *rand.Rand, seen map[*file]bool) {
	if seen[f] {
		return
	}
	seen[f] = true
	if loss == Some {
		for _, w := range f.pending {
			f.durable = w.torn(random).onto(f.durable)
		}
	}
	f.pending, f.data = nil, bytes.Clone(f.durable)
	if f.names == nil {
		return
	}
	f.names = maps.Clone(f.kept)
	for _, name := range slices.Sorted(maps.Keys(f.names)) {
		d.settle(f.names[name], loss, random, seen)
	}
}

// torn is what chance leaves of a write that was on its way.
func (w write) torn(random *rand.Rand) write {
	switch random.IntN(4) {
	case 0:
		return write{off: -1}
	case 1, 2:
		return w
	}
	// Of a write over several sectors some arrive: a run from the start, or to the end.
	if len(w.data) == 0 {
		return w
	}
	end := w.off + int64(len(w.data))
	border := (w.off/sector + 1 + random.Int64N(int64(len(w.data))/sector+1)) * sector
	if border >= end {
		return write{off: -1}
	}
	if random.IntN(2) == 0 {
		return write{off: w.off, data: w.data[:border-w.off]}
	}
	return write{off: border, data: w.data[border-w.off:]}
}

// onto gives the bytes after the write.
func (w write) onto(data []byte) []byte {
	switch {
	case w.off < 0:
		return data
	case w.data == nil:
		return resize(data, w.off)
	}
	if end := w.off + int64(len(w.data)); int64(len(data)) < end {
		data = resize(data, end)
	}
	copy(data[w.off:], w.data)
	return data
}

func resize(data []byte, size int64) []byte {
	if size <= int64(len(data)) {
		return data[:size:size]
	}
	// Room to grow, or a file that is appended to would be copied each time.
	grown := slices.Grow(data, int(size)-len(data))[:size]
	clear(grown[len(data):])
	return grown
}

// change makes a change of names visible and notes it.
func (d *Disk) change(puts ...put) {
	for _, p := range puts {
		if p.file == nil {
			delete(p.dir.names, p.name)
		} else {
			p.dir.names[p.name] = p.file
		}
	}
	d.log = append(d.log, change{puts})
}

// keep puts the first n changes of names onto the disk.
func (d *Disk) keep(n int) {
	for _, c := range d.log[:n] {
		for _, p := range c.puts {
			if p.file == nil {
				delete(p.dir.kept, p.name)
			} else {
				p.dir.kept[p.name] = p.file
			}
		}
	}
	d.log = slices.Clone(d.log[n:])
}

// syncFile keeps a file's bytes.
func (f *file) syncFile() {
	for _, w := range f.pending {
		f.durable = w.onto(f.durable)
	}
	f.pending = nil
}

// syncNames keeps the names up to the last change in a folder.
func (d *Disk) syncNames(dir *file) {
	for i := len(d.log); i > 0; i-- {
		if slices.ContainsFunc(d.log[i-1].puts, func(p put) bool { return p.dir == dir }) {
			d.keep(i)
			return
		}
	}
}

// Sync keeps everything, as the command does.
func (d *Disk) Sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep(len(d.log))
	d.syncAll(d.root, map[*file]bool{})
}

func (d *Disk) syncAll(f *file, seen map[*file]bool) {
	if seen[f] {
		return
	}
	seen[f] = true
	f.syncFile()
	for _, child := range f.names {
		d.syncAll(child, seen)
	}
}

// Export copies what programs would see into a folder that exists: the disk in
// another computer. Symbolic links and empty folders come along.
func (d *Disk) Export(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return export(d.root, dir)
}

func export(f *file, dir string) error {
	for name, child := range f.names {
		path := filepath.Join(dir, name)
		var err error
		switch child.mode & typeMask {
		case dirMode:
			if err = os.Mkdir(path, 0o700); err == nil {
				err = export(child, path)
			}
		case linkMode:
			err = os.Symlink(child.target, path)
		default:
			err = os.WriteFile(path, child.data, os.FileMode(child.mode)&0o777)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
