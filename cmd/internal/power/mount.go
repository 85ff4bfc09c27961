//go:build linux

package power

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// Mounted is a Disk in the tree of files. What the kernel remembers of a disk ends
// with its mount, so a disk is mounted again after each cut.
type Mounted struct {
	server *fuse.Server
	dir    string
}

// Available says why no Disk can be mounted here; nil = it can.
func Available() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("FUSE: %w", err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("FUSE: %w: to mount needs root", os.ErrPermission)
	}
	return nil
}

// Mount shows the disk at dir, a folder that exists. This process must not map its
// files into memory (and so open no SQLite store there): the kernel would wait for
// an answer from a program that waits for the kernel. Export is for that.
func (d *Disk) Mount(dir string) (*Mounted, error) {
	if err := share(dir); err != nil {
		return nil, fmt.Errorf("mount at %s: %w", dir, err)
	}
	// Nothing changes but through the kernel, which may remember all of it.
	long := time.Hour
	server, err := fs.Mount(dir, &node{disk: d, file: d.root}, &fs.Options{
		MountOptions: fuse.MountOptions{
			FsName: "power", Name: "power", DirectMountStrict: true, DisableReadDirPlus: true, DisableXAttrs: true,
		},
		EntryTimeout: &long, AttrTimeout: &long, RootStableAttr: &fs.StableAttr{Ino: d.root.ino, Gen: 1},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mount at %s: %w", dir, err), syscall.Unmount(dir, syscall.MNT_DETACH))
	}
	return &Mounted{server, dir}, nil
}

// share puts a mount beneath that tells the others of what is mounted on it. Whoever
// makes a namespace of mounts (as ip netns exec does) gets a copy of each, and a disk
// is in use until the last copy goes: like this they go together.
func share(dir string) error {
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		return err
	}
	if err := syscall.Mount("", dir, "", syscall.MS_SHARED, ""); err != nil {
		return errors.Join(err, syscall.Unmount(dir, syscall.MNT_DETACH))
	}
	return nil
}

// Close takes the disk out of the tree. It fails when a process holds a file of it
// for longer than ten seconds. A moment is no fault: a program that is being started
// has, until then, what its parent has open.
func (m *Mounted) Close() error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	err := syscall.Unmount(m.dir, 0)
	for tries := 0; errors.Is(err, syscall.EBUSY) && tries < 1000; tries++ {
		<-again.C
		err = syscall.Unmount(m.dir, 0)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", m.dir, err)
	}
	m.server.Wait()
	if err := syscall.Unmount(m.dir, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount beneath %s: %w", m.dir, err)
	}
	return nil
}

// node is a file for the kernel.
type node struct {
	fs.Inode
	disk *Disk
	file *file
}

var _ = interface {
	fs.NodeLookuper
	fs.NodeGetattrer
	fs.NodeSetattrer
	fs.NodeReadlinker
	fs.NodeOpener
	fs.NodeReader
	fs.NodeWriter
	fs.NodeFsyncer
	fs.NodeReaddirer
	fs.NodeMkdirer
	fs.NodeLinker
	fs.NodeSymlinker
	fs.NodeCreater
	fs.NodeUnlinker
	fs.NodeRmdirer
	fs.NodeRenamer
	fs.NodeStatfser
}(&node{})

// locked runs do where there is power.
func (n *node) locked(do func() syscall.Errno) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if n.disk.dead {
		return syscall.EIO
	}
	return do()
}

// stepped is locked for what counts as a step.
func (n *node) stepped(do func() syscall.Errno) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if !n.disk.step() {
		return syscall.EIO
	}
	return do()
}

func (f *file) attr(out *fuse.Attr) {
	out.Ino, out.Mode, out.Nlink = f.ino, f.mode, 1
	out.Size, out.Blksize = uint64(len(f.data)), 4096
	if f.mode&typeMask == linkMode {
		out.Size = uint64(len(f.target))
	}
	out.Blocks = (out.Size + sector - 1) / sector
}

// child makes the kernel's side of a file.
func (n *node) child(ctx context.Context, f *file, out *fuse.EntryOut) *fs.Inode {
	f.attr(&out.Attr)
	return n.NewInode(ctx, &node{disk: n.disk, file: f}, fs.StableAttr{Mode: f.mode & typeMask, Ino: f.ino, Gen: 1})
}

func (n *node) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.locked(func() syscall.Errno {
		f := n.file.names[name]
		if f == nil {
			return syscall.ENOENT
		}
		child = n.child(ctx, f, out)
		return 0
	})
	return child, errno
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return n.locked(func() syscall.Errno {
		n.file.attr(&out.Attr)
		return 0
	})
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return n.stepped(func() syscall.Errno {
		if mode, ok := in.GetMode(); ok { // kept at once: nothing here depends on it
			n.file.mode = n.file.mode&typeMask | mode&0o7777
		}
		if size, ok := in.GetSize(); ok {
			n.file.write(write{off: int64(size)})
		}
		n.file.attr(&out.Attr)
		return 0
	})
}

