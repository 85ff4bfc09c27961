package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/doctor"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/link"
	"campusgate/agent/snapshot"
	"campusgate/devices/drivers"
	"campusgate/devices/find"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// checkTime bounds each check that waits for something.
const checkTime = 5 * time.Second

// Surroundings are where a check looks. Zero values are the real ones.
type Surroundings struct {
	Now func() time.Time
	// Root is the folder with the system's /sys and /dev; "" means "/".
	Root string
}

func (w Surroundings) real() Surroundings {
	if w.Now == nil {
		w.Now = time.Now
	}
	if w.Root == "" {
		w.Root = "/"
	}
	return w
}

// patient is what the checks look at: an agent's parts, whether it runs or not.
type patient struct {
	Surroundings
	settings Settings
	journal  *journal.Journal
	snapshot *snapshot.Snapshot // nil when the keyring cannot be used
	report   doctor.Report
}

// say adds a check.
func (p *patient) say(what string, err error, good, mend string) {
	p.report.Checks = append(p.report.Checks, doctor.Of(what, err, good, mend))
}

// Doctor checks everything that a gate needs, from the store to the server, and
// says what it finds and what to change. No barrier opens. It fails with ErrInUse
// while an agent works with the folder, and looks at nothing then: to try a port
// would take scans from the agent and cut its pulses short. The agent's console
// gives the same report.
func Doctor(ctx context.Context, s Settings, w Surroundings) (doctor.Report, error) {
	p := &patient{Surroundings: w.real(), settings: s}
	lock, err := lockFolder(s.Data)
	switch {
	case err == nil:
		defer func() { _ = lock.Close() }() // nothing was written to it
		defer p.openStore(ctx)()
	case errors.Is(err, ErrInUse):
		return p.report, err
	case errors.Is(err, os.ErrNotExist): // without a folder there is no agent either
		p.say(storeCheck, fmt.Errorf("%s: %w", s.store(), disk.ErrMissing), "", enrolFirst)
	default:
		p.say("数据目录 data folder", err, "", "以服务的用户运行，或检查目录权限 / run as the agent's user, or mend the rights of the folder")
	}
	for _, l := range s.Lanes {
		p.lane(ctx, l)
	}
	if printer, err := s.Printer.printer(); printer != nil && err == nil {
		p.device(ctx, deviceName("", kindPrinter, ""), printer, s.Printer.Path)
	}
	p.plugged()
	return p.report, nil
}

// What the store's check is called, and what mends a missing one.
const (
	storeCheck = "数据库 store"
	enrolFirst = "登记本机 / enrol first: gateagent enroll -config FILE -code CODE"
)

// openStore opens the store of an agent that does not run, checks what is in it,
// and gives back what closes it.
func (p *patient) openStore(ctx context.Context) (done func()) {
	done = func() {}
	db, err := disk.Open(p.settings.store())
	mend := "保留文件夹，联系管理员 / keep the folder and call the administrator"
	if errors.Is(err, disk.ErrMissing) {
		mend = enrolFirst
	}
	p.say(storeCheck, err, p.settings.store()+"，断电不丢 durable", mend)
	if err != nil {
		return done
	}
	done = func() { _ = db.Close() }
	if p.journal, err = journal.Open(db); err != nil {
		p.say("身份 identity", err, "", "")
		return done
	}
	id := p.journal.Identity()
	p.say("身份 identity", nil, id.String(), "")
	report, err := p.journal.Verify(ctx)
	p.say("流水链 journal chain", err, fmt.Sprintf("%d events intact, %d to send", report.Events, p.journal.Queue()),
		"流水被改动或损坏，保留文件夹，联系管理员 / keep the folder and call the administrator: the journal was altered or damaged")
	p.snapshot, err = p.settings.snapshot(db, id)
	p.say("密钥环 keyring", err, "signed by the site root", "重新登记 / enrol again")
	p.parts(ctx)
	return done
}

// parts are the checks of an enrolled agent that are the same whether it runs or
// not.
func (p *patient) parts(ctx context.Context) {
	if p.snapshot != nil {
		p.confirmed()
		if p.settings.Till {
			p.till(ctx)
		}
	}
	p.clock()
	p.updates()
	p.server(ctx)
	p.report.Checks = append(p.report.Checks, doctor.Disk(p.settings.Data, p.settings.store())...)
}

// till looks whether there are rules, and how much the server does not hold.
func (p *patient) till(ctx context.Context) {
	b, err := journal.Till{Journal: p.journal}.Backlog(ctx)
	rules := &wire.Till{}
	if err == nil {
		if rules = p.snapshot.Till(); rules == nil {
			err = errors.New("the server has sent no rules for this till")
			rules = &wire.Till{}
		}
	}
	p.say("收款 till", err, fmt.Sprintf("%s, %d records of %d.%02d yuan to send", rules.Name, b.Records, b.Fen/100, b.Fen%100),
		"在服务器上把本机设为收款台，再联网一次 / give this number a till on the server, and connect this PC to it once")
}

