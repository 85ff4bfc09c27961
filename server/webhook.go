package server

import (
	"fmt"

	"campusgate/configs"
	"campusgate/server/alert"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// WebhookConfig says who is told of conflicts; see package alert. Without an
// address nobody is.
type WebhookConfig struct {
	URL        string `yaml:"url"`
	SecretFile string `yaml:"secret_file"`
}

func (c WebhookConfig) validate(doc *configs.Doc) error {
	if c == (WebhookConfig{}) {
		return nil
	}
	if err := checkService(c.URL); err != nil {
		return doc.Fault("webhook.url", "%q: %v", c.URL, err)
	}
	if c.SecretFile == "" {
		return doc.Fault("webhook.secret_file", "missing: the file with the secret that deliveries are signed with")
	}
	return nil
}

// newAlert reads the secret, where there is a webhook.
func (s Settings) newAlert(db *store.Store, d Deps) (*alert.Service, error) {
	c := alert.Config{Store: db, URL: s.Webhook.URL, Now: d.Now, Random: d.Rand, Log: d.Log}
	if c.URL != "" {
		secret, err := issue.LoadSecret(s.Webhook.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("webhook: secret: %w", err)
		}
		c.Secret = secret
	}
	return alert.New(c)
}
