package api

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/hub"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// enrolmentLife is how long a one-time code is good.
const enrolmentLife = 24 * time.Hour

// maxHostname bounds what an agent calls its machine.
const maxHostname = 253

// Agent is the program at a gate.
type Agent struct {
	ID         uint32     `json:"id"`
	Gate       uint16     `json:"gate"`
	Epoch      uint32     `json:"epoch" doc:"rises with every enrolment of the gate"`
	Hostname   string     `json:"hostname"`
	EnrolledAt int64      `json:"enrolled_at"`
	RevokedAt  int64      `json:"revoked_at,omitempty"`
	Acked      uint64     `json:"acked" doc:"events of this epoch that are held without a gap"`
	Live       *LiveState `json:"live,omitempty" doc:"what is known of its connection; absent = it never connected"`
}

// LiveState is what the hub knows of an agent.
type LiveState struct {
	Connected bool              `json:"connected"`
	Since     int64             `json:"since" doc:"when the connection began, or ended"`
	LastSeen  int64             `json:"last_seen"`
	Remote    string            `json:"remote"`
	Software  string            `json:"software"`
	OffsetMS  *int64            `json:"offset_ms,omitempty" doc:"what it adds to its PC's clock"`
	Queue     uint64            `json:"queue" doc:"events it has yet to upload, by its own report"`
	Revision  uint64            `json:"revision" doc:"how far it has taken the feed"`
	Lanes     map[string]string `json:"lanes,omitempty"`
	LastScan  int64             `json:"last_scan,omitempty"`
	Devices   []AgentDevice     `json:"devices,omitempty" doc:"every device that is fitted, by its own report"`
	Program   *AgentProgram     `json:"program,omitempty" doc:"absent = it takes none from the server"`
	DownFault string            `json:"down_fault,omitempty"`
	UpFault   string            `json:"up_fault,omitempty"`
	Alarm     string            `json:"alarm,omitempty" doc:"what a person has to see to: the agent's store or the server's was put back to an earlier one"`
}

// AgentDevice is how one device at a gate is.
type AgentDevice struct {
	Lane   string `json:"lane" doc:"empty = it belongs to none"`
	Kind   string `json:"kind" doc:"scanner, barrier, sensor, printer; more may come"`
	Driver string `json:"driver"`
	Name   string `json:"name" doc:"where a lane has several of a kind"`
	State  string `json:"state" doc:"starting, ok, lost, stuck, silent or garbled; more may come"`
	Since  int64  `json:"since" doc:"of the state, unix ms"`
	Detail string `json:"detail"`
}

