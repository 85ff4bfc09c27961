package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// Problems that put a record into quarantine.
const (
	problemContent = "other content under the same id" // the first content holds
	problemChain   = "hash does not follow the one before"
	problemBody    = "body is not an event"
	problemID      = "body names another event"
	problemGate    = "body names another gate"
)

// entry is a record with the parts of its event that the server acts on.
type entry struct {
	wire.Record
	problem string // "" = none so far
	event   event
	id      wire.EventID
}

// event is wire.Event without what only people and the re-judging look at,
// and with text that is parsed by hand: reading it is a good part of what
// taking an event in costs.
type event struct {
	ID       string         `json:"id"`
	Type     wire.EventType `json:"type"`
	At       int64          `json:"at"`
	Gate     uint16         `json:"gate"`
	Offline  bool           `json:"offline"`
	PassText string         `json:"pass"`
	Verdict  struct {
		Reason string       `json:"reason"`
		Repeat bool         `json:"repeat"`
		Mark   verdict.Mark `json:"mark"`
	} `json:"verdict"`
	Case   *eventCase      `json:"case"`
	Claim  string          `json:"claim"`
	For    uint16          `json:"for"`
	Annuls string          `json:"annuls"`
	Counts bool            `json:"counts"`
	Alarm  *wire.AlarmMove `json:"alarm"`

	Pass   signing.PassID `json:"-"`
	Reason verdict.Reason `json:"-"`
}

// reasons finds a reason by its name.
var reasons = func() map[string]verdict.Reason {
	byName := map[string]verdict.Reason{"": 0}
	for _, r := range verdict.Reasons() {
		byName[r.String()] = r
	}
	return byName
}()

func readEvent(body []byte) (e event, err error) {
	if err := json.Unmarshal(body, &e); err != nil {
		return e, err
	}
	var known bool
	if e.Reason, known = reasons[e.Verdict.Reason]; !known {
		return e, fmt.Errorf("%w: %q", verdict.ErrNoReason, e.Verdict.Reason)
	}
	if e.PassText != "" {
		e.Pass, err = signing.ParsePassID(e.PassText)
	}
	return e, err
}

// eventCase is the part of verdict.Case that says how often the pass may be
// used, who decides, and who goes which way.
type eventCase struct {
	Lane struct {
		Direction verdict.Direction `json:"direction"`
	} `json:"lane"`
	Code struct {
		Kind    string `json:"kind"`
		Bound   bool   `json:"bound"`
		Expires int64  `json:"exp"`
		Uses    uint32 `json:"uses"`
		Owner   uint16 `json:"owner"`
	} `json:"code"`
	Policy struct {
		Mode verdict.Mode `json:"mode"`
	} `json:"policy"`
	Record struct {
		Owner uint16 `json:"owner"`
	} `json:"record"`
	Claim   verdict.Claim `json:"claim"`
	Offline struct {
		Shared bool `json:"shared"`
	} `json:"offline"`
}

// decider repeats verdict.Case.Asks on the parts that were kept.
func (c *eventCase) decider() uint16 {
	if c.shared() {
		return 0
	}
	full := verdict.Case{}
	full.Policy.Mode, full.Record.Owner, full.Code.Owner = c.Policy.Mode, c.Record.Owner, c.Code.Owner
	return full.Decider()
}

// shared repeats verdict.Case.SharedUse. An event of a pass that a till takes has
// no such mode.
func (c *eventCase) shared() bool {
	return c.Policy.Mode == verdict.FirstSeen && c.Offline.Shared && c.Code.Uses == 1
}

// Acked gives the highest seq up to which every event of the epoch is held.
func (s *Store) Acked(ctx context.Context, agent, epoch uint32) (uint64, error) {
	acked, _, err := journal(ctx, s.read, agent, epoch)
	return acked, err
}

func journal(ctx context.Context, src Source, agent, epoch uint32) (acked uint64, head wire.Hash, err error) {
	var raw []byte
	err = src.QueryRowContext(ctx, "SELECT acked, head FROM journals WHERE agent = $1 AND epoch = $2", agent, epoch).
		Scan(&acked, &raw)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, wire.Hash{}, nil
	}
	copy(head[:], raw)
	return acked, head, err
}

// Ingest commits records with consecutive seqs and gives the new Acked. The
// same record again changes nothing; another one under the same id, one that
// breaks the hash chain and one that is no event go to quarantine, with an
// entry in the trail, and count as held. Of what is in quarantine no use is
// counted. When events are missing before the records nothing is stored and
// Acked is what it was. ErrGap when one is missing among the records;
// ErrNotFound for an unknown agent or an epoch it never had.
func (s *Store) Ingest(ctx context.Context, agent, epoch uint32, records []wire.Record) (acked uint64, err error) {
	entries, err := readRecords(agent, epoch, records)
	if err != nil {
		return 0, err
	}
	var fresh []entry
	err = s.submit(&job{ctx: ctx, rows: len(records), fn: func(t *Tx) (err error) {
		acked, fresh, err = t.ingest(agent, epoch, entries)
		return err
	}}, false)
	if err != nil {
		return 0, fmt.Errorf("ingest: %w", err)
	}
	for i := range fresh {
		if fresh[i].problem == "" {
			s.stats.events[fresh[i].event.Reason&statsMask].Add(1)
		}
	}
	return acked, nil
}

