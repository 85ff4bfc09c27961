package verdict

import "strings"

// Text is a reason in words for the person who stands at the lane: what it
// comes to, why, and what to do next. The page adds what a case brings with it,
// such as the time and gate of a first use.
type Text struct {
	Word  string `json:"word"`  // read from two metres
	Title string `json:"title"` // why, in a few words
	Next  string `json:"next"`  // what the guard or cashier does now
}

// The languages of the texts, as their primary subtags (BCP 47).
const (
	Chinese = "zh"
	English = "en"
)

// TextOf gives the text of a reason. The language is matched by its primary
// subtag ("en-GB" is English); any other than English gets Chinese. A number
// that is no reason gets the text of Internal.
func TextOf(r Reason, lang string) Text {
	if !r.Valid() {
		r = Internal
	}
	if primary, _, _ := strings.Cut(lang, "-"); strings.EqualFold(primary, English) {
		return texts[r].en
	}
	return texts[r].zh
}

// Texts gives every text by language and name of reason, and of those that a
// mark tells apart by "reason.mark" too, for the pages.
func Texts() map[string]map[string]Text {
	zh, en := make(map[string]Text), make(map[string]Text)
	for _, r := range Reasons() {
		zh[r.String()], en[r.String()] = texts[r].zh, texts[r].en
	}
	for key, both := range marked {
		zh[key], en[key] = both.zh, both.en
	}
	return map[string]map[string]Text{Chinese: zh, English: en}
}

// TextOfVerdict is TextOf with what the mark says beside.
func TextOfVerdict(v Verdict, lang string) Text {
	both, ok := marked[v.Reason.String()+"."+string(v.Mark)]
	if !ok {
		return TextOf(v.Reason, lang)
	}
	if primary, _, _ := strings.Cut(lang, "-"); strings.EqualFold(primary, English) {
		return both.en
	}
	return both.zh
}

// marked are the texts of reasons with a mark.
var marked = map[string]struct{ zh, en Text }{
	"wrong_kind.lane": {
		Text{"拒绝", "此通道不收这种码", "请走标明收这种码的通道"},
		Text{"Refuse", "Not for this lane", "Send to a lane that takes this kind of pass"},
	},
	"granted.unconfirmed": {
		Text{"放行", "已放行，未能向各处确认", "请通行；联网后会核对，重复使用会报告"},
		Text{"Allow", "Let in without confirmation", "Let them through; a second use is reported once connected"},
	},
	"needs_input.unconfirmed": {
		Text{"请确认", "联系不上其他校门，仍要放行？", "请核对证件；若别处已放行，联网后会报告"},
		Text{"Confirm", "Cannot reach other gates: let them in?", "Compare with a document; a second use is reported once connected"},
	},
	"attention.antipassback": {
		Text{"注意", "已放行，记录显示已在校内", "请核对本人；不是本人的请拦下"},
		Text{"Attention", "Let in, though recorded as inside", "Compare with a document; stop anybody but the holder"},
	},
	"attention.lockdown": {
		Text{"注意", "封控中，已放行出校", "请提醒对方：封控期间不能再进"},
		Text{"Attention", "Let out during a lockdown", "Tell them that nobody comes in again until it ends"},
	},
	"attention.emergency": {
		Text{"注意", "紧急开闸，全部放行", "请疏导人员；本次不计次数"},
		Text{"Attention", "Emergency: all barriers open", "Guide people out; no use is counted"},
	},
}

