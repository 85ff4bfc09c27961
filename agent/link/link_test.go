package link_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"campusgate/agent/link"
	"campusgate/agent/link/memnet"
	"campusgate/signing"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

func TestNew_RefusesWhatCannotWork(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*link.Config, *link.Deps)
		word   string
	}{
		"plain to another machine": {func(c *link.Config, _ *link.Deps) { c.Server = "http://gate.example.edu" }, "use https"},
		"plain to an address":      {func(c *link.Config, _ *link.Deps) { c.Server = "ws://10.0.0.1:80" }, "use https"},
		"no scheme":                {func(c *link.Config, _ *link.Deps) { c.Server = "gate.example.edu" }, "want https://host"},
		"another scheme":           {func(c *link.Config, _ *link.Deps) { c.Server = "ftp://gate.example.edu" }, "want https://host"},
		"a path":                   {func(c *link.Config, _ *link.Deps) { c.Server = "https://gate.example.edu/a" }, "want https://host"},
		"a user":                   {func(c *link.Config, _ *link.Deps) { c.Server = "https://u:p@gate.example.edu" }, "want https://host"},
		"a query":                  {func(c *link.Config, _ *link.Deps) { c.Server = "https://gate.example.edu?x=1" }, "want https://host"},
		"no address":               {func(c *link.Config, _ *link.Deps) { c.Server = "https://%zz" }, "not an address"},
		"no journal":               {func(_ *link.Config, d *link.Deps) { d.Journal = nil }, "are needed"},
		"no epoch":                 {func(c *link.Config, _ *link.Deps) { c.Identity.Epoch = 0 }, "enrol first"},
		"half a key":               {func(c *link.Config, _ *link.Deps) { c.Identity.Key = agentKey[:32] }, "enrol first"},
	} {
		cfg, deps := unconnected()
		c.change(&cfg, &deps)
		if _, err := link.New(cfg, deps); !errors.Is(err, link.ErrConfig) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, server := range []string{"http://localhost:1", "ws://127.0.0.9", "http://[::1]:80", "https://10.0.0.1:8443", "wss://gate.example.edu/"} {
		cfg, deps := unconnected()
		cfg.Server = server
		if _, err := link.New(cfg, deps); err != nil {
			t.Errorf("%s: %v", server, err)
		}
	}
}

// unconnected gives a configuration that New accepts.
func unconnected() (link.Config, link.Deps) {
	s := &script{agent: &agent{}, cable: memnet.Listen("127.0.0.1:80").Cable("127.0.0.1:81")}
	return s.config()
}

// A name that should be this PC and is not.
func TestDial_RefusesPlainToWhereTheNameLeads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(t)
		far := memnet.Listen("10.0.0.1:80")
		s.cable = far.Cable("10.0.0.7:5000")
		accepted := make(chan struct{})
		go func() {
			defer close(accepted)
			c, err := far.Accept()
			if err != nil {
				return
			}
			if n, err := c.Read(make([]byte, 1)); err == nil {
				t.Errorf("%d bytes were sent", n)
			}
		}()
		s.start()
		if st := s.offline(); !errors.Is(st.Err, link.ErrPlain) {
			t.Fatal(st.Err)
		}
		<-accepted
		s.stop()
		<-s.ended
	})
}

func TestHandshake_AgentRefusesAStrangeServer(t *testing.T) {
	for name, c := range map[string]struct{ frame, code, word string }{
		"another version": {`{"stream":"link","type":"hello","body":{"version":2,"realm":"new"}}`, wire.ByeVersion, "version 2"},
		"another site":    {`{"stream":"link","type":"hello","body":{"version":1,"site":"elsewhere","nonce":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","now":1}}`, wire.ByeSite, `"elsewhere"`},
		"a short nonce":   {`{"stream":"link","type":"hello","body":{"version":1,"site":"` + site + `","nonce":"AAAA","now":1}}`, wire.ByeProtocol, "nonce"},
		"a welcome":       {`{"stream":"link","type":"welcome","body":{"acked":0}}`, wire.ByeProtocol, "instead of hello"},
		"no frame":        {`hello`, wire.ByeProtocol, "object"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				s.start()
				p := s.accept()
				p.text(c.frame)
				var bye wire.Bye
				p.expect(wire.TypeBye, &bye)
				if bye.Code != c.code || !strings.Contains(bye.Message, c.word) {
					t.Fatalf("%+v", bye)
				}
				st := s.offline()
				var e *link.ByeError
				if st.Code != c.code || !errors.As(st.Err, &e) || !e.Ours {
					t.Fatalf("%+v", st)
				}
			})
		})
	}
}

