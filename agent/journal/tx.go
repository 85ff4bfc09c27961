package journal

import (
	"encoding/json"
	"fmt"

	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/agent/lane"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// tx is a lane.Book. It reads the snapshot's tables too: one query gathers all
// that bears on a scan.
type tx struct {
	id    *Identity
	tx    *disk.Tx
	head  head
	rules *rules
}

var _ lane.Book = (*tx)(nil)

const standingQuery = `SELECT
	s.revision, s.fresh,
	g.id IS NOT NULL, coalesce(g.zone, 0), coalesce(g.mode, ''), coalesce(g.owns_from, 0), coalesce(g.documents, 0),
	coalesce(g.offline_max, 0), coalesce(g.offline_age_ms, 0), coalesce(g.offline_confirm, 0),
	coalesce((SELECT 1 - r.gone FROM revocations r
		WHERE r.pass = $1 AND r.gen BETWEEN s.base AND s.current ORDER BY r.gen DESC LIMIT 1), 0),
	f.phone, coalesce(f.expires, 0),
	coalesce(o.gate, 0), coalesce(o.epoch, 0), coalesce(o.agent_epoch, 0), coalesce(m.gate, 0), coalesce(m.epoch, 0),
	coalesce(e.count - e.mine, 0), coalesce(e.first_at, 0), coalesce(e.first_gate, 0),
	coalesce(u.count, 0), coalesce(u.claimed, 0), u.first_at IS NOT NULL, coalesce(u.first_at, 0), coalesce(u.first_gate, 0),
	coalesce(u.recent_seq, 0), coalesce(u.recent_at, 0), coalesce(u.recent_reason, 0),
	coalesce(c.number, 0), coalesce(c.state, 0), coalesce(c.at, 0),
	k.counter IS NOT NULL, coalesce(k.counter, 0),
	(SELECT y.body FROM policy y WHERE y.id = 1)
FROM snapshot s
LEFT JOIN gates g ON g.id = $2
LEFT JOIN phones f ON f.pass = $1 AND f.gone = 0 AND f.gen = (SELECT max(x.gen) FROM phones x
	WHERE x.pass = $1 AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN owners o ON o.pass = $1 AND o.gone = 0 AND o.gen = (SELECT max(x.gen) FROM owners x
	WHERE x.pass = $1 AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN moves m ON m.pass = $1
LEFT JOIN elsewhere e ON e.pass = $1 AND e.gone = 0 AND e.gen = (SELECT max(x.gen) FROM elsewhere x
	WHERE x.pass = $1 AND x.gen BETWEEN s.base AND s.current)
LEFT JOIN uses u ON u.pass = $1
LEFT JOIN claims c ON c.pass = $1
LEFT JOIN counters k ON k.pass = $1 AND k.phone = $3
WHERE s.id = 1`

func (t *tx) Standing(pass signing.PassID, phone signing.PhoneID) (s lane.Standing, err error) {
	var (
		p                              = &s.Policy
		mode                           string
		stands                         []byte
		elsewhere, here                verdict.Use
		others, own, claimed           uint32
		hasFirst, hasCounter           bool
		recentSeq                      int64
		recent                         verdict.Recent
		claimNumber, claimState, asked int64
		counter                        int64
		rules                          []byte
		told                           wire.Ownership
		gave                           wire.Ownership // to whom this gate gave it up, or heard that another did
	)
	ok, err := t.tx.Get(standingQuery, []any{pass[:], int64(t.id.Gate), phone[:]},
		&p.Revision, &p.Fresh, &p.Known, &p.Zone, &mode, &p.OwnsFrom, &p.Documents,
		&p.Offline.Max, &p.Offline.MaxAgeMS, &p.Offline.Confirm,
		&s.Record.Revoked, &stands, &s.Phone.Until, &told.Gate, &told.Epoch, &told.AgentEpoch, &gave.Gate, &gave.Epoch,
		&others, &elsewhere.At, &elsewhere.Gate,
		&own, &claimed, &hasFirst, &here.At, &here.Gate,
		&recentSeq, &recent.At, &recent.Reason,
		&claimNumber, &claimState, &asked,
		&hasCounter, &counter, &rules)
	if err != nil {
		return s, fmt.Errorf("standing: %w", err)
	}
	if !ok {
		return s, fmt.Errorf("standing: %w", ErrNotEnrolled)
	}
	p.Mode = verdict.Mode(mode)
	copy(s.Phone.ID[:], stands)
	t.owner(&s, told, gave)
	// What this journal counted, reported or not, and what others did. Others
	// decided the claimed uses too, and the server may not have said so yet.
	s.Record.Uses = own + max(claimed, others)
	if hasFirst {
		s.Record.First = &here
	}
	// The server's first may be one of ours that was annulled since, so it is
	// taken only where others have a part in it.
	if others > 0 && (!hasFirst || elsewhere.At < here.At) {
		s.Record.First = &elsewhere
	}
	if recentSeq != 0 {
		s.Record.Recent = &recent
	}
	if claimState != 0 {
		s.Asked = &desk.Question{ID: t.claimID(claimNumber), Pass: pass, At: asked, State: desk.ClaimState(claimState)}
	}
	if s.Rules, err = t.rules.read(rules); err != nil {
		return s, fmt.Errorf("standing: %w", err)
	}
	if hasCounter {
		highest := uint64(counter)
		s.Record.Counter = &highest
	}
	return s, nil
}

func (t *tx) Append(e *wire.Event) error {
	e.ID = wire.EventID{Agent: t.id.Agent, Epoch: t.id.Epoch, Seq: t.head.seq + 1}
	r, err := wire.Seal(t.head.hash, e)
	if err != nil {
		return err
	}
	var pass []byte
	if !e.Pass.IsZero() {
		pass = e.Pass[:]
	}
	opens := e.Type.Judged() && e.Verdict.Opens()
	err = t.tx.Exec(`INSERT INTO events (seq, hash, at, scan, pass, opens, counts, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		int64(r.Seq), r.Hash[:], e.At, e.Scan, pass, opens, e.Counts, []byte(r.Body))
	if err != nil {
		return fmt.Errorf("append event %v: %w", e.ID, err)
	}
	t.head.seq, t.head.hash = r.Seq, r.Hash
	return t.unconfirmed(e)
}

func (t *tx) Counter(pass signing.PassID, phone signing.PhoneID, counter uint64, at int64) error {
	return t.tx.Exec(`INSERT INTO counters (pass, phone, counter, at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (pass, phone) DO UPDATE SET counter = excluded.counter, at = excluded.at`,
		pass[:], phone[:], int64(counter), at)
}

func (t *tx) Admission(scan string) (a desk.Past, ok bool, err error) {
	if scan == "" {
		return a, false, nil
	}
	var body []byte
	ok, err = t.tx.Get("SELECT body, annulled IS NOT NULL FROM events WHERE scan = $1 AND opens = 1 ORDER BY seq LIMIT 1",
		[]any{scan}, &body, &a.Annulled)
	if err != nil || !ok {
		return a, false, err
	}
	if err := json.Unmarshal(body, &a.Event); err != nil {
		return a, false, fmt.Errorf("event of scan %s: %w", scan, err)
	}
	return a, true, nil
}

func (t *tx) Clock() (c desk.Clock, err error) {
	var seq int64
	if _, err := t.tx.Get("SELECT offset_ms, synced, high_water, seq FROM clock WHERE id = 1", nil,
		&c.OffsetMS, &c.Synced, &c.HighWater, &seq); err != nil {
		return c, err
	}
	var later int64
	if _, err := t.tx.Get("SELECT coalesce(max(at), 0) FROM events WHERE seq > $1", []any{seq}, &later); err != nil {
		return c, err
	}
	c.HighWater = max(c.HighWater, later)
	return c, nil
}

func (t *tx) SetClock(c desk.Clock) error {
	return t.tx.Exec("UPDATE clock SET offset_ms = $1, synced = $2, high_water = $3, seq = $4 WHERE id = 1",
		c.OffsetMS, c.Synced, c.HighWater, int64(t.head.seq))
}