// readRecords does what needs no database, outside the writer's goroutine and
// on two processors: reading JSON takes about as long as storing it.
func readRecords(agent, epoch uint32, records []wire.Record) ([]entry, error) {
	for i, r := range records {
		if r.Seq == 0 || i > 0 && r.Seq != records[i-1].Seq+1 {
			return nil, fmt.Errorf("%w: record %d has seq %d", ErrGap, i, r.Seq)
		}
	}
	entries := make([]entry, len(records))
	read := func(from, to int) {
		for i := from; i < to; i++ {
			entries[i] = readRecord(wire.EventID{Agent: agent, Epoch: epoch, Seq: records[i].Seq}, records[i])
			if i > 0 && wire.Chain(records[i-1].Hash, records[i].Body) != records[i].Hash {
				entries[i].problem = problemChain
			}
		}
	}
	half := len(records) / 2
	var other sync.WaitGroup
	other.Go(func() { read(half, len(records)) })
	read(0, half)
	other.Wait()
	return entries, nil
}

func readRecord(id wire.EventID, r wire.Record) entry {
	e := entry{Record: r, id: id}
	var err error
	if e.event, err = readEvent(r.Body); err != nil {
		e.problem = problemBody
	} else if e.event.ID != id.String() {
		e.problem = problemID
	}
	return e
}

// ingest gives the new Acked and the entries that were not held before.
func (t *Tx) ingest(agent, epoch uint32, entries []entry) (uint64, []entry, error) {
	var current uint32
	var gate uint16
	err := t.QueryRowContext(t.ctx, "SELECT epoch, gate FROM agents WHERE id = $1", agent).Scan(&current, &gate)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (epoch == 0 || epoch > current) {
		return 0, nil, fmt.Errorf("%w: agent %d epoch %d", ErrNotFound, agent, epoch)
	}
	if err != nil {
		return 0, nil, err
	}
	acked, head, err := journal(t.ctx, t, agent, epoch)
	if err != nil || len(entries) == 0 {
		return acked, nil, err
	}
	if entries[0].Seq > acked+1 {
		return acked, nil, nil
	}
	for len(entries) > 0 && entries[0].Seq <= acked {
		if err := t.repeated(&entries[0]); err != nil {
			return 0, nil, err
		}
		entries = entries[1:]
	}
	if len(entries) == 0 {
		return acked, nil, nil
	}
	// The first new record follows what is held, not what came with it.
	if first := &entries[0]; wire.Chain(head, first.Body) != first.Hash {
		first.problem = problemChain
	}
	for i := range entries {
		// An agent speaks for its own gate only.
		if e := &entries[i]; e.problem == "" && e.event.Gate != gate {
			e.problem = problemGate
		}
	}
	if err := t.insertEvents(entries); err != nil {
		return 0, nil, err
	}
	if err := t.effects(entries); err != nil {
		return 0, nil, err
	}
	last := entries[len(entries)-1]
	err = t.Exec(`INSERT INTO journals (agent, epoch, acked, head) VALUES ($1, $2, $3, $4)
		ON CONFLICT (agent, epoch) DO UPDATE SET acked = excluded.acked, head = excluded.head`,
		agent, epoch, int64(last.Seq), last.Hash[:])
	return last.Seq, entries, err
}

// repeated looks at a record that should be held already.
func (t *Tx) repeated(e *entry) error {
	var hash, body []byte
	err := t.QueryRowContext(t.ctx, "SELECT hash, body FROM events WHERE agent = $1 AND epoch = $2 AND seq = $3",
		e.id.Agent, e.id.Epoch, e.id.Seq).Scan(&hash, &body)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		// In quarantine, where the same hash changes nothing, or pruned.
		var oldest sql.NullInt64
		err := t.QueryRowContext(t.ctx, "SELECT min(seq) FROM events WHERE agent = $1 AND epoch = $2",
			e.id.Agent, e.id.Epoch).Scan(&oldest)
		if err != nil || !oldest.Valid || e.Seq < uint64(oldest.Int64) {
			return err
		}
	case err != nil:
		return err
	case bytes.Equal(hash, e.Hash[:]) && bytes.Equal(body, e.Body):
		return nil
	}
	return t.quarantine(e, problemContent)
}

func (t *Tx) quarantine(e *entry, problem string) error {
	n, err := t.Affect(`INSERT INTO quarantine (agent, epoch, seq, hash, body, problem, received_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		e.id.Agent, e.id.Epoch, e.id.Seq, e.Hash[:], []byte(e.Body), problem, t.now)
	if err != nil || n == 0 {
		return err
	}
	t.store.stats.alarms.Add(1)
	return t.Trail(fmt.Sprintf("agent %d", e.id.Agent), "event.quarantined", e.id.String(), map[string]any{"problem": problem})
}

func (t *Tx) insertEvents(entries []entry) error {
	before, err := t.count("position", int64(len(entries)))
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		if e.problem != "" {
			if err := t.quarantine(e, e.problem); err != nil {
				return err
			}
			continue
		}
		ev := &e.event
		var pass []byte
		if !ev.Pass.IsZero() {
			pass = ev.Pass[:]
		}
		err := t.Exec(`INSERT INTO events (position, agent, epoch, seq, hash, body, at, received_at, gate, type,
			pass, reason, offline, claim) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			before+1+int64(i), e.id.Agent, e.id.Epoch, int64(e.id.Seq), e.Hash[:], []byte(e.Body), ev.At, t.now, ev.Gate,
			string(ev.Type), pass, int64(ev.Reason), ev.Offline, nullText(ev.Claim))
		if err != nil {
			return err
		}
	}
	return nil
}
