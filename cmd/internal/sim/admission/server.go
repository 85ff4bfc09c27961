package admission

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"

	"campusgate/server/lease"
	"campusgate/server/store"
	"campusgate/signing/verdict"
	"campusgate/signing/wire"
)

// What a store's commit can come to.
var (
	errDisk  = errors.New("the disk did not take it")
	errPower = errors.New("power cut")
)

// server is the server without its network: started again from its file after it
// went down.
type server struct {
	w       *world
	issuer  *issuer
	path    string
	db      *store.Store
	upSince int64
	off     bool
	dying   bool // the power goes with the commit that is under way
	armed   bool // it is to go with the next
	applied bool // that commit is done
	changed <-chan struct{}
	page    page
	conns   []*conn             // by gate, from 1; nil = not connected
	relayed map[string]*relayed // by wire.Claim.Asked
	leases  lease.Table
	fault   int64 // when its disk failed last
}

// conn is what the server has of an agent's connection.
type conn struct {
	g       *gate
	session uint64
	agent   store.Agent
	heard   int64
	cursor  wire.Cursor // that the agent is at
	waits   bool        // for Applied
	owed    bool        // a word that nothing follows
	behind  bool        // something has come that it was not sent
	told    int64       // when something was sent last
}

// page is what follows a cursor, for the others that are there too.
type page struct {
	after, last wire.Cursor
	frames      [][]byte
	empty       bool
}

// relayed is a claim that was passed on to its owner.
type relayed struct {
	asker   *conn
	expires int64
}

func newServer(w *world, i *issuer) (*server, error) {
	s := &server{w: w, issuer: i, path: filepath.Join(w.dir, "server.db")}
	if err := os.WriteFile(s.path, i.database, 0o600); err != nil {
		return nil, err
	}
	return s, s.start()
}

func (s *server) start() (err error) {
	s.db, err = store.Open(ctx, s.path, store.Options{Now: s.w.time, Random: zeros{}, Fault: s.commit})
	if err != nil {
		return err
	}
	s.off, s.dying, s.armed, s.upSince = false, false, false, s.w.now
	s.changed, s.page = s.db.Changed(), page{}
	s.leases = lease.Table{}
	s.conns, s.relayed = make([]*conn, s.w.cfg.Gates+1), map[string]*relayed{}
	return nil
}

func (s *server) up() bool { return !s.off }

// commit fails some commits, in both forms, and is where the power goes.
func (s *server) commit() (apply bool, err error) {
	switch {
	case s.armed:
		s.dying = true
		return s.applied, errPower
	case s.w.faults && s.w.chance(s.w.weather.disk):
		s.w.result.Faults++
		s.fault = s.w.now
		s.page = page{} // it may be done all the same
		return s.w.chance(0.5), errDisk
	}
	return true, nil
}

// fail has the power go: now, or with the next commit.
func (s *server) fail() error {
	switch {
	case !s.w.faults || s.off:
		return nil
	case s.w.chance(0.3):
		return s.crash()
	}
	s.armed, s.applied = true, s.w.chance(0.5)
	return nil
}

// crash ends it for a while. What was not committed is gone.
func (s *server) crash() error {
	s.off = true
	s.w.result.Restarts++
	if err := s.db.Close(); err != nil {
		return err
	}
	s.db = nil
	s.w.after(s.w.spell(60_000), s.mend)
	return nil
}

// mend starts it again, where it is down.
func (s *server) mend() error {
	if s.off {
		if err := s.start(); err != nil {
			return err
		}
	}
	s.armed = false
	if s.w.faults {
		s.w.after(s.w.spell(300_000), s.fail)
	}
	return nil
}

// done looks at how a change ended. It is not ok when there is nothing to say of
// it: the disk failed, or the server went down with it.
func (s *server) done(err error) (ok bool, fault error) {
	if s.dying {
		return false, s.crash()
	}
	if errors.Is(err, errDisk) {
		return false, nil
	}
	return err == nil, err
}

// enrol makes the next agent of a gate, as somebody with a code does.
func (s *server) enrol(g *gate, key ed25519.PrivateKey, nonce byte) (store.Agent, error) {
	secret := sha256.Sum256([]byte{byte(g.number), nonce})
	if err := s.db.NewEnrolment(ctx, "sim", g.number, secret[:], s.w.now+60_000); err != nil {
		return store.Agent{}, err
	}
	return s.db.Enrol(ctx, secret[:], key.Public().(ed25519.PublicKey), "gate-pc")
}

