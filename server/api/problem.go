package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/server/auth"
	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/wire"
)

// Problem is the body of every answer that is not a success.
type Problem struct {
	Code      string         `json:"code" doc:"stable name of what went wrong"`
	Message   string         `json:"message" doc:"for people, Chinese and English"`
	Details   map[string]any `json:"details" doc:"what it is about; faults lists fields and what is wrong with them"`
	RequestID string         `json:"request_id" doc:"under which the server's log knows this call"`

	status int
	cause  error // of an internal problem; for the log
}

func (p *Problem) Error() string { return p.Code + ": " + p.Message }

// GetStatus makes Problem a huma.StatusError.
func (p *Problem) GetStatus() int { return p.status }

// GetHeaders makes Problem a huma.HeadersError.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	switch p.status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", "60")
	}
	return h
}

// rule says what an error is to the outside.
type rule struct {
	is     error
	status int
	code   string
	zh, en string
}

// rules is the table; the first that fits holds. The text of an error that is
// in it is shown in details.what, so its package must put nothing secret there.
var rules = []rule{
	{auth.ErrNoToken, 401, "no_token", "需要令牌", "a token is needed"},
	{auth.ErrBadToken, 401, "bad_token", "令牌无效", "the token is not accepted"},
	{auth.ErrTooMany, 429, "too_many_attempts", "失败次数太多,请稍后再试", "too many failed attempts; try again later"},
	{auth.ErrForbidden, 403, "forbidden", "没有这项权限", "you have no right to do this"},
	{auth.ErrNoPerson, 403, "no_person", "令牌不代表任何人,请登录", "a token is nobody; sign in for this"},
	{auth.ErrScope, 422, "no_such_scope", "没有这种权限", "there is no such scope"},
	{issue.ErrInvalid, 422, "invalid", "请求有误", "the request is not valid"},
	{issue.ErrNotReady, 409, "key_not_ready", "下一把密钥公布的时间还不够", "the next key has not been published long enough"},
	{issue.ErrKeyState, 409, "key_state", "该密钥的状态不允许此操作", "the key's state does not allow this"},
	{issue.ErrRootAbsent, 409, "root_key_absent", "站点根密钥不在服务器上;放回后再试", "the site root key is not on this server; put it back and try again"},
	{issue.ErrExposed, 409, "root_key_exposed", "根密钥文件可被其他用户读取", "the file of the site root key is readable by others"},
	{issue.ErrKeyFile, 409, "root_key_unusable", "根密钥文件已损坏或不属于本站点", "the file of the site root key is damaged or of another site"},
	{issue.ErrNoKey, 503, "no_active_key", "没有可用的签发密钥", "there is no active key to sign with"},
	{issue.ErrNotBound, 409, "not_bound", "该通行证不使用手机密钥", "this pass takes no phone key"},
	{issue.ErrOver, 409, "pass_over", "该通行证已作废或过期", "the pass is revoked or out of date"},
	{issue.ErrProof, 422, "bad_proof", "手机签名验证失败", "the phone's signature does not hold"},
	{signing.ErrKey, 422, "bad_key", "公钥无法使用", "the public key cannot be used"},
	{wire.ErrEnrolCode, 422, "bad_enrolment_code", "登记码有误", "the enrolment code is mistyped"},
	{errEnrolUnknown, 404, "enrolment_unknown", "没有这个登记码", "no such enrolment code"},
	{errEnrolUsed, 409, "enrolment_used", "登记码已用过", "the enrolment code was used before"},
	{errEnrolEnded, 410, "enrolment_expired", "登记码已过期", "the enrolment code has expired"},
	{errNoCode, 409, "no_code", "该通行证没有静态码", "the pass has no static code"},
	{store.ErrNotFound, 404, "not_found", "没有找到", "not found"},
	{store.ErrTaken, 409, "taken", "名称或编号已被使用", "the name or number is in use"},
	{store.ErrUsed, 409, "used", "已经用过", "used before"},
	{store.ErrEnded, 410, "ended", "已过期或作废", "expired or revoked"},
	{store.ErrState, 409, "state", "当前状态不允许此操作", "not possible in this state"},
	{store.ErrFull, 409, "full", "编号已用完", "no number is left"},
	{store.ErrClosed, 503, "closing", "服务器正在关闭", "the server is going down"},
	{context.DeadlineExceeded, 503, "busy", "服务器繁忙", "the server is busy"},
	{context.Canceled, 503, "busy", "请求已取消", "the call was given up"},
}

