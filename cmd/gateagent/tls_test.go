//go:build linux

package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"campusgate/agent/console"
	"campusgate/server"
	"campusgate/server/cert"
	"campusgate/signing/verdict"
)

const byRoot = "tls: {hosts: [127.0.0.1]}"

// The whole of it: a certificate that nobody but the code vouches for, an
// enrolment, a link, a person, an event.
func TestTLS_FromEnrolmentToAnEventAtTheServer(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	if !strings.HasPrefix(s.client.Base, "https://127.0.0.1:") {
		t.Fatalf("the server is at %s", s.client.Base)
	}
	g := s.newGate("东门")
	g.enrol()
	g.start()
	if st := g.untilOnline(); st.Gate.Name != "东门" || st.Site != "云岭大学" || !st.Clock.Trusted {
		t.Errorf("status %+v", st)
	}
	p := g.issue()
	if got := g.present(p.Code); got.Reason != verdict.Granted || !got.Opens || got.Offline {
		t.Errorf("presented: %+v", got)
	}
	if e := s.arrived(1)[0]; e.PassID != p.ID || e.Reason != "granted" || e.Offline || e.Gate != g.id {
		t.Errorf("the server holds %+v", e)
	}
	g.until("all sent", func(st console.Status) bool { return st.Queue == 0 })

	// The server gone, the gate goes on; what it decided follows later.
	offline := g.issue()
	s.stop()
	g.until("offline", func(st console.Status) bool { return !st.Online && st.LastError != "" })
	if got := g.present(offline.Code); got.Reason != verdict.Granted || !got.Offline {
		t.Errorf("presented offline: %+v", got)
	}
	s.start()
	if e := s.arrived(2)[1]; e.PassID != offline.ID || !e.Offline {
		t.Errorf("the server holds %+v", e)
	}
	g.stop()
	for _, secret := range []string{p.Code, offline.Code} {
		if strings.Contains(g.said.String(), secret) {
			t.Errorf("the log holds a code:\n%s", g.said)
		}
	}
}

// middle stands between a gate and its server with a certificate of its own.
type middle struct {
	url  string
	read atomic.Int64 // bytes that it could make sense of
	ends sync.WaitGroup
}

func newMiddle(t *testing.T, target string) *middle {
	t.Helper()
	_, root, err := ed25519.GenerateKey(rand.Reader)
	check(t, err)
	pair, err := cert.New(root, []string{"127.0.0.1"}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	check(t, err)
	own, err := pair.TLS()
	check(t, err)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own}})
	check(t, err)
	m := &middle{url: "https://" + ln.Addr().String()}
	m.ends.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			m.ends.Go(func() { m.relay(conn, target) })
		}
	})
	t.Cleanup(func() {
		check(t, ln.Close())
		m.ends.Wait()
	})
	return m
}

// relay passes on what it can read.
func (m *middle) relay(conn net.Conn, target string) {
	defer func() { _ = conn.Close() }()
	first := make([]byte, 1)
	if n, err := conn.Read(first); n == 0 || err != nil {
		return
	}
	m.read.Add(1)
	u, err := url.Parse(target)
	if err != nil {
		return
	}
	back, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer func() { _ = back.Close() }()
	m.ends.Go(func() { _, _ = io.Copy(conn, back) })
	if _, err := back.Write(first); err == nil {
		_, _ = io.Copy(back, conn)
	}
}

func TestTLS_AManInTheMiddleLearnsNothing(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	m := newMiddle(t, s.client.Base)

	// At enrolment: the code is not told, and still good.
	ticket := g.ticket()
	code, out, errs := g.command("enroll", "-config", g.config, "-server", m.url, "-code", ticket)
	if code != exitFailed || out != "" || !strings.Contains(errs, "certificate is not trusted") {
		t.Errorf("enroll ended with %d: %s%s", code, out, errs)
	}
	if code, _, errs := g.command("enroll", "-config", g.config, "-code", ticket); code != exitOK {
		t.Fatalf("enroll at the server itself ended with %d: %s", code, errs)
	}

	// On the link: the gate stays alone, and says why.
	g.configure(m.url)
	g.start()
	st := g.until("tried to connect", func(st console.Status) bool { return st.LastError != "" })
	if st.Online || !strings.Contains(st.LastError, "certificate is not trusted") {
		t.Errorf("status %+v", st)
	}
	if code, out, _ := g.command("doctor", "-config", g.config); code != exitFailed || !strings.Contains(out, "stop the agent first") {
		t.Errorf("doctor ended with %d:\n%s", code, out)
	}
	g.stop()
	if code, out, _ := g.command("doctor", "-config", g.config); code != exitFailed || !strings.Contains(out, "✕ 服务器 server") || !strings.Contains(out, "certificate is not trusted") {
		t.Errorf("doctor ended with %d:\n%s", code, out)
	}
	if n := m.read.Load(); n != 0 {
		t.Errorf("the man in the middle read %d times", n)
	}

	g.configure(s.client.Base)
	g.start()
	g.untilOnline()
}

func TestTLS_AServerThatMovesShowsACertificateForItsNewName(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	g.enrol()
	g.configure(strings.Replace(s.client.Base, "127.0.0.1", "localhost", 1))
	g.start()
	st := g.until("tried to connect", func(st console.Status) bool { return st.LastError != "" })
	if st.Online || !strings.Contains(st.LastError, "localhost") {
		t.Errorf("status %+v", st)
	}
	s.stop()
	s.settings.TLS.Hosts = []string{"127.0.0.1", "localhost"}
	s.start()
	g.untilOnline()
}

// A key that another process made reaches the gates through the server that
// runs.
func TestRotate_ReachesConnectedGatesWithinSeconds(t *testing.T) {
	s := newSite(t, "云岭大学", byRoot)
	g := s.newGate("东门")
	g.enrol()
	g.start()
	before := g.untilOnline().Snapshot.Revision
	began := time.Now()
	check(t, server.Rotate(t.Context(), s.settings, time.Now, rand.Reader, true))
	g.until("a newer snapshot", func(st console.Status) bool { return st.Snapshot.Revision > before })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if got := g.present(g.issue().Code); got.Reason != verdict.Granted {
		t.Errorf("a code by the new key: %+v", got)
	}
}
