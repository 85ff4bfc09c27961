package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/journal"
	"campusgate/agent/lane"
	"campusgate/agent/link"
	"campusgate/agent/snapshot"
	"campusgate/devices"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// ErrUnwell is returned by Doctor when a check failed.
var ErrUnwell = errors.New("some checks failed")

// checkTime bounds each check that waits for something.
const checkTime = 5 * time.Second

// doctor prints one line per check and remembers whether one failed.
type doctor struct {
	out    io.Writer
	now    func() time.Time
	failed bool
}

// Doctor checks everything that a gate needs, from the store to the server, and
// prints what it finds and what to change. No barrier opens. While the agent
// runs it looks at nothing: to try a port would take scans from the agent and
// cut its pulses short.
func Doctor(ctx context.Context, s Settings, now func() time.Time, out io.Writer) error {
	d := &doctor{out: out, now: now}
	lock, err := lockFolder(s.Data)
	switch {
	case err == nil:
		defer func() { _ = lock.Close() }() // nothing was written to it
	case !errors.Is(err, os.ErrNotExist): // without a folder there is no agent either
		d.say("数据目录 data folder", err, "", "stop the agent first; while it runs, its guard page shows how it is")
		return ErrUnwell
	}
	d.store(s)
	for _, l := range s.Lanes {
		d.lane(ctx, l)
	}
	if printer, err := s.Printer.printer(); printer != nil && err == nil {
		d.device(ctx, "打印机 printer", printer, s.Printer.Path)
	}
	if d.failed {
		return ErrUnwell
	}
	return nil
}

// say prints a check. A nil err is good news.
func (d *doctor) say(what string, err error, good, mend string) {
	what += strings.Repeat(" ", max(1, column-width(what)))
	if err == nil {
		_, _ = fmt.Fprintf(d.out, "✓ %s%s\n", what, good)
		return
	}
	d.failed = true
	_, _ = fmt.Fprintf(d.out, "✕ %s%v\n", what, err)
	if mend != "" {
		_, _ = fmt.Fprintf(d.out, "  → %s\n", mend)
	}
}

// column is where the findings begin.
const column = 30

// width is how many places a text takes in a terminal, where a Chinese
// character takes two.
func width(s string) (n int) {
	for _, r := range s {
		n++
		if r >= '\u2e80' {
			n++
		}
	}
	return n
}

func (d *doctor) store(s Settings) {
	db, err := disk.Open(s.store())
	mend := "keep the folder and call the administrator"
	if errors.Is(err, disk.ErrMissing) {
		mend = "登记本机 / enrol first: gateagent enroll -config FILE -code CODE"
	}
	d.say("数据库 store", err, s.store()+"，断电不丢 durable", mend)
	if err != nil {
		return
	}
	defer func() { _ = db.Close() }()
	j, err := journal.Open(db)
	if err != nil {
		d.say("身份 identity", err, "", "")
		return
	}
	id := j.Identity()
	d.say("身份 identity", nil, id.String(), "")
	report, err := j.Verify(context.Background())
	d.say("流水链 journal chain", err, fmt.Sprintf("%d events intact, %d to send", report.Events, j.Queue()), "keep the folder and call the administrator: the journal was altered or damaged")
	snap, err := s.snapshot(db, id)
	d.say("密钥环 keyring", err, "signed by the site root", "enrol again")
	if err == nil {
		d.snapshot(s, snap, id)
	}
	if s.Till {
		d.till(snap, journal.Till{Journal: j})
	}
	d.clock(s, j)
	d.server(s, id)
}

// till looks whether there are rules, and how much the server does not hold.
func (d *doctor) till(snap *snapshot.Snapshot, j journal.Till) {
	b, err := j.Backlog(context.Background())
	rules := &wire.Till{}
	if err == nil && snap != nil {
		if rules = snap.Till(); rules == nil {
			err = errors.New("the server has sent no rules for this till")
			rules = &wire.Till{}
		}
	}
	d.say("收款 till", err, fmt.Sprintf("%s, %d records of %d.%02d yuan to send", rules.Name, b.Records, b.Fen/100, b.Fen%100),
		"give this number a till on the server, and connect this PC to it once")
}

func (d *doctor) snapshot(s Settings, snap *snapshot.Snapshot, id journal.Identity) {
	gate, ok := snap.Gate(id.Gate)
	var err error
	age := time.Duration(d.now().UnixMilli()-snap.Confirmed()) * time.Millisecond
	switch {
	case !ok:
		err = errors.New("none yet")
	case age > s.PolicyMaxAge:
		err = fmt.Errorf("%v old, the limit is %v", age.Round(time.Minute), s.PolicyMaxAge)
	}
	d.say("快照 snapshot", err, fmt.Sprintf("%s, %v old", gate.Name, age.Round(time.Second)), "connect this PC to the server once")
}

func (d *doctor) clock(s Settings, j *journal.Journal) {
	var c desk.Clock
	err := j.Update(func(book lane.Book) (err error) {
		c, err = book.Clock()
		return err
	})
	at := d.now().UnixMilli() + c.OffsetMS
	age := time.Duration(at-c.Synced) * time.Millisecond
	switch {
	case err != nil:
	case c.Synced == 0:
		err = errors.New("never compared with the server")
	case at < c.HighWater-verdict.ClockSlackMS:
		err = fmt.Errorf("set back by %v", time.Duration(c.HighWater-at)*time.Millisecond)
	case age > s.ClockMaxAge:
		err = fmt.Errorf("compared %v ago, the limit is %v", age.Round(time.Minute), s.ClockMaxAge)
	}
	d.say("时钟 clock", err, fmt.Sprintf("%+d ms against the server, %v ago", -c.OffsetMS, age.Round(time.Second)), "set the PC's clock and connect it to the server")
}

func (d *doctor) server(s Settings, id journal.Identity) {
	ca, err := caFile(s.CA)
	if err == nil {
		err = d.reach(s, id, ca)
	}
	d.say("服务器 server", err, s.Server.String(), "check the address, the network cable and the certificate; the gate works without")
}

func (d *doctor) reach(s Settings, id journal.Identity, ca []byte) error {
	trust, err := link.TLS(s.Server.String(), id.Root, ca, d.now)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: trust, DialContext: (&net.Dialer{Timeout: checkTime}).DialContext}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, Timeout: checkTime}
	res, err := client.Get(s.Server.JoinPath("/healthz").String())
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %s", res.Status)
	}
	return nil
}

func (d *doctor) lane(ctx context.Context, l LaneSettings) {
	scanner, err := l.scanner()
	if scanner != nil && err == nil {
		d.device(ctx, l.Name+" 扫码器 scanner", scanner, l.Scanner.Path)
	}
	barrier, err := l.barrier()
	if err == nil {
		d.device(ctx, l.Name+" 道闸 barrier", barrier, l.Barrier.Path)
		_ = barrier.Close() // it was only looked at
	}
}

func (d *doctor) device(ctx context.Context, what string, device any, path string) {
	prober, ok := device.(devices.Prober)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	found, err := prober.Probe(ctx)
	d.say(what, err, found, fmt.Sprintf("is it plugged in as %s, and is no other program using it? (ls -l /dev/serial/by-id)", path))
}
