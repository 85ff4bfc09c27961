package api

import (
	"context"
	"io"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/people"
	"campusgate/server/people/sheet"
)

const (
	csvType  = "text/csv"
	xlsxType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
)

// ImportPreview is what a file would do; nothing of it has been done.
type ImportPreview struct {
	ID        string              `json:"id"`
	Kind      string              `json:"kind"`
	Name      string              `json:"name" doc:"of the file"`
	Rows      int                 `json:"rows"`
	Adds      int                 `json:"adds"`
	Changes   int                 `json:"changes"`
	Same      int                 `json:"same"`
	Faulty    int                 `json:"faulty" doc:"rows with a fault"`
	Faults    []ImportFault       `json:"faults" doc:"one for every faulty row, and those of the heading"`
	Columns   []string            `json:"columns" doc:"headings, in the order of the file"`
	Sample    []map[string]string `json:"sample" doc:"the first rows by heading; phones and ID numbers masked"`
	ExpiresAt int64               `json:"expires_at" doc:"it can be confirmed until then"`
}

// ImportFault says why a row is not taken.
type ImportFault struct {
	Row     int    `json:"row" doc:"of the file; 1 = the heading"`
	Column  string `json:"column"`
	Value   string `json:"value,omitempty" doc:"what stands there, cut short; never a phone or ID number"`
	Message string `json:"message" doc:"Chinese and English"`
}

// ImportResult is what a confirmed file has done.
type ImportResult struct {
	Added   int `json:"added"`
	Changed int `json:"changed"`
	Skipped int `json:"skipped" doc:"faulty rows"`
}

// ImportKind says what a file tells of.
type ImportKind struct {
	Kind string `query:"kind" required:"true" enum:"places,units,people,households,posts"`
}

type importInput struct {
	ImportKind
	RawBody huma.MultipartFormFiles[struct {
		File huma.FormFile `form:"file" required:"true" contentType:"application/octet-stream" doc:"csv or xlsx, at most 8 MiB"`
	}]
}

// ImportPath names a file that was looked over.
type ImportPath struct {
	ID string `path:"id" maxLength:"64"`
}

type (
	previewImportOutput struct{ Body ImportPreview }
	importOutput        struct{ Body ImportResult }
)

type templateInput struct {
	ImportKind
	Format string `query:"format" enum:"csv,xlsx" default:"xlsx"`
}

type templateOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Body        []byte
}

func (a *API) importRoutes() {
	add(a, route{
		method: http.MethodGet, path: prefix + "/imports/template", scope: auth.PeopleWrite, id: "import-template",
		text: "下载导入模板 An empty file to fill in", media: csvType + " " + xlsxType,
	}, a.importTemplate)
	add(a, route{
		method: http.MethodPost, path: prefix + "/imports", scope: auth.PeopleWrite, id: "preview-import", status: http.StatusCreated,
		body: sheet.MaxBytes + 64<<10, text: "上传导入文件并预览 Look over a file; nothing is changed until it is confirmed, within an hour",
	}, a.previewImport)
	add(a, route{
		method: http.MethodGet, path: prefix + "/imports/{id}", scope: auth.PeopleWrite, id: "get-import",
		text:   "再次预览 Look over the file again, as things stand now",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, a.getImport)
	add(a, route{
		method: http.MethodPost, path: prefix + "/imports/{id}/confirm", scope: auth.PeopleWrite, id: "confirm-import",
		text:   "确认导入 Do all that the file asks for, or nothing; faulty rows are left out only when you say so",
		errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusGone},
	}, a.confirmImport)
}

func (a *API) importTemplate(_ context.Context, in *templateInput) (*templateOutput, error) {
	data, err := people.Template(people.ImportKind(in.Kind), in.Format)
	if err != nil {
		return nil, err
	}
	kind := xlsxType
	if in.Format == "csv" {
		kind = csvType + "; charset=utf-8"
	}
	return &templateOutput{
		ContentType: kind, Body: data,
		Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": in.Kind + "." + in.Format}),
	}, nil
}

func (a *API) previewImport(ctx context.Context, in *importInput) (*previewImportOutput, error) {
	file := in.RawBody.Data().File
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, sheet.MaxBytes+1)) // one byte more is enough to refuse it
	if err != nil {
		return nil, err
	}
	p, err := a.People.Import(ctx, overruling(ctx), people.ImportKind(in.Kind), file.Filename, data)
	return &previewImportOutput{importBody(p)}, err
}

func (a *API) getImport(ctx context.Context, in *ImportPath) (*previewImportOutput, error) {
	p, err := a.People.Preview(ctx, overruling(ctx), in.ID)
	return &previewImportOutput{importBody(p)}, err
}

func importBody(p people.Preview) ImportPreview {
	return ImportPreview{
		ID: p.ID, Kind: string(p.Kind), Name: p.Name, Rows: p.Rows, Adds: p.Adds, Changes: p.Changes, Same: p.Same, Faulty: p.Faulty,
		Faults: mapped(p.Faults, func(f people.RowFault) ImportFault { return ImportFault(f) }), Columns: p.Columns,
		Sample: mapped(p.Sample, func(cells []string) map[string]string {
			row := map[string]string{}
			for i, text := range cells {
				row[p.Columns[i]] = text
			}
			return row
		}),
		ExpiresAt: p.ExpiresAt,
	}
}

func (a *API) confirmImport(ctx context.Context, in *struct {
	ImportPath
	Body struct {
		SkipFaulty bool `json:"skip_faulty,omitempty" doc:"leave out the rows with a fault"`
	}
},
) (*importOutput, error) {
	done, err := a.People.Confirm(ctx, overruling(ctx), in.ID, in.Body.SkipFaulty)
	return &importOutput{ImportResult(done)}, err
}