// Errors of this package.
var (
	errEnrolUnknown = errors.New("no such enrolment code")
	errEnrolUsed    = errors.New("enrolment code was used")
	errEnrolEnded   = errors.New("enrolment code has expired")
	errNoCode       = errors.New("pass has no static code")
)

// problem translates an error. One that no rule knows is internal.
func (a *API) problem(ctx context.Context, err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	for _, r := range rules {
		if !errors.Is(err, r.is) {
			continue
		}
		p = newProblem(ctx, r.status, r.code, r.zh+" "+r.en)
		var f *issue.Fault
		if errors.As(err, &f) {
			p.Message = f.Field + ": " + f.ZH + " " + f.EN
			p.Details["faults"] = []fieldFault{{f.Field, f.ZH + " " + f.EN}}
		} else {
			p.Details["what"] = err.Error()
		}
		return p
	}
	p = newProblem(ctx, http.StatusInternalServerError, "internal", "服务器内部错误 an internal error; the log has it under the request id")
	p.cause = err
	a.counts.internal.Add(1)
	a.Log.Error("internal error", "request_id", p.RequestID, "err", err)
	return p
}

type fieldFault struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

func newProblem(ctx context.Context, status int, code, message string) *Problem {
	return &Problem{Code: code, Message: message, Details: map[string]any{}, RequestID: requestID(ctx), status: status}
}

// statusCodes names what is refused before any handler runs.
var statusCodes = map[int][2]string{
	http.StatusBadRequest:            {"malformed", "请求无法读取 the request cannot be read"},
	http.StatusNotFound:              {"no_such_route", "没有这个地址 there is nothing at this address"},
	http.StatusMethodNotAllowed:      {"method_not_allowed", "该地址不支持此方法 this address does not take that method"},
	http.StatusRequestTimeout:        {"too_slow", "请求太慢 the request came too slowly"},
	http.StatusRequestEntityTooLarge: {"too_large", "请求太大 the request is too large"},
	http.StatusUnsupportedMediaType:  {"not_json", "请以 application/json 发送 send application/json"},
	http.StatusUnprocessableEntity:   {"invalid", "请求有误 the request is not valid"},
}

// ownErrors makes the HTTP library speak in Problems too. Its hooks are
// variables of the package, so this happens once for the process.
var ownErrors = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return libraryProblem(context.Background(), status, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return libraryProblem(ctx.Context(), status, errs)
	}
})

// libraryProblem names the fields that do not fit the schema. Their values are
// left out: they may be somebody's name.
func libraryProblem(ctx context.Context, status int, errs []error) *Problem {
	named, known := statusCodes[status]
	if !known {
		named = [2]string{"internal", "服务器内部错误 an internal error"}
		if status < 500 {
			named = [2]string{"refused", "请求被拒绝 the request is refused"}
		}
	}
	p := newProblem(ctx, status, named[0], named[1])
	var faults []fieldFault
	for _, err := range errs {
		var d huma.ErrorDetailer
		if !errors.As(err, &d) {
			continue
		}
		detail := d.ErrorDetail()
		field := detail.Location
		for _, where := range []string{"body.", "query.", "path."} {
			field = strings.TrimPrefix(field, where)
		}
		faults = append(faults, fieldFault{field, detail.Message})
	}
	if len(faults) > 0 {
		p.Details["faults"] = faults
		p.Message += ": " + faults[0].Field + ": " + faults[0].Message
	}
	return p
}