// AgentProgram is which program runs, and how far it is with the one that is offered.
type AgentProgram struct {
	Version string `json:"version" doc:"empty = of a build that has none"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
	Offered string `json:"offered,omitempty" doc:"version that it is offered now; absent = none"`
	State   string `json:"state" doc:"current, downloading, failing, waiting, staged, trying, taken_back, unfit or refused; more may come"`
	Percent int    `json:"percent,omitempty" doc:"of the download"`
	Why     string `json:"why,omitempty"`
}

// Enrolment is a one-time code.
type Enrolment struct {
	Code      string `json:"code" doc:"to be typed at the gate PC, once"`
	ExpiresAt int64  `json:"expires_at"`
}

type agentInput struct {
	ID uint32 `path:"id" minimum:"1" maximum:"4294967295" doc:"agent number"`
}

type (
	agentOutput     struct{ Body Agent }
	enrolmentOutput struct{ Body Enrolment }
	enrolledOutput  struct{ Body wire.Enrolled }
)

type agentsOutput struct {
	Body struct {
		Agents []Agent `json:"agents"`
	}
}

func (a *API) agentRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/gates/{id}/enrolments", scope: auth.GatesWrite, id: "create-enrolment",
		text:   "生成一次性登记码 Make a one-time code for the gate's agent; earlier unused ones end",
		status: http.StatusCreated, errors: []int{http.StatusNotFound},
	}, a.createEnrolment)
	add(a, route{
		method: http.MethodPost, path: wire.EnrolPath, scope: public, id: "enrol-agent",
		text:   "门岗程序以登记码登记 An agent exchanges its one-time code for an identity",
		status: http.StatusCreated,
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone, http.StatusTooManyRequests},
	}, a.enrolAgent)
	add(a, route{
		method: http.MethodGet, path: prefix + "/agents", scope: auth.AgentsRead, id: "list-agents",
		text: "门岗程序列表 List the agents and their state",
	}, a.listAgents)
	add(a, route{
		method: http.MethodPost, path: prefix + "/agents/{id}/revoke", scope: auth.GatesWrite, id: "revoke-agent",
		text: "吊销门岗程序 Take an agent's right to connect away", errors: []int{http.StatusNotFound},
	}, a.revokeAgent)
}

func (a *API) createEnrolment(ctx context.Context, in *GatePath) (*enrolmentOutput, error) {
	var secret [10]byte
	if _, err := io.ReadFull(a.Rand, secret[:]); err != nil {
		return nil, fmt.Errorf("enrolment code: %w", err)
	}
	expires := a.Now().Add(enrolmentLife).UnixMilli()
	hash := sha256.Sum256(secret[:])
	if err := a.Store.NewEnrolment(ctx, caller(ctx).Actor, in.ID, hash[:], expires); err != nil {
		return nil, err
	}
	return &enrolmentOutput{Enrolment{Code: wire.FormatEnrolCode(secret, a.Store.Site().Root), ExpiresAt: expires}}, nil
}

type enrolInput struct {
	Body   wire.Enrol
	remote string
}

// Resolve notes the caller's address.
func (in *enrolInput) Resolve(ctx huma.Context) []error {
	in.remote = host(ctx.RemoteAddr())
	return nil
}

func (a *API) enrolAgent(ctx context.Context, in *enrolInput) (*enrolledOutput, error) {
	if a.enrols.shut(in.remote) {
		return nil, auth.ErrTooMany
	}
	who, err := a.redeem(ctx, &in.Body)
	if err != nil {
		a.enrols.failed(in.remote)
		return nil, err
	}
	// An agent of an earlier epoch has nothing to say any more.
	a.Hub.Drop(who.ID, wire.ByeEpoch, "the gate was enrolled again")
	_, ring, err := a.Store.Keyring(ctx)
	if err != nil {
		return nil, err
	}
	site := a.Store.Site()
	return &enrolledOutput{wire.Enrolled{
		Agent: who.ID, Epoch: who.Epoch, Gate: who.Gate, Site: site.Name, Zone: site.TimeZone, Root: site.Root, Keyring: ring,
	}}, nil
}

func (a *API) redeem(ctx context.Context, b *wire.Enrol) (store.Agent, error) {
	code, err := wire.ParseEnrolCode(b.Code)
	if err != nil {
		return store.Agent{}, err
	}
	if !code.Names(a.Store.Site().Root) {
		return store.Agent{}, fmt.Errorf("%w: it is for another site", wire.ErrEnrolCode)
	}
	if len(b.PublicKey) != ed25519.PublicKeySize {
		return store.Agent{}, fmt.Errorf("%w: %d bytes, want %d of Ed25519", signing.ErrKey, len(b.PublicKey), ed25519.PublicKeySize)
	}
	hostname := b.Hostname
	if signing.CheckWords(hostname, maxHostname) != nil {
		hostname = "?" // it is only for people to recognise the machine
	}
	hash := sha256.Sum256(code.Secret[:])
	who, err := a.Store.Enrol(ctx, hash[:], b.PublicKey, hostname)
	for from, to := range map[error]error{
		store.ErrNotFound: errEnrolUnknown, store.ErrUsed: errEnrolUsed, store.ErrEnded: errEnrolEnded,
	} {
		if errors.Is(err, from) {
			return store.Agent{}, to
		}
	}
	return who, err
}

func (a *API) listAgents(ctx context.Context, _ *struct{}) (*agentsOutput, error) {
	agents, err := a.Store.Agents(ctx)
	if err != nil {
		return nil, err
	}
	live := a.Hub.States()
	out := &agentsOutput{}
	out.Body.Agents = mapped(agents, func(g store.Agent) Agent { return a.agentBody(g, live) })
	return out, nil
}

func (a *API) revokeAgent(ctx context.Context, in *agentInput) (*agentOutput, error) {
	if err := a.Store.RevokeAgent(ctx, caller(ctx).Actor, in.ID); err != nil {
		return nil, err
	}
	a.Hub.Drop(in.ID, wire.ByeUnknownAgent, "this agent was revoked")
	g, err := a.Store.Agent(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &agentOutput{a.agentBody(g, a.Hub.States())}, nil
}

func (a *API) agentBody(g store.Agent, live map[uint32]hub.State) Agent {
	out := Agent{
		ID: g.ID, Gate: g.Gate, Epoch: g.Epoch, Hostname: g.Hostname, EnrolledAt: g.EnrolledAt, RevokedAt: g.RevokedAt,
		Acked: g.Acked,
	}
	if st, known := live[g.ID]; known && st.Epoch == g.Epoch {
		out.Live = a.liveBody(g.Gate, st)
		return out
	}
	// From before this process began. It was connected then, not now.
	var st hub.State
	if g.SeenAt > 0 && json.Unmarshal(g.State, &st) == nil {
		st.Connected = false
		out.Live = a.liveBody(g.Gate, st)
	}
	return out
}

func (a *API) liveBody(gate uint16, st hub.State) *LiveState {
	return &LiveState{
		Connected: st.Connected, Since: ms(st.Since), LastSeen: ms(st.LastSeen), Remote: st.Remote, Software: st.Software,
		OffsetMS: st.OffsetMS, Queue: st.Queue, Revision: st.Applied.Revision, Lanes: st.Health.Lanes, LastScan: st.Health.LastScan,
		Devices:   mapped(st.Health.Devices, func(d wire.Device) AgentDevice { return AgentDevice(d) }),
		Program:   a.programBody(gate, st.Health.Program),
		DownFault: st.DownFault, UpFault: st.UpFault, Alarm: st.Alarm,
	}
}

func (a *API) programBody(gate uint16, p *wire.Program) *AgentProgram {
	if p == nil {
		return nil
	}
	out := &AgentProgram{Version: p.Version, OS: p.OS, Arch: p.Arch, State: string(p.State), Percent: p.Percent, Why: p.Why}
	if r, ok := a.Releases.Offer(gate, p.OS, p.Arch); ok {
		out.Offered = r.Version
	}
	return out
}

// ms gives unix milliseconds; 0 for no time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
