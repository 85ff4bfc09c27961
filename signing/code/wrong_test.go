package code_test

import (
	"bytes"
	"strings"
	"testing"

	"campusgate/signing"
	"campusgate/signing/cbor"
	"campusgate/signing/pass"
	"campusgate/signing/paycode"
)

func envelopeCases(t *testing.T, w *world) []vector {
	payload := payloadOf(t, mustSign(t, bearer(), w.gate))
	kid := string(w.gate.Key.ID[:])
	with := func(name, about, says string, change func(*envelope)) vector {
		e := newEnvelope(w.gate, payload)
		change(&e)
		return malformed("cose-"+name, about, says, static(e.sign(t, w.gate.Private)))
	}
	header := func(h string) func(*envelope) { return func(e *envelope) { e.protected = []byte(h) } }
	return []vector{
		with("tag", "tagged 18", "envelope", func(e *envelope) { e.head = "\xd2\x84" }),
		with("long-array-head", "the array's head in two bytes", "envelope", func(e *envelope) { e.head = "\x98\x04" }),
		with("three", "an array of three", "envelope", func(e *envelope) { e.head = "\x83" }),
		with("five", "an array of five", "envelope", func(e *envelope) { e.head, e.tail = "\x85", "\xf6" }),
		with("indefinite", "an array of indefinite length", "envelope", func(e *envelope) { e.head, e.tail = "\x9f", "\xff" }),
		with("trailing-byte", "a byte after the end", "trailing", func(e *envelope) { e.tail = "\x00" }),
		with("es256", "the algorithm of the phones", "protected header", header("\xa2\x01\x26\x04\x44"+kid)),
		with("ed25519-id", "the fully specified algorithm id of RFC 9864", "protected header", header("\xa2\x01\x32\x04\x44"+kid)),
		with("no-algorithm", "no algorithm", "protected header", header("\xa1\x04\x44"+kid)),
		with("kid-8", "a key id of eight bytes", "protected header", header("\xa2\x01\x27\x04\x48"+kid+kid)),
		with("header-order", "the header's keys the other way round", "protected header", header("\xa2\x04\x44"+kid+"\x01\x27")),
		with("header-long-int", "the header not in shortest form", "protected header", header("\xa2\x18\x01\x27\x04\x44"+kid)),
		with("header-empty", "an empty header", "protected header", header("")),
		with("unprotected", "a key id in the unprotected header", "unprotected", func(e *envelope) { e.unprotected = "\xa1\x04\x44" + kid }),
		with("unprotected-null", "null for a header", "unprotected", func(e *envelope) { e.unprotected = "\xf6" }),
		with("detached", "no payload inside", "payload", func(e *envelope) { e.raw, e.payload = true, []byte("\xf6") }),
		with("payload-empty", "an empty payload", "payload", func(e *envelope) { e.payload = nil }),
		with("payload-257", "a payload of 257 bytes", "payload", func(e *envelope) { e.payload = make([]byte, 257) }),
		with("payload-text", "the payload a text string", "payload", func(e *envelope) { e.raw, e.payload = true, []byte("\x61a") }),
		with("signature-63", "a byte of the signature missing", "signature", func(e *envelope) { e.cut = 1 }),
		with("signature-65", "a byte too many in the signature", "signature", func(e *envelope) { e.cut = -1 }),
	}
}

// claimed signs a damaged payload of a bearer pass.
func (w *world) claimed(t *testing.T, name, about, says, from, to string) vector {
	t.Helper()
	payload := swap(t, payloadOf(t, mustSign(t, bearer(), w.gate)), from, to)
	return malformed(name, about, says, static(newEnvelope(w.gate, payload).sign(t, w.gate.Private)))
}

