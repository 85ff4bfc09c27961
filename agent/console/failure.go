package console

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"campusgate/agent/call"
	"campusgate/agent/desk"
	"campusgate/agent/lane"
	"campusgate/agent/shift"
	"campusgate/agent/till"
)

// failure is an answer that is not a result. Its code never changes its
// meaning; the message is for people, in the language they ask for.
type failure struct {
	status  int
	code    string
	zh, en  string
	details map[string]any
	cause   error // for the log only
}

func (f *failure) Error() string {
	if f.cause != nil {
		return fmt.Sprintf("%s: %v", f.code, f.cause)
	}
	return f.code
}

func (f *failure) Unwrap() error { return f.cause }

// with gives the failure facts that a program can use.
func (f failure) with(key string, value any) *failure {
	f.details = map[string]any{key: value}
	return &f
}

// because keeps what went wrong for the log.
func (f failure) because(err error) *failure {
	f.cause = err
	return &f
}

// Every code this API answers with.
var (
	badHost        = failure{status: http.StatusMisdirectedRequest, code: "bad_host", zh: "只能从本机访问", en: "this page is reached from this computer only"}
	crossOrigin    = failure{status: http.StatusForbidden, code: "cross_origin", zh: "不接受其他网页发来的请求", en: "requests of other pages are not accepted"}
	notFound       = failure{status: http.StatusNotFound, code: "not_found", zh: "没有这个地址", en: "no such address"}
	badMethod      = failure{status: http.StatusMethodNotAllowed, code: "method_not_allowed", zh: "此地址不支持这种方法", en: "this address does not take that method"}
	badContentType = failure{status: http.StatusUnsupportedMediaType, code: "bad_content_type", zh: "请求必须是 application/json", en: "the request must be application/json"}
	bodyTooLarge   = failure{status: http.StatusRequestEntityTooLarge, code: "body_too_large", zh: "请求内容过长", en: "the request is too long"}
	badJSON        = failure{status: http.StatusBadRequest, code: "bad_json", zh: "请求内容不是有效的 JSON", en: "the request is not the JSON that is expected"}
	badRequest     = failure{status: http.StatusUnprocessableEntity, code: "bad_request", zh: "请求中有一项不正确", en: "one part of the request is not right"}
	noLane         = failure{status: http.StatusUnprocessableEntity, code: "unknown_lane", zh: "没有这条通道", en: "there is no such lane"}
	noTrigger      = failure{status: http.StatusConflict, code: "no_trigger", zh: "这条通道的扫码器不能由程序触发", en: "no scanner of this lane can be told to read"}
	deviceLost     = failure{status: http.StatusServiceUnavailable, code: "device_lost", zh: "扫码器没有响应，请检查插头", en: "the scanner did not take it, check its plug"}
	noDocument     = failure{status: http.StatusUnprocessableEntity, code: "unknown_document", zh: "没有这种证件", en: "there is no such document"}
	badAlarm       = failure{status: http.StatusUnprocessableEntity, code: "bad_alarm", zh: "只能是 open、lockdown 或 normal，原因最多 240 字节", en: "want open, lockdown or normal, and a reason of at most 240 bytes"}
	noRule         = failure{status: http.StatusUnprocessableEntity, code: "unknown_rule", zh: "没有这条规则", en: "there is no such rule"}
	noRegister     = failure{status: http.StatusConflict, code: "unknown_register", zh: "登记里没有这一条，或已经结束", en: "there is no such entry in the register, or it has ended"}
	noShift        = failure{status: http.StatusForbidden, code: "no_shift", zh: "还没有门卫值班，请先登录", en: "no guard is on duty, log in first"}
	badPIN         = failure{status: http.StatusUnauthorized, code: "bad_pin", zh: "工号或口令不对", en: "number or PIN is wrong"}
	locked         = failure{status: http.StatusTooManyRequests, code: "locked", zh: "口令错误次数太多，请稍后再试", en: "too many wrong PINs, try again later"}
	noCall         = failure{status: http.StatusNotFound, code: "unknown_call", zh: "没有这个呼叫，或早已结束", en: "there is no such call, or it was over long ago"}
	callOver       = failure{status: http.StatusConflict, code: "call_over", zh: "这个呼叫已经结束", en: "this call is over"}
	badCallAnswer  = failure{status: http.StatusUnprocessableEntity, code: "bad_answer", zh: "这个呼叫不能这样应答", en: "this call takes no such answer"}
	manyCalls      = failure{status: http.StatusServiceUnavailable, code: "too_many_calls", zh: "呼叫太多，请稍后再试", en: "too many calls are open, try again later"}
	noScan         = failure{status: http.StatusNotFound, code: "unknown_scan", zh: "没有这条扫码记录，或时间已过", en: "there is no such scan, or it was too long ago"}
	notWaiting     = failure{status: http.StatusConflict, code: "not_waiting", zh: "这次扫码已有结果，不再等待回答", en: "this scan is settled and waits for no answer"}
	notAnnullable  = failure{status: http.StatusConflict, code: "not_annullable", zh: "这次放行不能撤销", en: "this admission cannot be annulled"}
	badSale        = failure{status: http.StatusUnprocessableEntity, code: "bad_sale", zh: "收款内容与本机的规则不符", en: "the till's rules have no such sale"}
	badBatch       = failure{status: http.StatusConflict, code: "batch_state", zh: "本批次已经开启，或已经结束", en: "the batch is open already, or none is"}
	noCharge       = failure{status: http.StatusNotFound, code: "unknown_charge", zh: "本机没有这笔收款", en: "this till has no such charge"}
	notVoidable    = failure{status: http.StatusConflict, code: "not_voidable", zh: "这笔收款已经撤销，或批次已经结束", en: "the charge was voided before, or its batch is closed"}
	noSupervisor   = failure{status: http.StatusForbidden, code: "not_supervisor", zh: "须由主管输入工号和口令", en: "a supervisor's number and PIN are needed"}
	noBarrier      = failure{status: http.StatusConflict, code: "no_barrier", zh: "这条通道没有道闸", en: "the lane has no barrier"}
	noPulse        = failure{status: http.StatusServiceUnavailable, code: "no_pulse", zh: "道闸没有反应，请检查继电器", en: "the barrier did not take the pulse, see to its relay"}
	tooSoon        = failure{status: http.StatusTooManyRequests, code: "too_soon", zh: "刚刚试过，请稍后再试", en: "this was tried a moment ago, wait a little"}
	busy           = failure{status: http.StatusServiceUnavailable, code: "busy", zh: "通道正忙，请重试", en: "the lane is busy, try again"}
	notWritten     = failure{status: http.StatusServiceUnavailable, code: "not_written", zh: "没有写入本机，本次不算数；请重试，并通知管理员", en: "could not be written, so it does not count; try again and tell the administrator"}
	tooManyFeeds   = failure{status: http.StatusServiceUnavailable, code: "too_many_feeds", zh: "打开的页面太多", en: "too many pages are open"}
	upgradeNeeded  = failure{status: http.StatusUpgradeRequired, code: "websocket_required", zh: "此地址只接受 websocket", en: "this address takes a websocket only"}
	fault          = failure{status: http.StatusInternalServerError, code: "internal", zh: "程序出错，请重试", en: "something went wrong, try again"}
)

