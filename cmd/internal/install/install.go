package install

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What Install and Uninstall refuse to begin with.
var (
	// ErrRoot: only root may change the system.
	ErrRoot = errors.New("以管理员身份运行 / run as root: sudo gateagent …")
	// ErrSystemd: services are those of systemd here.
	ErrSystemd = errors.New("没有 systemd / there is no systemd on this system; start gateagent -config FILE by what it has")
	// ErrUser: a name that no user of the system can have, or nobody has.
	ErrUser = errors.New("no such user")
	// ErrData: the data folder must be named in full, where a service finds it.
	ErrData = errors.New("data must be a folder by its full path, outside the homes of people")
)

// Options say what to install and where. Root is the folder of the system; "" =
// the one that runs.
type Options struct {
	Root string
	UID  int // who runs this
	// Run executes a program of the system.
	Run func(ctx context.Context, name string, args ...string) error
	Out io.Writer

	Binary string // the program, by its path outside Root
	Config []byte // the agent's file
	Data   string // as in Config
	Page   string // the address of the guard page
	User   string // whom the agent runs as; made where there is none
	Kiosk  string // who is logged in at the screen; "" = no autostart
}

// Where things go, below the root.
const (
	packaged   = "/usr/bin/gateagent" // where a package puts the program
	binaryPath = "/usr/local/bin/gateagent"
	configPath = "/etc/campusgate/agent.yaml"
	unitPath   = "/etc/systemd/system/" + Unit
	rulesPath  = "/etc/udev/rules.d/60-campusgate.rules"
	notesPath  = "/etc/campusgate/installed.json"
	autostart  = ".config/autostart/campusgate-kiosk.desktop"
)

// notes are what was put where, so that it can be found again.
type notes struct {
	Files []string `json:"files"`
	// Folders were made, and go when they are empty.
	Folders []string `json:"folders"`
	// User was made, and goes too; "" = it was there before.
	User string `json:"user,omitempty"`
	Data string `json:"data"`
}

// installer is one run of Install or Uninstall.
type installer struct {
	Options
	notes notes
}

func (o Options) begin() (*installer, error) {
	if o.Root == "" {
		o.Root = "/"
	}
	if o.UID != 0 {
		return nil, ErrRoot
	}
	if info, err := os.Stat(filepath.Join(o.Root, "run/systemd/system")); err != nil || !info.IsDir() {
		return nil, ErrSystemd
	}
	i := &installer{Options: o}
	data, err := os.ReadFile(i.at(notesPath))
	if err == nil {
		err = json.Unmarshal(data, &i.notes)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", notesPath, err)
	}
	return i, nil
}

// at is a path of the system that is installed to.
func (i *installer) at(path string) string { return filepath.Join(i.Root, path) }