var texts = [len(reasonNames)]struct{ zh, en Text }{
	Granted: {
		Text{"放行", "验证通过", "请通行"},
		Text{"Allow", "All in order", "Let them through"},
	},
	Malformed: {
		Text{"请重扫", "不是校园的码", "请对方打开通行码或付款码，再扫一次"},
		Text{"Scan again", "Not a campus code", "Ask them to open their campus code, then scan again"},
	},
	UnknownKey: {
		Text{"拒绝", "查不到签发单位", "请到社区办核实这个码"},
		Text{"Refuse", "Issuer not known here", "Send to the community office to have the code checked"},
	},
	BadSignature: {
		Text{"拒绝", "码不真实", "请勿放行，并报告保卫处"},
		Text{"Refuse", "Not a genuine code", "Do not let them in; tell the security office"},
	},
	WrongKind: {
		Text{"拒绝", "此处不用这种码", "校门请出示通行码，食堂请出示付款码"},
		Text{"Refuse", "Wrong code for this place", "Ask for a pass at a gate, a payment code at a till"},
	},
	WrongSite: {
		Text{"拒绝", "其他校园的码", "请出示本校的通行码"},
		Text{"Refuse", "Code of another campus", "Ask for a code of this campus"},
	},
	Revoked: {
		Text{"拒绝", "此码已作废", "请到社区办或所在部门重新申请"},
		Text{"Refuse", "Code was withdrawn", "Send to the community office or their own department to apply again"},
	},
	Blocked: {
		Text{"拒绝", "持码人被限制通行", "请联系保卫处处理"},
		Text{"Refuse", "Holder is barred", "Call the security office"},
	},
	ClockUntrusted: {
		Text{"暂停", "本机时间不准", "请走其他通道，并请管理员校准时间"},
		Text{"Paused", "This PC's clock is wrong", "Use another lane; ask the administrator to set the clock"},
	},
	PolicyStale: {
		Text{"暂停", "本机数据太旧", "请走其他通道，并请管理员检查网络"},
		Text{"Paused", "This PC's data is too old", "Use another lane; ask the administrator to check the network"},
	},
	ProofMissing: {
		Text{"拒绝", "截图和打印件无效", "请本人在自己手机上打开码，再扫一次"},
		Text{"Refuse", "Copies are not valid", "Ask them to open the code on their own phone, then scan again"},
	},
	ProofStale: {
		Text{"请重扫", "码已过时", "请刷新后再扫；仍不行请核对手机时间"},
		Text{"Scan again", "Code is out of date", "Ask for a refreshed code; if it fails again, check the phone's clock"},
	},
	NotYetValid: {
		Text{"拒绝", "还没到生效日期", "请在生效日期当天再来"},
		Text{"Refuse", "Not valid yet", "Ask them to come back on the first valid day"},
	},
	Expired: {
		Text{"拒绝", "此码已过期", "请重新申请，或到社区办补办"},
		Text{"Refuse", "Code has expired", "Ask them to apply again, or send to the community office"},
	},
	Replayed: {
		Text{"请重扫", "这个码刚才扫过", "请刷新后再扫，并核对是不是本人"},
		Text{"Scan again", "Code was scanned before", "Ask for a refreshed code and compare the holder with a document"},
	},
	WrongGate: {
		Text{"拒绝", "不能走这个门", "请走通行证上写明的校门"},
		Text{"Refuse", "Not valid at this gate", "Send to a gate that is named on the pass"},
	},
	OutsideHours: {
		Text{"拒绝", "不在开放时间", "请在开放时间再来"},
		Text{"Refuse", "Outside opening hours", "Ask them to come back during opening hours"},
	},
	Lockdown: {
		Text{"拒绝", "校门临时关闭", "请等候保卫处通知"},
		Text{"Refuse", "Gate is closed for now", "Wait for word from the security office"},
	},
	DocumentRequired: {
		Text{"拒绝", "没有出示证件", "请出示工作证等有效证件，再扫一次"},
		Text{"Refuse", "No document shown", "Ask for the work permit or another valid document, then scan again"},
	},
	DocumentNotAccepted: {
		Text{"拒绝", "这种证件不能用", "请出示工作证或其他有效证件"},
		Text{"Refuse", "Document not accepted", "Ask for the work permit or another valid document"},
	},
	DocumentIncomplete: {
		Text{"拒绝", "证件不齐", "请补上需要一起出示的证件"},
		Text{"Refuse", "A document is missing", "Ask for the other document that goes with this one"},
	},
	OfflineNotAllowed: {
		Text{"请重扫", "暂时无法确认", "请再扫一次；仍不行请走负责此码的校门"},
		Text{"Scan again", "Could not be confirmed", "Scan again; if it fails, send to the gate in charge of this pass"},
	},
	OccupancyFull: {
		Text{"请等候", "校内人数已满", "请等有人离开后再扫"},
		Text{"Wait", "Campus is full", "Wait until somebody leaves, then scan again"},
	},
	Antipassback: {
		Text{"拒绝", "记录显示已在校内", "请核对本人；出门漏扫的请找保卫处"},
		Text{"Refuse", "Already inside", "Compare with a document; the security office clears a missed exit"},
	},
	AlreadyUsed: {
		Text{"拒绝", "此码已经用过", "请到社区办补办"},
		Text{"Refuse", "Already used", "Send to the community office for a new pass"},
	},
	CardLost: {
		Text{"拒绝", "校园卡已挂失", "请到卡务中心办理"},
		Text{"Refuse", "Card reported lost", "Send to the card office"},
	},
	CardFrozen: {
		Text{"拒绝", "校园卡已冻结", "请到卡务中心办理"},
		Text{"Refuse", "Card is frozen", "Send to the card office"},
	},
	LimitSingle: {
		Text{"拒绝", "超过单笔限额", "请核对金额，或换一种付款方式"},
		Text{"Refuse", "Over the limit for one payment", "Check the amount, or ask for another way to pay"},
	},
	LimitDay: {
		Text{"拒绝", "超过当日或本餐限额", "请换一种付款方式"},
		Text{"Refuse", "Over the limit for today or this meal", "Ask for another way to pay"},
	},
	LimitOffline: {
		Text{"拒绝", "超过断网时的限额", "请换一种付款方式，或等网络恢复"},
		Text{"Refuse", "Over the limit without network", "Ask for another way to pay, or wait for the network"},
	},
	PinRequired: {
		Text{"请确认", "需要支付密码", "请在手机上输入支付密码，再扫一次"},
		Text{"Confirm", "Payment PIN needed", "Ask them to enter the PIN on the phone, then scan again"},
	},
	InsufficientBalance: {
		Text{"拒绝", "余额不足", "请先充值，或换一种付款方式"},
		Text{"Refuse", "Balance too low", "Ask them to top up, or to pay another way"},
	},
	TerminalClosed: {
		Text{"暂停", "本机还没有开班", "请先开班，再收款"},
		Text{"Paused", "This till is closed", "Open a shift, then take the payment"},
	},
	Internal: {
		Text{"暂停", "本机出了故障", "请走其他通道，并通知管理员"},
		Text{"Paused", "Fault in this PC", "Use another lane and tell the administrator"},
	},
	Attention: {
		Text{"注意", "已放行，码有问题", "请核对本人，并提醒去社区办换码"},
		Text{"Attention", "Let out, but the code is not in order", "Compare with a document; ask them to renew at the community office"},
	},
	NeedsInput: {
		Text{"请核对", "还差一步", "请查看证件，并点选出示的是哪一种"},
		Text{"Check", "One more step", "Look at the document and choose which one was shown"},
	},
	Annulled: {
		Text{"已撤销", "放行后没有人通过", "本次不计，可以再扫一次"},
		Text{"Taken back", "Nobody went through", "It does not count; the code may be scanned again"},
	},
	Conflict: {
		Text{"注意", "同一个码用了两次", "请核对两处记录，并报告保卫处"},
		Text{"Attention", "Same code used in two places", "Compare both records and tell the security office"},
	},
}
