package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"campusgate/configs"
	"campusgate/server/alert"
	"campusgate/server/canteen"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// WebhookConfig says which program is told of what a person has to look at; see
// package alert. Without an address none is.
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
func (srv *Server) newAlert() (*alert.Service, error) {
	s, d := srv.settings, srv.deps
	c := alert.Config{
		Store: srv.db, URL: s.Webhook.URL, Now: d.Now, Random: d.Rand, Log: d.Log,
		Devices: srv.devices, Open: srv.open, DownAfter: s.DeviceDown,
	}
	if c.URL != "" {
		secret, err := issue.LoadSecret(s.Webhook.SecretFile)
		if err != nil {
			return nil, fmt.Errorf("webhook: secret: %w", err)
		}
		c.Secret = secret
	}
	return alert.New(c)
}

// devices are those of every agent that may connect, as it last reported them.
func (srv *Server) devices(ctx context.Context) (map[uint16][]wire.Device, error) {
	agents, err := srv.db.Agents(ctx)
	if err != nil {
		return nil, err
	}
	states, all := srv.hub.States(), map[uint16][]wire.Device{}
	for _, a := range agents {
		if a.RevokedAt != 0 {
			continue
		}
		all[a.Gate] = nil
		if st := states[a.ID]; st.Connected && st.Reported && st.Epoch == a.Epoch {
			all[a.Gate] = append([]wire.Device{}, st.Health.Devices...)
		}
	}
	return all, nil
}

// open reports whether somebody may pass a gate at a moment, or eat at a till.
func (srv *Server) open(ctx context.Context, gate uint16, at time.Time) (bool, error) {
	at = at.In(srv.settings.Location)
	p, err := srv.db.Policy(ctx, gate)
	if err == nil {
		return verdict.AnyOpenAt(p.Hours, at), nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	till, err := srv.money.canteen.Till(ctx, srv.db.Reader(), canteen.Sight{All: true}, gate)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	_, meal := wire.PeriodAt(at, till.Rules.Periods)
	return err == nil && (meal || len(till.Rules.Periods) == 0), err
}
