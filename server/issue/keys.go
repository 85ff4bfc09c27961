package issue

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"campusgate/server/store"
	"campusgate/signing"
)

// purposes are those that the server signs for: passes, and what pays.
var purposes = []signing.Purpose{signing.PurposeGate, signing.PurposePay}

// dropAfter is how long a key stays in the keyring after the last credential it
// signed has ended: clocks differ.
const dropAfter = 24 * time.Hour

// ring is the set of keys as a change of keys sees and edits it.
type ring struct {
	s       *Service
	keys    []store.Key
	now     int64 // ms
	changed map[signing.KeyID]bool
}

func (r *ring) in(purpose signing.Purpose, state signing.KeyState) *store.Key {
	for i := range r.keys {
		if r.keys[i].Purpose == purpose && r.keys[i].State == state && r.keys[i].DroppedAt == 0 {
			return &r.keys[i]
		}
	}
	return nil
}

func (r *ring) mark(k *store.Key) { r.changed[k.ID] = true }

// add makes a key and puts it into the ring.
func (r *ring) add(purpose signing.Purpose, state signing.KeyState) error {
	public, private, err := ed25519.GenerateKey(r.s.Random)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	key, err := signing.NewKey(r.s.site(), purpose, public)
	if err != nil {
		return err
	}
	sealed, err := r.s.Seal.Seal(key.ID, private)
	if err != nil {
		return err
	}
	key.State = state
	k := store.Key{Key: key, Sealed: sealed, PublishedAt: r.now}
	if state == signing.KeyActive {
		k.ActiveAt = r.now
	} else {
		k.NotBefore = r.plannedUse(purpose) / 1000
	}
	r.keys = append(r.keys, k)
	r.mark(&k)
	return nil
}

// plannedUse is when a key that is published now will start to sign, in ms.
func (r *ring) plannedUse(purpose signing.Purpose) int64 {
	at := r.now + r.s.Policy.PublishAhead.Milliseconds()
	if active := r.in(purpose, signing.KeyActive); active != nil {
		at = max(at, active.ActiveAt+r.s.Policy.ActiveFor.Milliseconds())
	}
	return at
}

// readyAt is when a published key may start to sign, in ms.
func (r *ring) readyAt(k *store.Key) int64 {
	return k.PublishedAt + r.s.Policy.PublishAhead.Milliseconds()
}

// promote makes the next key active; the active one, if there is any, retires
// and its private half is destroyed.
func (r *ring) promote(purpose signing.Purpose) error {
	if active := r.in(purpose, signing.KeyActive); active != nil {
		active.State, active.RetiredAt, active.Sealed = signing.KeyRetired, r.now, nil
		r.mark(active)
	}
	next := r.in(purpose, signing.KeyNext)
	if next == nil {
		return r.add(purpose, signing.KeyActive)
	}
	next.State, next.ActiveAt = signing.KeyActive, r.now
	r.mark(next)
	return nil
}

// settle publishes a next key where there is none and drops keys whose
// credentials have all ended.
func (r *ring) settle() error {
	for _, p := range purposes {
		if r.in(p, signing.KeyNext) == nil {
			if err := r.add(p, signing.KeyNext); err != nil {
				return err
			}
		}
	}
	for i := range r.keys {
		k := &r.keys[i]
		ended := max(k.RetiredAt, k.CompromisedAt, k.LastExpiry*1000) + dropAfter.Milliseconds()
		if (k.State == signing.KeyRetired || k.State == signing.KeyCompromised) && k.DroppedAt == 0 && r.now >= ended {
			k.DroppedAt = r.now
			r.mark(k)
		}
	}
	return nil
}

// due does what the schedule asks for at this time.
func (r *ring) due() error {
	for _, p := range purposes {
		active, next := r.in(p, signing.KeyActive), r.in(p, signing.KeyNext)
		switch {
		case active == nil:
			if err := r.promote(p); err != nil {
				return err
			}
		case next != nil && r.now >= r.readyAt(next) && r.now >= active.ActiveAt+r.s.Policy.ActiveFor.Milliseconds():
			if err := r.promote(p); err != nil {
				return err
			}
		}
	}
	return r.settle()
}

// change edits the keys under the store's writer, signs the new keyring with
// the root and commits both. edit that marks nothing changes nothing.
func (s *Service) change(ctx context.Context, actor, action, target string, edit func(*ring) error) error {
	root, rootErr := s.Root()
	return s.Store.ChangeKeys(ctx, actor, func(keys []store.Key, serial uint64, now int64) (*store.KeyChange, error) {
		r := &ring{s: s, keys: slices.Clone(keys), now: now, changed: map[signing.KeyID]bool{}}
		if err := edit(r); err != nil {
			return nil, err
		}
		if len(r.changed) == 0 {
			return nil, nil
		}
		// Only now: most days the schedule finds nothing to do.
		if rootErr != nil {
			return nil, rootErr
		}
		c := &store.KeyChange{Action: action, Target: target, Notes: map[string]any{}}
		var public []signing.Key
		for _, k := range r.keys {
			if r.changed[k.ID] {
				c.Keys = append(c.Keys, k)
				c.Notes[k.ID.String()] = k.State
			}
			if k.DroppedAt == 0 {
				public = append(public, k.Key)
			}
		}
		keyring, err := signing.NewKeyring(s.site(), serial, public)
		if err != nil {
			return nil, err
		}
		c.Signed, err = signing.SignKeyring(root, keyring)
		return c, err
	})
}

