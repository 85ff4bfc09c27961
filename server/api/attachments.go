package api

import (
	"context"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/apply"
	"campusgate/server/auth"
)

type attachInput struct {
	RawBody huma.MultipartFormFiles[struct {
		File huma.FormFile `form:"file" required:"true" doc:"at most 10 MiB: pdf, png, jpg, webp, txt, doc(x), xls(x)"`
	}]
}

type attachOutput struct{ Body apply.FileOf }

type attachmentInput struct {
	ID string `path:"id" pattern:"^[0-9a-f]{32}$"`
}

type attachmentOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) attachmentRoutes() {
	add(a, route{
		method: http.MethodPost, path: prefix + "/attachments", scope: auth.Self, id: "attach", status: http.StatusCreated,
		body: apply.MaxAttachment + 64<<10, text: "上传附件 Add a file, to be named in a form",
	}, a.attach)
	add(a, route{
		method: http.MethodGet, path: prefix + "/attachments/{id}", scope: auth.Self, id: "get-attachment",
		text: "下载附件 An attachment of a matter that I may see, or of mine", media: strings.Join(apply.AttachmentTypes(), " "),
		errors: []int{http.StatusNotFound},
	}, a.attachment)
}

func (a *API) attach(ctx context.Context, in *attachInput) (*attachOutput, error) {
	file := in.RawBody.Data().File
	defer func() { _ = file.Close() }()
	// One byte more than allowed is enough to refuse it.
	content, err := io.ReadAll(io.LimitReader(file, apply.MaxAttachment+1))
	if err != nil {
		return nil, err
	}
	f, err := a.Apply.Attach(ctx, actor(ctx), file.Filename, content)
	return &attachOutput{apply.FileOf{ID: f.ID, Name: f.Name, Size: f.Size, Type: f.Type}}, err
}

func (a *API) attachment(ctx context.Context, in *attachmentInput) (*attachmentOutput, error) {
	f, content, err := a.Apply.OpenAttachment(ctx, actor(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &attachmentOutput{
		ContentType: f.Type, Body: content,
		// Never shown within our own origin: it is somebody else's file.
		Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}),
	}, nil
}
