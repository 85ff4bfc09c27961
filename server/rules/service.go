package rules

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"sync"

	"campusgate/configs"
	"campusgate/server/people"
	"campusgate/server/store"
	"campusgate/signing/verdict"
)

// setting is the row of settings that holds the guideline, as written.
const setting = "documents"

// Config is what a Service works with. All fields are required.
type Config struct {
	Store  *store.Store
	People *people.Service
	Random io.Reader
}

// Service keeps what guards go by. Safe for concurrent use.
type Service struct {
	Config

	mu   sync.Mutex // guards text and read
	text string
	read *verdict.Guideline // what text says
}

// New makes a Service.
func New(c Config) *Service { return &Service{Config: c} }

// Found gives a site that has no guideline the one that comes with the program.
func (s *Service) Found(ctx context.Context) error {
	if _, err := s.stored(ctx, s.Store.Reader()); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	text, err := configs.Samples.ReadFile(Sample)
	if err != nil {
		return fmt.Errorf("guideline: %w", err)
	}
	return s.put(ctx, "init", string(text), true)
}

// Text gives the guideline as written, or store.ErrNotFound.
func (s *Service) Text(ctx context.Context) (string, error) {
	return s.stored(ctx, s.Store.Reader())
}

// Guideline gives the guideline in force; nil = none was ever set. It is shared:
// nobody may change it.
func (s *Service) Guideline(ctx context.Context) (*verdict.Guideline, error) {
	text, err := s.stored(ctx, s.Store.Reader())
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.read == nil || s.text != text {
		g, err := Parse(Sample, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("guideline in force: %w", err)
		}
		s.text, s.read = text, g
	}
	return s.read, nil
}

// Put brings a guideline into force at every gate. A fault in it wraps
// configs.ErrConfig, names line and key, and changes nothing.
func (s *Service) Put(ctx context.Context, actor, text string) error {
	return s.put(ctx, actor, text, false)
}

func (s *Service) put(ctx context.Context, actor, text string, first bool) error {
	g, err := Parse(Sample, []byte(text))
	if err != nil {
		return err
	}
	return s.Store.Change(ctx, func(t *store.Tx) error {
		had, err := s.stored(t.Context(), t)
		switch {
		case err == nil && (first || had == text):
			return nil
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		}
		err = t.Exec(`INSERT INTO settings (name, value) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, setting, text)
		if err != nil {
			return err
		}
		return errors.Join(t.PutGuideline(g), t.Trail(actor, "documents.changed", setting, map[string]any{
			"documents": len(g.Documents), "rules": len(g.Rules),
		}))
	})
}

func (s *Service) stored(ctx context.Context, src store.Source) (text string, err error) {
	err = src.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = $1", setting).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("%w: guideline", store.ErrNotFound)
	}
	return text, err
}