// deskFailure translates what a Desk refuses.
func deskFailure(err error) *failure {
	for _, known := range []struct {
		err error
		failure
	}{
		{desk.ErrNoLane, noLane},
		{desk.ErrNoScan, noScan},
		{desk.ErrNotWaiting, notWaiting},
		{lane.ErrNotAnnullable, notAnnullable},
		{lane.ErrBadAnswer, badRequest},
		{lane.ErrBadEntry, badRequest},
		{lane.ErrBadAlarm, badAlarm},
		{lane.ErrNoRule, noRule},
		{lane.ErrNoRegister, noRegister},
		{desk.ErrNoShift, noShift},
		{shift.ErrPIN, badPIN},
		{call.ErrNoCall, noCall},
		{call.ErrOver, callOver},
		{call.ErrAnswer, badCallAnswer},
		{call.ErrMany, manyCalls},
		{till.ErrSale, badSale},
		{till.ErrBatch, badBatch},
		{till.ErrNoCharge, noCharge},
		{till.ErrNotVoidable, notVoidable},
		{desk.ErrBusy, busy},
		{desk.ErrStore, notWritten},
	} {
		if errors.Is(err, known.err) {
			f := known.because(err)
			switch known.err {
			case lane.ErrBadEntry:
				f.details = map[string]any{"entry": err.Error()}
			case till.ErrSale:
				f.details = map[string]any{"sale": err.Error()}
			}
			return f
		}
	}
	return fault.because(err)
}

// errorBody is the shape of every error.
type errorBody struct {
	Code      string         `json:"code"`
	Message   string         `json:"message"`
	Details   map[string]any `json:"details"`
	RequestID string         `json:"request_id"`
}

// fail answers with err; anything that is not a failure is a fault of ours.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := new(failure)
	if !errors.As(err, &f) {
		f = fault.because(err)
	}
	id := w.Header().Get(requestIDHeader)
	if f.status >= http.StatusInternalServerError && f.cause != nil {
		// The path carries a scan id at most, never a code.
		c.log.Error("console request failed", "request_id", id, "path", r.URL.Path, "code", f.code, "error", f.cause)
	}
	body := errorBody{Code: f.code, Message: f.zh, Details: f.details, RequestID: id}
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "en") {
		body.Message = f.en
	}
	if body.Details == nil {
		body.Details = map[string]any{}
	}
	c.answer(w, f.status, body)
}

// answer writes v as JSON. The connection is gone when that fails, and nobody
// is left to be told.
func (c *Console) answer(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