// receive takes frames that came on a session of a gate.
func (s *server) receive(g *gate, session uint64, frames [][]byte) error {
	for _, raw := range frames {
		if s.off {
			return nil
		}
		f, err := wire.DecodeFrame(raw)
		if err != nil {
			return err
		}
		c := s.conns[g.number]
		if f.Type == wire.TypeAuth {
			err = into(f, func(m *wire.Auth) error { return s.accept(g, session, m) })
		} else if c != nil && c.session == session {
			c.heard = s.w.now
			err = s.handle(c, f)
		}
		if err != nil {
			return err
		}
	}
	return s.grown()
}

// into reads a frame's body and hands it on.
func into[M any](f wire.Frame, do func(*M) error) error {
	m := new(M)
	if err := f.Into(m); err != nil {
		return err
	}
	return do(m)
}

func (s *server) handle(c *conn, f wire.Frame) error {
	switch f.Type {
	case wire.TypeClock:
		return into(f, func(m *wire.Clock) error {
			if !c.waits && s.w.now-c.told >= wire.FreshMS {
				if err := s.feed(c, true); err != nil {
					return err
				}
			}
			return s.send(c, wire.Link, wire.TypeClock, wire.Clock{T0: m.T0, T1: s.w.now})
		})
	case wire.TypeEvents:
		return into(f, func(m *wire.Events) error { return s.ingest(c, m) })
	case wire.TypeApplied:
		return into(f, func(m *wire.Applied) error { return s.took(c, m) })
	case wire.TypeClaim:
		return into(f, func(m *wire.Claim) error { return s.claim(c, m) })
	case wire.TypeAnswer:
		return into(f, func(m *wire.Answer) error { return s.answered(m) })
	case wire.TypePong:
		return into(f, func(m *wire.Pong) error { return s.pong(c, m) })
	}
	return nil
}

// send puts a message on an agent's connection.
func (s *server) send(c *conn, stream wire.Stream, typ string, body any) error {
	frame, err := wire.EncodeFrame(stream, typ, body)
	if err != nil {
		return err
	}
	s.sendFrames(c, typ == wire.TypeAnswer || typ == wire.TypeAcked, [][]byte{frame})
	return nil
}

func (s *server) sendFrames(c *conn, answer bool, frames [][]byte) {
	session := c.session
	s.w.net.send(0, int(c.g.number), answer, frames, func(frames [][]byte) error {
		return c.g.receive(session, frames)
	})
}

// accept lets an agent in whose epoch is the present one and whose journal has not
// gone back.
func (s *server) accept(g *gate, session uint64, m *wire.Auth) error {
	if c := s.conns[g.number]; c != nil && c.session >= session || g.link.session != session {
		return nil // came late, or twice: an Auth answers a question that is asked once
	}
	agent, err := s.db.Agent(ctx, m.Agent)
	if err != nil {
		return err
	}
	acked, err := s.db.Acked(ctx, agent.ID, agent.Epoch)
	switch {
	case err != nil:
		return err
	case agent.Epoch != m.Epoch:
		return nil // of a disk that is gone
	case m.Last < acked:
		s.w.broken("gate %d connects with a journal that ends at %d, and %d events are held", g.number, m.Last, acked)
		return nil
	}
	c := &conn{g: g, session: session, agent: agent, heard: s.w.now, cursor: m.Cursor}
	s.conns[g.number] = c
	if err := s.send(c, wire.Link, wire.TypeWelcome, wire.Welcome{Acked: acked}); err != nil {
		return err
	}
	return s.feed(c, true)
}

func (s *server) ingest(c *conn, m *wire.Events) error {
	acked, err := s.db.Ingest(ctx, c.agent.ID, c.agent.Epoch, m.Records)
	if ok, err := s.done(err); !ok {
		return err
	}
	s.w.witness.held(c.agent, acked)
	return s.send(c, wire.Up, wire.TypeAcked, wire.Acked{Seq: acked})
}

