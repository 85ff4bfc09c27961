// Package verdict decides. A lane, a till and the server hand [Judge] the same
// [Case], plain facts about one presented code, and get the same [Verdict].
//
// Judge is pure and total: it reads no clock and no store, and every Case has
// an answer. A refusal is a result with a [Reason], never an error. Reasons
// have permanent numbers and names; their order of precedence is the order of
// the table in judge.go.
package verdict
