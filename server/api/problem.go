package api

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"campusgate/configs"
	"campusgate/server/apply"
	"campusgate/server/approval"
	"campusgate/server/auth"
	"campusgate/server/auth/sso"
	"campusgate/server/call"
	"campusgate/server/cards"
	"campusgate/server/issue"
	"campusgate/server/owners"
	"campusgate/server/paper"
	"campusgate/server/people"
	"campusgate/server/people/sheet"
	"campusgate/server/recharge"
	"campusgate/server/recharge/cash"
	"campusgate/server/report"
	"campusgate/server/retention"
	"campusgate/server/rollout"
	"campusgate/server/settle"
	"campusgate/server/store"
	"campusgate/server/utility"
	"campusgate/server/verify"
	"campusgate/signing"
	"campusgate/signing/pin"
	"campusgate/signing/wire"
)

// Problem is the body of every answer that is not a success.
type Problem struct {
	Code      string         `json:"code" doc:"stable name of what went wrong"`
	Message   string         `json:"message" doc:"for people, Chinese and English"`
	Details   map[string]any `json:"details" doc:"what it is about; faults lists fields and what is wrong with them"`
	RequestID string         `json:"request_id" doc:"under which the server's log knows this call"`

	status int
	wait   time.Duration // of a 429, as far as it is known
	cause  error         // of an internal problem; for the log
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
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(cmp.Or(p.wait, time.Minute).Seconds()))))
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
	{auth.ErrNoSession, 401, "session_ended", "登录已失效,请重新登录", "your session has ended; sign in again"},
	{auth.ErrMustChange, 403, "must_change_password", "请先修改初始密码", "change the password you were given first"},
	{errCrossOrigin, 403, "cross_origin", "请求来自其他网站", "the call comes from another site"},
	{auth.ErrCredentials, 422, "bad_credentials", "学工号或密码不正确", "number or password is wrong"},
	{auth.ErrCode, 422, "bad_code", "验证码不正确或已过期", "the code is wrong or too old"},
	{auth.ErrNoWay, 404, "no_such_way", "未开通这种登录方式", "this way to sign in is off"},
	{auth.ErrSending, 503, "sms_unavailable", "短信发送失败,请稍后再试", "the SMS could not be sent; try again later"},
	{auth.ErrBudget, 503, "sms_budget", "本小时的短信已用完,请稍后再试或换一种登录方式", "no more codes are sent this hour; try again later, or sign in another way"},
	{auth.ErrLink, 404, "link_unknown", "链接无效", "there is no such link"},
	{auth.ErrUnknown, 403, "sso_unknown", "统一身份认证成功,但本系统没有这个学工号;请联系管理员", "you are signed in there, but nobody here has your number; ask an administrator"},
	{auth.ErrBusy, 503, "busy", "服务器繁忙", "the server is busy"},
	{sso.ErrTicket, 400, "sso_state", "登录已超时或不是从这里开始,请重新登录", "this login was not begun here, or too long ago; begin again"},
	{sso.ErrRefused, 403, "sso_refused", "统一身份认证没有通过", "the sign-on service did not accept this login"},
	{sso.ErrUnreachable, 503, "sso_unreachable", "统一身份认证暂时无法访问", "the sign-on service cannot be reached"},
	{auth.ErrScope, 422, "no_such_scope", "没有这种权限", "there is no such scope"},
	{retention.ErrOpen, 409, "person_open", "此人还有未了结的事项,见 details.what", "something of this person is open; details.what names it"},
	{report.ErrReason, 422, "reason_missing", "导出未遮盖的数据须写明理由", "say why the file is to have names and numbers in full"},
	{issue.ErrInvalid, 422, "invalid", "请求有误", "the request is not valid"},
	{people.ErrInvalid, 422, "invalid", "请求有误", "the request is not valid"},
	{report.ErrColumn, 422, "no_such_column", "没有这一列,或重复", "there is no such column, or it comes twice"},
	{report.ErrTooMany, 422, "too_many_rows", "超过 100000 行,请缩小筛选范围", "more than 100000 rows; narrow the filter"},
	{sheet.ErrTable, 422, "unreadable_file", "文件无法读取", "the file cannot be read"},
	{people.ErrFaulty, 409, "faulty_rows", "文件中有错误的行", "the file has faulty rows"},
	{issue.ErrNotReady, 409, "key_not_ready", "下一把密钥公布的时间还不够", "the next key has not been published long enough"},
	{issue.ErrKeyState, 409, "key_state", "该密钥的状态不允许此操作", "the key's state does not allow this"},
	{issue.ErrRootAbsent, 409, "root_key_absent", "站点根密钥不在服务器上;放回后再试", "the site root key is not on this server; put it back and try again"},
	{issue.ErrExposed, 409, "root_key_exposed", "根密钥文件可被其他用户读取", "the file of the site root key is readable by others"},
	{issue.ErrKeyFile, 409, "root_key_unusable", "根密钥文件已损坏或不属于本站点", "the file of the site root key is damaged or of another site"},
	{issue.ErrNoKey, 503, "no_active_key", "没有可用的签发密钥", "there is no active key to sign with"},
	{issue.ErrNotBound, 409, "not_bound", "该通行证不使用手机密钥", "this pass takes no phone key"},
	{issue.ErrOver, 409, "pass_over", "该通行证已作废或过期", "the pass is revoked or out of date"},
	{issue.ErrEarly, 409, "pass_early", "该通行证尚未到生效日期", "the pass does not hold yet"},
	{errFlows, 422, "flow_faults", "流程文件有误", "the file of flows has faults"},
	{apply.ErrKey, 409, "key_reused", "该提交编号已用于另一份申请", "the key was used for another application"},
	{issue.ErrProof, 422, "bad_proof", "手机签名验证失败", "the phone's signature does not hold"},
	{signing.ErrKey, 422, "bad_key", "公钥无法使用", "the public key cannot be used"},
	{wire.ErrEnrolCode, 422, "bad_enrolment_code", "登记码有误", "the enrolment code is mistyped"},
	{errEnrolUnknown, 404, "enrolment_unknown", "没有这个登记码", "no such enrolment code"},
	{errEnrolUsed, 409, "enrolment_used", "登记码已用过", "the enrolment code was used before"},
	{errEnrolEnded, 410, "enrolment_expired", "登记码已过期", "the enrolment code has expired"},
	{errNoCode, 409, "no_code", "该通行证没有静态码", "the pass has no static code"},
	{configs.ErrConfig, 422, "invalid_file", "文件有误,见 details.what 中的行号", "the file is not valid; details.what names line and key"},
	{pin.ErrWeak, 422, "weak_pin", "口令须为 6 至 12 位数字,不能全相同或连号", "a PIN has 6 to 12 digits, neither all the same nor in a row"},
	{recharge.ErrInvalid, 422, "invalid", "请求有误", "the request is not valid"},
	{recharge.ErrKey, 409, "ID_REUSED", "该编号已用于另一笔业务", "the id was used for something else"},
	{recharge.ErrOff, 409, "CHANNEL_OFF", "未开通这种支付方式", "this way to pay is off"},
	{recharge.ErrTooMany, 409, "TOO_MANY_ORDERS", "未支付的充值单太多,请先支付或等待其关闭", "too many unpaid orders; pay one, or wait until they are closed"},
	{recharge.ErrUnavailable, 503, "CHANNEL_UNAVAILABLE", "支付渠道暂时没有回应,请稍后再试", "the payment channel does not answer; try again later"},
	{recharge.ErrRefused, 409, "CHANNEL_REFUSED", "支付渠道拒绝了这笔业务", "the payment channel refused"},
	{cash.ErrNoShift, 409, "NO_SHIFT", "请先开班", "begin a shift first"},
	{cash.ErrShiftOpen, 409, "SHIFT_OPEN", "您还有未交的班", "your last shift is still open"},
	{cash.ErrDrawer, 409, "DRAWER_SHORT", "抽屉里的现金不够", "there is not so much in the drawer"},
	{cash.ErrNothing, 409, "NOTHING_TO_PAY", "没有可退的余额", "there is nothing to pay out"},
	{cash.ErrHeld, 409, "ACCOUNT_HELD", "账户挂失、冻结或有未结清的消费", "the card is lost or frozen, or a charge is not settled"},
	{cash.ErrLedger, 409, "LEDGER_REFUSED", "账本拒绝了这笔业务", "the ledger refused"},
	{utility.ErrBalance, 409, "INSUFFICIENT_BALANCE", "余额不足,请先充值", "there is not enough money on the card"},
	{utility.ErrCard, 409, "CARD_NOT_ACTIVE", "校园卡已挂失、冻结或销户", "the card is lost, frozen or closed"},
	{cards.ErrNoCard, 404, "NO_CARD", "没有校园卡,或尚未绑定", "there is no card, or it is not bound yet"},
	{cards.ErrMismatch, 422, "CARD_MISMATCH", "姓名与学/工号不符", "name and number do not fit"},
	{cards.ErrTries, 429, "CARD_TRIES", "错误次数太多,请稍后再试", "too many wrong tries; try again later"},
	{cards.ErrState, 409, "CARD_STATE", "校园卡当前状态不允许此操作", "not possible in the state of the card"},
	{cards.ErrClosed, 409, "CARD_CLOSED", "校园卡已销户", "the card is closed"},
	{cards.ErrExists, 409, "CARD_EXISTS", "此人已有校园卡", "the person has a card"},
	{cards.ErrPassword, 422, "CARD_PASSWORD", "卡密码不正确,或尚未设置", "the card password is wrong, or there is none"},
	{cards.ErrLocked, 429, "CARD_PASSWORD_LOCKED", "卡密码错误次数太多,已锁定 15 分钟", "too many wrong card passwords; locked for 15 minutes"},
	{cards.ErrWeak, 422, "CARD_PASSWORD_WEAK", "卡密码须为 6 位数字,不能相同、连号或重复", "a card password has six digits, neither all the same, in a row nor repeated"},
	{cards.ErrLimit, 422, "LIMIT_TOO_HIGH", "超过学校允许的限额", "above what the campus allows"},
	{cards.ErrBalance, 409, "CARD_BALANCE", "卡内还有余额,请先在现金窗口退款", "there is money on the card; pay it out at the cash desk first"},
	{cards.ErrDebt, 409, "CARD_DEBT", "还有欠款,或没有欠款可核销", "there is a debt, or none to write off"},
	{cards.ErrDisputed, 409, "ALREADY_DISPUTED", "该笔消费已在核查", "this payment is being looked into already"},
	{cards.ErrBatch, 409, "ID_REUSED", "该编号已用于另一笔业务", "the id was used for something else"},
	{cards.ErrFaulty, 409, "FAULTY_ROWS", "文件中有错误的行", "the file has faulty rows"},
	{cards.ErrPosting, 409, "NOT_POSTED", "账务系统未接受该笔交易", "the ledger did not take it"},
	{owners.ErrAway, 409, "owner_away", "判定这张通行证的校门没有连接,暂时不能改", "the gate that decides the pass is not connected; it cannot be moved now"},
	{owners.ErrSilent, 409, "owner_silent", "校门没有及时回应,请稍后查看是否已改", "the gate did not answer in time; look again in a while whether it was moved"},
	{owners.ErrClaimed, 409, "pass_claimed", "这张通行证在校门已使用或正在使用", "the pass was used or claimed at its gate"},
	{owners.ErrRefused, 409, "owner_refused", "校门没有交出这张通行证,请刷新后再试", "the gate did not give the pass up; reload and try again"},
	{owners.ErrThere, 409, "owner_connected", "判定这张通行证的校门在线,请直接改由另一校门判定", "the gate that decides the pass is connected: move the pass instead"},
	{store.ErrMoveOver, 409, "pass_over", "通行证已使用、作废或过期", "the pass is used, revoked or over"},
	{store.ErrMoveDecider, 409, "not_decided_by_a_gate", "这张通行证由服务器判定,无需指定校门", "the server decides this pass; it needs no gate"},
	{store.ErrMoveGate, 409, "gate_cannot_decide", "该校门不能判定这张通行证", "that gate cannot decide the pass"},
	{errNotOff, 422, "gate_not_off", "请先确认原校门的电脑已关机", "confirm first that the PC of its gate is off"},
	{rollout.ErrRelease, 422, "not_a_release", "不是本站点根密钥签署的版本，或程序与清单不符", "the site root did not sign this, or the program is another one"},
	{rollout.ErrSerial, 409, "serial_taken", "这个序号已用于另一个程序", "another program has this serial"},
	{rollout.ErrReach, 422, "no_such_gates", "没有选校门，或没有这个校门", "no gates were chosen, or there is no such gate"},
	{rollout.ErrMissing, 409, "program_missing", "程序文件不在服务器上，请重新上传", "the program is not on this server; hand it in again"},
	{rollout.ErrOffered, 409, "release_offered", "仍在提供给校门，请先停止提供", "it is offered to gates; stop that first"},
	{rollout.ErrTwo, 409, "release_underway", "正在接收另一个版本", "another release is being handed in"},
	{store.ErrNotFound, 404, "not_found", "没有找到", "not found"},
	{store.ErrTaken, 409, "taken", "名称或编号已被使用", "the name or number is in use"},
	{paper.ErrInvalid, 422, "invalid", "请求有误", "the request is not valid"},
	{call.ErrAnswers, 422, "bad_answers", "只能由本校其他已有的校门接听", "only other gates of this site can answer calls"},
	{verify.ErrNoGate, 409, "no_gate", "您没有绑定校门,请联系管理员", "you are bound to no gate; ask an administrator"},
	{verify.ErrTicket, 409, "ticket_over", "查验已超时,请重新扫码", "too long ago; scan the code again"},
	{store.ErrUsed, 409, "used", "已经用过", "used before"},
	{store.ErrEnded, 410, "ended", "已过期或作废", "expired or revoked"},
	{store.ErrState, 409, "state", "当前状态不允许此操作", "not possible in this state"},
	{store.ErrFull, 409, "full", "编号已用完", "no number is left"},
	{settle.ErrDay, 422, "NOT_A_DAY", "不是营业日", "not a business day"},
	{settle.ErrOpen, 409, "DAY_NOT_OVER", "还不能日结:当日未结束,或之前的营业日未结", "it cannot be closed yet: it is not over, or a day before it is open"},
	{settle.ErrClosed, 409, "DAY_CLOSED", "该营业日已结", "the day is closed"},
	{settle.ErrGaps, 409, "DAY_HAS_GAPS", "流水号有缺,不能日结", "numbers of tills are missing"},
	{settle.ErrDifferences, 409, "DAY_HAS_DIFFERENCES", "三方对账不平,不能日结", "the sums differ"},
	{settle.ErrNothing, 404, "not_found", "没有找到", "not found"},
	{settle.ErrAmount, 409, "AMOUNT", "金额超过可退或可付的余额", "more than there is left"},
	{settle.ErrRepeat, 409, "ID_REUSED", "该编号已用于另一笔", "the id was used for something else"},
	{store.ErrNoRoom, 503, "disk_full", "服务器硬盘已满，没有保存；请管理员腾出空间", "the server's disk is full and nothing was saved; make room on it"},
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
		p.explain(err)
		return p
	}
	p = newProblem(ctx, http.StatusInternalServerError, "internal", "服务器内部错误 an internal error; the log has it under the request id")
	p.cause = err
	a.counts.internal.Add(1)
	a.Log.Error("internal error", "request_id", p.RequestID, "err", err)
	return p
}

