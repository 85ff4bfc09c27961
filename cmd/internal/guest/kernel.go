package guest

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrAbsent is wrapped when this machine has no emulator or no kernel for it.
var ErrAbsent = errors.New("no guest machine here; .ci/deps gets what it needs")

// emulator is the program that is the machine.
const emulator = "qemu-system-x86_64"

// Kernel is an unpacked kernel package.
type Kernel struct {
	// Image is the file to boot.
	Image string
	// modules are the files of the modules by name, with _ for -.
	modules map[string]string
}

// Find looks for the emulator, and for a kernel package unpacked in a folder.
func Find(folder string) (*Kernel, error) {
	if _, err := exec.LookPath(emulator); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAbsent, err)
	}
	images, err := filepath.Glob(filepath.Join(folder, "boot", "vmlinuz-*"))
	if err != nil || len(images) == 0 {
		return nil, fmt.Errorf("%w: no kernel in %s", ErrAbsent, folder)
	}
	k := &Kernel{Image: images[len(images)-1], modules: map[string]string{}}
	version := strings.TrimPrefix(filepath.Base(k.Image), "vmlinuz-")
	// Where /lib is a link, a package has its files under /usr/lib.
	for _, lib := range []string{"lib", "usr/lib"} {
		root := filepath.Join(folder, lib, "modules", version)
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if name, ok := strings.CutSuffix(filepath.Base(path), ".ko"); err == nil && ok {
				k.modules[moduleName(name)] = path
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return k, nil
}

func moduleName(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Load returns the files of the modules named and of those they need, in the
// order of loading.
func (k *Kernel) Load(names ...string) ([]string, error) {
	var files []string
	loaded := map[string]bool{}
	var load func(name string) error
	load = func(name string) error {
		name = moduleName(name)
		if loaded[name] {
			return nil
		}
		loaded[name] = true
		file, ok := k.modules[name]
		if !ok {
			return fmt.Errorf("this kernel has no module %s", name)
		}
		needed, err := needs(file)
		if err != nil {
			return err
		}
		for _, n := range needed {
			if err := load(n); err != nil {
				return err
			}
		}
		files = append(files, file)
		return nil
	}
	for _, name := range names {
		if err := load(name); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// needs reads which modules a module needs, which it says itself.
func needs(file string) ([]string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", file, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	section := f.Section(".modinfo")
	if section == nil {
		return nil, fmt.Errorf("module %s says nothing about itself", file)
	}
	info, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("module %s: %w", file, err)
	}
	for _, entry := range strings.Split(string(info), "\x00") {
		if list, ok := strings.CutPrefix(entry, "depends="); ok && list != "" {
			return strings.Split(list, ","), nil
		}
	}
	return nil, nil
}

// Disk makes the file system in memory: the init, the modules in their order,
// and the programs by name.
func (k *Kernel) Disk(file, init string, modules, programs []string) (err error) {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	a := &archive{w: out}
	for _, folder := range []string{"proc", "sys", "dev", "tmp", "modules", "programs"} {
		a.folder(folder)
	}
	add := func(name, from string) error {
		content, err := os.ReadFile(from)
		if err == nil {
			a.program(name, content)
		}
		return err
	}
	if err := add("init", init); err != nil {
		return err
	}
	for i, m := range modules {
		if err := add(fmt.Sprintf("modules/%03d-%s", i, filepath.Base(m)), m); err != nil {
			return err
		}
	}
	for _, p := range programs {
		if err := add("programs/"+filepath.Base(p), p); err != nil {
			return err
		}
	}
	return a.close()
}
