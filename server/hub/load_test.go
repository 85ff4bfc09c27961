package hub_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link"
	"campusgate/server/hub"
	"campusgate/signing/wire"
)

// shelf offers one release to gate 1 on Linux.
type shelf struct {
	mu       sync.Mutex
	release  string
	program  string
	slowness time.Duration
}

func (s *shelf) Offered(gate uint16, os, _ string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if gate != 1 || os != "linux" {
		return ""
	}
	return s.release
}

func (s *shelf) Part(ctx context.Context, gate uint16, f wire.Fetch) wire.Part {
	slow, cancel := context.WithTimeout(ctx, s.slowness)
	defer cancel()
	<-slow.Done()
	p := wire.Part{Release: f.Release, Offset: f.Offset}
	if gate == 1 && f.Offset < int64(len(s.program)) {
		p.Data = []byte(s.program[f.Offset:])
	}
	return p
}

func TestLoad_IsOfferedByTheHeartbeatAndDelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{release: strings.Repeat("a", 64), program: "the next program", slowness: 10 * time.Second}
		w := newWorld(t, func(c *hub.Config) { c.Programs = s })
		var mu sync.Mutex
		heard := map[uint32][]string{}
		start := func(id uint32, os string) *gate {
			g := w.gate(id)
			g.offered = func(release string) {
				mu.Lock()
				defer mu.Unlock()
				heard[id] = append(heard[id], release)
			}
			g.health = func() wire.Health {
				return wire.Health{Program: &wire.Program{Version: "1.0", OS: os, Arch: "amd64", State: wire.ProgramCurrent}}
			}
			return g.start()
		}
		latest := func(id uint32) string {
			mu.Lock()
			defer mu.Unlock()
			if len(heard[id]) == 0 {
				return "nothing was said"
			}
			return heard[id][len(heard[id])-1]
		}
		one, two := start(1, "linux"), start(2, "linux")
		synctest.Wait()
		if latest(1) != s.release || latest(2) != "" {
			t.Fatalf("offered %q and %q", latest(1), latest(2))
		}
		if st := w.hub.States()[1]; st.Health.Program == nil || st.Health.Program.Version != "1.0" {
			t.Errorf("the console knows %+v", st.Health)
		}
		f := wire.Fetch{Release: s.release, Offset: 4}
		var fetching sync.WaitGroup
		fetching.Go(func() {
			if p, err := one.link.Fetch(t.Context(), f); err != nil || string(p.Data) != "next program" {
				t.Errorf("%q, %v", p.Data, err)
			}
		})
		synctest.Wait()
		one.happen(10)
		if a := one.link.Ask(t.Context(), one.claim(1, 1, 0)); a.State != "granted" {
			t.Errorf("while a part comes: %+v", a)
		}
		synctest.Wait()
		one.drained()
		fetching.Wait()
		if p, err := two.link.Fetch(t.Context(), f); err != nil || len(p.Data) > 0 {
			t.Errorf("a gate that it does not reach: %q, %v", p.Data, err)
		}
		s.mu.Lock()
		s.release = ""
		s.mu.Unlock()
		time.Sleep(2 * wire.HeartbeatMS * time.Millisecond)
		synctest.Wait()
		if latest(1) != "" {
			t.Errorf("still offered: %q", latest(1))
		}
		s.mu.Lock()
		s.release = strings.Repeat("b", 64)
		s.mu.Unlock()
		time.Sleep(2 * wire.HeartbeatMS * time.Millisecond)
		synctest.Wait()
		one.stop()
		<-one.ended
		if latest(1) != "" {
			t.Errorf("without a connection: %q", latest(1))
		}
		if _, err := one.link.Fetch(t.Context(), f); !errors.Is(err, link.ErrOffline) {
			t.Errorf("without a connection: %v", err)
		}
	})
}