// explain adds what an error knows beside its rule.
func (p *Problem) explain(err error) {
	var pass *issue.Fault
	var person *people.Fault
	var paperFault *paper.Fault
	var rechargeFault *recharge.Fault
	var table *sheet.Error
	var wait *auth.Wait
	var flows *approval.Faults
	var card *cards.Refusal
	var owner *owners.Refusal
	switch {
	case errors.As(err, &owner):
		p.Details["gate"], p.Details["gate_name"] = owner.Gate, owner.Name
		if owner.Name != "" {
			p.Message += ": " + owner.Name
		}
	case errors.As(err, &card):
		maps.Copy(p.Details, card.Details)
		if seconds, ok := card.Details["retry_after"].(int64); ok {
			p.wait = time.Duration(seconds) * time.Second
		}
	case errors.As(err, &flows):
		p.Details["faults"] = flows.List
	case errors.As(err, &pass):
		p.fault(pass.Field, pass.ZH+" "+pass.EN)
	case errors.As(err, &person):
		p.fault(person.Field, person.ZH+" "+person.EN)
	case errors.As(err, &paperFault):
		p.fault(paperFault.Field, paperFault.ZH+" "+paperFault.EN)
	case errors.As(err, &rechargeFault):
		p.fault(rechargeFault.Field, rechargeFault.ZH+" "+rechargeFault.EN)
	case errors.As(err, &table):
		p.fault("file", table.ZH+" "+table.EN)
		if table.Row > 0 {
			p.Details["row"] = table.Row
		}
	case errors.As(err, &wait):
		p.wait = wait.After
		p.Details["retry_after"] = int(math.Ceil(wait.After.Seconds()))
	default:
		p.Details["what"] = err.Error()
	}
}

func (p *Problem) fault(field, text string) {
	p.Message = field + ": " + text
	p.Details["faults"] = []fieldFault{{field, text}}
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
