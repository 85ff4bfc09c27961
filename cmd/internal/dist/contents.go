package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"time"

	"campusgate/cmd/internal/install"
)

// release is what products are made of.
type release struct {
	version string
	at      time.Time
	binary  func(program, system string) ([]byte, error)
	source  func(path string) ([]byte, error)
}

// product is a file that is handed out.
type product struct {
	name string
	make func() ([]byte, error)
}

func (r release) products() []product {
	return []product{
		{"campusgate-agent_" + r.version + "_amd64.deb", func() ([]byte, error) { return r.agent("amd64") }},
		{"campusgate-agent_" + r.version + "_arm64.deb", func() ([]byte, error) { return r.agent("arm64") }},
		{"campusgate-server_" + r.version + "_amd64.deb", func() ([]byte, error) { return r.server("amd64") }},
		{"campusgate-agent_" + r.version + "_windows_amd64.zip", r.windows},
	}
}

// Where packages put things. /var/lib is made by postinst: it is to stay.
const (
	agentConfig  = "/etc/campusgate/agent.yaml"
	agentData    = "/var/lib/campusgate/agent"
	agentUser    = "campusgate"
	serverConfig = "/etc/campusgate/server.yaml"
	serverData   = "/var/lib/campusgate/server"
	serverUser   = "campusgate-server"
	serverUnit   = "campusgate-server.service"
)

// gather fills in files that come from the module, by their place in it.
func (r release) gather(list []file, from map[string]string) ([]file, error) {
	for place, path := range from {
		data, err := r.source(path)
		if err != nil {
			return nil, err
		}
		list = append(list, file{path: place, data: data, mode: 0o644, conf: strings.HasPrefix(place, "/etc/")})
	}
	return list, nil
}

func (r release) agent(arch string) ([]byte, error) {
	program, err := r.binary("gateagent", "linux/"+arch)
	if err != nil {
		return nil, err
	}
	files, err := r.gather([]file{
		{path: "/usr/bin/gateagent", data: program, mode: 0o755},
		{path: "/usr/lib/systemd/system/" + install.Unit, data: []byte(install.AgentUnit("/usr/bin/gateagent", agentConfig, agentData, agentUser)), mode: 0o644},
		{path: "/usr/lib/udev/rules.d/60-campusgate.rules", data: []byte(install.Rules()), mode: 0o644},
	}, map[string]string{
		agentConfig: "configs/gate.yaml",
		"/usr/share/doc/campusgate-agent/till.yaml": "configs/till.yaml",
		"/usr/share/doc/campusgate-agent/README.md": "README.md",
	})
	if err != nil {
		return nil, err
	}
	return deb{
		control: control("campusgate-agent", arch, "Campusgate agent for gate PCs and tills",
			"Reads scanners, verifies passes without a network, opens the barrier, shows", "the guard page and syncs with the Campusgate server.", "Recommends: chromium"),
		version: r.version, at: r.at, files: files,
		scripts: scripts(agentUser, agentData, install.Unit, install.Groups()),
	}.bytes()
}

func (r release) server(arch string) ([]byte, error) {
	server, err := r.binary("gateserver", "linux/"+arch)
	if err != nil {
		return nil, err
	}
	tool, err := r.binary("gatectl", "linux/"+arch)
	if err != nil {
		return nil, err
	}
	files, err := r.gather([]file{
		{path: "/usr/bin/gateserver", data: server, mode: 0o755},
		{path: "/usr/bin/gatectl", data: tool, mode: 0o755},
		{path: "/usr/lib/systemd/system/" + serverUnit, data: []byte(install.ServerUnit("/usr/bin/gateserver", serverConfig, serverData, serverUser)), mode: 0o644},
	}, map[string]string{
		serverConfig: "configs/server.yaml",
		"/usr/share/doc/campusgate-server/README.md":      "README.md",
		"/usr/share/doc/campusgate-server/documents.yaml": "configs/documents.yaml",
	})
	if err != nil {
		return nil, err
	}
	return deb{
		control: control("campusgate-server", arch, "Campusgate server",
			"Issues signed passes, takes applications and approvals, keeps the ledger of", "the campus card, and feeds the agents at gates and tills.", ""),
		version: r.version, at: r.at, files: files,
		scripts: scripts(serverUser, serverData, serverUnit, nil),
	}.bytes()
}

// control describes a package. The programs are static: passwd is for useradd.
func control(name, arch, short, line1, line2, more string) string {
	if more != "" {
		more += "\n"
	}
	return fmt.Sprintf("Package: %s\nArchitecture: %s\nMaintainer: Campusgate <campusgate@localhost>\nSection: misc\nPriority: optional\nDepends: passwd\n%sDescription: %s\n %s\n %s\n",
		name, arch, more, short, line1, line2)
}

