package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
)

// File is an attachment, which lies beside the database.
type File struct {
	ID    string
	Size  int64
	Hash  []byte // SHA-256
	Loose bool   // no matter holds it
}

// Named reports whether the id is one that is given to files, and so a name and
// no path.
func (f File) Named() bool {
	raw, err := hex.DecodeString(f.ID)
	return err == nil && len(raw) == 16
}

// Files lists the attachments that a copy names.
func Files(ctx context.Context, path string) (files []File, err error) {
	db, err := sql.Open(driverName, readOnly(path))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return List(ctx, db, func(rows *sql.Rows) (f File, err error) {
		err = rows.Scan(&f.ID, &f.Size, &f.Hash, &f.Loose)
		return f, err
	}, `SELECT id, size, hash, NOT EXISTS (SELECT 1 FROM application_files h WHERE h.attachment = a.id)
		FROM attachments a ORDER BY id`)
}