func TestState_TellsTheServersReason(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		if st := s.link.State(); st.Online || st.Err != nil {
			t.Fatalf("before anything: %+v", st)
		}
		p := s.welcome(0)
		synctest.Wait()
		st := s.link.State()
		if !st.Online || !st.Since.Equal(time.Now()) {
			t.Fatalf("%+v", st)
		}
		time.Sleep(3 * time.Second)
		p.send(wire.Link, wire.TypeBye, wire.Bye{Code: wire.ByeReplaced, Message: "once more"})
		st = s.offline()
		if st.Code != wire.ByeReplaced || !strings.Contains(st.Err.Error(), "once more") || !st.Since.Equal(time.Now()) {
			t.Fatalf("%+v", st)
		}
	})
}

func TestConnection_EndsWithASilentOrSlowServer(t *testing.T) {
	t.Run("silent", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			s.start()
			s.drain(s.welcome(0))
			start := time.Now()
			if st := s.offline(); !errors.Is(st.Err, link.ErrSilent) || time.Since(start) != wire.PeerSilenceMS*time.Millisecond {
				t.Fatalf("after %v: %v", time.Since(start), st.Err)
			}
		})
	})
	t.Run("slow", func(t *testing.T) {
		bubble(t, func(t *testing.T, s *script) {
			for i := range 2000 { // far more than the network holds
				r, err := wire.Seal(wire.Hash{}, &wire.Event{ID: wire.EventID{Agent: 7, Epoch: 2, Seq: uint64(i + 1)}, Lane: strings.Repeat("x", 200)})
				if err != nil {
					t.Fatal(err)
				}
				s.agent.records = append(s.agent.records, r)
			}
			s.start()
			p := s.welcome(0)
			start := time.Now()
			s.parts.Go(func() { // it is alive, but does not read
				for p.ws.WriteMessage(1, []byte(`{"stream":"up","type":"acked","body":{"seq":0}}`)) == nil {
					time.Sleep(time.Second)
				}
			})
			if st := s.offline(); !errors.Is(st.Err, link.ErrSlow) || time.Since(start) != wire.WriteTimeoutMS*time.Millisecond {
				t.Fatalf("after %v: %v", time.Since(start), st.Err)
			}
		})
	})
}

func TestConnection_EndsOnFramesThatMustNotBe(t *testing.T) {
	empty := `{"stream":"down","type":"delta","body":{"cursor":{"lineage":"a","revision":1},"items":[]}}`
	for name, c := range map[string]struct{ frame, word string }{
		"no frame":                   {`{}`, "no message"},
		"an agent's frame":           {`{"stream":"down","type":"applied","body":{"cursor":{"lineage":"a","revision":1}}}`, "from a server"},
		"a second hello":             {`{"stream":"link","type":"hello","body":{"version":1}}`, "from a server"},
		"an ack of what never was":   {`{"stream":"up","type":"acked","body":{"seq":1}}`, "acked 1, but sent 0"},
		"a delta too early":          {empty + "\n" + empty, "before the last group was answered"},
		"an item of an unknown form": {`{"stream":"down","type":"delta","body":{"cursor":{"lineage":"a","revision":1},"items":[{"kind":"use","key":"k","note":1}]}}`, "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				s.agent.stall = make(chan struct{}) // applying takes its time
				defer close(s.agent.stall)
				s.start()
				p := s.welcome(0)
				for _, frame := range strings.Split(c.frame, "\n") {
					p.text(frame)
				}
				var bye wire.Bye
				p.expect(wire.TypeBye, &bye)
				if bye.Code != wire.ByeProtocol || !strings.Contains(bye.Message, c.word) {
					t.Fatalf("%+v", bye)
				}
			})
		})
	}
}

