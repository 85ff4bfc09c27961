package approval

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// refuse makes the error of a refusal.
func refuse(code, field, say, en string, details map[string]any) error {
	return refused{&Refusal{Code: code, Field: field, Say: say, En: en, Details: details}}
}

// usual are the texts of the codes that mostly say the same.
var usual = map[string][2]string{
	NotAStarter:     {"您不在本流程的申请人范围内", "you may not apply for this"},
	NotYours:        {"您无权进行此操作", "this is not yours to do"},
	OpinionRequired: {"请填写意见", "an opinion is required"},
	NoSuchPerson:    {"查无此人或已离职", "there is no such person"},
	AlreadyReviewed: {"已有人处理,不能撤回", "somebody has already decided; it can no longer be withdrawn"},
	AlreadyHolds:    {"对方已是本步骤的办理人", "that person already has a task of this step"},
	TaskClosed:      {"该任务已处理或已关闭", "the task is closed"},
	NoTask:          {"您没有此任务", "you have no such task"},
	NoHandler:       {"找不到办理人,请联系管理员", "nobody can be found to handle it; ask an administrator"},
	WrongState:      {"事项当前状态不允许此操作", "the matter is not in a state for this"},
	NotOffered:      {"此流程或步骤不提供该操作", "the flow does not offer this here"},
	RecordFirst:     {"请先至少上传一次记录", "record something first"},
}

// deny refuses with the usual text of a code.
func deny(code string) error {
	text := usual[code]
	return refuse(code, "", text[0], text[1], nil)
}

// plainText refuses a text that is too long or is none.
func plainText(field, text string) error {
	if utf8.RuneCountInString(text) > MaxText {
		return refuse(FieldInvalid, field, fmt.Sprintf("不能超过%d字", MaxText), fmt.Sprintf("at most %d characters", MaxText), map[string]any{"max": MaxText})
	}
	if !clean(text) {
		return refuse(FieldInvalid, field, "含有无效字符", "holds characters that are not text", nil)
	}
	return nil
}

// clean text is UTF-8 without what no text may hold.
func clean(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, forbidden)
}
