package cards

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"campusgate/server/people"
	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

// SubsidyRequest asks for subsidies: for the rows of a file, or as much for
// everybody of a kind and unit ("" = any).
type SubsidyRequest struct {
	ID        string // made by the asker
	Name      string // what holders read
	ExpiresOn string // last day, 2026-12-31
	File      []byte // csv or xlsx: number, name (may be left out), yuan
	Fen       int64  // without a file
	Kind      people.Kind
	Unit      string // or below
}

// Batch is subsidies that were asked for together.
type Batch struct {
	ID          string
	Name        string
	ExpiresOn   string
	CreatedBy   string
	CreatedAt   int64
	ConfirmedBy string
	ConfirmedAt int64 // 0 = a preview
	DoneAt      int64 // 0 = not all are granted yet
	Faulty      int   // rows of the file that are left out
	Cards       int
	TotalFen    int64
	Granted     int
	Skipped     int // closed in between
	// RemainingFen is what was not spent when it was last looked at, at a grant or
	// expiry of each card.
	RemainingFen int64
}

// share is one card's part of a batch.
type share struct {
	account uint64
	fen     int64
}

// The columns of a file, by the headings that people write.
var headings = map[string][]string{
	"number": {"学工号", "学/工号", "学号", "工号", "编号", "number"},
	"name":   {"姓名", "name"},
	"yuan":   {"金额", "金额(元)", "补助金额", "amount", "yuan"},
}

// maxSubsidy is more than anybody gets at once: 100,000 yuan.
const maxSubsidy = 10_000_000

var batchID = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z-]{7,63}$`)

// Plan looks over a request and writes down what it would grant; nothing is
// granted before Confirm. Faults are those of rows, each of which is left out.
// The same request again gives the same batch; ErrBatch for another one under
// its id. Other errors are a *people.Fault or wrap sheet.ErrTable.
func (s *Service) Plan(ctx context.Context, actor string, r SubsidyRequest) (Batch, []people.RowFault, error) {
	expires, err := s.checkSubsidy(&r)
	if err != nil {
		return Batch{}, nil, err
	}
	shares, faults, err := s.shares(ctx, r)
	if err != nil {
		return Batch{}, nil, err
	}
	asked, err := json.Marshal(r)
	if err != nil {
		return Batch{}, nil, err
	}
	sum := sha256.Sum256(asked)
	var ready bool
	err = s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		_, err := t.Affect(`INSERT INTO subsidy_batches (id, name, sum, expires_on, expires_at, created_by, created_at, faulty)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
			r.ID, r.Name, sum[:], r.ExpiresOn, expires, actor, t.Now(), len(faults))
		if err != nil {
			return nil, err
		}
		var kept []byte
		err = t.QueryRowContext(t.Context(), "SELECT sum, ready_at IS NOT NULL FROM subsidy_batches WHERE id = $1", r.ID).Scan(&kept, &ready)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(kept, sum[:]) {
			return ErrBatch, nil
		}
		return nil, nil
	})
	if err == nil && !ready {
		err = s.writeDown(ctx, r.ID, expires, shares)
	}
	if err != nil {
		return Batch{}, nil, err
	}
	b, err := s.Batch(ctx, r.ID)
	return b, faults, err
}

func (s *Service) checkSubsidy(r *SubsidyRequest) (expires int64, err error) {
	name, checked := people.CheckText("name", r.Name, 50)
	r.Name = name
	day, err := time.ParseInLocation(time.DateOnly, r.ExpiresOn, s.Location)
	end := day.AddDate(0, 0, 1).UnixMilli()
	switch {
	case !batchID.MatchString(r.ID):
		return 0, fault("id", "应为 8 至 64 位字母、数字或横线", "want 8 to 64 letters, digits or dashes")
	case checked != nil:
		return 0, checked
	case err != nil || end <= s.Now().UnixMilli():
		return 0, fault("expires_on", "应为今天或以后的日期", "want today or a later day")
	case len(r.File) == 0 && (r.Fen <= 0 || r.Fen > maxSubsidy):
		return 0, fault("fen", "金额应在 0.01 到 100000 元之间", "want 0.01 to 100000 yuan")
	}
	return end, nil
}

