package agent

import (
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"campusgate/configs"
	"campusgate/devices/drivers"
	"campusgate/signing/verdict"
)

// Config is the agent's file as written. configs/gate.yaml shows every key, and
// configs/till.yaml what differs at a till.
type Config struct {
	Server         string        `yaml:"server"`
	Data           string        `yaml:"data"`
	Listen         string        `yaml:"listen"`
	Mode           string        `yaml:"mode"`
	Documents      string        `yaml:"documents"`
	Shift          string        `yaml:"shift"`
	TLS            TLSConfig     `yaml:"tls"`
	ClockMaxAge    string        `yaml:"clock_max_age"`
	PolicyMaxAge   string        `yaml:"policy_max_age"`
	FrameAncestors []string      `yaml:"frame_ancestors"`
	Lanes          []LaneConfig  `yaml:"lanes"`
	Printer        PrinterConfig `yaml:"printer"`
}

// TLSConfig says whom to trust as the server, beside the system's roots and
// the site root.
type TLSConfig struct {
	CA string `yaml:"ca"`
}

// LaneConfig is one way through the gate, or one scanner of the till.
type LaneConfig struct {
	Name      string        `yaml:"name"`
	Direction string        `yaml:"direction"`
	Scanner   ScannerConfig `yaml:"scanner"`
	Barrier   BarrierConfig `yaml:"barrier"`
}

// Settings are a Config that has been checked and completed.
type Settings struct {
	Server         *url.URL
	Data           string // folder
	Listen         string // loopback host:port
	Till           bool   // takes money; otherwise a gate
	Documents      bool   // ask the guard for a document
	Shift          bool   // nothing that a guard answers for without one on duty
	CA             string // PEM file; "" = none
	ClockMaxAge    time.Duration
	PolicyMaxAge   time.Duration
	FrameAncestors []string
	Lanes          []LaneSettings
	Printer        PrinterConfig
}

// LaneSettings is a checked LaneConfig.
type LaneSettings struct {
	Name      string
	Direction verdict.Direction
	Scanner   ScannerConfig
	Barrier   BarrierConfig
}

// ParseConfig decodes and checks a configuration file. Errors wrap
// configs.ErrConfig and name file, line and key; the first fault found is
// reported.
func ParseConfig(name string, data []byte) (Settings, error) {
	raw := Config{
		Listen: "127.0.0.1:8471", Mode: "gate", Documents: "none", Shift: "none",
		ClockMaxAge: "168h", PolicyMaxAge: "168h",
	}
	doc, err := configs.Decode(name, data, &raw)
	if err != nil {
		return Settings{}, err
	}
	return raw.validate(doc)
}

func (c Config) validate(doc *configs.Doc) (s Settings, err error) {
	if c.Data == "" {
		return s, doc.Fault("data", "missing: the folder for the agent's store")
	}
	s = Settings{Data: c.Data, Listen: c.Listen, CA: c.TLS.CA, FrameAncestors: c.FrameAncestors}
	if s.Server, err = serverURL(c.Server); err != nil {
		return s, doc.Fault("server", "%v", err)
	}
	if err := loopback(c.Listen); err != nil {
		return s, doc.Fault("listen", "%v", err)
	}
	if c.Mode != "gate" && c.Mode != "terminal" {
		return s, doc.Fault("mode", "%q: want gate or terminal", c.Mode)
	}
	s.Till = c.Mode == "terminal"
	if s.Documents, err = required(c.Documents); err != nil {
		return s, doc.Fault("documents", "%v", err)
	}
	if s.Till && s.Documents {
		return s, doc.Fault("documents", "a till asks for none")
	}
	if s.Shift, err = required(c.Shift); err != nil {
		return s, doc.Fault("shift", "%v", err)
	}
	if s.ClockMaxAge, err = age(c.ClockMaxAge); err != nil {
		return s, doc.Fault("clock_max_age", "%v", err)
	}
	if s.PolicyMaxAge, err = age(c.PolicyMaxAge); err != nil {
		return s, doc.Fault("policy_max_age", "%v", err)
	}
	for i, origin := range c.FrameAncestors {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || u.Scheme+"://"+u.Host != origin {
			return s, doc.Fault(fmt.Sprintf("frame_ancestors[%d]", i), "%q: want scheme://host[:port]", origin)
		}
	}
	if s.Printer, err = c.Printer.validate(doc, s.Till); err != nil {
		return s, err
	}
	if len(c.Lanes) == 0 {
		return s, doc.Fault("lanes", "missing: there is at least one lane")
	}
	names := map[string]bool{}
	for i, lane := range c.Lanes {
		key := fmt.Sprintf("lanes[%d]", i)
		checked, err := lane.validate(doc, key)
		if err != nil {
			return s, err
		}
		if names[checked.Name] {
			return s, doc.Fault(key+".name", "%q is the name of an earlier lane", checked.Name)
		}
		names[checked.Name] = true
		switch {
		case s.Till && checked.Barrier.Driver != "none":
			return s, doc.Fault(key+".barrier", "a till opens none")
		case s.Till && checked.Direction == verdict.Exit:
			return s, doc.Fault(key+".direction", "nobody goes through a till")
		}
		s.Lanes = append(s.Lanes, checked)
	}
	return s, nil
}

func required(s string) (bool, error) {
	if s != "none" && s != "required" {
		return false, fmt.Errorf("%q: want none or required", s)
	}
	return s == "required", nil
}

func (l LaneConfig) validate(doc *configs.Doc, key string) (LaneSettings, error) {
	s := LaneSettings{Name: l.Name, Scanner: l.Scanner, Barrier: l.Barrier}
	if l.Name == "" {
		return s, doc.Fault(key+".name", "missing")
	}
	switch l.Direction {
	case "", "in", "both":
		s.Direction = verdict.Entry
	case "out":
		s.Direction = verdict.Exit
	default:
		return s, doc.Fault(key+".direction", "%q: want in, out or both", l.Direction)
	}
	if s.Scanner.Driver == "" {
		s.Scanner.Driver = "none"
	}
	if _, err := s.scanner(); err != nil {
		return s, doc.Fault(key+".scanner", "%v", err)
	}
	if s.Barrier.Driver == "" {
		s.Barrier.Driver = "none"
	}
	if err := drivers.CheckBarrier(s.Barrier.Driver, s.Barrier.driver()); err != nil {
		return s, doc.Fault(key+".barrier", "%v", err)
	}
	return s, nil
}

// serverURL accepts https anywhere and http on loopback only: passes and
// events are not sent in the clear over a network.
func serverURL(s string) (*url.URL, error) {
	if s == "" {
		return nil, fmt.Errorf("missing: the server's address, such as https://gate.example.edu")
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("%q: want https://host[:port]", s)
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("%q: http only reaches a server on this machine; use https", s)
	}
	return nil, fmt.Errorf("%q: want https://host[:port]", s)
}

func loopback(listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16) // 0 is any free one
	}
	if err != nil {
		return fmt.Errorf("%q: want host:port", listen)
	}
	if !isLoopback(host) {
		return fmt.Errorf("%q: the guard page is served on this machine only; use 127.0.0.1:port", listen)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func age(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q: want a duration such as 168h", s)
	}
	return d, nil
}