// Republish signs the keyring as it is again, with a serial that no agent can
// have seen: agents never accept a lower one, and after a backup was put back
// the next serials have been used before. It wraps ErrRootAbsent.
func (s *Service) Republish(ctx context.Context, actor string) error {
	root, err := s.Root()
	if err != nil {
		return err
	}
	return s.Store.ChangeKeys(ctx, actor, func(keys []store.Key, serial uint64, now int64) (*store.KeyChange, error) {
		// Serials rise by one for each change, seconds since 1970 much faster.
		serial = max(serial, uint64(now/1000))
		var public []signing.Key
		for _, k := range keys {
			if k.DroppedAt == 0 {
				public = append(public, k.Key)
			}
		}
		keyring, err := signing.NewKeyring(s.site(), serial, public)
		if err != nil {
			return nil, err
		}
		signed, err := signing.SignKeyring(root, keyring)
		return &store.KeyChange{Signed: signed, Serial: serial, Action: "key.republished"}, err
	})
}

// Found makes the first keys of a new site: for each purpose one active, one
// next.
func (s *Service) Found(ctx context.Context, actor string) error {
	return s.change(ctx, actor, "key.created", "", (*ring).due)
}

// Tick does what the schedule asks for now: rotate, publish, drop, and make the
// keys of a purpose that the site was founded without. It wraps ErrRootAbsent
// when there is something to do and the root is elsewhere; the old keys go on
// signing then.
func (s *Service) Tick(ctx context.Context) error {
	return s.change(ctx, "schedule", "key.rotated", "", (*ring).due)
}

// Rotate makes the next key of every purpose active now. Unless forced it wraps
// ErrNotReady before each has been published long enough: a gate that was
// offline since would answer unknown_key.
func (s *Service) Rotate(ctx context.Context, actor string, force bool) error {
	return s.change(ctx, actor, "key.rotated", "", func(r *ring) error {
		for _, p := range purposes {
			next := r.in(p, signing.KeyNext)
			if next != nil && r.now < r.readyAt(next) && !force {
				return fmt.Errorf("%w: key %s may sign from %s", ErrNotReady, next.ID,
					time.UnixMilli(r.readyAt(next)).In(s.Location).Format(time.RFC3339))
			}
			if err := r.promote(p); err != nil {
				return err
			}
		}
		return r.settle()
	})
}

// Compromise declares that somebody else may have a key: from then on nothing
// it signed is believed by any agent that hears of it. When it was the active
// one the next takes over at once. store.ErrNotFound, or ErrKeyState when it
// is declared or dropped already.
func (s *Service) Compromise(ctx context.Context, actor string, id signing.KeyID) error {
	return s.change(ctx, actor, "key.compromised", "key "+id.String(), func(r *ring) error {
		i := slices.IndexFunc(r.keys, func(k store.Key) bool { return k.ID == id })
		if i < 0 {
			return fmt.Errorf("%w: key %s", store.ErrNotFound, id)
		}
		k := &r.keys[i]
		if k.State == signing.KeyCompromised || k.DroppedAt != 0 {
			return fmt.Errorf("%w: key %s is %s", ErrKeyState, id, stateOf(k))
		}
		wasActive, purpose := k.State == signing.KeyActive, k.Purpose
		k.State, k.CompromisedAt, k.Sealed = signing.KeyCompromised, r.now, nil
		r.mark(k)
		if wasActive {
			if err := r.promote(purpose); err != nil {
				return err
			}
		}
		return r.settle()
	})
}

func stateOf(k *store.Key) string {
	if k.DroppedAt != 0 {
		return "dropped"
	}
	return string(k.State)
}

// active gives the key that signs for a purpose.
func (s *Service) active(ctx context.Context, src keys, purpose signing.Purpose) (signing.Issuer, error) {
	keys, err := src.Keys(ctx)
	if err != nil {
		return signing.Issuer{}, err
	}
	i := slices.IndexFunc(keys, func(k store.Key) bool {
		return k.Purpose == purpose && k.State == signing.KeyActive && k.DroppedAt == 0
	})
	if i < 0 {
		return signing.Issuer{}, fmt.Errorf("%w: purpose %s", ErrNoKey, purpose)
	}
	private, err := s.Seal.Open(keys[i].ID, keys[i].Sealed)
	if err != nil {
		return signing.Issuer{}, err
	}
	return signing.Issuer{Key: keys[i].Key, Private: private}, nil
}

// Ready reports whether passes can be signed.
func (s *Service) Ready(ctx context.Context) error {
	_, err := s.active(ctx, s.Store, signing.PurposeGate)
	return err
}
