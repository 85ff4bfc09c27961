package approval

import "regexp"

// Schema is the version that the first key of a file of flows names.
const Schema = "flow/v1"

// Words of the schema. What is not among them does not load.
var (
	allFieldTypes = []FieldType{
		Text, Textarea, Richtext, Number, Money, Date, Datetime,
		Select, Unit, User, Phone, FileRef, Image, Note,
	}
	allNodeKinds = []NodeKind{Approve, Handle, Claim, Archive}
	allModes     = []Mode{Any, All, Seq}
	allOpinions  = []string{"none", "optional", "required"}
	allSelves    = []string{"allow", "up", "skip"}
	allEmpties   = []string{"admin", "skip", "refuse"}
	allResubmits = []string{"restart", "to_returner"}
	allHandlers  = []string{"required", "optional"}
	addSignAt    = []string{"before", "after", "parallel"}
	allRates     = []string{"service", "process", "score"}
	allPassTypes = []string{"resident", "work", "vehicle", "visitor"}
	allStates    = []State{Draft, Running, Completed, Rejected, Returned, Withdrawn, Terminated, Voided}

	// allMoments are when effects happen and copies are sent: at a submit, and when
	// an instance comes into a state.
	allMoments = []string{
		"submitted", string(Completed), string(Rejected), string(Returned),
		string(Withdrawn), string(Terminated), string(Voided),
	}
	allStepActions = []Verb{Agree, Reject, Return, Transfer, AddSign, SendCopy, Save}
	allFlowActions = []Verb{Save, Withdraw, Terminate, Urge, Void, SendCopy, Print, Trace}
)

// The outcomes that every flow knows. The first three stand among the actions of
// a step.
const (
	Agree    = "agree"
	Reject   = "reject"
	Return   = "return"
	Complete = "complete"
)

// Where an outcome leads beside the steps. No step may bear such a name.
const (
	ToNext     = "next"     // the step that follows
	ToEnd      = "end"      // completed, past all steps that follow
	ToRejected = "rejected" // over
	ToStart    = "start"    // back to the starter
	ToStay     = "stay"     // recorded; the task goes on
)

var allTargets = []string{ToNext, ToEnd, ToRejected, ToStart, ToStay}

// standardOutcomes says what the outcomes that every flow knows are called and where
// they lead when a file does not say.
var standardOutcomes = map[string]Outcome{
	Agree:    {ID: Agree, Name: "同意", To: ToNext},
	Reject:   {ID: Reject, Name: "不同意", To: ToRejected},
	Return:   {ID: Return, Name: "退回", To: ToStart},
	Complete: {ID: Complete, Name: "办结", To: ToNext},
}

// Kinds of people. Starters may be of any; expressions know only the groups,
// since contract employees and workers are staff to them.
var (
	allKinds  = []string{"staff", "contract", "worker", "retired", "student", "resident", "outside"}
	allGroups = []string{"staff", "retired", "student", "resident", "outside"}
	allLevels = []string{"undergraduate", "graduate", "foreign"}
)

func groupOf(kind string) string {
	if kind == "contract" || kind == "worker" {
		return "staff"
	}
	return kind
}

// How things are named. An id goes into addresses, columns and expressions.
var (
	flowID   = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	wordID   = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	ruleID   = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
	personID = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

const (
	maxID   = 64  // bytes of an id
	maxName = 200 // characters of a name or another text that people read
)

// reservedCodes are the codes that every flow shares; no rule may bear one.
var reservedCodes = []string{
	NotAStarter, NotYours, FieldRequired, FieldInvalid, OpinionRequired, NextStep, NoSuchPerson, AlreadyReviewed,
	AlreadyHolds, TooSoon, TaskClosed, NoTask, NoHandler, WrongState, NotOffered, RecordFirst,
}

// messageTexts are what people are told where a file says nothing else. Its keys
// are all the events there are.
var messageTexts = map[string]string{
	"assigned":   "您好,您收到了{starter}发起的事项【{title}】,请及时办理。",
	"handled":    "{unit}{actor}已经处理了您的事项【{title}】!{opinion}",
	"terminated": "您好,{actor}中止了事项【{title}】,请知悉。",
	"urged":      "您好,{starter}发送给您的【{title}】还未处理,请及时处理。",
	"returned":   "您好,{actor}退回了您的事项【{title}】,请修改后重新提交。{opinion}",
	"rejected":   "您好,您的事项【{title}】未通过。{opinion}",
	"completed":  "您好,您的事项【{title}】已办结。",
	"cc":         "您好,{actor}将事项【{title}】抄送给您。",
	"withdrawn":  "您好,{starter}撤回了事项【{title}】,无需再办理。",
	"voided":     "您好,{actor}作废了事项【{title}】。{opinion}",
	"reminded":   "您好,事项【{title}】的提醒时间已到,请及时办理。",
	"comment":    "您好,{actor}就事项【{title}】给您留言:{opinion}",
}

var messageNames = []string{"starter", "title", "unit", "actor", "opinion"}

// stateWords are what states are called where a file says nothing else.
var stateWords = map[State]string{
	Draft: "草稿", Running: "审核中", Completed: "已完成", Rejected: "已驳回",
	Returned: "已退回", Withdrawn: "已撤回", Terminated: "已终止", Voided: "已作废",
}