// grown tells everybody who waits for something new, when there is.
func (s *server) grown() error {
	if s.off {
		return nil
	}
	select {
	case <-s.changed:
	default:
		return nil
	}
	s.changed, s.page = s.db.Changed(), page{}
	for _, c := range s.conns {
		if c == nil || c.behind {
			continue
		}
		c.behind = true
		s.w.after(s.w.between(1, 20), func() error {
			if s.off || s.conns[c.g.number] != c || c.waits || !c.behind {
				return nil
			}
			return s.feed(c, false)
		})
	}
	return nil
}

// follows reads what follows a cursor, as one group.
func (s *server) follows(start wire.Cursor) (page, error) {
	if s.page.frames != nil && s.page.after == start {
		return s.page, nil
	}
	p := page{after: start, last: start, empty: true}
	for {
		d, err := s.db.Feed(ctx, p.last, wire.MaxBatch)
		if err != nil {
			return p, err
		}
		frames, err := wire.DeltaFrames(d)
		if err != nil {
			return p, err
		}
		p.empty = p.empty && len(d.Items) == 0 && !d.Reset && d.Cursor == start
		p.frames, p.last = append(p.frames, frames...), d.Cursor
		if !d.More {
			s.page = p
			return p, nil
		}
	}
}

// resend is after how long a group that nobody answers is sent again.
const resend = 3_000

// feed sends what follows the agent's cursor.
func (s *server) feed(c *conn, owed bool) error {
	p, err := s.follows(c.cursor)
	if err != nil {
		return err
	}
	if c.behind = false; p.empty && !owed {
		return nil
	}
	c.waits, c.told, c.owed = true, s.w.now, !p.empty
	s.sendFrames(c, false, p.frames)
	sent := c.told
	s.w.after(resend, func() error {
		if s.off || s.conns[c.g.number] != c || !c.waits || c.told != sent {
			return nil
		}
		if s.w.now-c.heard > wire.PeerSilenceMS {
			s.conns[c.g.number] = nil
			return nil
		}
		return s.feed(c, true)
	})
	return nil
}

// took goes on from where the agent is.
func (s *server) took(c *conn, m *wire.Applied) error {
	if m.Fault != "" {
		return nil // it is sent again
	}
	owed := c.owed // after each group it says that nothing follows
	if c.cursor, c.waits = m.Cursor, false; !c.behind && !owed {
		return nil
	}
	return s.feed(c, owed)
}

// mayAsk reports whether the claim is this agent's own, for its own gate.
func (c *conn) mayAsk(m *wire.Claim) bool {
	id, err := wire.ParseEventID(m.ID)
	return err == nil && id.Agent == c.agent.ID && id.Epoch <= c.agent.Epoch && m.Gate == c.agent.Gate
}

// claim decides, or asks whoever does.
func (s *server) claim(c *conn, m *wire.Claim) error {
	silent := m.Answer(verdict.ClaimSilent)
	if !c.mayAsk(m) {
		return s.send(c, wire.Ask, wire.TypeAnswer, silent)
	}
	if m.Owner == 0 {
		then := s.leases.Current(s.w.time())
		a, err := s.db.Decide(ctx, *m)
		if s.dying {
			return s.crash()
		}
		if err != nil && !errors.Is(err, errDisk) {
			return err
		}
		if err != nil {
			a = silent
		}
		a.Dark, a.Try = lease.Dark(a.Dark, then, s.leases.Current(s.w.time())), m.Try
		return s.send(c, wire.Ask, wire.TypeAnswer, a)
	}
	var owner *conn
	if int(m.Owner) < len(s.conns) {
		owner = s.conns[m.Owner]
	}
	if owner == nil || owner == c {
		return s.send(c, wire.Ask, wire.TypeAnswer, silent)
	}
	s.relayed[m.Asked()] = &relayed{c, s.w.now + wire.AskTimeoutMS}
	return s.send(owner, wire.Ask, wire.TypeClaim, *m)
}

// answered hands an owner's answer back to who asked.
func (s *server) answered(m *wire.Answer) error {
	r := s.relayed[m.Answers()]
	if r == nil {
		return nil
	}
	delete(s.relayed, m.Answers())
	if s.w.now > r.expires || s.conns[r.asker.g.number] != r.asker {
		return nil
	}
	return s.send(r.asker, wire.Ask, wire.TypeAnswer, *m)
}
