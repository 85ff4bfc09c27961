package agent

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"time"

	"campusgate/configs"
	"campusgate/devices"
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
	Kiosk          KioskConfig   `yaml:"kiosk"`
	Lanes          []LaneConfig  `yaml:"lanes"`
	Inputs         InputsConfig  `yaml:"inputs"`
	Printer        PrinterConfig `yaml:"printer"`
	Peers          PeersConfig   `yaml:"peers"`
}

// TLSConfig says whom to trust as the server, beside the system's roots and
// the site root.
type TLSConfig struct {
	CA string `yaml:"ca"`
}

// LaneConfig is one way through the gate, or one scanner of the till.
type LaneConfig struct {
	Name      string          `yaml:"name"`
	Direction string          `yaml:"direction"`
	Scanner   ScannerConfig   `yaml:"scanner"`
	Scanners  []ScannerConfig `yaml:"scanners"`
	Barrier   BarrierConfig   `yaml:"barrier"`
	Sensor    SensorConfig    `yaml:"sensor"`
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
	Kiosk          *KioskSettings // nil = a guard stands there
	Lanes          []LaneSettings
	Emergency      InputConfig // the contact that opens the gate; no driver = there is none
	Printer        PrinterConfig
	Peers          PeersSettings
}

// LaneSettings is a checked LaneConfig.
type LaneSettings struct {
	Name      string
	Direction verdict.Direction
	Scanners  []ScannerSettings // at least one; driver none where there is none
	Barrier   BarrierConfig
	Sensor    SensorConfig
	door      *devices.Door // of the barrier's interlock; nil = none
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
	if c.Mode != "gate" && c.Mode != "terminal" && c.Mode != "kiosk" {
		return s, doc.Fault("mode", "%q: want gate, terminal or kiosk", c.Mode)
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
	switch {
	case c.Mode == "kiosk":
		if s.Kiosk, err = c.Kiosk.validate(doc); err != nil {
			return s, err
		}
		s.Shift = true // whoever opens the guard page of a kiosk logs in
	case c.Kiosk != KioskConfig{}:
		return s, doc.Fault("kiosk", "only with mode: kiosk")
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
	s.Emergency = c.Inputs.Emergency
	switch in, err := s.Emergency.input(); {
	case err != nil:
		return s, doc.Fault("inputs.emergency", "%v", err)
	case s.Till && in != nil:
		return s, doc.Fault("inputs.emergency", "a till opens nothing")
	}
	if s.Printer, err = c.Printer.validate(doc, s.Till); err != nil {
		return s, err
	}
	if s.Peers, err = c.Peers.validate(doc, s.Till); err != nil {
		return s, err
	}
	if len(c.Lanes) == 0 {
		return s, doc.Fault("lanes", "missing: there is at least one lane")
	}
	names, wires := map[string]bool{}, wiring{}
	for i, lane := range c.Lanes {
		key := fmt.Sprintf("lanes[%d]", i)
		checked, err := lane.validate(doc, key)
		if err != nil {
			return s, err
		}
		if err := lane.wire(doc, key, wires); err != nil {
			return s, err
		}
		if names[checked.Name] {
			return s, doc.Fault(key+".name", "%q is the name of an earlier lane", checked.Name)
		}
		names[checked.Name] = true
		switch {
		case s.Till && checked.Barrier.Driver != "none":
			return s, doc.Fault(key+".barrier", "a till opens none")
		case s.Till && slices.ContainsFunc(checked.Scanners, func(c ScannerSettings) bool { return c.Towards != "" }):
			return s, doc.Fault(key+".scanners", "nobody goes through a till: a direction is out of place")
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

func (l LaneConfig) validate(doc *configs.Doc, key string) (s LaneSettings, err error) {
	s = LaneSettings{Name: l.Name, Barrier: l.Barrier}
	if l.Name == "" || len(l.Name) > maxName {
		return s, doc.Fault(key+".name", "missing, or longer than %d bytes", maxName)
	}
	switch l.Direction {
	case "", "in", "both":
		s.Direction = verdict.Entry
	case "out":
		s.Direction = verdict.Exit
	default:
		return s, doc.Fault(key+".direction", "%q: want in, out or both", l.Direction)
	}
	if s.Scanners, err = l.scanners(doc, key); err != nil {
		return s, err
	}
	if s.Barrier.Driver == "" {
		s.Barrier.Driver = "none"
	}
	if err := s.Barrier.check(); err != nil {
		return s, doc.Fault(key+".barrier", "%v", err)
	}
	s.Sensor = l.Sensor
	switch in, err := s.Sensor.input(); {
	case err != nil:
		return s, doc.Fault(key+".sensor", "%v", err)
	case in != nil && s.Barrier.Driver == "none":
		return s, doc.Fault(key+".sensor", "without a barrier nobody knows whom it sees")
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
