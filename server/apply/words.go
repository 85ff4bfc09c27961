package apply

import (
	"cmp"
	"strings"

	"campusgate/server/approval"
)

// The English of what is shipped. Flows carry Chinese only; a campus that writes
// flows of its own writes them in its own language.

// word2 is a word in both languages.
type word2 struct{ zh, en string }

// english is what the codes of the shipped rules mean.
var english = map[string]string{
	HouseholdUnknown: "no such household, or the head's name differs; have your phone checked at a desk",
	PaperPassHeld:    "a paper pass is held, so there can be no QR code",
	"DATE_PAST":      "the date is in the past",
	"DATE_TOO_FAR":   "the date is too far ahead",
	HouseholdQuota:   "a household may apply for one code per 2 days",
	DateOrder:        "the last day is before the first",
	"MULTI_TOO_LONG": "more days than a multiple-entry pass may have",
}

// fieldNames are the English names of fields, by flow and field; the flow "" is
// for all.
var fieldNames = map[string]map[string]string{
	"cqu.resident_pass": {
		"phone": "Phone", "type": "Type of pass", "head": "Head of household", "compound": "Compound", "building": "Building",
		"room": "Room", "date": "Date of entry", "to": "Last date", "reason": "Reason", "created": "Created", "gate": "Gate",
	},
	"cqu.work_pass": {
		"no": "Number", "person": "Applicant", "unit": "Unit", "start": "First day", "end": "Last day", "reason": "Reason",
	},
	"cqu.car_pass": {"plate": "Plate", "start": "First day", "end": "Last day", "reason": "Reason"},
}

// flowNames are the English names of flows.
var flowNames = map[string]string{
	"cqu.resident_pass": "Resident pass", "cqu.work_pass": "Work pass", "cqu.car_pass": "Official car pass",
}

// stepNames are the English names of steps, by flow and step.
var stepNames = map[string]map[string]string{
	"cqu.resident_pass": {"review": "Community office"},
	"cqu.work_pass":     {"unit": "Head of unit", "college": "College", "xgb": "Student office", "ygb": "Graduate office"},
	"cqu.car_pass":      {"unit": "Head of unit"},
}

// StepEN is the English name of a step of a shipped flow, "" where there is none.
func StepEN(flow, step string) string { return stepNames[flow][step] }

// optionNames are what the values of a choice read as, by field and value.
var optionNames = map[string]map[string]word2{
	"cqu.resident_pass.type": {"single": {"单次通行证明", "Single entry"}, "multi": {"多次通行", "Multiple entries"}},
	"zz.purchase.module":     {"purchase": {"政务采购", "Purchase"}, "resource": {"公共资源", "Public resources"}},
}

// options finds the names of a field's values: those of the flow, or of the
// family that it belongs to.
func options(flow, field string) map[string]word2 {
	if names := optionNames[flow+"."+field]; names != nil {
		return names
	}
	family := flow
	if i := strings.LastIndexByte(flow, '.'); i > 0 {
		family = flow[:i]
	}
	return optionNames[family+"."+field]
}

// stateNames are used where neither the flow's own words nor its file's say
// anything.
var stateNames = map[approval.State]word2{
	approval.Draft:      {"草稿", "Draft"},
	approval.Running:    {"审核中", "Under review"},
	approval.Completed:  {"已完成", "Completed"},
	approval.Rejected:   {"已驳回", "Rejected"},
	approval.Returned:   {"已退回", "Returned"},
	approval.Withdrawn:  {"已撤回", "Withdrawn"},
	approval.Terminated: {"已终止", "Terminated"},
	approval.Voided:     {"已作废", "Voided"},
	Discarded:           {"已删除", "Discarded"},
}

// ownStates are the words of single flows: the lists of residents say 已审核.
var ownStates = map[string]map[approval.State]word2{
	"cqu.resident_pass": {approval.Completed: {"已审核", "Approved"}},
}

// verbNames are what the timeline calls what was done, where the flow has no
// name for it.
var verbNames = map[string]word2{
	"submit": {"提交", "Submitted"}, "withdraw": {"撤回", "Withdrawn"}, "terminate": {"终止", "Terminated"}, "void": {"作废", "Voided"},
	"agree": {"同意", "Agreed"}, "reject": {"不同意", "Rejected"}, "return": {"退回", "Returned"}, "complete": {"办结", "Done"},
	"claim": {"签收", "Claimed"}, "transfer": {"转办", "Transferred"}, "reassign": {"指派", "Reassigned"}, "add_sign": {"加签", "Added a signer"},
	"cc": {"抄送", "Copied"}, "urge": {"催办", "Urged"}, "comment": {"留言", "Commented"}, "rate": {"评价", "Rated"},
	"archive": {"备案", "Filed"}, "save": {"保存", "Saved"}, "skip": {"跳过", "Skipped"}, "remind": {"提醒", "Reminded"},
	"hand_over": {"交接", "Handed over"},
}

// groups are what lists put flows under that name no department, by the family
// of their id.
var groups = map[string]string{
	"cqu": "校园通行", "zz": "政务办公", "zja": "校务服务", "cqmm": "协同办公", "zzu": "网上办事大厅",
}

func family(flow string) string {
	name, _, _ := strings.Cut(flow, ".")
	return name
}

// groupOf is the service group of a flow.
func groupOf(flow *approval.Flow) string { return cmp.Or(flow.Office, groups[family(flow.ID)]) }

// stateName is the word for a state in both languages; status are the words of
// the flow's file.
func stateName(flow string, state approval.State, status map[approval.State]map[string]string) word2 {
	name := stateNames[state]
	if own, ok := ownStates[flow][state]; ok {
		return own
	}
	name.zh = cmp.Or(status[state][family(flow)], status[state]["zh"], name.zh)
	return name
}

// summaries names the fields that lists show, for the flows where they are not
// the first ones.
var summaries = map[string][]string{"cqu.resident_pass": {"type", "compound", "date", "to"}}

// flowNotes are what the shipped forms say above their fields.
var flowNotes = map[string]string{
	"cqu.resident_pass": "按户每2天申请1个通行二维码;每个二维码仅限1人使用1次,只在通行当天有效。多次通行须说明原因,由社区办审核。" +
		" One code per household per 2 days; one person, once, on its day. Multiple entries need a reason and are reviewed.",
	"cqu.work_pass": "仅限申请人本人使用,入校时须出示工作证或学生证。 For the applicant only; show your permit at the gate.",
}

// seatName is the name of a post, or of whoever else is asked.
func seatName(flow *approval.Flow, seat string) string {
	kind, ref, _ := strings.Cut(seat, ":")
	role, _, _ := strings.Cut(ref, "@")
	switch kind {
	case "role":
		return cmp.Or(flow.Roles[role], role)
	case "head":
		return "部门负责人"
	case "starter":
		return "申请人"
	case "form":
		for _, f := range flow.Form {
			if f.ID == ref {
				return f.Name
			}
		}
	case "unit":
		return "单位成员"
	case "pick":
		return "指定办理人"
	}
	return seat
}
