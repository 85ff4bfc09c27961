package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	// leastFree is what the journal of a busy gate takes in some months, with room
	// for the write-ahead log.
	leastFree = 512 << 20
	// slowFlush is where people at the barrier begin to notice the disk.
	slowFlush = 100 * time.Millisecond
	// longLog: the write-ahead log is moved into the store at a few megabytes,
	// unless something keeps reading.
	longLog = 64 << 20
	// flushes are timed; the check tells their median.
	flushes = 5
)

// What the checks of the machine find.
var (
	errFull   = errors.New("too little room")
	errSlow   = errors.New("slow to make a write durable")
	errLog    = errors.New("the write-ahead log does not shrink")
	errUnsync = errors.New("not synchronised by this computer's time service")
)

// Free is how many bytes may still be written to the disk of a folder; an error
// where the system does not tell.
func Free(folder string) (uint64, error) { return freeSpace(folder) }

// Disk looks at the folder of the store: room, how long a write takes until it is
// durable, and the write-ahead log of the store at that path. It writes a small
// file there and removes it.
func Disk(folder, store string) []Check {
	var list []Check
	free, err := freeSpace(folder)
	if err == nil && free < leastFree {
		err = fmt.Errorf("%w: %s free, want %s", errFull, size(free), size(leastFree))
	}
	list = append(list, Of("硬盘空间 disk space", err, size(free)+" free", "清理硬盘 / make room on the disk of "+folder))
	took, err := flush(folder)
	if err == nil && took > slowFlush {
		err = fmt.Errorf("%w: %v", errSlow, took.Round(time.Millisecond))
	}
	list = append(list, Of("硬盘写入 disk flush", err, fmt.Sprintf("%v until a write is durable", took.Round(100*time.Microsecond)),
		"换固态硬盘，不要放在网络盘或 U 盘上 / put data on a local solid-state disk, not on a network share or a stick"))
	var log int64
	if info, err := os.Stat(store + "-wal"); err == nil {
		log = info.Size()
	}
	err = nil
	if log > longLog {
		err = fmt.Errorf("%w: %s", errLog, size(uint64(log)))
	}
	return append(list, Of("写前日志 write-ahead log", err, size(uint64(log)),
		"关闭正在读数据库的其他程序，然后重启门岗程序 / close whatever else reads the store, then restart the agent"))
}

// flush is the median time of a small durable write.
func flush(folder string) (took time.Duration, err error) {
	f, err := os.CreateTemp(folder, ".doctor-*")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	var all []time.Duration
	for range flushes {
		from := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(from))
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// size is a number of bytes for a person.
func size(n uint64) string {
	const unit = 1024
	for _, u := range []struct {
		name string
		of   uint64
	}{{"GiB", unit * unit * unit}, {"MiB", unit * unit}, {"KiB", unit}} {
		if n >= u.of {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.of), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// TimeService asks the system whether something keeps its clock. An agent that is
// compared with its server needs none, so this never fails while that goes well:
// alone says that it does not.
func TimeService(alone bool) Check {
	const name = "对时服务 time service"
	synced, err := clockKept()
	switch {
	case err != nil:
		return Of(name, nil, "unknown: "+err.Error(), "")
	case synced:
		return Of(name, nil, "keeps the clock", "")
	case !alone:
		return Of(name, nil, "none; the comparison with the server stands in", "")
	}
	return Of(name, errUnsync, "", "打开系统对时 / switch the system's time synchronisation on: timedatectl set-ntp true")
}

// Access asks for each device file whether this user may use it. Files that are
// not there are another check's business.
func Access(paths []string) Check {
	const name = "设备权限 permissions"
	seen := 0
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
			continue
		}
		seen++
		if err := usable(path); err != nil {
			return Of(name, fmt.Errorf("%s: %w", path, err), "",
				"把用户加入设备的组后重新登录 / add the user to the device's group and log in again: usermod -aG "+group(path)+" USER")
		}
	}
	return Of(name, nil, fmt.Sprintf("%d device files may be used", seen), "")
}
