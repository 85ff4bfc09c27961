package issue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/pass"
	"campusgate/signing/verdict"
)

// Request asks for a pass. Zero values mean absent, except where a pointer
// says so.
type Request struct {
	Kind  string // as signing.Kind prints
	Name  string
	Doc4  string
	From  string // date or time; "" = now
	Until string // date (the whole day counts) or time
	Uses  *uint32
	Zones []int   // none = every zone
	Owner *uint16 // nil = chosen: see ownerOf
	Bound bool    // no static code: a phone key makes live codes
}

// Years that a pass may name.
const (
	minYear = 2000
	maxYear = 9998
)

// terms checks a request and makes the pass it asks for, still without id and
// key.
func (s *Service) terms(ctx context.Context, src records, r Request) (*pass.Pass, error) {
	kind, err := signing.ParseKind(r.Kind)
	if err != nil || !kind.OpensGates() {
		return nil, fault("kind", "没有这种通行证", fmt.Sprintf("no such kind of pass: %q (one of %s)", r.Kind, signing.GateKinds))
	}
	p := &pass.Pass{Kind: kind, IssuedAt: s.Now().Unix()}
	if p.Name, err = words("name", r.Name, pass.MaxName); err != nil {
		return nil, err
	}
	if p.Doc4, err = words("doc4", r.Doc4, 4*pass.Doc4Length); err != nil {
		return nil, err
	}
	if n := len([]rune(p.Doc4)); n != 0 && n != pass.Doc4Length {
		return nil, fault("doc4", "应为 4 个字符或留空", fmt.Sprintf("want 4 characters or none, got %d", n))
	}
	if p.NotBefore, p.Expires, err = s.dates(r.From, r.Until); err != nil {
		return nil, err
	}
	if p.Uses, err = uses(kind, r.Uses); err != nil {
		return nil, err
	}
	if p.Zones, err = signing.ZonesOf(r.Zones...); err != nil {
		return nil, fault("zones", "区域编号应为 1 到 32", "zones are numbered 1 to 32")
	}
	p.Owner, err = s.ownerOf(ctx, src, p, r.Owner)
	return p, err
}

// words normalizes text that people read to the form that is signed.
func words(field, text string, most int) (string, error) {
	text = norm.NFC.String(strings.TrimSpace(text))
	if len(text) > most {
		return "", fault(field, fmt.Sprintf("太长:%d 字节,最多 %d", len(text), most),
			fmt.Sprintf("too long: %d bytes, at most %d", len(text), most))
	}
	if err := signing.CheckWords(text, most); err != nil {
		return "", fault(field, "含有不能显示的字符", err.Error())
	}
	return text, nil
}

func uses(kind signing.Kind, asked *uint32) (uint32, error) {
	switch {
	case kind == signing.ResidentSingle && asked != nil && *asked != 1:
		return 0, fault("uses", "单次通行证只能使用 1 次", "a resident_single pass has exactly 1 use")
	case kind == signing.ResidentSingle:
		return 1, nil
	case asked == nil:
		return 0, nil
	}
	return *asked, nil
}

// dates gives the seconds between which a pass holds.
func (s *Service) dates(from, until string) (begin, end int64, err error) {
	start := s.Now()
	if from != "" {
		if start, _, err = s.moment("from", from); err != nil {
			return 0, 0, err
		}
	}
	if until == "" {
		return 0, 0, fault("until", "缺少结束日期", "missing: the last day, or a time")
	}
	stop, wholeDay, err := s.moment("until", until)
	if err != nil {
		return 0, 0, err
	}
	if wholeDay {
		stop = stop.AddDate(0, 0, 1)
	}
	if begin, end = start.Unix(), stop.Unix(); begin >= end {
		return 0, 0, fault("until", "结束早于开始",
			fmt.Sprintf("it ends (%s) before it begins (%s)", until, start.In(s.Location).Format(time.DateTime)))
	}
	return begin, end, nil
}

// moment reads a date, which is midnight on campus, or a time with or without
// its offset.
func (s *Service) moment(field, text string) (at time.Time, date bool, err error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		at, err = time.ParseInLocation(layout, text, s.Location)
		if err == nil {
			if y := at.Year(); y < minYear || y > maxYear {
				return at, false, fault(field, fmt.Sprintf("年份应在 %d 到 %d 之间", minYear, maxYear),
					fmt.Sprintf("the year must be from %d to %d", minYear, maxYear))
			}
			return at, layout == time.DateOnly, nil
		}
	}
	return at, false, fault(field, "无法识别的日期", fmt.Sprintf("not a date (2026-05-01) or a time (2026-05-01T08:00:00+08:00): %q", text))
}

// ownerOf finds the gate that decides a counted pass: the one that was named,
// or the only gate of its zones, unless that asks the server anyway; otherwise
// the server.
func (s *Service) ownerOf(ctx context.Context, src records, p *pass.Pass, named *uint16) (uint16, error) {
	gates, err := src.Gates(ctx)
	if err != nil {
		return 0, err
	}
	if named != nil && *named != 0 {
		if !slices.ContainsFunc(gates, func(g store.Gate) bool { return g.ID == *named }) {
			return 0, fault("owner_gate", fmt.Sprintf("没有编号为 %d 的校门", *named), fmt.Sprintf("no gate has number %d", *named))
		}
		return *named, nil
	}
	if named != nil || p.Uses == 0 {
		return 0, nil
	}
	var serving []store.Gate
	for _, g := range gates {
		if p.Zones.Admit(g.Zone) {
			serving = append(serving, g)
		}
	}
	if len(serving) != 1 || serving[0].Mode == verdict.Online {
		return 0, nil
	}
	return serving[0].ID, nil
}

// State says in one word how a pass stands. A bound pass outlives the key that
// signed it: the phone renews.
func State(p store.PassStatus, now time.Time) string {
	switch {
	case p.RevokedAt > 0 || p.KeyCompromised && !p.Bound:
		return "revoked"
	case p.Uses > 0 && p.Used >= p.Uses:
		return "used"
	case now.Unix() >= p.Until:
		return "expired"
	}
	return "issued"
}
