package snapshot_test

import (
	"errors"
	"testing"

	"campusgate/agent/snapshot"
	"campusgate/signing/wire"
)

// FuzzItem: whatever a server says of any kind of thing is applied, or refused
// as what it is; the store goes on, and the keyring stands.
func FuzzItem(f *testing.F) {
	kinds := []wire.ItemKind{
		wire.ItemKeyring, wire.ItemRevocation, wire.ItemPhone, wire.ItemCard, wire.ItemGate, wire.ItemPolicy, wire.ItemAlarm, wire.ItemOwner,
		wire.ItemUse, wire.ItemInside, wire.ItemRelease, wire.ItemDocuments, wire.ItemTill, wire.ItemGuard, wire.ItemPass, "weather",
	}
	id := passID(7).String()
	for i := range kinds {
		for _, key := range []string{"", "3", id, "campus", "zone:1/" + id, "7-2-88", "G0021"} {
			f.Add(uint8(i), key, `{"at":1,"exp":1900000000,"gate":3,"name":"a","zone":1,"policy":"owner","count":1,"state":"lockdown","since":1,"in":true}`, false)
		}
		f.Add(uint8(i), id, "", true)
	}
	f.Add(uint8(1), id, `{"at":9223372036854775807,"exp":-9223372036854775808,"reason":"\u0000"}`, false)
	s := newStore(f)
	revision := uint64(1)
	f.Fuzz(func(t *testing.T, kind uint8, key, body string, gone bool) {
		revision++
		it := wire.Item{Kind: kinds[int(kind)%len(kinds)], Key: key, Gone: gone}
		if !gone {
			it.Body = []byte(body)
		}
		err := s.Apply(group(true, revision, it))
		if err != nil && !errors.Is(err, snapshot.ErrKeyring) && !errors.Is(err, snapshot.ErrItem) && !errors.Is(err, snapshot.ErrGroup) {
			t.Fatalf("%s %q %.200s: %v", it.Kind, key, body, err)
		}
		if s.Keyring().Serial != 5 {
			t.Fatal("another keyring is in force")
		}
		if err == nil {
			s.tb = t
			s.standing(7) // and can be asked
		}
	})
}