// A server whose history changes while it sends a group starts the group anew.
func TestDown_ResetWithinAGroupForgetsWhatWasBefore(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		item := func(key string) []wire.Item { return []wire.Item{{Kind: wire.ItemUse, Key: key, Body: []byte(`{}`)}} }
		p.send(wire.Down, wire.TypeDelta, wire.Delta{More: true, Items: item("a")})
		p.send(wire.Down, wire.TypeDelta, wire.Delta{More: true, Items: item("b")})
		p.send(wire.Down, wire.TypeDelta, wire.Delta{Reset: true, More: true, Items: item("c")})
		end := wire.Cursor{Lineage: "new", Revision: 9}
		p.send(wire.Down, wire.TypeDelta, wire.Delta{Cursor: end, Items: item("d")})
		var applied wire.Applied
		p.expect(wire.TypeApplied, &applied)
		if applied.Cursor != end || applied.Fault != "" || len(s.agent.applied) != 1 {
			t.Fatalf("%+v after %d groups", applied, len(s.agent.applied))
		}
		if got := s.agent.applied[0]; len(got) != 2 || !got[0].Reset || got[0].Items[0].Key != "c" || got[1].Items[0].Key != "d" {
			t.Fatalf("applied %+v", got)
		}
	})
}

func TestRun_ReconnectsAtAGrowingJitteredPace(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.cable.Set(memnet.Cut)
		s.start()
		var waits []time.Duration
		last, dials := time.Now(), 1
		synctest.Wait()
		for len(waits) < 10 {
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if n := s.cable.Dials(); n != dials {
				waits = append(waits, time.Since(last))
				last, dials = time.Now(), n
			}
		}
		limit, same := 250*time.Millisecond, 0
		for i, w := range waits {
			if w < limit/2 || w > limit+time.Millisecond {
				t.Errorf("wait %d is %v, want %v to %v", i, w, limit/2, limit)
			}
			if w == limit {
				same++
			}
			limit = min(2*limit, 10*time.Second)
		}
		if same == len(waits) {
			t.Errorf("no jitter: %v", waits)
		}
		// A person asks: at once, and not again.
		s.link.Retry()
		synctest.Wait()
		if n := s.cable.Dials(); n != dials+1 {
			t.Fatalf("%d dials after Retry, want %d", n, dials+1)
		}
		time.Sleep(4 * time.Second)
		if n := s.cable.Dials(); n != dials+1 {
			t.Fatalf("Retry dialled %d times", n-dials)
		}
	})
}

func TestRun_StableConnectionStartsThePaceAnew(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.cable.Set(memnet.Cut)
		s.start()
		time.Sleep(5 * time.Minute)
		s.cable.Set(memnet.Up)
		for _, lasts := range []time.Duration{time.Second, 31 * time.Second} {
			p := s.welcome(0)
			s.parts.Go(func() { // answers, so that the link lives
				for p.ws.WriteMessage(1, []byte(`{"stream":"link","type":"clock","body":{"t0":1,"t1":1}}`)) == nil {
					time.Sleep(time.Second)
				}
			})
			s.drain(p)
			time.Sleep(lasts)
			_ = p.ws.Close()
			s.offline()
			start, dials := time.Now(), s.cable.Dials()
			for s.cable.Dials() == dials {
				time.Sleep(time.Millisecond)
			}
			wait := time.Since(start)
			if short := wait <= 251*time.Millisecond; short != (lasts > 30*time.Second) {
				t.Errorf("after %v online it dials again in %v", lasts, wait)
			}
		}
	})
}

func TestRun_LastingRefusalIsTriedAtTheSlowestPace(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		for range 3 {
			p := s.accept()
			p.send(wire.Link, wire.TypeBye, wire.Bye{Code: wire.ByeUnknownAgent, Message: "revoked"})
			start := time.Now()
			s.conns <- s.accept().ws // put back: only the time is of interest
			if wait := time.Since(start); wait < 5*time.Second || wait > 10*time.Second {
				t.Fatalf("tried again after %v", wait)
			}
			if st := s.link.State(); st.Code != wire.ByeUnknownAgent {
				t.Fatalf("%+v", st)
			}
		}
	})
}

