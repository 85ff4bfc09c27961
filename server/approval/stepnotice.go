package approval

import (
	"slices"
	"strings"
)

// The events of notices beside the states of matters. A file may word each of
// them, and each state, under this key.
const (
	eventAssigned  = "assigned"
	eventHandled   = "handled"
	eventUrged     = "urged"
	eventCC        = "cc"
	eventComment   = "comment"
	eventRemind    = "remind"
	eventSubmitted = "submitted" // of copies only
)

// wording is what a notice says where the file words nothing.
var wording = map[string]string{
	eventAssigned:      "您好,您收到了{starter}发起的事项【{title}】,请及时办理。",
	eventHandled:       "{unit}{actor}已经处理了您的事项【{title}】!{opinion}",
	eventUrged:         "您好,{starter}发送给您的【{title}】还未处理,请及时处理。",
	eventCC:            "您好,{actor}将事项【{title}】抄送给您。",
	eventComment:       "您好,{actor}就事项【{title}】给您留言:{opinion}",
	eventRemind:        "您好,事项【{title}】已到提醒时间,请及时办理。",
	string(Returned):   "您好,{actor}退回了您的事项【{title}】,请修改后重新提交。{opinion}",
	string(Rejected):   "您好,您的事项【{title}】未通过。{opinion}",
	string(Completed):  "您好,您的事项【{title}】已办结。",
	string(Withdrawn):  "您好,{actor}撤回了事项【{title}】,无需再办理。",
	string(Terminated): "您好,{actor}中止了事项【{title}】,请知悉。{opinion}",
	string(Voided):     "您好,{actor}作废了事项【{title}】,请知悉。{opinion}",
}

// tell sends a notice, once to each person and never to whoever does it.
func (r *run) tell(event string, to []string, task, opinion string) {
	to = slices.DeleteFunc(slices.Clone(to), func(id string) bool {
		return id == "" || id == system.ID || id == r.by.ID
	})
	slices.Sort(to)
	to = slices.Compact(to)
	if len(to) == 0 {
		return
	}
	text := r.f.Messages[event]
	if text == "" {
		text = wording[event]
	}
	// One pass: what people write may look like a placeholder.
	text = strings.NewReplacer(
		"{starter}", r.in.Starter.Name, "{title}", r.in.Title, "{unit}", r.by.UnitName,
		"{actor}", r.by.Name, "{opinion}", opinion,
	).Replace(text)
	r.notices = append(r.notices, Notice{
		Event: event, To: to, Text: text, Actor: r.actorName(), Opinion: opinion, Task: task,
	})
}

func (r *run) actorName() string {
	if r.by.ID == system.ID {
		return ""
	}
	return r.by.Name
}
