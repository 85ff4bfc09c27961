package devices_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"campusgate/devices"
)

// thing admits one user at a time, as a COM port does.
type thing struct{ open *atomic.Int32 }

func (t *thing) Close() error {
	t.open.Add(-1)
	return nil
}

func TestPool_OneIsOpenHoweverManyUseIt(t *testing.T) {
	var pool devices.Pool[*thing]
	var open, opened atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				s, err := pool.Join("COM3", func() (*thing, error) {
					opened.Add(1)
					if n := open.Add(1); n != 1 {
						t.Errorf("%d are open", n)
					}
					return &thing{&open}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if s.Of.open.Load() != 1 {
					t.Error("a user has what is closed")
				}
				if err := errors.Join(s.Close(), s.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if open.Load() != 0 || opened.Load() == 0 {
		t.Errorf("%d left open, of %d opened", open.Load(), opened.Load())
	}
}

func TestPool_WhatFailedIsOpenedAnew(t *testing.T) {
	var pool devices.Pool[*thing]
	var open atomic.Int32
	join := func() (*devices.Share[*thing], error) {
		return pool.Join("COM3", func() (*thing, error) {
			open.Add(1)
			return &thing{&open}, nil
		})
	}
	if _, err := pool.Join("COM3", func() (*thing, error) { return nil, errPulled }); !errors.Is(err, errPulled) {
		t.Errorf("opening failed: %v", err)
	}
	var p *devices.PanicError
	if _, err := pool.Join("COM3", func() (*thing, error) { panic("no such port") }); !errors.As(err, &p) {
		t.Errorf("opening panicked: %v", err)
	}
	first, err := join()
	if err != nil {
		t.Fatal(err)
	}
	first.Forget()
	second, err := join()
	if err != nil || second.Of == first.Of {
		t.Fatalf("what failed was joined again: %v", err)
	}
	first.Forget() // late, and of no concern to the second
	third, err := join()
	if err != nil || third.Of != second.Of {
		t.Fatalf("what works was forgotten: %v", err)
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil || open.Load() != 1 {
		t.Errorf("%d open, %v", open.Load(), err)
	}
	if err := third.Close(); err != nil || open.Load() != 0 {
		t.Errorf("%d open, %v", open.Load(), err)
	}
}
