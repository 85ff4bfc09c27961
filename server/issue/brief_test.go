package issue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"campusgate/server/issue"
	"campusgate/server/store"
	"campusgate/signing"
	"campusgate/signing/code"
	"campusgate/signing/verdict"
)

func workPass() issue.Request {
	return issue.Request{Kind: "work", Name: "林晓", From: "2026-11-21", Until: "2026-11-22", Bound: true}
}

func TestBrief_IsTheServersTwoMinuteCodeOfThePass(t *testing.T) {
	w := newWorld(t)
	p := w.issue(t, workPass())
	text, expires, err := w.Brief(t.Context(), p.ID)
	ok(t, err)
	read, err := code.Read(w.ring(t), text)
	ok(t, err)
	now := w.Now().Unix()
	got := read.Pass
	if !read.Server || got.ID != p.ID || got.Kind != signing.Work || got.Name != "林晓" || got.Phone != nil || got.IssuedAt != now {
		t.Fatalf("%+v of %+v", read, got)
	}
	if got.NotBefore > now || got.NotBefore < now-60 || got.Expires != expires || got.Expires-got.NotBefore != code.ServerLife {
		t.Fatalf("from %d to %d at %d", got.NotBefore, got.Expires, now)
	}
	// What a gate does with it: now it opens, in two minutes it does not.
	judge := func(at int64) verdict.Reason {
		return verdict.Judge(&verdict.Case{
			At:    at * 1000,
			Clock: verdict.Clock{HighWater: at * 1000, Synced: at * 1000},
			Lane:  verdict.Lane{Gate: 1, Zone: 1, Site: "云岭大学", Kinds: signing.GateKinds, Direction: verdict.Entry},
			Code: verdict.Code{
				Kind: got.Kind, Site: read.Key.Site, Key: got.Key, Uses: got.Uses, Zones: got.Zones,
				NotBefore: got.NotBefore, Expires: got.Expires, IssuedAt: got.IssuedAt,
			},
		}).Reason
	}
	if r := judge(now); r != verdict.Granted {
		t.Errorf("now: %s", r)
	}
	if r := judge(now - 5); r != verdict.Granted {
		t.Errorf("at a gate five seconds behind: %s", r)
	}
	if r := judge(now + code.ServerLife); r != verdict.Expired {
		t.Errorf("two minutes later: %s", r)
	}
}

func TestBrief_StaysWithinThePass(t *testing.T) {
	w := newWorld(t)
	p := w.issue(t, workPass())
	end := time.Unix(p.Until, 0)
	w.now.Store(end.Add(-30 * time.Second).UnixMilli())
	_, expires, err := w.Brief(t.Context(), p.ID)
	ok(t, err)
	if expires != p.Until {
		t.Fatalf("ends at %d, the pass at %d", expires, p.Until)
	}
	w.now.Store(end.UnixMilli())
	_, _, err = w.Brief(t.Context(), p.ID)
	wants(t, err, issue.ErrOver)
	w.now.Store(time.Unix(p.From, 0).Add(-time.Second).UnixMilli())
	_, _, err = w.Brief(t.Context(), p.ID)
	wants(t, err, issue.ErrEarly)
}

func TestBrief_OnlyOfBoundPassesThatHold(t *testing.T) {
	w := newWorld(t)
	static := w.issue(t, resident())
	_, _, err := w.Brief(t.Context(), static.ID)
	wants(t, err, issue.ErrNotBound)
	p := w.issue(t, workPass())
	ok(t, w.Store.RevokePass(t.Context(), "test", p.ID, ""))
	_, _, err = w.Brief(t.Context(), p.ID)
	wants(t, err, issue.ErrOver)
	_, _, err = w.Brief(t.Context(), signing.PassID{1})
	wants(t, err, store.ErrNotFound)
}

func TestIssueIn_IsPartOfItsChange(t *testing.T) {
	w := newWorld(t)
	var p store.Pass
	ok(t, w.Store.Change(t.Context(), func(tx *store.Tx) (err error) {
		p, err = w.IssueIn(tx, "test", resident())
		return err
	}))
	read, err := code.Read(w.ring(t), p.Code)
	ok(t, err)
	if read.Pass.ID != p.ID || read.Pass.Name != "林晓" {
		t.Fatalf("%+v", read.Pass)
	}
	stored, err := w.Store.Pass(t.Context(), p.ID)
	ok(t, err)
	if stored.Code != p.Code || stored.IssuedBy != "test" {
		t.Fatalf("%+v", stored)
	}
	failed := errors.New("something else failed")
	err = w.Store.Change(t.Context(), func(tx *store.Tx) (err error) {
		if p, err = w.IssueIn(tx, "test", resident()); err != nil {
			return err
		}
		return failed
	})
	wants(t, err, failed)
	_, err = w.Store.Pass(t.Context(), p.ID)
	wants(t, err, store.ErrNotFound)
}

func TestIssueIn_WhatIsWrongIsFoundBefore(t *testing.T) {
	w := newWorld(t)
	bad := resident()
	bad.Until = "2026-11-01"
	ok(t, w.Store.Change(t.Context(), func(tx *store.Tx) error {
		wants(t, w.CheckIn(tx, bad), issue.ErrInvalid)
		return w.CheckIn(tx, resident())
	}))
	err := w.Store.Change(context.Background(), func(tx *store.Tx) error {
		_, err := w.IssueIn(tx, "test", bad)
		return err
	})
	wants(t, err, issue.ErrInvalid)
}
