package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"campusgate/signing"
	"campusgate/signing/code"
)

const proveAbout = `像手机一样为凭证签名,打印一个动态码。
Signs for a credential as the holder's phone would, and prints the live code
("CP1:" and base45, to be quoted in a shell). CREDENTIAL is what "gatectl issue
-cnf" printed, or a live code, whose proof is then made anew. As on a phone, the
key and the context are not checked against the credential; what does not go
together is noted, and readers will refuse it.

Readers accept a code from 15 s before -at to 30 s after it, and each -ctr once,
rising.
`

func runProve(_ context.Context, env Env, args []string) int {
	o := newOptions(env, "prove", "-key PHONEKEY -ctr N -at T -ctx gate|pay CREDENTIAL", proveAbout)
	keyPath := o.String("key", "", "`PHONEKEY` 手机私钥文件 / private key file of the phone")
	counter := o.Uint64("ctr", 0, "`N` 计数 / counter")
	at := momentFlag(o, "at", "`T` 出示时刻 / moment of the proof (default: now)")
	tz := zoneFlag(o)
	where := o.choice("ctx", "", "`gate|pay` 用途 / what the code is shown for", "gate", "pay")
	operands, exit, ok := o.parse(args, 1, 1, "key", "ctr", "ctx")
	if !ok {
		return exit
	}
	if *counter > signing.MaxCounter {
		return o.usage("-ctr: at most %d", uint64(signing.MaxCounter))
	}
	if err := at.resolve(tz, o.env.Now()); err != nil {
		return o.usage("-at: %w", err)
	}
	proof := signing.Proof{T: at.time.Unix(), Counter: *counter, Context: signing.ContextGate}
	if where.word == "pay" {
		proof.Context = signing.ContextPay
	}
	live, err := prove(o, *keyPath, operands[0], proof)
	if err != nil {
		return o.fail(err)
	}
	return o.print(signing.LiveText(live) + "\n")
}

func prove(o *options, keyPath, text string, proof signing.Proof) ([]byte, error) {
	seen, err := code.Inspect(text)
	if err != nil {
		return nil, err
	}
	if seen.Phone == (signing.PhoneID{}) {
		return nil, errors.New("凭证不属于任何手机 / the credential belongs to no phone: issue it with -cnf")
	}
	cred, err := code.Credential(text)
	if err != nil {
		return nil, err
	}
	file, err := loadPrivate(keyPath)
	if err != nil {
		return nil, err
	}
	phone, err := file.Phone()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", keyPath, err)
	}
	public, err := signing.PhoneKeyOf(&phone.PublicKey)
	if err != nil {
		return nil, err
	}
	if public.ID() != seen.Phone {
		o.warn("凭证属于另一部手机 / the credential belongs to another phone key: %s", seen.Phone)
	}
	if !proof.Context.Fits(seen.Kind()) {
		o.warn("-ctx %s 与种类 %s 不符 / does not go with this kind", proof.Context, seen.Kind())
	}
	if _, err := io.ReadFull(o.env.Rand, proof.Nonce[:]); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	// Without a random source the signature is deterministic.
	return signing.MakeProof(phone, nil, cred, proof)
}
