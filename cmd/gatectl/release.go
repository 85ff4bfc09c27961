package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"campusgate/signing/release"
)

const releaseAbout = `签署岗亭程序的一个版本,供 gateagent update -from DIR 安装。
Signs a program of the agent and writes DIR/gateagent and DIR/release.txt, which
"gateagent update -from DIR" takes. The key is the site root (root.key of the
server, PEM), which can be offline: this needs no server. The serial must rise
with every release; agents refuse one below the highest they have seen. The
version must be the one that was built into the program.
`

func runRelease(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "release", "-key ROOTKEY -site NAME -binary FILE -version V -serial N -out DIR", releaseAbout)
	keyPath := o.String("key", "", "`ROOTKEY` 站点根密钥 / private key of the site root, PEM")
	binary := o.String("binary", "", "`FILE` 程序 / the gateagent to sign")
	out := o.String("out", "", "`DIR` 新目录 / folder to make")
	var m release.Manifest
	o.StringVar(&m.Site, "site", defaultSite, "`NAME` 站点 / site that it is for")
	o.StringVar(&m.Version, "version", "", "`V` 版本 / version, as in 1.2.3")
	o.StringVar(&m.OS, "os", runtime.GOOS, "`OS` 系统 / linux or windows")
	o.StringVar(&m.Arch, "arch", runtime.GOARCH, "`ARCH` 架构 / amd64 or arm64")
	o.Uint64Var(&m.Serial, "serial", 0, "`N` 序号 / number of the release, rising")
	at := momentFlag(o, "not-before", "`T` 最早时刻 / when it may be used (default: at once)")
	tz := zoneFlag(o)
	if _, code, ok := o.parse(args, 0, 0, "key", "binary", "version", "serial", "out"); !ok {
		return code
	}
	if o.given("not-before") {
		if err := at.resolve(tz, env.Now()); err != nil {
			return o.usage("-not-before: %w", err)
		}
		m.NotBefore = at.time.Unix()
	}
	root, err := loadRoot(*keyPath)
	if err != nil {
		return o.fail(err)
	}
	program, err := os.ReadFile(*binary)
	if err != nil {
		return o.fail(err)
	}
	m = m.Of(program)
	signed, err := release.Sign(root, m)
	if err != nil {
		return o.fail(err)
	}
	if err := writeRelease(*out, program, signed); err != nil {
		return o.fail(err)
	}
	return o.print(fmt.Sprintf("%s %s/%s %s\n", m.Version, m.OS, m.Arch, m.SHA256))
}

// writeRelease makes the folder, whole or not at all.
func writeRelease(dir string, program, signed []byte) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	err := createFile(filepath.Join(dir, release.ProgramFile), program, 0o755)
	if err == nil {
		err = createFile(filepath.Join(dir, release.ManifestFile), signed, 0o644)
	}
	if err != nil {
		_ = os.RemoveAll(dir) // it was made here
	}
	return err
}

// loadRoot reads the file of a site root. Errors never quote it.
func loadRoot(path string) (ed25519.PrivateKey, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == "PRIVATE KEY" {
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if root, ok := key.(ed25519.PrivateKey); ok {
				return root, nil
			}
		}
	}
	return nil, fmt.Errorf("%s: no site root key / 不是站点根密钥", path)
}