func TestRun_EndsPromptlyWhereverItWaits(t *testing.T) {
	for name, prepare := range map[string]func(s *script){
		"dialling":         func(s *script) { s.cable.Set(memnet.Dark) },
		"in the upgrade":   func(s *script) { s.cable.Set(memnet.Deaf) },
		"backing off":      func(s *script) { s.cable.Set(memnet.Cut) },
		"for hello":        func(*script) {},
		"with a dead line": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *script) {
				limit := time.Duration(0)
				if prepare == nil {
					s.start()
					s.drain(s.welcome(0))
					s.cable.Set(memnet.Dark)
					limit = time.Second
				} else {
					prepare(s)
					s.start()
				}
				time.Sleep(2 * time.Second)
				start := time.Now()
				s.stop()
				<-s.ended
				if took := time.Since(start); took > limit {
					t.Fatalf("took %v", took)
				}
			})
		})
	}
}

func TestRun_GivesUpAHandshakeAfter10s(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		s.accept()
		start := time.Now()
		if st := s.offline(); !errors.Is(st.Err, context.DeadlineExceeded) || time.Since(start) != wire.HandshakeMS*time.Millisecond {
			t.Fatalf("after %v: %v", time.Since(start), st.Err)
		}
	})
}

func TestAsk_IsBounded(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		s.drain(s.welcome(0))
		time.Sleep(time.Second)
		start := time.Now()
		took := make(chan time.Duration, 100)
		for i := range 100 {
			go func() {
				a := s.link.Ask(t.Context(), wire.Claim{ID: fmt.Sprintf("7-2-%d", i+1)})
				if a.State != verdict.ClaimSilent {
					t.Errorf("%+v", a)
				}
				took <- time.Since(start)
			}()
		}
		times := make(map[time.Duration]int)
		for range 100 {
			times[<-took]++
		}
		if times[0] != 100-wire.AskWindow || times[wire.AskTimeoutMS*time.Millisecond] != wire.AskWindow {
			t.Fatalf("%v", times)
		}
	})
}

func TestAsk_EndsWithItsContextAndWithTheConnection(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.start()
		p := s.welcome(0)
		s.drain(p)
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Millisecond)
		defer cancel()
		start := time.Now()
		if a := s.link.Ask(ctx, wire.Claim{ID: "7-2-1"}); a.State != verdict.ClaimSilent || time.Since(start) != 70*time.Millisecond {
			t.Fatalf("%+v after %v", a, time.Since(start))
		}
		time.AfterFunc(50*time.Millisecond, func() { s.cable.Set(memnet.Cut) })
		start = time.Now()
		if a := s.link.Ask(t.Context(), wire.Claim{ID: "7-2-1"}); a.State != verdict.ClaimSilent || time.Since(start) != 50*time.Millisecond {
			t.Fatalf("%+v after %v", a, time.Since(start))
		}
	})
}

func TestClaimed_IsBoundedAndInTime(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		running, most := 0, 0
		s.agent.claimed = func(ctx context.Context, c wire.Claim) wire.Answer {
			s.agent.set(func(*agent) { running++; most = max(most, running) })
			<-ctx.Done()
			s.agent.set(func(*agent) { running-- })
			return wire.Answer{State: verdict.ClaimGranted}
		}
		s.start()
		p := s.welcome(0)
		start := time.Now()
		for i := range 80 {
			p.send(wire.Ask, wire.TypeClaim, wire.Claim{ID: fmt.Sprintf("9-1-%d", i+1), Pass: signing.PassID{byte(i)}, Owner: 7})
		}
		answers := make(map[string]int)
		for range 80 {
			var a wire.Answer
			p.expect(wire.TypeAnswer, &a)
			answers[fmt.Sprint(a.State, time.Since(start))]++
		}
		if answers["silent0s"] != 16 || answers["granted300ms"] != 64 || most != 64 {
			t.Fatalf("%v, %d at once", answers, most)
		}
	})
}

// What Claimed returns without a state is silence, under the claim's own id.
func TestClaimed_AnswersUnderTheClaimsID(t *testing.T) {
	bubble(t, func(t *testing.T, s *script) {
		s.agent.claimed = func(context.Context, wire.Claim) wire.Answer { return wire.Answer{ID: "1-1-1"} }
		s.start()
		p := s.welcome(0)
		p.send(wire.Ask, wire.TypeClaim, wire.Claim{ID: "9-1-1"})
		var a wire.Answer
		p.expect(wire.TypeAnswer, &a)
		if a.ID != "9-1-1" || a.State != verdict.ClaimSilent {
			t.Fatalf("%+v", a)
		}
	})
}
