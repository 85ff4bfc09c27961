package signing_test

import (
	"errors"
	"testing"

	"campusgate/signing"
)

// FuzzKeys: what is no key is refused as that, and no key file is quoted.
func FuzzKeys(f *testing.F) {
	f.Add([]byte(`{"purpose":"gate","site":"east","key":"AAAA"}`))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Add(make([]byte, 65))
	f.Add([]byte("\x04" + string(make([]byte, 64))))
	f.Add([]byte("\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := signing.ParsePhoneKey(raw); err != nil && !errors.Is(err, signing.ErrKey) {
			t.Fatalf("%v is no key error", err)
		}
		if _, err := signing.ParsePrivate(raw); err != nil && !errors.Is(err, signing.ErrKey) {
			t.Fatalf("%v is no key error", err)
		}
	})
}
