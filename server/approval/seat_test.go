package approval_test

import (
	"testing"

	"campusgate/server/approval"
)

func TestStep_WhatWasNotChosenNeverRuns(t *testing.T) {
	s := open(t, "lab.fork", "ann")
	s.submit(map[string]any{"why": "auto"})
	s.wants(approval.Running, "pick", "r1a", "r1b") // the system does not choose
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "b"})
	s.decide("r3a", "agree")
	s.wants(approval.Running, "d", "r1a", "r1b") // c was not chosen

	s = open(t, "lab.fork", "ann")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "a"})
	s.do("r2a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "c"})
	s.decide("r2a", "agree")
	s.wants(approval.Running, "d", "r1a", "r1b") // nor b
}

func TestStep_WithdrawAfterTheSystemOnlyButNotAfterARecord(t *testing.T) {
	s := open(t, "lab.record", "ann")
	s.submit(nil)
	s.wants(approval.Running, "two", "r2a")
	s.do("ann", approval.Act{Verb: approval.Withdraw})
	s.submit(nil)
	s.do("r2a", approval.Act{Verb: approval.Decide, Outcome: "note", Form: map[string]any{"log": "一"}})
	s.refused(approval.AlreadyReviewed, "ann", approval.Act{Verb: approval.Withdraw})
	s.decide("r2a", "return")
	s.submit(nil)
	s.do("ann", approval.Act{Verb: approval.Withdraw}) // begun anew
}

func TestStep_OfAnyAVacantSeatLeavesItToTheOthers(t *testing.T) {
	s := open(t, "lab.seats", "ann")
	s.submit(map[string]any{"lead": "r1b"})
	s.wants(approval.Running, "one", "r1a", "r1b")
	s.decide("r1b", "return")
	s.submit(nil)
	s.wants(approval.Running, "one", "r1b") // straight back to the one who returned it
	s.decide("r1b", "agree")
	// r1b is one holder of role:r1 and alone on form:lead: one task, whatever
	// stands first.
	s.wants(approval.Running, "two", "r1b")
	s.decide("r1b", "agree")
	s.wants(approval.Running, "three", "boss")
}

func TestStep_ALeaverIsNotAskedAgain(t *testing.T) {
	s := open(t, "lab.seats", "ann")
	s.submit(map[string]any{"lead": "r2a"})
	s.decide("r1b", "return")
	s.roster.People = append(s.roster.People[:4:4], s.roster.People[5:]...) // r1b leaves
	s.submit(nil)
	s.wants(approval.Running, "one", "r1a")
}

func TestStep_AnAdministratorDoesNotStandInForHimself(t *testing.T) {
	s := open(t, "lab.seats", "boss")
	s.submit(map[string]any{"lead": "r1a"})
	s.decide("r1a", "agree")
	s.refused(approval.NoHandler, "r1a", approval.Act{Verb: approval.Decide, Outcome: "agree"})
	s.decide("r1a", "reject") // the matter is not stuck
	s.wants(approval.Rejected, "")
}

func TestStep_WhoWasChosenIsForgottenWhenTheStepsBeginAnew(t *testing.T) {
	s := open(t, "lab.ways", "ann")
	s.roster.Posts = append(s.roster.Posts, approval.RosterPost{Role: "r3", Person: "bob"})
	s.submit(map[string]any{"big": "yes_"})
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left", Handler: "r3a"})
	s.wants(approval.Running, "left", "r3a")
	s.decide("r3a", "return")
	s.submit(nil)
	s.do("r1a", approval.Act{Verb: approval.Decide, Outcome: "agree", Next: "left"})
	s.wants(approval.Running, "left", "bob", "r3a")
}

func TestStep_TheStarterIsWhoTheyAreAtTheSubmit(t *testing.T) {
	s := open(t, "lab.self_allow", "ann")
	s.roster.People[0].Unit = "school" // moved since the draft
	s.submit(nil)
	s.wants(approval.Running, "one", "dean")
}

func TestStep_WhoDecidedAtAnEarlierVisitMayBeAskedAgain(t *testing.T) {
	s := open(t, "lab.turns", "ann")
	s.submit(nil)
	ok := approval.Act{Verb: approval.Decide, Outcome: "agree", Opinion: "好"}
	s.do("r1a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}})
	s.do("eve", ok)
	s.refused(approval.AlreadyHolds, "r2a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}})
	s.do("r2a", ok)
	s.do("r3a", ok)
	s.do("ann", approval.Act{Verb: approval.Decide, Outcome: "again", Form: map[string]any{"again_why": "x"}})
	s.do("r1a", approval.Act{Verb: approval.Transfer, To: []string{"eve"}})
}
