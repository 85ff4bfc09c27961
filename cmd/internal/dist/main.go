// Command dist makes what is handed out: Debian packages of the agent and of the
// server, a zip for Windows, and their checksums. The same source and version
// give the same bytes, wherever and whenever they are made: every file has one
// order, one owner and one time, that of the commit (or SOURCE_DATE_EPOCH).
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	out := flag.String("out", "dist", "folder to write to")
	version := flag.String("version", os.Getenv("VERSION"), "version; default: what git says")
	flag.Parse()
	made, err := build(ctx, ".", *out, *version)
	if err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
	for _, f := range made {
		fmt.Printf("%s  %.1f MB\n", filepath.Join(*out, f.name), float64(f.size)/1e6)
	}
}

// made is a file that was written.
type made struct {
	name string
	size int
}

// build makes everything from the module at root.
func build(ctx context.Context, root, out, version string) ([]made, error) {
	at, err := moment(ctx, root)
	if err != nil {
		return nil, err
	}
	if version == "" {
		if version, err = describe(ctx, root, at); err != nil {
			return nil, err
		}
	}
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", "campusgate-dist-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(work) }()
	programs := compiler{ctx, root, work, version}
	return write(release{version, at, programs.binary, source(root)}, out)
}

// moment is the time that every file gets.
func moment(ctx context.Context, root string) (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		out, err := git(ctx, root, "log", "-1", "--format=%ct")
		if err != nil {
			return time.Time{}, fmt.Errorf("when was this? set SOURCE_DATE_EPOCH: %w", err)
		}
		text = out
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH %q: want seconds since 1970", text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// describe makes a version of what git knows: a tag v1.2.3, or what came after
// it, 1.2.3+4.gabc; without a tag 0~20261121.gabc, which is before every tag.
func describe(ctx context.Context, root string, at time.Time) (string, error) {
	if tagged, err := git(ctx, root, "describe", "--tags", "--match", "v[0-9]*", "--dirty=.changed"); err == nil {
		return strings.Replace(strings.Replace(strings.TrimPrefix(tagged, "v"), "-", "+", 1), "-", ".", -1), nil
	}
	hash, err := git(ctx, root, "describe", "--always", "--dirty=.changed")
	if err != nil {
		return "", fmt.Errorf("which version is this? set VERSION: %w", err)
	}
	return "0~" + at.Format("20060102") + ".g" + hash, nil
}

// checkVersion accepts what Debian takes for the version of a package.
func checkVersion(v string) error {
	if v == "" || v[0] < '0' || v[0] > '9' || strings.Trim(v, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+~") != "" {
		return fmt.Errorf("version %q: want a digit, then letters, digits and . + ~", v)
	}
	return nil
}

func git(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = root
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// compiler builds programs, each once.
type compiler struct {
	ctx                 context.Context
	root, work, version string
}

// binary is the program built for a system: "linux/amd64". Nothing of the folder
// or the moment goes into it.
func (c compiler) binary(program, system string) ([]byte, error) {
	goos, goarch, _ := strings.Cut(system, "/")
	path := filepath.Join(c.work, program+"-"+goos+"-"+goarch)
	if data, err := os.ReadFile(path); err == nil {
		return data, nil
	}
	cmd := exec.CommandContext(c.ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-ldflags=-s -w -buildid= -X campusgate/agent.Version="+c.version, "-o", path, "./cmd/"+program)
	cmd.Dir = c.root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=", "GOAMD64=v1", "GOARM64=v8.0")
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build %s for %s: %w\n%s", program, system, err, &said)
	}
	return os.ReadFile(path)
}

// source reads a file of the module.
func source(root string) func(path string) ([]byte, error) {
	return func(path string) ([]byte, error) { return os.ReadFile(filepath.Join(root, path)) }
}

// write makes every file of a release in a folder, and the checksums of all.
func write(r release, out string) (list []made, err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	var sums bytes.Buffer
	put := func(name string, data []byte) error {
		list = append(list, made{name, len(data)})
		return os.WriteFile(filepath.Join(out, name), data, 0o644)
	}
	for _, p := range r.products() {
		data, err := p.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), p.name)
		if err := put(p.name, data); err != nil {
			return nil, err
		}
	}
	lines := slices.Sorted(strings.Lines(sums.String()))
	return list, put("SHA256SUMS", []byte(strings.Join(lines, "")))
}
