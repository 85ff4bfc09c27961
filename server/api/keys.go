package api

import (
	"context"
	"fmt"
	"net/http"

	"campusgate/server/auth"
	"campusgate/server/store"
	"campusgate/signing"
)

// Key is the public side of an issuer key.
type Key struct {
	ID            string   `json:"kid"`
	Purpose       string   `json:"purpose"`
	Kinds         []string `json:"kinds"`
	State         string   `json:"state" enum:"next,active,retired,compromised"`
	PublicKey     []byte   `json:"public_key" doc:"Ed25519, base64"`
	PublishedAt   int64    `json:"published_at"`
	PlannedFor    int64    `json:"planned_for,omitempty" doc:"when a next key is to start signing"`
	ActiveAt      int64    `json:"active_at,omitempty"`
	RetiredAt     int64    `json:"retired_at,omitempty"`
	CompromisedAt int64    `json:"compromised_at,omitempty"`
	DroppedAt     int64    `json:"dropped_at,omitempty" doc:"left the keyring"`
	LastExpiry    int64    `json:"last_expiry,omitempty" doc:"when the last pass it signed ends"`
	LivePasses    int      `json:"live_passes" doc:"passes it signed that still hold"`
}

// Keys is every issuer key and the keyring they make.
type Keys struct {
	Serial uint64 `json:"serial" doc:"of the keyring in force"`
	Root   string `json:"root" doc:"fingerprint of the site root key"`
	Keys   []Key  `json:"keys"`
}

type keysOutput struct{ Body Keys }

func (a *API) keyRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/keys", scope: auth.KeysRead, id: "list-keys", text: "签发密钥 The issuer keys",
	}, func(ctx context.Context, _ *struct{}) (*keysOutput, error) { return a.keys(ctx) })
	add(a, route{
		method: http.MethodPost, path: prefix + "/keys/rotate", scope: auth.KeysWrite, id: "rotate-keys",
		text: "轮换签发密钥 Make the next key sign", errors: []int{http.StatusConflict},
	}, a.rotateKeys)
	add(a, route{
		method: http.MethodPost, path: prefix + "/keys/{kid}/compromise", scope: auth.KeysWrite, id: "compromise-key",
		text:   "宣布密钥泄露,其签发的码立即失效 Declare that a key has leaked: nothing it signed is believed any more",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.compromiseKey)
}

func (a *API) keys(ctx context.Context) (*keysOutput, error) {
	serial, _, err := a.Store.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := a.Store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	out := &keysOutput{Keys{Serial: serial, Root: signing.Fingerprint(a.Store.Site().Root), Keys: []Key{}}}
	for _, k := range keys {
		live, err := a.Store.CountPassesOf(ctx, k.ID, a.Now().Unix())
		if err != nil {
			return nil, err
		}
		out.Body.Keys = append(out.Body.Keys, Key{
			ID: k.ID.String(), Purpose: string(k.Purpose), State: string(k.State), PublicKey: k.Public,
			Kinds:       mapped(k.Kinds.Kinds(), signing.Kind.String),
			PublishedAt: k.PublishedAt, PlannedFor: k.NotBefore * 1000, ActiveAt: k.ActiveAt, RetiredAt: k.RetiredAt,
			CompromisedAt: k.CompromisedAt, DroppedAt: k.DroppedAt, LastExpiry: k.LastExpiry * 1000, LivePasses: live,
		})
	}
	return out, nil
}

func (a *API) rotateKeys(ctx context.Context, in *struct {
	Body *struct {
		Force bool `json:"force,omitempty" doc:"also before the next key has been published long enough: gates that were offline since will not know it"`
	}
},
) (*keysOutput, error) {
	force := in.Body != nil && in.Body.Force
	if err := a.Issue.Rotate(ctx, caller(ctx).Actor, force); err != nil {
		return nil, err
	}
	return a.keys(ctx)
}

func (a *API) compromiseKey(ctx context.Context, in *struct {
	ID string `path:"kid" pattern:"^[0-9a-f]{8}$" doc:"key id"`
},
) (*keysOutput, error) {
	id, err := signing.ParseKeyID(in.ID)
	if err != nil {
		return nil, fmt.Errorf("%w: key", store.ErrNotFound)
	}
	if err := a.Issue.Compromise(ctx, caller(ctx).Actor, id); err != nil {
		return nil, err
	}
	return a.keys(ctx)
}