var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,30}$`)

// Install makes the agent a service, enabled and, once it is enrolled, started.
// Twice is the same as once. It refuses before anything is changed; what it had
// done when it fails later, Uninstall takes back.
func Install(ctx context.Context, o Options) error {
	i, err := o.begin()
	if err != nil {
		return err
	}
	if !userName.MatchString(o.User) {
		return fmt.Errorf("-user %q: %w", o.User, ErrUser)
	}
	// What is in a home is hidden from the service.
	if top := strings.SplitN(filepath.Clean(o.Data), "/", 3); !filepath.IsAbs(o.Data) || slices.Contains([]string{"", "home", "root"}, top[1]) {
		return fmt.Errorf("data %q: %w", o.Data, ErrData)
	}
	var sitting account
	if o.Kiosk != "" {
		if sitting, err = i.account(o.Kiosk); err != nil {
			return fmt.Errorf("-kiosk %q: %w", o.Kiosk, err)
		}
	}
	i.notes.Data = o.Data
	if err := i.user(ctx); err != nil {
		return err
	}
	binary, err := i.program()
	if err != nil {
		return err
	}
	for _, f := range []struct{ path, text string }{
		{configPath, string(o.Config)},
		{unitPath, AgentUnit(binary, configPath, o.Data, o.User)},
		{rulesPath, Rules()},
	} {
		if err := i.write(f.path, []byte(f.text), 0o644); err != nil {
			return err
		}
	}
	if err := i.dataFolder(); err != nil {
		return err
	}
	if o.Kiosk != "" {
		if err := i.screen(sitting, binary); err != nil {
			return err
		}
	}
	if err := i.note(); err != nil {
		return err
	}
	// Rules are of use from the next plug on, even where udev cannot be told.
	_ = o.Run(ctx, "udevadm", "control", "--reload")
	_ = o.Run(ctx, "udevadm", "trigger", "--subsystem-match=tty", "--subsystem-match=hidraw")
	if err := o.Run(ctx, "systemctl", "daemon-reload"); err != nil {
		return err
	}
	if err := o.Run(ctx, "systemctl", "enable", Unit); err != nil {
		return err
	}
	if _, err := os.Stat(i.at(filepath.Join(o.Data, Store))); err != nil {
		_, err = fmt.Fprintf(o.Out, "已安装；还要登记 / installed; still to be enrolled:\n  gateagent enroll -config %s -code CODE\n  systemctl start %s\n", configPath, Unit)
		return err
	}
	if err := o.Run(ctx, "systemctl", "restart", Unit); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.Out, "已安装并启动 / installed and started: %s\n", o.Page)
	return err
}

// user makes the agent's user where there is none, and puts it into the groups
// of the devices.
func (i *installer) user(ctx context.Context) error {
	if _, err := i.account(i.User); errors.Is(err, ErrUser) {
		err := i.Run(ctx, "useradd", "--system", "--user-group", "--no-create-home", "--home-dir", filepath.Dir(i.Data), "--shell", "/usr/sbin/nologin", i.User)
		if err != nil {
			return err
		}
		i.notes.User = i.User
		if err := i.note(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	known, err := i.table("etc/group")
	if err != nil {
		return err
	}
	var there []string
	for _, g := range groups {
		if slices.ContainsFunc(known, func(row []string) bool { return row[0] == g }) {
			there = append(there, g)
		}
	}
	if there == nil {
		return nil
	}
	return i.Run(ctx, "usermod", "-aG", strings.Join(there, ","), i.User)
}

// account is a row of the system's users.
type account struct {
	uid, gid int
	home     string
}

func (i *installer) account(name string) (account, error) {
	rows, err := i.table("etc/passwd")
	if err != nil {
		return account{}, err
	}
	for _, row := range rows {
		if row[0] != name || len(row) < 7 {
			continue
		}
		uid, errU := strconv.Atoi(row[2])
		gid, errG := strconv.Atoi(row[3])
		return account{uid, gid, row[5]}, errors.Join(errU, errG)
	}
	return account{}, ErrUser
}

// table reads a file of rows with colons.
func (i *installer) table(path string) (rows [][]string, err error) {
	data, err := os.ReadFile(i.at(path))
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		rows = append(rows, strings.Split(lines.Text(), ":"))
	}
	return rows, lines.Err()
}

// program copies itself to where programs are, unless a package put it there.
func (i *installer) program() (string, error) {
	if i.Binary == packaged {
		return packaged, nil
	}
	if i.Binary != i.at(binaryPath) { // otherwise it runs from there
		data, err := os.ReadFile(i.Binary)
		if err != nil {
			return "", err
		}
		if err := i.write(binaryPath, data, 0o755); err != nil {
			return "", err
		}
	}
	return binaryPath, nil
}

// dataFolder makes the folder of the store for the agent's user alone.
func (i *installer) dataFolder() error {
	who, err := i.account(i.User)
	if err != nil {
		return err
	}
	dir := i.at(i.Data)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, who.uid, who.gid)
	})
}

// screen has the desktop of whoever sits there start the browser.
func (i *installer) screen(who account, binary string) error {
	path := filepath.Join(who.home, autostart)
	// Folders on the way are that person's own.
	var made []string
	for dir := filepath.Dir(path); dir != who.home && dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(i.at(dir)); err == nil {
			break
		}
		made = append(made, dir)
	}
	if err := i.write(path, []byte(Autostart(binary, i.Page)), 0o644); err != nil {
		return err
	}
	for _, p := range append(made, path) {
		if err := os.Lchown(i.at(p), who.uid, who.gid); err != nil {
			return err
		}
	}
	return nil
}