// scripts run around installing and removing. Nothing is enabled: an agent or a
// server has to be configured first. There may be no systemd, as in a chroot.
// The user stays as long as the package's configuration does.
func scripts(user, data, unit string, groups []string) map[string]string {
	r := strings.NewReplacer("@USER@", user, "@DATA@", data, "@UNIT@", unit, "@GROUPS@", strings.Join(groups, " "))
	return map[string]string{"postinst": r.Replace(postinst), "prerm": r.Replace(prerm), "postrm": r.Replace(postrm)}
}

const postinst = `#!/bin/sh
set -e
[ "$1" = configure ] || exit 0
if ! getent passwd @USER@ >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /var/lib/campusgate --shell /usr/sbin/nologin @USER@
fi
for group in @GROUPS@; do
    if getent group "$group" >/dev/null; then
        usermod -aG "$group" @USER@
    fi
done
mkdir -p /var/lib/campusgate
if [ ! -d @DATA@ ]; then
    mkdir -m 0700 @DATA@
fi
chown -R @USER@:@USER@ @DATA@
if [ -d /run/systemd/system ]; then
    udevadm control --reload || true
    systemctl daemon-reload
    systemctl try-restart @UNIT@ || true
fi
`

const prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
    systemctl disable --now @UNIT@ || true
fi
`

const postrm = `#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
if [ "$1" = purge ] && getent passwd @USER@ >/dev/null; then
    userdel @USER@ || true
fi
`

// windows is a zip with the program, a configuration and what installs both.
func (r release) windows() ([]byte, error) {
	program, err := r.binary("gateagent", "windows/amd64")
	if err != nil {
		return nil, err
	}
	gate, err := r.source("configs/gate.yaml")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []file{
		{path: "gateagent.exe", data: program},
		{path: "gate.yaml", data: dos(strings.ReplaceAll(string(gate), "data: "+agentData, `data: C:\ProgramData\Campusgate\agent`))},
		{path: "install.cmd", data: dos(installCmd)},
		{path: "uninstall.cmd", data: dos(uninstallCmd)},
		{path: "README.txt", data: dos(windowsReadme)},
	} {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "campusgate-agent/" + f.path, Method: zip.Deflate, Modified: r.at})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// dos gives a text the line ends that Windows programs want.
func dos(s string) []byte { return []byte(strings.ReplaceAll(s, "\n", "\r\n")) }

// The command files are plain ASCII: cmd.exe reads them in the system's code
// page.
const installCmd = `@echo off
net session >nul 2>&1 || (echo Run this as administrator. & pause & exit /b 1)
set DEST=%ProgramFiles%\Campusgate
sc stop CampusgateAgent >nul 2>&1
mkdir "%DEST%" 2>nul
copy /y "%~dp0gateagent.exe" "%DEST%\" >nul || (timeout /t 5 >nul & copy /y "%~dp0gateagent.exe" "%DEST%\") || (pause & exit /b 1)
if not exist "%DEST%\gate.yaml" copy "%~dp0gate.yaml" "%DEST%\" >nul
"%DEST%\gateagent.exe" install -config "%DEST%\gate.yaml"
pause
`

const uninstallCmd = `@echo off
net session >nul 2>&1 || (echo Run this as administrator. & pause & exit /b 1)
set DEST=%ProgramFiles%\Campusgate
"%DEST%\gateagent.exe" uninstall
del "%DEST%\gateagent.exe" "%DEST%\gate.yaml"
rmdir "%DEST%"
pause
`

const windowsReadme = `1. 以管理员身份运行 install.cmd。
2. 编辑 C:\Program Files\Campusgate\gate.yaml：server、扫码器和继电器的 COM 口
   （gateagent doctor 会列出，并给出可粘贴的内容）。
3. 在管理员命令行里登记并启动：
     cd "C:\Program Files\Campusgate"
     gateagent enroll -config gate.yaml -code CODE
     gateagent doctor -config gate.yaml
     sc start CampusgateAgent
4. 浏览器打开 http://127.0.0.1:8471/ ；开机全屏：把 gateagent kiosk 放进“启动”文件夹。
卸载：uninstall.cmd，C:\ProgramData\Campusgate 中的数据保留。

1. Run install.cmd as administrator.
2. Edit C:\Program Files\Campusgate\gate.yaml: server, and the COM ports of
   scanner and relay (gateagent doctor lists them, with lines to paste).
3. In an administrator's command line, enrol and start:
     the four lines above.
4. Open http://127.0.0.1:8471/ in a browser. For a full screen at every start,
   put "gateagent kiosk" into the Startup folder.
To remove it: uninstall.cmd; the data in C:\ProgramData\Campusgate stays.
`