func (p *patient) confirmed() {
	gate, ok := p.snapshot.Gate(p.journal.Identity().Gate)
	var err error
	age := time.Duration(p.Now().UnixMilli()-p.snapshot.Confirmed()) * time.Millisecond
	switch {
	case !ok || p.snapshot.Confirmed() == 0:
		err = errors.New("none yet")
	case age > p.settings.PolicyMaxAge:
		err = fmt.Errorf("%v old, the limit is %v", age.Round(time.Minute), p.settings.PolicyMaxAge)
	}
	p.say("快照 snapshot", err, fmt.Sprintf("%s, %v old", gate.Name, age.Round(time.Second)), "把本机连上服务器一次 / connect this PC to the server once")
}

func (p *patient) clock() {
	var c desk.Clock
	err := p.journal.Update(func(book lane.Book) (err error) {
		c, err = book.Clock()
		return err
	})
	at := p.Now().UnixMilli() + c.OffsetMS
	age := time.Duration(at-c.Synced) * time.Millisecond
	switch {
	case err != nil:
	case c.Synced == 0:
		err = errors.New("never compared with the server")
	case at < c.HighWater-verdict.ClockSlackMS:
		err = fmt.Errorf("set back by %v", time.Duration(c.HighWater-at)*time.Millisecond)
	case age > p.settings.ClockMaxAge:
		err = fmt.Errorf("compared %v ago, the limit is %v", age.Round(time.Minute), p.settings.ClockMaxAge)
	}
	p.say("时钟 clock", err, fmt.Sprintf("%+d ms against the server, %v ago", -c.OffsetMS, age.Round(time.Second)),
		"校准本机时间，并连上服务器 / set the PC's clock and connect it to the server")
	p.report.Checks = append(p.report.Checks, doctor.TimeService(err != nil))
}

func (p *patient) server(ctx context.Context) {
	ca, err := caFile(p.settings.CA)
	if err == nil {
		err = p.reach(ctx, p.journal.Identity(), ca)
	}
	p.say("服务器 server", err, p.settings.Server.String(),
		"检查地址、网线和证书；断网时校门照常工作 / check the address, the network cable and the certificate; the gate works without")
}

func (p *patient) reach(ctx context.Context, id journal.Identity, ca []byte) error {
	trust, err := link.TLS(p.settings.Server.String(), id.Root, ca, p.Now)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: trust, DialContext: (&net.Dialer{Timeout: checkTime}).DialContext}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: checkTime}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.settings.Server.JoinPath("/healthz").String(), nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

// plugged lists the devices that are there, and what the file does not name yet.
func (p *patient) plugged() {
	p.report.Ports = find.Ports(p.Root)
	used := p.settings.paths()
	p.report.Checks = append(p.report.Checks, doctor.Access(used))
	p.report.Paste = doctor.Suggest(p.Root, p.report.Ports, p.settings.lacks(), used, hasDriver)
}

// paths are the devices that the configuration names.
func (s *Settings) paths() (list []string) {
	for _, l := range s.Lanes {
		for _, c := range l.Scanners {
			list = append(list, c.Path)
		}
		list = append(list, l.Barrier.Path, l.Sensor.Path)
	}
	list = append(list, s.Emergency.Path, s.Printer.Path)
	return slices.DeleteFunc(list, func(path string) bool { return path == "" })
}

// lacks are the roles for which a lane has no device, or one that is not there.
func (s *Settings) lacks() (roles []string) {
	missing := func(driver, path string) bool {
		_, err := os.Stat(path)
		return driver == "none" || filepath.IsAbs(path) && errors.Is(err, os.ErrNotExist)
	}
	scanner, barrier := false, false
	for _, l := range s.Lanes {
		for _, c := range l.Scanners {
			scanner = scanner || missing(c.Driver, c.Path)
		}
		barrier = barrier || !s.Till && missing(l.Barrier.Driver, l.Barrier.Path)
	}
	if scanner {
		roles = append(roles, find.RoleScanner)
	}
	if barrier {
		roles = append(roles, find.RoleBarrier)
	}
	return roles
}

// hasDriver says whether this program has a driver.
func hasDriver(role, driver string) (ok bool) {
	switch role {
	case find.RoleScanner:
		_, ok = drivers.Scanners[driver]
	case find.RoleBarrier:
		_, ok = drivers.Barriers[driver]
	case find.RolePrinter:
		_, ok = drivers.Printers[driver]
	}
	return ok
}