// shareChunk is how many rows one change writes.
const shareChunk = 500

func (s *Service) writeDown(ctx context.Context, id string, expires int64, shares []share) error {
	for chunk := range slices.Chunk(shares, shareChunk) {
		err := s.Store.Change(ctx, func(t *store.Tx) error {
			for _, one := range chunk {
				err := t.Exec(`INSERT INTO subsidy_grants (batch, account, fen, expires_at) VALUES ($1, $2, $3, $4)
					ON CONFLICT (batch, account) DO NOTHING`, id, int64(one.account), one.fen, expires)
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		return t.Exec("UPDATE subsidy_batches SET ready_at = $1 WHERE id = $2 AND ready_at IS NULL", t.Now(), id)
	})
}

// shares finds the cards that a request is about.
func (s *Service) shares(ctx context.Context, r SubsidyRequest) (all []share, faults []people.RowFault, err error) {
	src := s.Store.Reader()
	open := map[string]Account{}
	cards, err := list(ctx, src, " WHERE c.closed_at IS NULL")
	if err != nil {
		return nil, nil, err
	}
	for _, c := range cards {
		open[c.Person] = c
	}
	if len(r.File) > 0 {
		return sharesOf(r.File, open)
	}
	numbers, err := s.People.Numbers(ctx, src, r.Kind, r.Unit)
	for _, n := range numbers {
		if c, ok := open[n]; ok {
			all = append(all, share{c.Account, r.Fen})
		}
	}
	return all, nil, err
}

// sharesOf reads a file.
func sharesOf(file []byte, open map[string]Account) (all []share, faults []people.RowFault, err error) {
	table, err := sheet.Read(file)
	if err != nil {
		return nil, nil, err
	}
	at := map[string]int{}
	for field, names := range headings {
		at[field] = slices.IndexFunc(table.Header, func(h string) bool {
			return slices.Contains(names, strings.ToLower(strings.ReplaceAll(h, " ", "")))
		})
	}
	if at["number"] < 0 || at["yuan"] < 0 {
		return nil, nil, fault("file", "缺少“学工号”或“金额”列", "a column for the number or the amount is missing")
	}
	seen := map[string]int{}
	for _, row := range table.Rows {
		cell := func(field string) string {
			if at[field] < 0 {
				return ""
			}
			return row.Cells[at[field]]
		}
		one, f := readShare(cell, row.Number, open, seen)
		if f != nil {
			f.Row, f.Column = row.Number, table.Header[at[f.Column]]
			faults = append(faults, *f)
			continue
		}
		all = append(all, one)
	}
	return all, faults, nil
}

// readShare reads a row; what is wrong names its field in Column.
func readShare(cell func(string) string, number int, open map[string]Account, seen map[string]int) (share, *people.RowFault) {
	wrong := func(field, text string) *people.RowFault {
		value := []rune(cell(field))
		return &people.RowFault{Column: field, Value: string(value[:min(len(value), 40)]), Message: text}
	}
	who := cell("number")
	c, ok := open[who]
	fen, fine := yuan(cell("yuan"))
	before, twice := seen[who]
	switch {
	case !ok:
		return share{}, wrong("number", "该学工号没有校园卡 nobody with this number has a card")
	case twice:
		return share{}, wrong("number", fmt.Sprintf("与第 %d 行重复 row %d has the same", before, before))
	case cell("name") != "" && !bytes.Equal(plain(cell("name")), plain(c.Name)):
		return share{}, wrong("name", "姓名与学工号不符 the name is not that of this number")
	case !fine:
		return share{}, wrong("yuan", "应为 0.01 到 100000 的金额 want an amount of 0.01 to 100000")
	}
	seen[who] = number
	return share{c.Account, fen}, nil
}

var yuanText = regexp.MustCompile(`^([0-9]{1,6})(?:\.([0-9]{1,2}))?$`)

// yuan reads an amount as people write it: 50, 12.5, 12.50.
func yuan(text string) (fen int64, ok bool) {
	m := yuanText.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	whole, err1 := strconv.ParseInt(m[1], 10, 64)
	part, err2 := strconv.ParseInt((m[2] + "00")[:2], 10, 64)
	fen = whole*100 + part
	return fen, err1 == nil && err2 == nil && fen > 0 && fen <= maxSubsidy
}

const batchColumns = `SELECT b.id, b.name, b.expires_on, b.created_by, b.created_at, coalesce(b.confirmed_by, ''), coalesce(b.confirmed_at, 0),
	coalesce(b.done_at, 0), b.faulty, count(g.account), coalesce(sum(g.fen), 0), count(g.granted_at), count(g.skipped_at),
	coalesce(sum(g.remaining), 0)
	FROM subsidy_batches b LEFT JOIN subsidy_grants g ON g.batch = b.id`

func scanBatch(rows *sql.Rows) (b Batch, err error) {
	return b, rows.Scan(&b.ID, &b.Name, &b.ExpiresOn, &b.CreatedBy, &b.CreatedAt, &b.ConfirmedBy, &b.ConfirmedAt, &b.DoneAt,
		&b.Faulty, &b.Cards, &b.TotalFen, &b.Granted, &b.Skipped, &b.RemainingFen)
}

// Batch gives one, or store.ErrNotFound.
func (s *Service) Batch(ctx context.Context, id string) (Batch, error) {
	all, err := store.List(ctx, s.Store.Reader(), scanBatch, batchColumns+" WHERE b.id = $1 GROUP BY b.id", id)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("%w: batch", store.ErrNotFound)
	}
	if err != nil {
		return Batch{}, err
	}
	return all[0], nil
}

// Batches lists the newest.
func (s *Service) Batches(ctx context.Context, limit int) ([]Batch, error) {
	return store.List(ctx, s.Store.Reader(), scanBatch, batchColumns+" GROUP BY b.id ORDER BY b.created_at DESC, b.id LIMIT $1", limit)
}

// Confirm has a batch granted: each card once, whatever happens in between. One
// with faulty rows needs skipFaulty (ErrFaulty). What an error leaves undone
// Tick does. Again it changes nothing. store.ErrNotFound.
func (s *Service) Confirm(ctx context.Context, actor, id string, skipFaulty bool) (Batch, error) {
	err := s.change(ctx, func(t *store.Tx) (refusal, fault error) {
		var faulty, cards int
		var ready, confirmed bool
		var total, expires int64
		err := t.QueryRowContext(t.Context(), `SELECT faulty, ready_at IS NOT NULL, confirmed_at IS NOT NULL, expires_at,
			(SELECT count(*) FROM subsidy_grants WHERE batch = b.id), (SELECT coalesce(sum(fen), 0) FROM subsidy_grants WHERE batch = b.id)
			FROM subsidy_batches b WHERE id = $1`, id).Scan(&faulty, &ready, &confirmed, &expires, &cards, &total)
		switch {
		case errors.Is(err, sql.ErrNoRows) || err == nil && !ready:
			return fmt.Errorf("%w: batch", store.ErrNotFound), nil
		case err != nil || confirmed:
			return nil, err
		case faulty > 0 && !skipFaulty:
			return refuse(ErrFaulty, "faulty", faulty), nil
		case expires <= t.Now():
			return fmt.Errorf("%w: batch", store.ErrEnded), nil
		}
		if err := t.Exec("UPDATE subsidy_batches SET confirmed_by = $1, confirmed_at = $2 WHERE id = $3", actor, t.Now(), id); err != nil {
			return nil, err
		}
		return nil, t.Trail(actor, "subsidy.confirmed", "batch "+id, map[string]any{"cards": cards, "fen": total, "faulty": faulty})
	})
	if err == nil {
		err = s.grantAll(ctx, id)
	}
	if err != nil {
		return Batch{}, err
	}
	return s.Batch(ctx, id)
}
