package server

import (
	"crypto/rsa"
	"fmt"
	"net/url"
	"os"
	"strings"

	"campusgate/configs"
	"campusgate/server/alert"
	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/ledger"
	"campusgate/server/recharge"
	"campusgate/server/recharge/alipay"
	"campusgate/server/recharge/cash"
	"campusgate/server/recharge/rsakey"
	"campusgate/server/recharge/trial"
	"campusgate/server/recharge/wechat"
	"campusgate/server/store"
	"campusgate/server/utility"
)

// RechargeConfig says how money comes in.
type RechargeConfig struct {
	WeChat  *WeChatConfig `yaml:"wechat"`
	Alipay  *AlipayConfig `yaml:"alipay"`
	Trial   bool          `yaml:"trial"`
	Amounts []int64       `yaml:"amounts"` // fen
	Min     int64         `yaml:"min"`
	Max     int64         `yaml:"max"`
}

// WeChatConfig is a merchant's contract with WeChat Pay. Keys are files.
type WeChatConfig struct {
	AppID      string              `yaml:"app_id"`
	MchID      string              `yaml:"mch_id"`
	Serial     string              `yaml:"serial"`
	PrivateKey string              `yaml:"private_key"`
	APIv3Key   string              `yaml:"api_v3_key"`
	Platform   []PlatformKeyConfig `yaml:"platform"`
	NotifyURL  string              `yaml:"notify_url"`
	BaseURL    string              `yaml:"base_url"`
}

// PlatformKeyConfig names a key of the platform: a certificate by its serial, or
// a public key by its id.
type PlatformKeyConfig struct {
	ID   string `yaml:"id"`
	File string `yaml:"file"`
}

// AlipayConfig is a merchant's contract with Alipay. Keys are files.
type AlipayConfig struct {
	AppID      string `yaml:"app_id"`
	SellerID   string `yaml:"seller_id"`
	PrivateKey string `yaml:"private_key"`
	PublicKey  string `yaml:"public_key"`
	NotifyURL  string `yaml:"notify_url"`
	BaseURL    string `yaml:"base_url"`
}

// maxAmounts is how many buttons fit on a page.
const maxAmounts = 12

func (c *RechargeConfig) validate(doc *configs.Doc) error {
	if c.Min < 1 || c.Max < c.Min || c.Max > 10_000_000 {
		return doc.Fault("recharge.max", "%d to %d fen: want a smallest of 1 and a largest of at most 10000000", c.Min, c.Max)
	}
	if len(c.Amounts) == 0 || len(c.Amounts) > maxAmounts {
		return doc.Fault("recharge.amounts", "%d of them: want 1 to %d", len(c.Amounts), maxAmounts)
	}
	for i, fen := range c.Amounts {
		if fen < c.Min || fen > c.Max {
			return doc.Fault(fmt.Sprintf("recharge.amounts[%d]", i), "%d fen: want %d to %d", fen, c.Min, c.Max)
		}
	}
	if err := c.WeChat.validate(doc); err != nil {
		return err
	}
	return c.Alipay.validate(doc)
}

func (c *WeChatConfig) validate(doc *configs.Doc) error {
	if c == nil {
		return nil
	}
	const at = "recharge.wechat."
	if err := required(doc, at, [][2]string{
		{"app_id", c.AppID}, {"mch_id", c.MchID}, {"serial", c.Serial}, {"private_key", c.PrivateKey}, {"api_v3_key", c.APIv3Key},
	}); err != nil {
		return err
	}
	if len(c.Platform) == 0 {
		return doc.Fault(at+"platform", "missing: the platform's keys, by certificate serial or public key id")
	}
	seen := map[string]bool{}
	for i, k := range c.Platform {
		if k.ID == "" || k.File == "" || seen[k.ID] {
			return doc.Fault(fmt.Sprintf("%splatform[%d]", at, i), "%q: want an id that comes once, and a file", k.ID)
		}
		seen[k.ID] = true
	}
	return services(doc, at, c.NotifyURL, c.BaseURL)
}

func (c *AlipayConfig) validate(doc *configs.Doc) error {
	if c == nil {
		return nil
	}
	const at = "recharge.alipay."
	err := required(doc, at, [][2]string{
		{"app_id", c.AppID}, {"seller_id", c.SellerID}, {"private_key", c.PrivateKey}, {"public_key", c.PublicKey},
	})
	if err != nil {
		return err
	}
	return services(doc, at, c.NotifyURL, c.BaseURL)
}

func required(doc *configs.Doc, at string, keys [][2]string) error {
	for _, k := range keys {
		if k[1] == "" {
			return doc.Fault(at+k[0], "missing")
		}
	}
	return nil
}

