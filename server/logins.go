package server

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"time"

	"campusgate/configs"
	"campusgate/server/auth"
	"campusgate/server/auth/sso"
	"campusgate/server/issue"
	"campusgate/server/notify"
	"campusgate/server/people"
	"campusgate/server/store"
)

// ErrNoTerminal: codes are to go to a terminal, and there is none.
var ErrNoTerminal = errors.New("no terminal for codes")

// The gateways that one-time codes can go through.
const (
	gatewayNone     = "none"
	gatewayTerminal = "terminal"
	gatewayHTTP     = "http"
)

// SMSConfig says how one-time codes go out; see notify.Gateway.
type SMSConfig struct {
	Gateway    string `yaml:"gateway"`
	URL        string `yaml:"url"`
	SecretFile string `yaml:"secret_file"`
	Hourly     int    `yaml:"hourly"` // codes to all phones within an hour; 0 = auth.DefaultHourly
}

// OIDCConfig names a sign-on service that speaks OpenID Connect.
type OIDCConfig struct {
	ID               string `yaml:"id"`
	Name             string `yaml:"name"`
	Issuer           string `yaml:"issuer"`
	ClientID         string `yaml:"client_id"`
	ClientSecretFile string `yaml:"client_secret_file"`
	NumberClaim      string `yaml:"number_claim"`
}

// CASConfig names a sign-on service that speaks CAS 3.0.
type CASConfig struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	URL  string `yaml:"url"`
}

func (c SMSConfig) validate(doc *configs.Doc) error {
	if c.Hourly < 0 {
		return doc.Fault("sms.hourly", "%d: want how many codes all phones together may get within an hour", c.Hourly)
	}
	switch c.Gateway {
	case gatewayNone, gatewayTerminal:
		return nil
	case gatewayHTTP:
		if err := checkService(c.URL); err != nil {
			return doc.Fault("sms.url", "%q: %v", c.URL, err)
		}
		if c.SecretFile == "" {
			return doc.Fault("sms.secret_file", "missing: the file with the secret that calls are signed with")
		}
		return nil
	}
	return doc.Fault("sms.gateway", "%q: want none, terminal or http", c.Gateway)
}

// serviceID is part of addresses that are registered at the service.
var serviceID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// validateSSO checks the sign-on services and completes them.
func (c *Config) validateSSO(doc *configs.Doc) error {
	seen := map[string]bool{}
	check := func(kind string, i int, id, name, key, address string) error {
		at := fmt.Sprintf("%s[%d]", kind, i)
		switch {
		case !serviceID.MatchString(id):
			return doc.Fault(at+".id", "%q: want lower-case letters, digits and dashes", id)
		case seen[kind+id]:
			return doc.Fault(at+".id", "%q: there are two", id)
		case strings.TrimSpace(name) == "":
			return doc.Fault(at+".name", "missing: what people read on the button")
		}
		seen[kind+id] = true
		if err := checkService(address); err != nil {
			return doc.Fault(at+"."+key, "%q: %v", address, err)
		}
		return nil
	}
	for i := range c.OIDC {
		o := &c.OIDC[i]
		if err := check("oidc", i, o.ID, o.Name, "issuer", o.Issuer); err != nil {
			return err
		}
		if o.ClientID == "" {
			return doc.Fault(fmt.Sprintf("oidc[%d].client_id", i), "missing")
		}
		if o.NumberClaim == "" {
			o.NumberClaim = "sub"
		}
	}
	for i, s := range c.CAS {
		if err := check("cas", i, s.ID, s.Name, "url", s.URL); err != nil {
			return err
		}
	}
	return nil
}

// checkService wants an address to which secrets can be sent.
func checkService(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("want an address such as https://id.example.edu/path")
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("want https, or http on this machine")
}

// texter is the gateway of the settings; nil = nobody signs in by phone.
func (s Settings) texter(d Deps) (notify.Texter, error) {
	switch s.SMS.Gateway {
	case gatewayTerminal:
		if d.Terminal == nil {
			return nil, fmt.Errorf("sms: %w", ErrNoTerminal)
		}
		return notify.Terminal{W: d.Terminal}, nil
	case gatewayHTTP:
		secret, err := issue.LoadSecret(s.SMS.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("sms: secret: %w", err)
		}
		return notify.NewGateway(s.SMS.URL, secret, d.Now)
	}
	return nil, nil
}

// callback is where a sign-on service sends browsers back to.
func (s Settings) callback(kind, id string) string {
	return s.Public + "/api/v1/login/" + kind + "/" + id + "/callback"
}

// desk joins the sign-on services; nil = there are none.
func (s Settings) desk(seal sso.Sealer, now func() time.Time, random io.Reader) (*sso.Desk, error) {
	if len(s.OIDC)+len(s.CAS) == 0 {
		return nil, nil
	}
	d := &sso.Desk{Seal: seal, Now: now, Random: random}
	for _, o := range s.OIDC {
		var secret []byte
		if o.ClientSecretFile != "" {
			var err error
			if secret, err = issue.LoadSecret(o.ClientSecretFile); err != nil {
				return nil, fmt.Errorf("oidc %s: client secret: %w", o.ID, err)
			}
		}
		d.Providers = append(d.Providers, sso.NewOIDC(sso.OIDCConfig{
			ID: o.ID, Name: o.Name, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: string(secret),
			NumberClaim: o.NumberClaim, Callback: s.callback("oidc", o.ID),
		}, now))
	}
	for _, c := range s.CAS {
		d.Providers = append(d.Providers, sso.NewCAS(sso.CASConfig{
			ID: c.ID, Name: c.Name, URL: c.URL, Callback: s.callback("cas", c.ID),
		}))
	}
	return d, nil
}

// persons are the parts that know people and let them in.
type persons struct {
	vault    people.Vault
	people   *people.Service
	accounts *auth.Accounts
	sso      *sso.Desk
}

func newPersons(s Settings, db *store.Store, d Deps) (p persons, err error) {
	key, err := issue.LoadSeal(s.sealFile())
	if err != nil {
		return p, fmt.Errorf("seal key: %w", err)
	}
	if p.vault, err = people.NewVault(key, d.Rand); err != nil {
		return p, err
	}
	texter, err := s.texter(d)
	if err != nil {
		return p, err
	}
	if p.sso, err = s.desk(p.vault, d.Now, d.Rand); err != nil {
		return p, err
	}
	p.people = people.New(people.Config{Store: db, Vault: p.vault, Now: d.Now, Location: s.Location, Random: d.Rand})
	p.accounts = auth.NewAccounts(auth.Config{
		Store: db, People: p.people, Vault: p.vault, Texter: texter, Hourly: s.SMS.Hourly, Now: d.Now, Random: d.Rand,
	})
	return p, nil
}
