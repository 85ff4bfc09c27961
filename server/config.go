package server

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"campusgate/configs"
	"campusgate/server/backup"
	"campusgate/server/recharge"
	"campusgate/server/retention"
	"campusgate/signing"
)

// Config is the server's file as written. configs/server.yaml shows every key.
type Config struct {
	Listen   string    `yaml:"listen"`
	Data     string    `yaml:"data"`
	Site     string    `yaml:"site"`
	TimeZone string    `yaml:"time_zone"`
	CodeHost string    `yaml:"code_host"`
	RootKey  string    `yaml:"root_key"`
	TLS      TLSConfig `yaml:"tls"`

	SMS      SMSConfig      `yaml:"sms"`
	OIDC     []OIDCConfig   `yaml:"oidc"`
	CAS      []CASConfig    `yaml:"cas"`
	Recharge RechargeConfig `yaml:"recharge"`
	Backup   BackupConfig   `yaml:"backup"`

	Retention retention.Policy `yaml:"retention"`
	Webhook   WebhookConfig    `yaml:"webhook"`

	DeviceDown string `yaml:"device_down"`
}

// BackupConfig says where backups go, and when; without a folder there are none.
type BackupConfig struct {
	Dir  string `yaml:"dir"`
	At   string `yaml:"at"`
	Keep int    `yaml:"keep"`
}

// TLSConfig names a certificate, or the hosts for which the site root makes
// one.
type TLSConfig struct {
	Cert  string   `yaml:"cert"`
	Key   string   `yaml:"key"`
	Hosts []string `yaml:"hosts"`
}

// Settings are a Config that has been checked and completed.
type Settings struct {
	Listen    string // host:port
	Data      string // folder
	Site      string
	Location  *time.Location
	CodeHost  string // upper case, as printed in static codes
	Public    string // where people reach the pages: scheme and host, as far as the file says
	RootKey   string // file of the site root; "" = in the data folder
	TLS       TLSConfig
	SMS       SMSConfig
	OIDC      []OIDCConfig
	CAS       []CASConfig
	Recharge  RechargeConfig
	Backup    backup.Schedule
	Retention retention.Policy
	Webhook   WebhookConfig

	DeviceDown time.Duration // 0 = nobody is told
}

// ParseConfig decodes and checks a configuration file. Errors wrap
// configs.ErrConfig and name file, line and key; the first fault found is
// reported.
func ParseConfig(name string, data []byte) (Settings, error) {
	raw := Config{
		Listen: "127.0.0.1:8443", TimeZone: "Asia/Shanghai", SMS: SMSConfig{Gateway: gatewayNone},
		Recharge: RechargeConfig{Amounts: recharge.DefaultAmounts(), Min: recharge.DefaultMin, Max: recharge.DefaultMax},
		Backup:   BackupConfig{At: "03:10", Keep: 14},

		Retention: retention.Default, DeviceDown: "2m",
	}
	doc, err := configs.Decode(name, data, &raw)
	if err != nil {
		return Settings{}, err
	}
	return raw.validate(doc)
}

func (c Config) validate(doc *configs.Doc) (s Settings, err error) {
	s = Settings{Listen: c.Listen, Data: c.Data, Site: c.Site, RootKey: c.RootKey, TLS: c.TLS}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || !isPort(port) {
		return s, doc.Fault("listen", "%q: want host:port", c.Listen)
	}
	if c.Data == "" {
		return s, doc.Fault("data", "missing: the folder for the database and the keys")
	}
	if _, err := signing.NewKeyring(c.Site, 1, nil); err != nil { // which will carry the name
		return s, doc.Fault("site", "%q: want the name of the campus: %v", c.Site, err)
	}
	if s.Location, err = time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		return s, doc.Fault("time_zone", "%q: want an IANA name such as Asia/Shanghai", c.TimeZone)
	}
	if err := c.TLS.validate(doc, host); err != nil {
		return s, err
	}
	s.CodeHost, s.Public = c.places(port)
	if err := signing.CheckHost(s.CodeHost); err != nil {
		return s, doc.Fault("code_host", "%v", err)
	}
	for class, days := range c.Retention.Days() {
		if days < 0 || days > retention.MostDays {
			return s, doc.Fault("retention."+class, "%d: want days, 0 = for ever", days)
		}
	}
	s.Retention = c.Retention
	if s.Backup, err = c.Backup.validate(doc, c.Data); err != nil {
		return s, err
	}
	if err := c.SMS.validate(doc); err != nil {
		return s, err
	}
	if err := c.Webhook.validate(doc); err != nil {
		return s, err
	}
	if s.DeviceDown, err = time.ParseDuration(c.DeviceDown); err != nil ||
		s.DeviceDown != 0 && (s.DeviceDown < 10*time.Second || s.DeviceDown > time.Hour) {
		return s, doc.Fault("device_down", "%q: want 10s to 1h, or 0 for never", c.DeviceDown)
	}
	if err := c.validateSSO(doc); err != nil {
		return s, err
	}
	if err := c.Recharge.validate(doc); err != nil {
		return s, err
	}
	s.SMS, s.OIDC, s.CAS, s.Recharge, s.Webhook = c.SMS, c.OIDC, c.CAS, c.Recharge, c.Webhook
	return s, nil
}

// places says which host goes into codes, and where people find the pages. A
// server that listens everywhere is found under the first of its hosts.
func (c Config) places(port string) (codeHost, public string) {
	place := c.Listen
	if len(c.TLS.Hosts) > 0 {
		if place = c.TLS.Hosts[0]; port != "443" {
			place = net.JoinHostPort(place, port)
		}
	}
	codeHost = cmp.Or(c.CodeHost, place)
	switch {
	case len(c.TLS.Hosts) > 0:
		public = "https://" + place
	case c.TLS.Cert != "":
		public = "https://" + strings.ToLower(codeHost)
	default:
		public = "http://" + place
	}
	return strings.ToUpper(codeHost), public
}

func (t TLSConfig) validate(doc *configs.Doc, host string) error {
	switch {
	case (t.Cert == "") != (t.Key == ""):
		return doc.Fault("tls", "cert and key belong together")
	case t.Cert != "" && len(t.Hosts) > 0:
		return doc.Fault("tls.hosts", "either cert and key, or hosts")
	case t.Cert == "" && len(t.Hosts) == 0 && !isLoopback(host):
		return doc.Fault("tls", "missing: without it the server only listens on 127.0.0.1; name cert and key, or hosts for a certificate by the site root")
	}
	for i, h := range t.Hosts {
		if !isIP(h) && (strings.Contains(h, ":") || signing.CheckHost(h) != nil) {
			return doc.Fault(fmt.Sprintf("tls.hosts[%d]", i), "%q: want a name or an IP address, without a port", h)
		}
	}
	return nil
}

func (b BackupConfig) validate(doc *configs.Doc, data string) (s backup.Schedule, err error) {
	at, err := time.Parse("15:04", b.At)
	switch {
	case err != nil:
		return s, doc.Fault("backup.at", "%q: want a time of day such as 03:10", b.At)
	case b.Keep < 1 || b.Keep > 1000:
		return s, doc.Fault("backup.keep", "%d: want 1 to 1000", b.Keep)
	case b.Dir != "" && filepath.Clean(b.Dir) == filepath.Clean(data):
		return s, doc.Fault("backup.dir", "the data folder: want another, best on another disk")
	}
	return backup.Schedule{Dir: b.Dir, Hour: at.Hour(), Minute: at.Minute(), Keep: b.Keep}, nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// isPort accepts 0 too: the system then finds a free one.
func isPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