// services checks the addresses; both have defaults.
func services(doc *configs.Doc, at, notify, base string) error {
	if u, err := url.Parse(notify); notify != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "") {
		return doc.Fault(at+"notify_url", "%q: want https and no query: channels call nothing else", notify)
	}
	if base != "" {
		if err := checkService(base); err != nil || strings.HasSuffix(base, "/") {
			return doc.Fault(at+"base_url", "%q: want an address such as https://pay.example.edu/path", base)
		}
	}
	return nil
}

// channels joins the payment channels of the settings; test is nil where the
// test channel is off.
func (s Settings) channels(db *store.Store, d Deps) (all []recharge.Channel, test *trial.Channel, err error) {
	notify := func(set, id string) string {
		if set != "" {
			return set
		}
		return s.Public + "/api/v1/recharge/callbacks/" + id
	}
	if c := s.Recharge.WeChat; c != nil {
		made, err := c.open(s, d, notify(c.NotifyURL, wechat.ID))
		if err != nil {
			return nil, nil, fmt.Errorf("recharge: wechat: %w", err)
		}
		all = append(all, made)
	}
	if c := s.Recharge.Alipay; c != nil {
		made, err := c.open(s, d, notify(c.NotifyURL, alipay.ID))
		if err != nil {
			return nil, nil, fmt.Errorf("recharge: alipay: %w", err)
		}
		all = append(all, made)
	}
	if s.Recharge.Trial {
		test = &trial.Channel{Store: db}
		all = append(all, test)
	}
	return all, test, nil
}

func (c *WeChatConfig) open(s Settings, d Deps, notify string) (*wechat.Channel, error) {
	key, err := privateKey(c.PrivateKey)
	if err != nil {
		return nil, err
	}
	v3, err := issue.LoadSecret(c.APIv3Key)
	if err != nil {
		return nil, err
	}
	platform := map[string]*rsa.PublicKey{}
	for _, k := range c.Platform {
		if platform[k.ID], err = publicKey(k.File); err != nil {
			return nil, err
		}
	}
	return wechat.New(wechat.Config{
		AppID: c.AppID, MchID: c.MchID, Serial: c.Serial, Key: key, APIv3Key: v3, Platform: platform, NotifyURL: notify,
		BaseURL: or(c.BaseURL, wechat.BaseURL), Now: d.Now, Rand: d.Rand, Location: s.Location,
	})
}

func (c *AlipayConfig) open(s Settings, d Deps, notify string) (*alipay.Channel, error) {
	key, err := privateKey(c.PrivateKey)
	if err != nil {
		return nil, err
	}
	public, err := publicKey(c.PublicKey)
	if err != nil {
		return nil, err
	}
	return alipay.New(alipay.Config{
		AppID: c.AppID, SellerID: c.SellerID, Key: key, PublicKey: public, NotifyURL: notify,
		BaseURL: or(c.BaseURL, alipay.BaseURL), Now: d.Now, Location: s.Location,
	})
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func privateKey(path string) (*rsa.PrivateKey, error) {
	text, err := issue.LoadSecret(path)
	if err != nil {
		return nil, err
	}
	key, err := rsakey.Private(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return key, err
}

func publicKey(path string) (*rsa.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := rsakey.Public(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return key, err
}

// counters are where money comes in and goes out beside the canteens' tills.
type counters struct {
	recharge *recharge.Service
	trial    *trial.Channel // nil = off
	cash     *cash.Desk
	utility  *utility.Service
}

// newCounters joins them. The test meters stand for the campus's own until an
// adapter for those is there, and only where the test channel is on.
func newCounters(s Settings, db *store.Store, l *ledger.Ledger, k *cards.Service, a *alert.Service, d Deps) (c counters, err error) {
	var channels []recharge.Channel
	if channels, c.trial, err = s.channels(db, d); err != nil {
		return c, err
	}
	holders := recharge.Holders{Service: k}
	c.recharge = recharge.New(recharge.Config{
		Store: db, Ledger: l, Cards: holders, Channels: channels, Now: d.Now, Location: s.Location, Log: d.Log,
		Amounts: s.Recharge.Amounts, Min: s.Recharge.Min, Max: s.Recharge.Max, Public: s.Public, Alarm: a.Put,
	})
	c.cash = cash.New(cash.Config{Store: db, Ledger: l, Cards: holders, Location: s.Location, Max: s.Recharge.Max})
	var kinds []utility.Kind
	if s.Recharge.Trial {
		kinds = utility.TestKinds(db)
	}
	c.utility = utility.New(utility.Config{
		Store: db, Ledger: l, Cards: holders, Kinds: kinds, Now: d.Now, Location: s.Location, Log: d.Log,
		Amounts: s.Recharge.Amounts, Max: s.Recharge.Max,
	})
	return c, nil
}
