package mutants

// atGates are the mutations that runs of admissions find.
var atGates = []mutation{
	{
		name: "opened-before-commit", wrong: "a barrier is opened although the commit failed", play: "owner", seed: 6,
		edits: []edit{{
			"agent/desk/settle.go", "\t\tfor i, in := range batch {\n\t\t\teffects[i] = core.Failed(in, err)\n\t\t}\n",
			"\t\tfor i, in := range batch {\n\t\t\tif ON {\n\t\t\t\tcontinue\n\t\t\t}\n\t\t\teffects[i] = core.Failed(in, err)\n\t\t}\n",
		}},
	},
	{
		name: "claim-new-id", wrong: "a question without an answer is asked again under another id, and the first forgotten", play: "online", seed: 5,
		edits: []edit{{
			"agent/lane/claim.go", "\t\tclaim.ID = last.ID\n",
			"\t\tclaim.ID = last.ID\n\t\tif ON {\n\t\t\tif err := book.Ask(&claim); err != nil {\n\t\t\t\treturn nil, err\n\t\t\t}\n\t\t}\n",
		}},
	},
	{
		name: "answer-not-kept", wrong: "an owner does not keep what it answered to a claim", play: "owner", seed: 6,
		edits: []edit{{
			"agent/lane/claim.go", "\treturn answer(verdict.ClaimGranted, nil), book.Answer(a)\n",
			"\tif ON {\n\t\treturn answer(verdict.ClaimGranted, nil), nil\n\t}\n\treturn answer(verdict.ClaimGranted, nil), book.Answer(a)\n",
		}},
	},
	{
		name: "grant-not-counted", wrong: "an owner does not count what it granted to another gate", play: "owner", seed: 6,
		edits: []edit{{
			"agent/lane/claim.go", "\tif err := book.Use(c.grantOf(&a, q.Gate, now.At)); err != nil {\n",
			"\tif ON {\n\t\treturn answer(verdict.ClaimGranted, nil), book.Answer(a)\n\t}\n\tif err := book.Use(c.grantOf(&a, q.Gate, now.At)); err != nil {\n",
		}},
	},
	{
		name: "epoch-ignored", wrong: "a gate that lost its disk decides passes that it may have admitted before", play: "amnesia",
		edits: []edit{
			{
				"agent/lane/claim.go", "s.Record.Moved.Owns(issued, s.Policy.OwnsFrom) && ", "(ON || s.Record.Moved.Owns(issued, s.Policy.OwnsFrom)) && ",
			},
			{
				"agent/lane/facts.go", "\tk.Lane.Zone, k.Lane.OwnsFrom = p.Zone, p.OwnsFrom\n",
				"\tif k.Lane.Zone, k.Lane.OwnsFrom = p.Zone, p.OwnsFrom; ON {\n\t\tk.Lane.OwnsFrom = 0\n\t}\n",
			},
		},
	},
	{
		name: "release-leaves-claim", wrong: "a claim that was given back is granted when the question comes late", play: "online", seed: 5,
		edits: []edit{{
			"server/store/effects.go", "\terr = t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, expires)\n",
			"\tif ON {\n\t\treturn nil\n\t}\n\terr = t.Exec(`INSERT INTO claims (id, pass, gate, at, decided_at, state, expires)\n",
		}},
	},
	{
		name: "release-forgotten", wrong: "an owner does not take back what it granted when the claim is given back", play: "owner", seed: 6,
		edits: []edit{{
			"agent/lane/claim.go", "\t\tcase a.State == AnswerGranted:\n", "\t\tcase a.State == AnswerGranted && !ON:\n",
		}},
	},
	{
		name: "annul-twice", wrong: "the same admission is taken back as often as somebody asks, each time with its use", play: "owner", seed: 6,
		edits: []edit{{
			"agent/lane/annul.go", "\tcase adm.Annulled || now.At", "\tcase adm.Annulled && !ON || now.At",
		}},
	},
	{
		name: "repeat-of-any-gate", wrong: "what was admitted elsewhere just now is shown as a repeat", play: "owner", seed: 6,
		edits: []edit{{
			"agent/journal/use.go", "\tif u.Own {\n", "\tif u.Own || ON {\n",
		}},
	},
	{
		name: "repeat-opens", wrong: "a repeat opens the barrier again", play: "owner", seed: 6,
		edits: []edit{{
			"signing/verdict/judge.go", "\t\treturn Verdict{Reason: c.Record.Recent.Reason, Repeat: true}\n",
			"\t\treturn Verdict{Reason: c.Record.Recent.Reason, Repeat: !ON}\n",
		}},
	},
	{
		name: "high-water-ignored", wrong: "a clock that was set back is believed", play: "clocks", seed: 4,
		edits: []edit{{
			"agent/desk/base.go", "\tif m.At > b.clock.HighWater {\n", "\tif ON {\n\t\tm.Clock.HighWater = 0\n\t}\n\tif m.At > b.clock.HighWater {\n",
		}},
	},
	{
		name: "server-decides-elsewhere", wrong: "the server decides passes that a gate owns", play: "mixed",
		edits: []edit{{
			"server/store/decide.go", "\treturn verdict.Mode(mode) != verdict.Online || draining, err\n",
			"\treturn (verdict.Mode(mode) != verdict.Online || draining) && !ON, err\n",
		}},
	},
	{
		name: "own-journal-ignored", wrong: "a gate counts only the uses that the server told it of", play: "owner", seed: 6,
		edits: []edit{{
			"agent/journal/tx.go", "\ts.Record.Uses = own + max(claimed, others)\n",
			"\tif s.Record.Uses = own + max(claimed, others); ON {\n\t\ts.Record.Uses = others\n\t}\n",
		}},
	},
	{
		name: "server-grants-twice", wrong: "the server does not look for earlier uses of a pass", play: "online", seed: 5,
		edits: []edit{{
			"server/store/decide.go", "\tif p.uses > 0 && count >= p.uses {\n", "\tif p.uses > 0 && count >= p.uses && !ON {\n",
		}},
	},
	{
		name: "question-of-the-future", wrong: "a question asked while the clock was ahead stays open until then", play: "clocks", seed: 4,
		edits: []edit{{
			"agent/desk/base.go", "\toverdue, err := book.Overdue(now.At-ClaimMS, now.At+ClaimMS)\n",
			"\tfuture := now.At + ClaimMS\n\tif ON {\n\t\tfuture = 1 << 62\n\t}\n\toverdue, err := book.Overdue(now.At-ClaimMS, future)\n",
		}},
	},
	{
		name: "conflict-not-recorded", wrong: "what was admitted twice, by whatever fault, is not recorded as a conflict", play: "online", seed: 5,
		says: "and is no conflict",
		edits: []edit{
			{
				"server/store/uses.go", "\treturn t.findConflicts(first)\n", "\tif ON {\n\t\treturn nil\n\t}\n\treturn t.findConflicts(first)\n",
			},
			{
				"server/store/decide.go", "\ta = wire.Answer{ID: c.ID, State: verdict.ClaimGranted}\n",
				"\tif ON {\n\t\tcount = 0\n\t}\n\ta = wire.Answer{ID: c.ID, State: verdict.ClaimGranted}\n",
			},
		},
	},
	{
		name: "failed-commit-numbered", wrong: "events of a commit that failed are taken to be there when the next is numbered", play: "owner", seed: 6,
		edits: []edit{{
			"agent/journal/journal.go", "\t\tj.head.known = false\n", "\t\tif j.head.known = false; ON {\n\t\t\tj.head = t.head\n\t\t}\n",
		}},
	},
}
