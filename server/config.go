package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"campusgate/configs"
	"campusgate/signing"
)

// Config is the server's file as written. configs/server.yaml shows every key.
type Config struct {
	Listen     string    `yaml:"listen"`
	Data       string    `yaml:"data"`
	Site       string    `yaml:"site"`
	TimeZone   string    `yaml:"time_zone"`
	CodeHost   string    `yaml:"code_host"`
	RootKey    string    `yaml:"root_key"`
	KeepEvents string    `yaml:"keep_events"`
	TLS        TLSConfig `yaml:"tls"`
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
	Listen     string // host:port
	Data       string // folder
	Site       string
	Location   *time.Location
	CodeHost   string        // upper case, as printed in static codes
	RootKey    string        // file of the site root; "" = in the data folder
	KeepEvents time.Duration // 0 = for ever
	TLS        TLSConfig
}

// ParseConfig decodes and checks a configuration file. Errors wrap
// configs.ErrConfig and name file, line and key; the first fault found is
// reported.
func ParseConfig(name string, data []byte) (Settings, error) {
	raw := Config{Listen: "127.0.0.1:8443", TimeZone: "Asia/Shanghai", KeepEvents: "720h"}
	doc, err := configs.Decode(name, data, &raw)
	if err != nil {
		return Settings{}, err
	}
	return raw.validate(doc)
}

func (c Config) validate(doc *configs.Doc) (s Settings, err error) {
	s = Settings{Listen: c.Listen, Data: c.Data, Site: c.Site, RootKey: c.RootKey, TLS: c.TLS}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return s, doc.Fault("listen", "%q: want host:port", c.Listen)
	}
	if c.Data == "" {
		return s, doc.Fault("data", "missing: the folder for the database and the keys")
	}
	if c.Site == "" || signing.CheckWords(c.Site, maxSite) != nil {
		return s, doc.Fault("site", "%q: want the name of the campus, at most %d bytes", c.Site, maxSite)
	}
	if s.Location, err = time.LoadLocation(c.TimeZone); err != nil || c.TimeZone == "" || c.TimeZone == "Local" {
		return s, doc.Fault("time_zone", "%q: want an IANA name such as Asia/Shanghai", c.TimeZone)
	}
	if s.CodeHost = strings.ToUpper(c.CodeHost); s.CodeHost == "" {
		s.CodeHost = strings.ToUpper(c.Listen)
	}
	if err := signing.CheckHost(s.CodeHost); err != nil {
		return s, doc.Fault("code_host", "%v", err)
	}
	if s.KeepEvents, err = time.ParseDuration(c.KeepEvents); err != nil || s.KeepEvents < 0 {
		return s, doc.Fault("keep_events", "%q: want a duration such as 720h, or 0s for ever", c.KeepEvents)
	}
	return s, c.TLS.validate(doc, host)
}

// maxSite bounds the name of the site, in bytes.
const maxSite = 120

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
		if h == "" || strings.ContainsAny(h, " /:") && !isIP(h) {
			return doc.Fault(fmt.Sprintf("tls.hosts[%d]", i), "%q: want a name or an IP address, without a port", h)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}
