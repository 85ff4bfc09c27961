package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/md5" // what dpkg compares installed files with; it protects nothing
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"
)

// file is one of a package. Folders are made of the paths.
type file struct {
	path string // from the root, with a leading slash
	data []byte
	mode int64
	conf bool // an administrator's to change
}

// deb is a binary package of Debian: an ar archive of a version, of what dpkg
// does and of what it puts in place. See deb(5).
type deb struct {
	control string // without Version and Installed-Size, which come from here
	version string
	at      time.Time
	files   []file
	scripts map[string]string // postinst, prerm, postrm
}

// bytes makes the package.
func (d deb) bytes() ([]byte, error) {
	slices.SortFunc(d.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	data, err := tarball(d.files, d.at)
	if err != nil {
		return nil, err
	}
	meta, err := tarball(d.meta(), d.at)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("!<arch>\n")
	for _, part := range []struct {
		name string
		data []byte
	}{{"debian-binary", []byte("2.0\n")}, {"control.tar.gz", meta}, {"data.tar.gz", data}} {
		fmt.Fprintf(&b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n", part.name, d.at.Unix(), 0, 0, "100644", len(part.data))
		b.Write(part.data)
		if b.Len()%2 == 1 { // members begin at even places
			b.WriteByte('\n')
		}
	}
	return b.Bytes(), nil
}

// meta are the files of the control archive.
func (d deb) meta() []file {
	var sums, confs strings.Builder
	size := 0
	for _, f := range d.files {
		fmt.Fprintf(&sums, "%x  %s\n", md5.Sum(f.data), strings.TrimPrefix(f.path, "/"))
		size += (len(f.data) + 1023) / 1024
		if f.conf {
			confs.WriteString(f.path + "\n")
		}
	}
	head, rest, _ := strings.Cut(d.control, "\n") // Package comes first
	control := fmt.Sprintf("%s\nVersion: %s\nInstalled-Size: %d\n%s", head, d.version, size, rest)
	list := []file{{path: "/control", data: []byte(control), mode: 0o644}, {path: "/md5sums", data: []byte(sums.String()), mode: 0o644}}
	if confs.Len() > 0 {
		list = append(list, file{path: "/conffiles", data: []byte(confs.String()), mode: 0o644})
	}
	for name, text := range d.scripts {
		list = append(list, file{path: "/" + name, data: []byte(text), mode: 0o755})
	}
	slices.SortFunc(list, func(a, b file) int { return strings.Compare(a.path, b.path) })
	return list
}

// tarball is files in their order as a compressed archive, each folder before
// what is in it. Everything is root's.
func tarball(files []file, at time.Time) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(z)
	made := map[string]bool{}
	var folder func(string) error
	folder = func(dir string) error {
		if made[dir] {
			return nil
		}
		made[dir] = true
		if up := path.Dir(dir); up != dir {
			if err := folder(up); err != nil {
				return err
			}
		}
		return w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeDir, Name: "." + strings.TrimSuffix(dir, "/") + "/", Mode: 0o755, ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatGNU,
		})
	}
	for _, f := range files {
		if err := folder(path.Dir(f.path)); err != nil {
			return nil, err
		}
		err := w.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: "." + f.path, Size: int64(len(f.data)), Mode: f.mode, ModTime: at, Uname: "root", Gname: "root", Format: tar.FormatGNU,
		})
		if err != nil {
			return nil, err
		}
		if _, err := io.Copy(w, bytes.NewReader(f.data)); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
