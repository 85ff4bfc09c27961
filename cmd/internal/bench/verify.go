package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"runtime"

	"campusgate/signing"
	"campusgate/signing/cbor"
	"campusgate/signing/code"
)

var errSignature = errors.New("a signature that was just made does not fit")

// verify compares reading a code with the signatures in it alone.
func (r *run) verify(ctx context.Context) error {
	c, err := newCampus(r.o)
	if err != nil {
		return err
	}
	static, err := c.bearer(1)
	if err != nil {
		return err
	}
	issuer, err := issuerPart(c, static)
	if err != nil {
		return err
	}
	read := func(text string) func() error {
		return func() error {
			_, err := code.Read(c.ring, text)
			return err
		}
	}
	peer, ours, err := turns(ctx, r.effort(10_000, 8), issuer, read(static))
	if err != nil {
		return err
	}
	allocs, err := allocations(read(static))
	if err != nil {
		return err
	}
	live, phone, err := c.live()
	if err != nil {
		return err
	}
	both, err := phonePart(c, live, phone)
	if err != nil {
		return err
	}
	livePeer, liveOurs, err := turns(ctx, r.effort(10_000, 8), both, read(live))
	if err != nil {
		return err
	}
	return r.print(
		Figure{Name: "verify_static", Value: Number(ours.median() * micro), Unit: "µs"}.
			against("ed25519.Verify of the same message", peer.median()*micro, 1.10),
		Figure{Name: "verify_static_allocs", Value: Number(allocs), Unit: "allocations"}.atMost(2),
		Figure{Name: "verify_live", Value: Number(liveOurs.median() * micro), Unit: "µs"}.
			against("ed25519.Verify, P-256 point decompression and ecdsa.VerifyASN1", livePeer.median()*micro, 1.10),
	)
}

// issuerPart is the verification of the issuer's signature in a text, and
// nothing else.
func issuerPart(c *campus, text string) (func() error, error) {
	cred, err := code.Credential(text)
	if err != nil {
		return nil, err
	}
	in := cbor.Read(cred)
	in.Exactly("envelope", "\x84")
	protected := in.Bytes("protected header", 0, len(cred))
	in.Exactly("unprotected header", "\xa0")
	payload := in.Bytes("payload", 0, len(cred))
	signature := in.Bytes("signature", 0, len(cred))
	if err := in.End(); err != nil {
		return nil, err
	}
	// The Sig_structure of RFC 9052 section 4.4.
	message := cbor.AppendText(cbor.AppendArray(nil, 4), "Signature1")
	message = cbor.AppendBytes(cbor.AppendBytes(message, protected), nil)
	message = cbor.AppendBytes(message, payload)
	public := c.issuer.Key.Public
	return func() error {
		if !ed25519.Verify(public, message, signature) {
			return errSignature
		}
		return nil
	}, nil
}

// phonePart is issuerPart with a signature by the phone, over some message.
func phonePart(c *campus, text string, phone *ecdsa.PrivateKey) (func() error, error) {
	issuer, err := issuerPart(c, text)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(text))
	der, err := ecdsa.SignASN1(nil, phone, digest[:])
	if err != nil {
		return nil, err
	}
	key, err := signing.PhoneKeyOf(&phone.PublicKey)
	if err != nil {
		return nil, err
	}
	point := key.Compressed()
	return func() error {
		if err := issuer(); err != nil {
			return err
		}
		if x, _ := elliptic.UnmarshalCompressed(elliptic.P256(), point[:]); x == nil {
			return errSignature
		}
		if !ecdsa.VerifyASN1(&phone.PublicKey, digest[:], der) {
			return errSignature
		}
		return nil
	}, nil
}

// allocations counts what one call of f allocates: the least of several counts,
// since the rest of the program may allocate too.
func allocations(f func() error) (least uint64, err error) {
	const calls = 100
	var before, after runtime.MemStats
	for i := range 5 {
		runtime.ReadMemStats(&before)
		for range calls {
			if err := f(); err != nil {
				return 0, err
			}
		}
		runtime.ReadMemStats(&after)
		if n := (after.Mallocs - before.Mallocs) / calls; i == 0 || n < least {
			least = n
		}
	}
	return least, nil
}