func claimCases(t *testing.T, w *world) []vector {
	b := bearer()
	num := func(n int64) string { return string(cbor.AppendInt(nil, n)) }
	exp, nbf, iat := "\x04"+num(b.Expires), "\x05"+num(b.NotBefore), "\x06"+num(b.IssuedAt)
	cti := "\x07\x48" + string(b.ID[:])
	fields := "\x3a\x00\x01\x00\x00\x86"
	one := func(name, about, says, from, to string) vector { return w.claimed(t, name, about, says, from, to) }
	return []vector{
		one("claims-long-head", "the map's head in two bytes", "claims", "\xa5"+exp, "\xb8\x05"+exp),
		one("claims-indefinite", "a map of indefinite length", "claims", "\xa5"+exp, "\xbf"+exp),
		one("claims-count", "one claim fewer than announced", "number of claims", "\xa5"+exp, "\xa6"+exp),
		one("claims-order", "nbf before exp", "claim key exp", exp+nbf, nbf+exp),
		one("claims-twice", "iat twice", "claim key cti", "\xa5"+exp+nbf+iat, "\xa6"+exp+nbf+iat+iat),
		one("claims-issuer", "another claim in front", "claim key exp", "\xa5"+exp, "\xa6\x01\x61a"+exp),
		one("claims-after", "another claim behind", "number of claims", "\xa5"+exp, "\xa6"+exp),
		one("claims-no-iat", "iat missing", "claim key iat", "\xa5"+exp+nbf+iat, "\xa4"+exp+nbf),
		one("claims-no-exp", "exp missing", "claim key exp", "\xa5"+exp, "\xa4"),
		one("claims-no-nbf", "a pass without nbf", "a pass has one", "\xa5"+exp+nbf, "\xa4"+exp),
		one("claims-no-cti", "cti missing", "claim key cti", "\xa5"+exp+nbf+iat+cti, "\xa4"+exp+nbf+iat),
		one("claims-array", "claims as an array", "claims", "\xa5"+exp, "\x8a"+exp),
		one("exp-in-nine-bytes", "exp not in shortest form", "exp: not in its shortest form", exp, "\x04\x1b\x00\x00\x00\x00"+exp[2:]),
		one("exp-negative", "exp before 1970", "exp", exp, "\x04\x20"),
		one("exp-float", "exp a float", "exp", exp, "\x04\xfb\x41\xda\x9a\x5e\x00\x00\x00\x00"),
		one("exp-year-10000", "exp after the year 9999", "exp: number out of range", exp, "\x04"+num(signing.MaxTime+1)),
		one("exp-text", "exp a text", "exp", exp, "\x04\x6a2026-09-01"),
		one("nbf-at-exp", "nbf equal to exp", "nbf: not before exp", exp, "\x04"+nbf[1:]),
		one("nbf-after-exp", "nbf after exp", "nbf: not before exp", exp, "\x04"+num(b.NotBefore-1)),
		one("cti-zero", "an id of zeros", "id: all zero", cti, "\x07\x48"+strings.Repeat("\x00", 8)),
		one("cti-7", "an id of seven bytes", "cti", cti, "\x07\x47"+strings.Repeat("\x01", 7)),
		one("cti-9", "an id of nine bytes", "cti", cti, "\x07\x49"+strings.Repeat("\x01", 9)),
		one("cti-text", "an id of text", "cti", cti, "\x07\x68"+string(b.ID[:])),
		one("cti-long-head", "the id's length in two bytes", "cti: not in its shortest form", cti, "\x07\x58\x08"+cti[2:]),
		one("fields-key", "another private claim", "claim key -65537", fields, "\x3a\x00\x01\x00\x01\x86"),
		one("fields-key-long", "the claim key in nine bytes", "claim key -65537", fields, "\x3b\x00\x00\x00\x00\x00\x01\x00\x00\x86"),
		one("fields-map", "the fields a map", "fields", fields, "\x3a\x00\x01\x00\x00\xa6"),
		one("fields-long-head", "the array's head in two bytes", "fields: not in its shortest form", fields, fields[:5]+"\x98\x06"),
		one("fields-indefinite", "an array of indefinite length", "fields", fields, fields[:5]+"\x9f"),
		one("fields-2-to-40", "an array of 2^40", "fields", fields, fields[:5]+"\x9b\x00\x00\x01\x00\x00\x00\x00\x00"),
	}
}

