package apply

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"campusgate/server/approval"
	"campusgate/server/issue"
	"campusgate/server/store"
)

// MaxAttachment is the largest attachment, in bytes.
const MaxAttachment = 10 << 20

// looseFor is how long an attachment is kept that no matter holds.
const looseFor = 7 * 24 * time.Hour

// Attachment is a file that somebody added.
type Attachment struct {
	ID      string // 32 hex digits
	Name    string // as it was called; never a path
	Type    string // media type, as its content says
	Size    int64
	Owner   string
	AddedAt int64
}

// Attach keeps a file. The error is an *issue.Fault of the field file when it
// is empty, too large or of no accepted type. The content is on the disk before
// the row that names it.
func (s *Service) Attach(ctx context.Context, who Actor, name string, content []byte) (Attachment, error) {
	a := Attachment{Name: fileName(name), Size: int64(len(content)), Owner: who.Person}
	switch {
	case a.Size == 0:
		return a, &issue.Fault{Field: "file", ZH: "文件是空的", EN: "the file is empty"}
	case a.Size > MaxAttachment:
		return a, &issue.Fault{Field: "file", ZH: "文件超过 10 MB", EN: "the file is larger than 10 MB"}
	}
	if a.Type = sniff(a.Name, content); a.Type == "" {
		return a, &issue.Fault{
			Field: "file", ZH: "只接受 pdf、png、jpg、webp、txt、doc(x)、xls(x),且内容须与扩展名一致",
			EN: "want pdf, png, jpg, webp, txt, doc(x) or xls(x), and a content that fits the name",
		}
	}
	var b [16]byte
	if _, err := io.ReadFull(s.Random, b[:]); err != nil {
		return a, fmt.Errorf("attachment id: %w", err)
	}
	a.ID = hex.EncodeToString(b[:])
	if err := s.writeFile(a.ID, content); err != nil {
		return a, err
	}
	sum := sha256.Sum256(content)
	err := s.Store.Change(ctx, func(t *store.Tx) error {
		a.AddedAt = t.Now()
		return t.Exec(`INSERT INTO attachments (id, name, type, size, hash, owner, added_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			a.ID, a.Name, a.Type, a.Size, sum[:], a.Owner, a.AddedAt)
	})
	return a, err
}

// fileName is the last part of a name, without what could mislead whoever reads
// it.
func fileName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name)
	ext := filepath.Ext(name)
	if len(ext) > 10 {
		ext = ""
	}
	stem := []rune(strings.TrimSuffix(name, ext))
	return string(stem[:min(len(stem), 100)]) + ext
}

// kinds are the accepted files: by extension, what the content must begin with.
var kinds = []struct {
	ext, media string
	fits       func([]byte) bool
}{
	{".pdf", "application/pdf", begins("%PDF-")},
	{".png", "image/png", begins("\x89PNG\r\n\x1a\n")},
	{".jpg", "image/jpeg", begins("\xff\xd8\xff")},
	{".jpeg", "image/jpeg", begins("\xff\xd8\xff")},
	{".webp", "image/webp", func(b []byte) bool { return http.DetectContentType(b) == "image/webp" }},
	{".txt", "text/plain", plainText},
	{".doc", "application/msword", begins(ole)},
	{".xls", "application/vnd.ms-excel", begins(ole)},
	{".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", zipWith("word/")},
	{".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", zipWith("xl/")},
}

// ole begins the files of older office programs.
const ole = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

func begins(with string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(with)) }
}

// zipWith looks for the folder of an office file among the names of an archive,
// which is not unpacked.
func zipWith(folder string) func([]byte) bool {
	return func(b []byte) bool {
		return bytes.HasPrefix(b, []byte("PK\x03\x04")) && bytes.Contains(b, []byte("[Content_Types].xml")) && bytes.Contains(b, []byte(folder))
	}
}

func plainText(b []byte) bool {
	return !bytes.ContainsRune(b, 0) && strings.HasPrefix(http.DetectContentType(b), "text/plain")
}

// sniff gives the media type of a file whose content is what its name says;
// "" = it is not accepted.
func sniff(name string, content []byte) string {
	ext := strings.ToLower(filepath.Ext(name))
	for _, k := range kinds {
		if k.ext == ext && k.fits(content) {
			return k.media
		}
	}
	return ""
}

// AttachmentTypes lists the media types that attachments have.
func AttachmentTypes() []string {
	var list []string
	for _, k := range kinds {
		list = append(list, k.media)
	}
	return slices.Compact(list)
}

func (s *Service) path(id string) string { return filepath.Join(s.Folder, id) }

// writeFile makes a file that survives a power cut, name and content.
func (s *Service) writeFile(id string, content []byte) error {
	if err := os.MkdirAll(s.Folder, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path(id), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(s.path(id)))
	}
	return syncFolder(s.Folder)
}

func scanAttachment(rows *sql.Rows) (a Attachment, err error) {
	err = rows.Scan(&a.ID, &a.Name, &a.Type, &a.Size, &a.Owner, &a.AddedAt)
	return a, err
}

const attachmentColumns = "SELECT f.id, f.name, f.type, f.size, f.owner, f.added_at FROM attachments f"

// attachments gives those with these ids that there are.
func attachments(ctx context.Context, src store.Source, ids []string) (map[string]Attachment, error) {
	all := map[string]Attachment{}
	for _, id := range ids {
		found, err := store.List(ctx, src, scanAttachment, attachmentColumns+" WHERE f.id = $1", id)
		if err != nil {
			return nil, err
		}
		for _, a := range found {
			all[a.ID] = a
		}
	}
	return all, nil
}

// ownFiles refuses attachments that a matter does not hold yet and that are not
// of who acts: nobody reads a file by putting its id into a form.
func (s *Service) ownFiles(t *store.Tx, who Actor, files, held []string) (*approval.Refusal, error) {
	var added []string
	for _, id := range files {
		if !slices.Contains(held, id) {
			added = append(added, id)
		}
	}
	known, err := attachments(t.Context(), t, added)
	if err != nil {
		return nil, err
	}
	for _, id := range added {
		if known[id].Owner != who.Person || who.Person == "" {
			return refuse(approval.FieldInvalid, "attachments", "没有这个附件", "there is no such attachment", nil), nil
		}
	}
	return nil, nil
}

// OpenAttachment gives an attachment and its content to whoever added it or may
// see a matter that holds it; store.ErrNotFound to everybody else.
func (s *Service) OpenAttachment(ctx context.Context, who Actor, id string) (Attachment, []byte, error) {
	src := s.Store.Reader()
	found, err := attachments(ctx, src, []string{id})
	if err != nil {
		return Attachment{}, nil, err
	}
	a, ok := found[id]
	if ok && a.Owner != who.Person {
		if ok, err = s.seesHolder(ctx, src, who, id); err != nil {
			return a, nil, err
		}
	}
	if !ok {
		return Attachment{}, nil, fmt.Errorf("%w: attachment", store.ErrNotFound)
	}
	content, err := os.ReadFile(s.path(a.ID))
	return a, content, err
}

func (s *Service) seesHolder(ctx context.Context, src store.Source, who Actor, attachment string) (bool, error) {
	holders, err := store.List(ctx, src, s.scanRecord,
		recordColumns+" JOIN application_files f ON f.application = a.id WHERE f.attachment = $1", attachment)
	if err != nil {
		return false, err
	}
	for i := range holders {
		flow, err := s.flows.of(ctx, src, &holders[i].Instance)
		if err != nil {
			return false, err
		}
		if who.sees(flow, &holders[i].Instance) {
			return true, nil
		}
	}
	return false, nil
}

// sweep forgets attachments that were added long ago and that no matter holds.
// The rows go first: a file without a row harms nobody.
func (s *Service) sweep(ctx context.Context) error {
	var gone []Attachment
	err := s.Store.Change(ctx, func(t *store.Tx) (err error) {
		gone, err = store.List(t.Context(), t, scanAttachment, attachmentColumns+` WHERE f.added_at < $1
			AND NOT EXISTS (SELECT 1 FROM application_files h WHERE h.attachment = f.id)`, t.Now()-looseFor.Milliseconds())
		for _, a := range gone {
			err = errors.Join(err, t.Exec("DELETE FROM attachments WHERE id = $1", a.ID))
		}
		return err
	})
	for _, a := range gone {
		if failed := os.Remove(s.path(a.ID)); err == nil && failed != nil && !errors.Is(failed, fs.ErrNotExist) {
			err = failed
		}
	}
	return err
}

// SweepFolder removes files that no row names and that were not just written.
func (s *Service) SweepFolder(ctx context.Context) error {
	entries, err := os.ReadDir(s.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		info, failed := e.Info()
		if failed != nil || s.Now().Sub(info.ModTime()) < time.Hour || !(store.File{ID: e.Name()}).Named() {
			continue
		}
		known, failed := attachments(ctx, s.Store.Reader(), []string{e.Name()})
		if failed == nil && len(known) == 0 {
			failed = os.Remove(s.path(e.Name()))
		}
		err = errors.Join(err, failed)
	}
	return err
}
