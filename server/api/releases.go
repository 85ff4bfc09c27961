package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"campusgate/server/auth"
	"campusgate/server/rollout"
	"campusgate/signing/release"
)

// Names of the parts of a release that is handed in, in this order.
const (
	manifestPart = "manifest"
	programPart  = "program"
)

// partWait is how long a line may bring nothing of a program.
const partWait = 30 * time.Second

// Release is a signed version of the agents' program.
type Release struct {
	SHA256    string   `json:"sha256" doc:"of the program, by which it is named here"`
	Version   string   `json:"version"`
	OS        string   `json:"os"`
	Arch      string   `json:"arch"`
	Serial    uint64   `json:"serial" doc:"a higher one is newer"`
	NotBefore int64    `json:"not_before,omitempty" doc:"unix seconds; agents do not use it earlier"`
	Size      int64    `json:"size"`
	Missing   bool     `json:"missing,omitempty" doc:"the program is not on the server any more, as after a restore: hand it in again"`
	AddedAt   int64    `json:"added_at"`
	AddedBy   string   `json:"added_by"`
	Reach     string   `json:"reach" enum:"nobody,chosen,all"`
	Gates     []uint16 `json:"gates" doc:"gates and tills that were chosen"`
	Paused    bool     `json:"paused"`
	ChangedAt int64    `json:"changed_at" doc:"to whom it goes"`
	ChangedBy string   `json:"changed_by"`
}

// Rollout says to whom a release goes.
type Rollout struct {
	Reach  string   `json:"reach" enum:"nobody,chosen,all"`
	Gates  []uint16 `json:"gates,omitempty" maxItems:"1000" doc:"numbers of gates and tills, where chosen"`
	Paused bool     `json:"paused,omitempty" doc:"no agent fetches or tries it until this ends; one that is being tried goes on"`
}

// ReleasePath names a release.
type ReleasePath struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$"`
}

// handIn is a release on its way in: nothing of it is read before the handler.
type handIn struct {
	body      io.Reader
	mediaType string
	wait      func() error
}

// Resolve notes where the body comes from.
func (in *handIn) Resolve(ctx huma.Context) []error {
	in.body, in.mediaType = ctx.BodyReader(), ctx.Header("Content-Type")
	_, w := humago.Unwrap(ctx)
	line := http.NewResponseController(w)
	in.wait = func() error {
		deadline := time.Now().Add(partWait)
		return errors.Join(line.SetReadDeadline(deadline), line.SetWriteDeadline(deadline)) // the answer comes last
	}
	return nil
}

type (
	releaseOutput  struct{ Body Release }
	releasesOutput struct {
		Body struct {
			Releases []Release `json:"releases" doc:"the highest serial first"`
		}
	}
)

func (a *API) releaseRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/releases", scope: auth.AgentsRead, id: "list-releases",
		text: "门岗程序的版本 Signed versions of the agents' program, and to whom they go",
	}, a.listReleases)
	add(a, route{
		method: http.MethodPost, path: prefix + "/releases", scope: auth.GatesWrite, id: "add-release", status: http.StatusCreated,
		body: release.MaxProgram + 64<<10, text: "上传门岗程序的版本 Hand in what gatectl release made; nobody is offered it yet",
		errors: []int{http.StatusConflict}, upload: []string{manifestPart, programPart},
	}, a.addRelease)
	add(a, route{
		method: http.MethodPut, path: prefix + "/releases/{sha256}/rollout", scope: auth.GatesWrite, id: "set-rollout",
		text:   "设定提供给哪些校门 Say to which gates a release goes; those are first, or all",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, a.setRollout)
	add(a, route{
		method: http.MethodDelete, path: prefix + "/releases/{sha256}", scope: auth.GatesWrite, id: "remove-release", status: http.StatusNoContent,
		text:   "删除版本 Forget a release that nobody is offered",
		errors: []int{http.StatusNotFound, http.StatusConflict},
	}, func(ctx context.Context, in *ReleasePath) (*struct{}, error) {
		return nil, a.Releases.Remove(ctx, caller(ctx).Actor, in.SHA256)
	})
}

func (a *API) listReleases(context.Context, *struct{}) (*releasesOutput, error) {
	out := &releasesOutput{}
	out.Body.Releases = mapped(a.Releases.List(), releaseBody)
	return out, nil
}

func (a *API) addRelease(ctx context.Context, in *handIn) (*releaseOutput, error) {
	kind, params, err := mime.ParseMediaType(in.mediaType)
	if err != nil || kind != "multipart/form-data" {
		return nil, libraryProblem(ctx, http.StatusUnsupportedMediaType, nil)
	}
	parts := multipart.NewReader(patient{in}, params["boundary"])
	signed, err := named(parts, manifestPart)
	if err != nil {
		return nil, formProblem(ctx, err)
	}
	manifest, err := io.ReadAll(io.LimitReader(signed, release.MaxSigned+1)) // one byte more is enough to refuse it
	if err != nil {
		return nil, formProblem(ctx, err)
	}
	r, err := a.Releases.Take(ctx, caller(ctx).Actor, manifest, &later{open: func() (io.Reader, error) { return named(parts, programPart) }})
	if errors.Is(err, errForm) {
		return nil, formProblem(ctx, err)
	}
	return &releaseOutput{releaseBody(r)}, err
}

// errForm wraps what is wrong with a form, or with the line that it comes by.
var errForm = errors.New("form")

func formProblem(ctx context.Context, err error) *Problem {
	p := libraryProblem(ctx, http.StatusBadRequest, nil)
	p.Message += ": " + manifestPart + ", " + programPart
	p.cause = err
	return p
}

// named gives the next part of a form, which must have this name.
func named(parts *multipart.Reader, name string) (io.Reader, error) {
	p, err := parts.NextPart()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errForm, err)
	}
	if p.FormName() != name {
		return nil, fmt.Errorf("%w: another part than %s", errForm, name)
	}
	return p, nil
}

// later opens a part when it is read, after what stands before it was judged.
type later struct {
	open func() (io.Reader, error)
	part io.Reader
}

func (l *later) Read(p []byte) (n int, err error) {
	if l.part == nil {
		if l.part, err = l.open(); err != nil {
			return 0, err
		}
	}
	n, err = l.part.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errForm, err)
	}
	return n, err
}

// patient reads a body for as long as something comes.
type patient struct{ in *handIn }

func (p patient) Read(b []byte) (int, error) {
	if err := p.in.wait(); err != nil {
		return 0, err
	}
	return p.in.body.Read(b)
}

func (a *API) setRollout(ctx context.Context, in *struct {
	ReleasePath
	Body Rollout
},
) (*releaseOutput, error) {
	r, err := a.Releases.Set(ctx, caller(ctx).Actor, in.SHA256, rollout.Plan{
		Reach: rollout.Reach(in.Body.Reach), Gates: in.Body.Gates, Paused: in.Body.Paused,
	})
	return &releaseOutput{releaseBody(r)}, err
}

func releaseBody(r rollout.Release) Release {
	return Release{
		SHA256: r.SHA256, Version: r.Version, OS: r.OS, Arch: r.Arch, Serial: r.Serial, NotBefore: r.NotBefore, Size: r.Size,
		Missing: r.Missing, AddedAt: r.AddedAt, AddedBy: r.AddedBy, Reach: string(r.Reach), Gates: append([]uint16{}, r.Gates...),
		Paused: r.Paused, ChangedAt: r.ChangedAt, ChangedBy: r.ChangedBy,
	}
}
