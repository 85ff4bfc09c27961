package people

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"campusgate/server/people/sheet"
	"campusgate/server/store"
)

const (
	previewLife = time.Hour
	sampleRows  = 20
)

// ErrFaulty is wrapped when a file has faults and nobody said that its faulty
// rows may be left out.
var ErrFaulty = errors.New("the file has faulty rows")

// Preview is what a file would do, as things stand. Nothing of it has been done.
type Preview struct {
	ID        string
	Kind      ImportKind
	Name      string // of the file
	Rows      int
	Adds      int
	Changes   int
	Same      int
	Faulty    int        // rows
	Faults    []RowFault // in the order of the file
	Columns   []string   // headings as in the file, clipped
	Sample    [][]string // the first rows; phones and ID numbers masked
	ExpiresAt int64      // ms

	sum string // SHA-256 of the file, hex
}

// Imported is what a confirmed file has done.
type Imported struct{ Added, Changed, Skipped int }

// Import reads a file and keeps it, sealed, for an hour to be confirmed. Faults
// of its rows are in the preview. Errors wrap sheet.ErrTable or ErrKind.
func (s *Service) Import(ctx context.Context, by By, kind ImportKind, name string, data []byte) (Preview, error) {
	if _, ok := importColumns[kind]; !ok {
		return Preview{}, ErrKind
	}
	name, err := words("file", name, maxName)
	if err != nil {
		return Preview{}, err
	}
	table, err := sheet.Read(data)
	if err != nil {
		return Preview{}, err
	}
	id, err := s.importID()
	if err != nil {
		return Preview{}, err
	}
	body, err := json.Marshal(table)
	if err != nil {
		return Preview{}, err
	}
	kept, err := s.Vault.Seal(sealImport, string(body))
	if err != nil {
		return Preview{}, err
	}
	sum := sha256.Sum256(data)
	made := Preview{ID: id, Kind: kind, Name: name}
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		made.ExpiresAt = t.Now() + previewLife.Milliseconds()
		if err := t.Exec("DELETE FROM imports WHERE expires_at < $1", t.Now()); err != nil {
			return err
		}
		return t.Exec(`INSERT INTO imports (id, kind, name, sum, table_read, created_by, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			id, string(kind), name, hex.EncodeToString(sum[:]), kept, by.Actor, t.Now(), made.ExpiresAt)
	})
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, by, made, table)
}

func (s *Service) importID() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return "", fmt.Errorf("id of an import: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

// Preview looks over a kept file again, as things stand now. store.ErrNotFound,
// store.ErrUsed once it was confirmed, store.ErrEnded after an hour.
func (s *Service) Preview(ctx context.Context, by By, id string) (Preview, error) {
	made, table, err := s.kept(ctx, id)
	if err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, by, made, table)
}

func (s *Service) preview(ctx context.Context, by By, made Preview, table sheet.Table) (Preview, error) {
	all, err := s.AllRoles(ctx)
	if err != nil {
		return Preview{}, err
	}
	plan, err := s.plan(ctx, s.Store.Reader(), by, all, made.Kind, table)
	if err != nil {
		return Preview{}, err
	}
	made.Rows = len(table.Rows)
	made.Adds, made.Changes, made.Same, made.Faulty = plan.counts[adds], plan.counts[changes], plan.counts[same], plan.counts[faulty]
	made.Faults = plan.faults
	slices.SortStableFunc(made.Faults, func(a, b RowFault) int { return a.Row - b.Row })
	columns, _, _ := headed(made.Kind, table.Header)
	for _, text := range table.Header {
		made.Columns = append(made.Columns, clip(text))
	}
	for _, r := range table.Rows[:min(sampleRows, len(table.Rows))] {
		cells := make([]string, len(r.Cells))
		for i, text := range r.Cells {
			if c := columns[i]; c == nil || secret(c.field) {
				text = Mask(bare(text))
			}
			cells[i] = clip(text)
		}
		made.Sample = append(made.Sample, cells)
	}
	return made, nil
}

// kept reads a file that waits.
func (s *Service) kept(ctx context.Context, id string) (made Preview, table sheet.Table, err error) {
	made.ID = id
	var body []byte
	err = s.Store.Reader().QueryRowContext(ctx, "SELECT kind, name, sum, table_read, expires_at FROM imports WHERE id = $1", id).
		Scan(&made.Kind, &made.Name, &made.sum, &body, &made.ExpiresAt)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return made, table, fmt.Errorf("%w: import", store.ErrNotFound)
	case err != nil:
		return made, table, err
	case body == nil:
		return made, table, fmt.Errorf("%w: this import was confirmed", store.ErrUsed)
	case s.Now().UnixMilli() >= made.ExpiresAt:
		return made, table, fmt.Errorf("%w: upload the file again", store.ErrEnded)
	}
	text, err := s.Vault.Open(sealImport, body)
	if err != nil {
		return made, table, err
	}
	return made, table, json.Unmarshal([]byte(text), &table)
}

// Confirm does what a file asks for, all of it in one change, after looking
// over it again. A file with faults is refused (ErrFaulty) unless its faulty
// rows may be skipped. store.ErrNotFound, store.ErrEnded, and store.ErrUsed the
// second time.
func (s *Service) Confirm(ctx context.Context, by By, id string, skipFaulty bool) (Imported, error) {
	made, table, err := s.kept(ctx, id)
	if err != nil {
		return Imported{}, err
	}
	all, err := s.AllRoles(ctx)
	if err != nil {
		return Imported{}, err
	}
	var done Imported
	var refusal error
	err = s.Store.Change(ctx, func(t *store.Tx) error {
		done, refusal = Imported{}, nil
		plan, err := s.plan(t.Context(), t, by, all, made.Kind, table)
		if err != nil {
			return err
		}
		if len(plan.faults) > 0 && !skipFaulty {
			refusal = fmt.Errorf("%w: %d", ErrFaulty, len(plan.faults))
			return nil
		}
		n, err := t.Affect("UPDATE imports SET used_at = $1, table_read = NULL WHERE id = $2 AND used_at IS NULL AND expires_at > $3",
			t.Now(), id, t.Now())
		if err != nil {
			return err
		}
		if n == 0 {
			refusal = fmt.Errorf("%w: this import was confirmed", store.ErrUsed)
			return nil
		}
		for _, write := range plan.steps {
			if err := write(t); err != nil {
				return err
			}
		}
		done = Imported{Added: plan.counts[adds], Changed: plan.counts[changes], Skipped: plan.counts[faulty]}
		return t.Trail(by.Actor, "import.confirmed", "import "+id, map[string]any{
			"kind": made.Kind, "file": made.Name, "sha256": made.sum, "added": done.Added, "changed": done.Changed, "skipped": done.Skipped,
		})
	})
	if err != nil {
		return Imported{}, err
	}
	return done, refusal
}
