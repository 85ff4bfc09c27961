package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"campusgate/signing"
	"campusgate/signing/pass"
)

const issueAbout = `用私钥签发一张通行证,打印其通行码;带 -cnf 时打印待手机出示的凭证。
Signs a pass and prints its code: an address, to be shown as it is. With -cnf the
pass belongs to a phone and what is printed is the credential ("CP1:" and base45,
to be quoted in a shell), for "gatectl prove" to make live codes of; -host is then
not used.

Kinds: resident_single, resident_multi, work, visitor, vehicle (signed by a gate
key) and pay (signed by a pay key; always with -cnf, and with -account and limits
instead of name, document, uses, zones and owner).

-from and -until are dates (campus midnight; -until includes that day) or RFC 3339.
`

// issueFlags are what the command line says about a credential.
type issueFlags struct {
	*options
	keyPath, name, doc4, zones, host string
	kind                             *choice
	from, until                      *moment
	tz                               *zone
	uses, owner                      uint64
	id                               string
	phone                            phoneFlag
	pay                              payFlags
}

func runIssue(_ context.Context, env Env, args []string) int {
	f := newIssueFlags(env)
	if _, code, ok := f.parse(args, 0, 0, "key", "kind", "until"); !ok {
		return code
	}
	terms, err := f.terms()
	if err != nil {
		return f.usage("%w", err)
	}
	var sign func(signing.Issuer) ([]byte, error)
	if f.kind.word == signing.Pay.String() {
		p, err := f.paycode(terms)
		if err != nil {
			return f.usage("%w", err)
		}
		sign = p.Sign
	} else {
		p, err := f.pass(terms)
		if err != nil {
			return f.usage("%w", err)
		}
		sign = p.Sign
	}
	key, err := loadPrivate(f.keyPath)
	if err != nil {
		return f.fail(err)
	}
	issuer, err := key.Issuer()
	if err != nil {
		return f.fail(err)
	}
	cred, err := sign(issuer)
	if err != nil {
		return f.fail(err)
	}
	if f.phone.key != nil {
		return f.print(signing.LiveText(cred) + "\n")
	}
	return f.print(pass.URL(f.host, cred) + "\n")
}

func newIssueFlags(env Env) *issueFlags {
	f := &issueFlags{options: newOptions(env, "issue",
		"-key FILE -kind KIND -until T -host HOST [-name N] [-doc4 D] [-from T] [-uses N] [-zones 1,2] [-owner G] [-cnf PHONEPUB]",
		issueAbout)}
	f.StringVar(&f.keyPath, "key", "", "`FILE` 签名私钥 / private key that signs")
	f.kind = f.choice("kind", "", "`KIND` 种类 / kind",
		"resident_single", "resident_multi", "work", "visitor", "vehicle", "pay")
	f.StringVar(&f.name, "name", "", "`NAME` 姓名 / holder's name, at most 48 bytes")
	f.StringVar(&f.doc4, "doc4", "", "`DOC4` 证件末四位 / last four characters of the document")
	f.from = momentFlag(f.options, "from", "`T` 生效 / valid from (default: now)")
	f.until = momentFlag(f.options, "until", "`T` 截止 / valid until")
	f.tz = zoneFlag(f.options)
	f.Uint64Var(&f.uses, "uses", 0, "`N` 可用次数,0 不限 / uses, 0 = unlimited (default: 1 for resident_single, else 0)")
	f.StringVar(&f.zones, "zones", "", "`1,2` 区域 / zones 1 to 32 (default: all)")
	f.Uint64Var(&f.owner, "owner", 0, "`GATE` 裁决的门 / gate 1 to 65535 that decides, 0 = the server")
	f.StringVar(&f.host, "host", "", "`HOST` 服务器名 / server's host name in the address")
	f.Var(&f.phone, "cnf", "`PHONEPUB` 手机公钥 / public key of the phone the pass belongs to")
	f.StringVar(&f.id, "id", "", "`ID` 续签时的通行证号 / pass id of a renewal (default: a new one)")
	f.pay.add(f.FlagSet)
	return f
}

// terms are what passes and payment credentials have in common. Times are unix
// seconds.
type terms struct {
	id           signing.PassID
	issued       int64
	from, expire int64
}

func (f *issueFlags) terms() (t terms, err error) {
	now := f.env.Now()
	if err := f.from.resolve(f.tz, now); err != nil {
		return t, fmt.Errorf("-from: %w", err)
	}
	if err := f.until.resolve(f.tz, time.Time{}); err != nil {
		return t, fmt.Errorf("-until: %w", err)
	}
	t.issued, t.from, t.expire = now.Unix(), f.from.time.Unix(), f.until.end().Unix()
	if t.expire <= t.from {
		return t, fmt.Errorf("-until: %s 不晚于开始时间 / is not after the beginning", f.until.text)
	}
	if f.id != "" {
		if t.id, err = signing.ParsePassID(f.id); err != nil {
			return t, fmt.Errorf("-id: %w", err)
		}
		return t, nil
	}
	if _, err := io.ReadFull(f.env.Rand, t.id[:]); err != nil {
		return t, fmt.Errorf("draw a pass id: %w", err)
	}
	return t, nil
}

func (f *issueFlags) pass(t terms) (*pass.Pass, error) {
	kind, err := signing.ParseKind(f.kind.word)
	if err != nil {
		return nil, err
	}
	zones, err := parseZones(f.zones)
	if err != nil {
		return nil, fmt.Errorf("-zones: %w", err)
	}
	if name := f.pay.anyGiven(f.options); name != "" {
		return nil, fmt.Errorf("-%s 只用于 pay / is for kind pay only", name)
	}
	switch {
	case f.uses > 1<<32-1:
		return nil, fmt.Errorf("-uses: at most %d", uint32(1<<32-1))
	case f.owner > 1<<16-1:
		return nil, fmt.Errorf("-owner: want a gate from 1 to 65535, or 0")
	}
	if f.phone.key == nil {
		if f.host == "" {
			return nil, fmt.Errorf("-host 必须给出 / is required without -cnf")
		}
		if err := signing.CheckHost(f.host); err != nil {
			return nil, fmt.Errorf("-host: %w", err)
		}
	}
	uses := uint32(f.uses)
	if kind == signing.ResidentSingle && !f.given("uses") {
		uses = 1
	}
	return &pass.Pass{
		ID: t.id, Kind: kind, Name: f.name, Doc4: f.doc4, Uses: uses, Zones: zones, Owner: uint16(f.owner),
		NotBefore: t.from, Expires: t.expire, IssuedAt: t.issued, Phone: f.phone.key,
	}, nil
}

// parseZones reads a list of zones; an empty one means every zone.
func parseZones(list string) (signing.Zones, error) {
	if list == "" {
		return 0, nil
	}
	var zones []int
	for word := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		if err != nil {
			return 0, fmt.Errorf("%q: want numbers from 1 to 32 with commas between", list)
		}
		zones = append(zones, n)
	}
	return signing.ZonesOf(zones...)
}