func (f *file) write(w write) {
	f.data = w.onto(f.data)
	f.pending = append(f.pending, w)
}

func (n *node) Readlink(context.Context) (target []byte, errno syscall.Errno) {
	errno = n.locked(func() syscall.Errno {
		target = []byte(n.file.target)
		return 0
	})
	return target, errno
}

func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, n.locked(func() syscall.Errno {
		if flags&syscall.O_TRUNC != 0 {
			n.file.write(write{})
		}
		return 0
	})
}

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (result fuse.ReadResult, errno syscall.Errno) {
	errno = n.locked(func() syscall.Errno {
		from := min(off, int64(len(n.file.data)))
		result = fuse.ReadResultData(dest[:copy(dest, n.file.data[from:])])
		return 0
	})
	return result, errno
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (written uint32, errno syscall.Errno) {
	errno = n.stepped(func() syscall.Errno {
		n.file.write(write{off: off, data: append(make([]byte, 0, len(data)), data...)})
		written = uint32(len(data))
		return 0
	})
	return written, errno
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	return n.stepped(func() syscall.Errno {
		if n.file.names != nil {
			n.disk.syncNames(n.file)
		} else {
			n.file.syncFile()
		}
		return 0
	})
}

func (n *node) Readdir(context.Context) (stream fs.DirStream, errno syscall.Errno) {
	errno = n.locked(func() syscall.Errno {
		var list []fuse.DirEntry
		for _, name := range slices.Sorted(maps.Keys(n.file.names)) {
			f := n.file.names[name]
			list = append(list, fuse.DirEntry{Name: name, Mode: f.mode, Ino: f.ino})
		}
		stream = fs.NewListDirStream(list)
		return 0
	})
	return stream, errno
}

// make puts something new under a name.
func (n *node) make(ctx context.Context, name string, mode uint32, out *fuse.EntryOut, fill func(*file)) (child *fs.Inode, errno syscall.Errno) {
	errno = n.stepped(func() syscall.Errno {
		if n.file.names[name] != nil {
			return syscall.EEXIST
		}
		f := n.disk.file(mode)
		if fill != nil {
			fill(f)
		}
		n.disk.change(put{n.file, name, f})
		child = n.child(ctx, f, out)
		return 0
	})
	return child, errno
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, name, dirMode|mode&0o7777, out, nil)
}

func (n *node) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.make(ctx, name, linkMode|0o777, out, func(f *file) { f.target = target })
}

func (n *node) Create(ctx context.Context, name string, _, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	child, errno := n.make(ctx, name, fileMode|mode&0o7777, out, nil)
	return child, nil, 0, errno
}

func (n *node) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (child *fs.Inode, errno syscall.Errno) {
	errno = n.stepped(func() syscall.Errno {
		of, ok := target.(*node)
		if !ok {
			return syscall.EXDEV
		}
		if n.file.names[name] != nil {
			return syscall.EEXIST
		}
		n.disk.change(put{n.file, name, of.file})
		child = n.child(ctx, of.file, out)
		return 0
	})
	return child, errno
}

func (n *node) Unlink(_ context.Context, name string) syscall.Errno {
	return n.stepped(func() syscall.Errno {
		if n.file.names[name] == nil {
			return syscall.ENOENT
		}
		n.disk.change(put{n.file, name, nil})
		return 0
	})
}

func (n *node) Rmdir(_ context.Context, name string) syscall.Errno {
	return n.stepped(func() syscall.Errno {
		switch f := n.file.names[name]; {
		case f == nil:
			return syscall.ENOENT
		case len(f.names) > 0:
			return syscall.ENOTEMPTY
		}
		n.disk.change(put{n.file, name, nil})
		return 0
	})
}

func (n *node) Rename(_ context.Context, name string, newParent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	return n.stepped(func() syscall.Errno {
		to, ok := newParent.(*node)
		if !ok || flags != 0 {
			return syscall.EINVAL
		}
		f, old := n.file.names[name], to.file.names[newName]
		switch {
		case f == nil:
			return syscall.ENOENT
		case f == old:
			return 0
		case old != nil && len(old.names) > 0:
			return syscall.ENOTEMPTY
		}
		n.disk.change(put{n.file, name, nil}, put{to.file, newName, f})
		return 0
	})
}

func (n *node) Statfs(_ context.Context, out *fuse.StatfsOut) syscall.Errno {
	out.Bsize, out.Frsize, out.NameLen = 4096, 4096, 255
	out.Blocks, out.Bfree, out.Bavail = 1<<24, 1<<23, 1<<23 // room enough
	return 0
}
