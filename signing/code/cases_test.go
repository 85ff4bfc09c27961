package code_test

import (
	"bytes"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/armor"
	"campusgate/signing/code"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

const host = "GATE.EXAMPLE.EDU"

// vectorCases makes the texts of all vectors. Those that are wrong are wrong in
// one place only, and otherwise correctly signed.
func vectorCases(t *testing.T, w *world) []vector {
	t.Helper()
	var all []vector
	for _, part := range []func(*testing.T, *world) []vector{
		readableCases, keyCases, signatureCases, textCases, envelopeCases, claimCases, passCases, payCases, proofCases,
	} {
		all = append(all, part(t, w)...)
	}
	return all
}

func malformed(name, about, says, text string) vector {
	return vector{name: "malformed-" + name, about: about, want: "malformed", says: says, code: text}
}

func static(cred []byte) string { return pass.URL(host, cred) }

func readableCases(t *testing.T, w *world) []vector {
	with := func(change func(*pass.Pass)) []byte {
		p := bearer()
		change(&p)
		return mustSign(t, p, w.gate)
	}
	largest := w.work()
	largest.ID, largest.Name, largest.Doc4 = signing.PassID(bytes.Repeat([]byte{0xff}, 8)), strings.Repeat("汉", 16), "𠀀𠀁𠀂𠀃"
	largest.Uses, largest.Zones, largest.Owner = 1<<32-1, 1<<32-1, 1<<16-1
	largest.NotBefore, largest.Expires, largest.IssuedAt = signing.MaxTime-1, signing.MaxTime, signing.MaxTime
	last := proof(signing.ContextGate)
	last.T, last.Counter = signing.MaxTime, signing.MaxCounter
	pin := proof(signing.ContextPIN)
	free := w.credit()
	free.Account, free.Epoch, free.PerTxFen, free.PerDayOfflineFen, free.MaxOfflineTx = 0, 0, 0, 0, 0

	list := []vector{
		{name: "static-single", about: "a resident's pass for one use", code: w.static(t)},
		{name: "static-work", about: "a work pass on paper", code: static(with(func(p *pass.Pass) { p.Kind, p.Uses = signing.Work, 0 }))},
		{name: "static-vehicle", about: "a vehicle, no document", code: static(with(func(p *pass.Pass) {
			p.Kind, p.Name, p.Doc4 = signing.Vehicle, "京A·D12345", ""
		}))},
		{name: "static-nameless", about: "no name and no document", code: static(with(func(p *pass.Pass) { p.Name, p.Doc4 = "", "" }))},
		{name: "static-name-48", about: "a name of 48 bytes", code: static(with(func(p *pass.Pass) { p.Name = strings.Repeat("汉", 16) }))},
		{name: "static-all-zones", about: "all zones, no owner, unlimited", code: static(with(func(p *pass.Pass) {
			p.Zones, p.Owner, p.Uses = 0, 0, 0
		}))},
		{name: "static-epoch", about: "times from the first second", code: static(with(func(p *pass.Pass) {
			p.NotBefore, p.Expires, p.IssuedAt = 0, 1, 0
		}))},
		{name: "static-port", about: "the host has a port, which nobody signs", code: pass.URL("127.0.0.1:8443", mustSign(t, bearer(), w.gate))},
		{name: "static-other-site", about: "a key of another site", code: static(mustSign(t, bearer(), w.other))},
		{name: "static-next-key", about: "a key that is next", code: static(mustSign(t, bearer(), signer(w.next)))},
		{name: "static-retired-key", about: "a key that is retired", code: static(mustSign(t, bearer(), signer(w.retired)))},
		{name: "live-work", about: "a work pass with proof", code: w.live(t)},
		{name: "live-largest", about: "every value at its largest", code: pass.LiveText(mustProve(t, w.phone, mustSign(t, largest, w.gate), last))},
		{name: "live-unproved", about: "a credential with a phone key and no proof", code: pass.LiveText(mustSign(t, w.work(), w.gate))},
		{name: "live-server", about: "made by the server for 120 seconds", code: pass.LiveText(with(func(p *pass.Pass) {
			p.Kind, p.Expires = signing.ResidentMulti, p.NotBefore+code.ServerLife
		}))},
		{name: "pay", about: "a payment", code: w.paycode(t)},
		{name: "pay-pin", about: "a payment confirmed by PIN", code: paycode.LiveText(mustProve(t, w.phone, mustPay(t, w.credit(), w.pay), pin))},
		{name: "pay-zero", about: "every limit zero", code: paycode.LiveText(mustProve(t, w.phone, mustPay(t, free, w.pay), proof(signing.ContextPay)))},
		{name: "pay-unproved", about: "a payment credential and no proof", code: paycode.LiveText(mustPay(t, w.credit(), w.pay))},
	}
	for i := range list {
		list[i].name, list[i].want = "readable-"+list[i].name, "readable"
	}
	return list
}

func keyCases(t *testing.T, w *world) []vector {
	stranger := newIssuer(t, "stranger", "east", signing.PurposeGate, signing.KeyActive)
	leaked := mustSign(t, w.work(), signer(w.leaked))
	return []vector{
		{
			name: "unknown_key-static", about: "a key in no keyring", want: "unknown_key", says: stranger.Key.ID.String(),
			code: static(mustSign(t, bearer(), stranger)),
		},
		{
			name: "unknown_key-live", about: "a key in no keyring; the proof does not fit either", want: "unknown_key",
			says: stranger.Key.ID.String(),
			code: pass.LiveText(mustProve(t, w.stranger, mustSign(t, w.work(), stranger), proof(signing.ContextGate))),
		},
		{
			name: "compromised-static", about: "a compromised key", want: "compromised", says: w.leaked.Key.ID.String(),
			code: static(mustSign(t, bearer(), signer(w.leaked))),
		},
		{
			name: "compromised-live", about: "a compromised key, and a good proof", want: "compromised", says: w.leaked.Key.ID.String(),
			code: pass.LiveText(mustProve(t, w.phone, leaked, proof(signing.ContextGate))),
		},
		{
			name: "bad_signature-compromised", about: "a compromised key, and a proof that does not fit", want: "bad_signature",
			says: "proof not by", code: pass.LiveText(mustProve(t, w.stranger, leaked, proof(signing.ContextGate))),
		},
	}
}

func signatureCases(t *testing.T, w *world) []vector {
	cred := mustSign(t, bearer(), w.gate)
	work := mustSign(t, w.work(), w.gate)
	live := mustProve(t, w.phone, work, proof(signing.ContextGate))
	other := w.work()
	other.ID[0]++
	moved := append([]byte{0x82}, mustSign(t, other, w.gate)...)
	moved = append(moved, live[1+len(work):]...)
	signature := func(b []byte, set func(sig []byte)) []byte {
		b = bytes.Clone(b)
		set(b[len(b)-64:])
		return b
	}
	asPay := bearer()
	list := []vector{
		{name: "flipped", about: "one bit of the signature", says: "not by key", code: static(signature(cred, func(s []byte) { s[63] ^= 1 }))},
		{name: "zero", about: "a signature of zeros", says: "not by key", code: static(signature(cred, func(s []byte) { clear(s) }))},
		{
			name: "s-plus-order", about: "s is larger by the group order (RFC 8032 section 5.1.7)", says: "not by key",
			code: static(signature(cred, addOrder)),
		},
		{name: "name", about: "another name of the same length", says: "not by key", code: static(swap(t, cred, "林", "李"))},
		{
			name: "gate-key-pays", about: "a payment credential by a gate key", says: "may not sign pay",
			code: paycode.LiveText(newEnvelope(w.gate, payloadOf(t, mustPay(t, w.credit(), w.pay))).sign(t, w.gate.Private)),
		},
		{
			name: "pay-key-admits", about: "a pass by a pay key", says: "may not sign resident_single",
			code: static(newEnvelope(w.pay, payloadOf(t, mustSign(t, asPay, w.gate))).sign(t, w.pay.Private)),
		},
		{
			name: "header-of-another-key", about: "names one key, signed by another", says: "not by key",
			code: static(newEnvelope(w.gate, payloadOf(t, cred)).sign(t, w.other.Private)),
		},
		{
			name: "proof-by-stranger", about: "a proof by another phone", says: "proof not by",
			code: pass.LiveText(mustProve(t, w.stranger, work, proof(signing.ContextGate))),
		},
		{name: "proof-flipped", about: "one bit of the proof", says: "proof not by", code: pass.LiveText(signature(live, func(s []byte) { s[63] ^= 1 }))},
		{name: "proof-zero", about: "r and s of the proof zero", says: "proof not by", code: pass.LiveText(signature(live, func(s []byte) { clear(s) }))},
		{name: "proof-of-another-pass", about: "a proof made for another credential of the same phone", says: "proof not by", code: pass.LiveText(moved)},
		{
			name: "proof-time-moved", about: "a proof with a later time", says: "proof not by",
			code: pass.LiveText(swap(t, live, string(proofPayload(day+43200, 17, "\xca\xfe\x00\x01", 1)), string(proofPayload(day+43201, 17, "\xca\xfe\x00\x01", 1)))),
		},
	}
	for i := range list {
		list[i].name, list[i].want = "bad_signature-"+list[i].name, "bad_signature"
	}
	return list
}

// addOrder adds the order of the Ed25519 group to s, which is little-endian.
func addOrder(signature []byte) {
	order := []byte{
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	carry := 0
	for i, o := range order {
		carry += int(signature[32+i]) + int(o)
		signature[32+i] = byte(carry)
		carry >>= 8
	}
}

func textCases(t *testing.T, w *world) []vector {
	text := w.static(t)
	body := text[len("HTTPS://"+host+"/V/"):]
	live := w.live(t)
	cred := mustSign(t, bearer(), w.gate)
	// A credential's length modulo five decides whether there are pad bits.
	for len(cred)%5 == 0 {
		p := bearer()
		p.Name += "·"
		cred = mustSign(t, p, w.gate)
	}
	padded := string(armor.AppendBase32(nil, cred))
	digit := strings.IndexByte("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", padded[len(padded)-1])
	padded = padded[:len(padded)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit+1])
	return []vector{
		malformed("empty", "nothing", "begins neither", ""),
		malformed("word", "some text", "begins neither", "hello"),
		malformed("other-payment", "a payment code of another system", "begins neither", "281234567890123456"),
		malformed("other-address", "another address", "without /V/", "HTTPS://EXAMPLE.EDU/"),
		malformed("http", "not https", "begins neither", "HTTP"+text[5:]),
		malformed("lower-scheme", "the scheme in lower case", "begins neither", "https"+text[5:]),
		malformed("lower-host", "the host in lower case", "host", "HTTPS://gate.example.edu/V/"+body),
		malformed("lower-body", "base32 in lower case", "alphabet", "HTTPS://"+host+"/V/"+strings.ToLower(body)),
		malformed("lower-prefix", "CP1 in lower case", "begins neither", "cp1:"+live[4:]),
		malformed("version-2", "a version that does not exist", "begins neither", "CP2:"+live[4:]),
		malformed("line-end", "a line end after the code", "alphabet", text+"\n"),
		malformed("space-after", "a space after the code", "alphabet", text+" "),
		malformed("live-space-after", "a space after a live code", "base45", live+" "),
		malformed("base32-padding", "base32 with padding", "alphabet", text+"="),
		malformed("base32-pad-bits", "pad bits that are not zero", "pad bits", "HTTPS://"+host+"/V/"+padded),
		malformed("base32-length", "a character missing", "base32", text[:len(text)-1]),
		malformed("base45-overflow", "a group above two bytes", "two bytes", "CP1::::"+live[7:]),
		malformed("base45-last-overflow", "a last group above a byte", "a byte holds", "CP1:::"),
		malformed("base45-length", "a single character left over", "left over", "CP1:"+live[4:][:len(live[4:])/3*3]+"A"),
		malformed("too-long", "1025 characters", "more than 1024", "CP1:"+strings.Repeat("0", 1021)),
		malformed("empty-body", "a prefix alone", "envelope", "CP1:"),
		malformed("empty-segment", "an address without a code", "envelope", "HTTPS://"+host+"/V/"),
		malformed("bound-in-address", "a credential with a phone key as an address", "phone key", static(mustSign(t, w.work(), w.gate))),
		malformed("live-in-address", "a live code as an address", "envelope", pass.URL(host, mustProve(t, w.phone, mustSign(t, w.work(), w.gate), proof(signing.ContextGate)))),
		malformed("pay-in-address", "a payment credential as an address", "phone key", static(mustPay(t, w.credit(), w.pay))),
		malformed("static-as-live", "a static pass written as live", "above 120 seconds", pass.LiveText(mustSign(t, bearer(), w.gate))),
		malformed("server-121", "a pass of the server's for 121 seconds", "above 120 seconds", func() string {
			p := bearer()
			p.Expires = p.NotBefore + code.ServerLife + 1
			return pass.LiveText(mustSign(t, p, w.gate))
		}()),
	}
}