func passCases(t *testing.T, w *world) []vector {
	kind := func(name, about, says, to string) vector {
		return w.claimed(t, "kind-"+name, about, says, "\x00\x00\x86\x01", "\x00\x00\x86"+to)
	}
	name := func(file, about, says, to string) vector {
		return w.claimed(t, "name-"+file, about, says, "\x69林小满", to)
	}
	text := func(s string) string { return string(cbor.AppendText(nil, s)) }
	doc4 := func(file, about, says, to string) vector {
		return w.claimed(t, "doc4-"+file, about, says, "\x64204X", to)
	}
	end := func(file, about, says, to string) vector { // uses, zones, owner
		payload := swapTail(t, payloadOf(t, mustSign(t, bearer(), w.gate)), "\x01\x05\x03", to)
		return malformed(file, about, says, static(newEnvelope(w.gate, payload).sign(t, w.gate.Private)))
	}
	five := swapTail(t, payloadOf(t, mustSign(t, bearer(), w.gate)), "\x03", "")
	five = swap(t, five, "\x00\x00\x86\x01", "\x00\x00\x85\x01")
	seven := swap(t, append(payloadOf(t, mustSign(t, bearer(), w.gate)), 0), "\x00\x00\x86\x01", "\x00\x00\x87\x01")
	return []vector{
		kind("zero", "kind 0", "kind 0", "\x00"),
		kind("six", "a kind that does not exist", "kind 6", "\x06"),
		kind("two-bytes", "a kind not in shortest form", "kind: not in its shortest form", "\x18\x01"),
		kind("257", "a kind that would be 1 if cut to a byte", "kind: number out of range", "\x19\x01\x01"),
		kind("text", "a kind of text", "kind", "\x61a"),
		kind("negative", "a negative kind", "kind", "\x20"),
		kind("pay", "the fields of a pass, called a payment", "pay", "\x09"),
		name("49", "a name of 49 bytes", "name: wrong length", text(strings.Repeat("汉", 16)+"a")),
		name("decomposed", "a name not in form C", "form C", text("Jose\u0301")),
		name("compatibility", "a compatibility ideograph", "form C", text("\uf9f4小满")),
		name("not-utf8", "a name that is not UTF-8", "UTF-8", "\x62\xff\xfe"),
		name("surrogate", "an encoded surrogate", "UTF-8", "\x63\xed\xa0\x80"),
		name("line-end", "a line end in a name", "U+000A", text("林\n满")),
		name("right-to-left", "an override in a name", "U+202E", text("\u202e满小林")),
		name("bytes", "a name of bytes", "name", "\x49林小满"),
		name("long-head", "the name's length in two bytes", "name: not in its shortest form", "\x78\x09林小满"),
		name("null", "null for a name", "name", "\xf6"),
		name("indefinite", "a name in pieces", "name", "\x7f\x69林小满\xff"),
		doc4("3", "three characters", "doc4: 3 characters", "\x6304X"),
		doc4("5", "five characters", "doc4: 5 characters", "\x653204X"),
		doc4("four-bytes", "four bytes but two characters", "doc4: 2 characters", text("ää")),
		doc4("number", "a number", "doc4", "\x19\x07\xf8"),
		end("uses-two-bytes", "uses not in shortest form", "uses: not in its shortest form", "\x18\x01\x05\x03"),
		end("uses-2-to-32", "uses above 32 bits", "uses: number out of range", "\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x05\x03"),
		end("uses-negative", "negative uses", "uses", "\x20\x05\x03"),
		end("zones-2-to-32", "zones above 32 bits", "zones: number out of range", "\x01\x1b\x00\x00\x00\x01\x00\x00\x00\x00\x03"),
		end("zones-list", "zones as a list", "zones", "\x01\x81\x01\x03"),
		end("owner-65536", "an owner above 16 bits", "owner: number out of range", "\x01\x05\x1a\x00\x01\x00\x00"),
		end("owner-null", "null for an owner", "owner", "\x01\x05\xf6"),
		end("payload-trailing-byte", "a byte after the claims", "trailing", "\x01\x05\x03\x00"),
		end("payload-cut", "the last field missing", "owner: input ends", "\x01\x05"),
		malformed("fields-5", "five fields", "number of fields", static(newEnvelope(w.gate, five).sign(t, w.gate.Private))),
		malformed("fields-7", "seven fields", "number of fields", static(newEnvelope(w.gate, seven).sign(t, w.gate.Private))),
	}
}

