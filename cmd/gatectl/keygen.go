package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"errors"
	"fmt"
	"io"
	"os"

	"campusgate/signing"
)

const defaultSite = "campus"

const keygenAbout = `制作一把私钥并写入新文件(权限 0600,绝不覆盖已有文件)。
Makes a private key and writes it to a new file (mode 0600; an existing file is
never overwritten). With -keyring, the public half of a gate or pay key is
appended to a keyring, which is made if there is none; the file is replaced whole
or not at all.

Prints the key id. For a phone key a second line is the public key, as
"gatectl issue -cnf" takes it; phone keys belong to no keyring.
`

func runKeygen(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "keygen", "-purpose gate|pay|phone -out FILE [-keyring FILE] [-site NAME]", keygenAbout)
	purpose := o.choice("purpose", "", "`gate|pay|phone` 用途 / what the key is for", "gate", "pay", "phone")
	out := o.String("out", "", "`FILE` 私钥文件 / private key file to make")
	ringPath := o.String("keyring", "", "`FILE` 公钥环 / keyring to append the public key to")
	site := o.String("site", "", "`NAME` 站点 / site the key signs for (default: the keyring's, or "+defaultSite+")")
	if _, code, ok := o.parse(args, 0, 0, "purpose", "out"); !ok {
		return code
	}
	if signing.Purpose(purpose.word) == signing.PurposePhone {
		if *ringPath != "" || *site != "" {
			return o.usage("手机密钥不属于任何站点或公钥环 / a phone key has no site and goes into no keyring")
		}
		return keygenPhone(o, *out)
	}
	return keygenIssuer(o, signing.Purpose(purpose.word), *out, *ringPath, *site)
}

func keygenPhone(o *options, out string) int {
	private, err := newPhoneKey(o.env.Rand)
	if err != nil {
		return o.fail(err)
	}
	public, err := signing.PhoneKeyOf(&private.PublicKey)
	if err != nil {
		return o.fail(err)
	}
	file, err := signing.MarshalPrivate(signing.PurposePhone, "", private)
	if err != nil {
		return o.fail(err)
	}
	if err := createFile(out, file, 0o600); err != nil {
		return o.fail(err)
	}
	return o.print(fmt.Sprintf("%s\n%s\n", public.ID(), public))
}

func keygenIssuer(o *options, purpose signing.Purpose, out, ringPath, site string) (code int) {
	var edit *ringEdit
	if ringPath != "" {
		var err error
		if edit, err = openRing(ringPath); err != nil {
			return o.fail(err)
		}
		defer func() {
			if err := edit.close(); err != nil {
				code = o.fail(err)
			}
		}()
		if site == "" && edit.ring != nil {
			site = edit.ring.Site
		}
	}
	if site == "" {
		site = defaultSite
	}
	public, private, err := newIssuerKey(o.env.Rand)
	if err != nil {
		return o.fail(err)
	}
	key, err := signing.NewKey(site, purpose, public)
	if err != nil {
		return o.fail(err)
	}
	file, err := signing.MarshalPrivate(purpose, site, private)
	if err != nil {
		return o.fail(err)
	}
	if edit != nil {
		if err := edit.append(key); err != nil {
			return o.fail(err)
		}
	}
	if err := createFile(out, file, 0o600); err != nil {
		return o.fail(err)
	}
	if edit != nil {
		if err := edit.commit(); err != nil {
			return o.fail(errors.Join(err, os.Remove(out)))
		}
	}
	return o.print(key.ID.String() + "\n")
}

// newIssuerKey draws an Ed25519 seed. The standard library's own generators may
// ignore the source they are handed.
func newIssuerKey(random io.Reader) (ed25519.PublicKey, ed25519.PrivateKey, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(random, seed); err != nil {
		return nil, nil, fmt.Errorf("draw a key: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	return private.Public().(ed25519.PublicKey), private, nil
}

// newPhoneKey draws a P-256 private number. One draw in 2^32 is out of range and
// drawn again; a source that never yields a good one is broken.
func newPhoneKey(random io.Reader) (*ecdsa.PrivateKey, error) {
	number := make([]byte, 32)
	var last error
	for range 8 {
		if _, err := io.ReadFull(random, number); err != nil {
			return nil, fmt.Errorf("draw a key: %w", err)
		}
		private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), number)
		if err == nil {
			return private, nil
		}
		last = err
	}
	return nil, fmt.Errorf("draw a key: %w", last)
}
