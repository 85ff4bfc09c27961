package server_test

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"campusgate/configs"
	"campusgate/server"
)

const good = `listen: 127.0.0.1:8443
data: /tmp/server
site: 云岭大学
`

func TestParseConfig_OK(t *testing.T) {
	s, err := server.ParseConfig("server.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if s.Location.String() != "Asia/Shanghai" || s.CodeHost != "127.0.0.1:8443" || s.DeviceDown != 2*time.Minute {
		t.Errorf("defaults: %+v", s)
	}
}

func TestParseConfig_NamesLineAndKey(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"UnknownKey", "data:", "dada:", `server.yaml:2:1: unknown field "dada"`},
		{"Listen", "127.0.0.1:8443", "gate", "server.yaml:1: listen:"},
		{"Port", "127.0.0.1:8443", "127.0.0.1:65536", "server.yaml:1: listen:"},
		{"NoData", "data: /tmp/server\n", "", "data: missing"},
		{"NoSite", "云岭大学", `""`, "server.yaml:3: site:"},
		{"LongSite", "云岭大学", strings.Repeat("x", 65), "server.yaml:3: site:"},
		{"Zone", "data:", "time_zone: Mars/Base\ndata:", "server.yaml:2: time_zone:"},
		{"LocalZone", "data:", "time_zone: Local\ndata:", "server.yaml:2: time_zone:"},
		{"CodeHost", "data:", "code_host: a b\ndata:", "server.yaml:2: code_host:"},
		{"Keep", "data:", "retention: {events: -1}\ndata:", "server.yaml:2: retention.events:"},
		{"BackupAt", "data:", "backup: {dir: /b, at: \"25:00\"}\ndata:", "server.yaml:2: backup.at:"},
		{"BackupKeep", "data:", "backup: {dir: /b, keep: 0}\ndata:", "server.yaml:2: backup.keep:"},
		{"BackupDir", "data:", "backup: {dir: /tmp/server/}\ndata:", "server.yaml:2: backup.dir:"},
		{"PlainToTheWorld", "127.0.0.1:8443", "0.0.0.0:8443", "tls: missing"},
		{"CertAlone", "data:", "tls: {cert: a}\ndata:", "server.yaml:2: tls: cert and key"},
		{"CertAndHosts", "data:", "tls: {cert: a, key: b, hosts: [c]}\ndata:", "server.yaml:2: tls.hosts:"},
		{"HostWithScore", "data:", "tls: {hosts: [a, b_c]}\ndata:", "server.yaml:2: tls.hosts[1]:"},
		{"RechargeKey", "data:", "recharge: {trail: true}\ndata:", `server.yaml:2:12: unknown field "trail"`},
		{"NoAmounts", "data:", "recharge: {amounts: []}\ndata:", "server.yaml:2: recharge.amounts: 0 of them"},
		{"AmountOutOfBounds", "data:", "recharge: {amounts: [1000, 90000]}\ndata:", "server.yaml:2: recharge.amounts[1]: 90000 fen"},
		{"MaxBelowMin", "data:", "recharge: {min: 5, max: 4}\ndata:", "server.yaml:2: recharge.max:"},
		{"WeChatAlone", "data:", "recharge: {wechat: {app_id: a}}\ndata:", "server.yaml:2: recharge.wechat.mch_id: missing"},
		{"WeChatWithoutPlatform", "data:", "recharge: {wechat: {app_id: a, mch_id: b, serial: c, private_key: d, api_v3_key: e}}\ndata:", "recharge.wechat.platform: missing"},
		{"WeChatPlatformTwice", "data:", "recharge: {wechat: {app_id: a, mch_id: b, serial: c, private_key: d, api_v3_key: e, platform: [{id: x, file: y}, {id: x, file: z}]}}\ndata:", `recharge.wechat.platform[1]: "x"`},
		{"AlipayAlone", "data:", "recharge: {alipay: {app_id: a, private_key: b, public_key: c}}\ndata:", "server.yaml:2: recharge.alipay.seller_id: missing"},
		{"PlainNotices", "data:", "recharge: {alipay: {app_id: a, seller_id: s, private_key: b, public_key: c, notify_url: \"http://x.example/\"}}\ndata:", "recharge.alipay.notify_url:"},
		{"PlainGateway", "data:", "recharge: {alipay: {app_id: a, seller_id: s, private_key: b, public_key: c, base_url: \"http://x.example\"}}\ndata:", "recharge.alipay.base_url:"},
		{"PlainWebhook", "data:", "webhook: {url: \"http://x.example/\", secret_file: a}\ndata:", "server.yaml:2: webhook.url:"},
		{"WebhookWithoutSecret", "data:", "webhook: {url: \"https://x.example/\"}\ndata:", "server.yaml:2: webhook.secret_file:"},
		{"DeviceDown", "data:", "device_down: soon\ndata:", "server.yaml:2: device_down:"},
		{"DeviceDownAtOnce", "data:", "device_down: 1s\ndata:", "server.yaml:2: device_down:"},
		{"DeviceDownForADay", "data:", "device_down: 24h\ndata:", "server.yaml:2: device_down:"},
		{"HostWithPort", "data:", "tls: {hosts: [\"a:1\"]}\ndata:", "server.yaml:2: tls.hosts[0]:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(good, c.from, c.to, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := server.ParseConfig("server.yaml", []byte(text))
			if !errors.Is(err, configs.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an ErrConfig with %q", err, c.want)
			}
		})
	}
}

func TestSample_HasEveryKeyAndDecodes(t *testing.T) {
	sample, err := configs.Samples.ReadFile("server.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.ParseConfig("server.yaml", sample); err != nil {
		t.Fatal(err)
	}
	twice := regexp.MustCompile(`(?m)^#tls: \{hosts.*$`).ReplaceAll(sample, nil)
	on := regexp.MustCompile(`(?m)^#([a-z_]+:)`).ReplaceAll(twice, []byte("$1"))
	if _, err := server.ParseConfig("server.yaml", on); err != nil {
		t.Fatalf("with the commented lines: %v", err)
	}
	for _, key := range keys(reflect.TypeFor[server.Config]()) {
		if !regexp.MustCompile(`(?m)^#?([a-z]+: \{.*)?` + key + `:`).Match(sample) {
			t.Errorf("key %s is not in the sample", key)
		}
	}
}

func keys(t reflect.Type) (list []string) {
	for field := range t.Fields() {
		list = append(list, field.Tag.Get("yaml"))
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			list = append(list, keys(inner)...)
		}
	}
	return list
}