func payCases(t *testing.T, w *world) []vector {
	payload := payloadOf(t, mustPay(t, w.credit(), w.pay))
	cnf := "\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20" + string(w.phoneKey.X[:]) + "\x22"
	y := "\xf4"
	if w.phoneKey.YOdd {
		y = "\xf5"
	}
	signed := func(p []byte) string {
		return paycode.LiveText(newEnvelope(w.pay, p).sign(t, w.pay.Private))
	}
	one := func(name, about, says, from, to string) vector {
		return malformed("pay-"+name, about, says, signed(swap(t, payload, from, to)))
	}
	key := func(name, about, to string) vector { return one("cnf-"+name, about, "cnf", cnf+y, "\x08"+to) }
	x := string(w.phoneKey.X[:])
	iat := "\x06" + string(cbor.AppendInt(nil, day))
	end := "\x09\x1b\x80\x00\x00\x00\x00\x00\x00\x00\x04\x19\x0b\xb8\x19\x17\x70\x05"
	without := swap(t, swap(t, payload, cnf+y, ""), "\xa5\x04", "\xa4\x04")
	dated := swap(t, swap(t, payload, iat, "\x05\x00"+iat), "\xa5\x04", "\xa6\x04")
	far := "\x1b\x00\x20\x00\x00\x00\x00\x00\x00" // 2^53
	return []vector{
		malformed("pay-no-cnf", "a payment credential without phone key", "cnf: a payment credential has one", signed(without)),
		malformed("pay-nbf", "a payment credential with nbf", "nbf: a payment credential has none", signed(dated)),
		key("rsa", "another key type", "\xa1\x01\xa4\x01\x03\x20\x01\x21\x58\x20"+x+"\x22"+y),
		key("p384", "another curve", "\xa1\x01\xa4\x01\x02\x20\x02\x21\x58\x20"+x+"\x22"+y),
		key("order", "the key's labels in another order", "\xa1\x01\xa4\x20\x01\x01\x02\x21\x58\x20"+x+"\x22"+y),
		key("x-31", "x of 31 bytes", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x1f"+x[1:]+"\x22"+y),
		key("x-33", "x of 33 bytes", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x21\x00"+x+"\x22"+y),
		key("y-bytes", "y written out", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"+x+"\x22\x58\x20"+x),
		key("y-number", "y as a number", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"+x+"\x22\x01"),
		key("key-id", "a key id for a key (RFC 8747 section 3.4)", "\xa1\x03\x44abcd"),
		key("none", "an empty confirmation", "\xa0"),
		key("off-curve", "an x with no point", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"+strings.Repeat("\xff", 32)+"\x22"+y),
		key("zero", "an x of zeros", "\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"+strings.Repeat("\x00", 32)+"\x22\xf4"),
		one("account-negative", "a negative account", "account", end, "\x09\x20"+end[10:]),
		one("epoch-2-to-32", "an epoch above 32 bits", "epoch: number out of range", end, end[:10]+"\x1b\x00\x00\x00\x01\x00\x00\x00\x00"+end[11:]),
		one("per-tx-2-to-53", "an amount above 2^53-1", "perTxFen: number out of range", end, end[:11]+far+end[14:]),
		one("per-tx-negative", "a negative amount", "perTxFen", end, end[:11]+"\x39\x0b\xb8"+end[14:]),
		one("per-tx-decimal", "an amount as a decimal fraction", "perTxFen", end, end[:11]+"\xc4\x82\x21\x19\x0b\xb8"+end[14:]),
		one("per-day-2-to-53", "a daily limit above 2^53-1", "perDayOfflineFen: number out of range", end, end[:14]+far+end[17:]),
		one("count-2-to-32", "a count above 32 bits", "maxOfflineTx: number out of range", end, end[:17]+"\x1b\x00\x00\x00\x01\x00\x00\x00\x00"),
		one("count-long", "a count not in shortest form", "maxOfflineTx: not in its shortest form", end, end[:17]+"\x18\x05"),
	}
}

func proofCases(t *testing.T, w *world) []vector {
	work, credit := mustSign(t, w.work(), w.gate), mustPay(t, w.credit(), w.pay)
	good := proofPayload(day+43200, 17, "\xca\xfe\x00\x01", 1)
	live := prove(t, w.phone, work, phoneHeader, good)
	if !bytes.Equal(live, mustProve(t, w.phone, work, proof(signing.ContextGate))) {
		t.Fatal("the hand-built proof differs from the one the package makes")
	}
	one := func(name, about, says string, b []byte) vector {
		return malformed("proof-"+name, about, says, pass.LiveText(b))
	}
	fields := func(name, about, says string, payload []byte) vector {
		return one(name, about, says, prove(t, w.phone, work, phoneHeader, payload))
	}
	bearerLive := prove(t, w.phone, mustSign(t, bearer(), w.gate), phoneHeader, good)
	return []vector{
		one("eddsa", "the algorithm of the issuer", "protected header", prove(t, w.phone, work, "\xa1\x01\x27", good)),
		one("no-header", "an empty protected header", "protected header", prove(t, w.phone, work, "", good)),
		one("trailing-byte", "a byte after the end", "trailing", append(bytes.Clone(live), 0)),
		one("missing", "an array of two with the credential alone", "envelope", append([]byte{0x82}, work...)),
		one("of-three", "an array of three", "envelope", append(append([]byte{0x83}, live[1:]...), 0xf6)),
		one("wrapped", "the credential as a byte string", "envelope", append(cbor.AppendBytes([]byte{0x82}, work), live[1+len(work):]...)),
		one("for-bearer", "a proof with a credential that names no phone", "names no phone key", bearerLive),
		fields("time-negative", "a time before 1970", "t:", proofPayload(-1, 17, "abcd", 1)),
		fields("time-late", "a time after the year 9999", "t: number out of range", proofPayload(signing.MaxTime+1, 17, "abcd", 1)),
		fields("ctr-2-to-63", "a counter above 2^63-1", "ctr: number out of range", proofPayload(day, 1<<63, "abcd", 1)),
		fields("nonce-3", "a nonce of three bytes", "nonce", proofPayload(day, 17, "abc", 1)),
		fields("nonce-8", "a nonce of eight bytes", "nonce", proofPayload(day, 17, "abcdefgh", 1)),
		fields("ctx-0", "context 0", "ctx", proofPayload(day, 17, "abcd", 0)),
		fields("ctx-4", "a context that does not exist", "ctx", proofPayload(day, 17, "abcd", 4)),
		fields("ctx-pay", "a pass proved for paying", "does not go with work", proofPayload(day, 17, "abcd", 2)),
		fields("ctx-pin", "a pass proved by PIN", "does not go with work", proofPayload(day, 17, "abcd", 3)),
		fields("fields-5", "five fields", "fields", append([]byte{0x85}, append(good[1:len(good):len(good)], 0)...)),
		fields("fields-3", "three fields", "fields", append([]byte{0x83}, good[1:len(good)-1]...)),
		fields("field-after", "a byte after the fields", "trailing", append(bytes.Clone(good), 0)),
		fields("ctr-long", "a counter not in shortest form", "ctr: not in its shortest form", swap(t, good, "\x11\x44", "\x18\x11\x44")),
		malformed("proof-ctx-gate-to-pay", "a payment proved for a gate", "does not go with pay",
			paycode.LiveText(prove(t, w.phone, credit, phoneHeader, good))),
	}
}
