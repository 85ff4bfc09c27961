package mutants

import "slices"

// mutation is a fault that is put into the product.
type mutation struct {
	name  string
	wrong string // what the product does when it is on
	play  string // the simulation that must find it
	seed  uint64 // a seed with which it does: the search begins there
	says  string // what it must say; "" = anything
	edits []edit
}

// edit replaces a text that a file has once. ON stands for "the mutation is on".
type edit struct{ file, find, with string }

// mutations are all of them.
var mutations = slices.Concat(atTills, atGates, atFirst)

// atTills are those that a lunch finds.
var atTills = []mutation{
	{
		name: "no-fsync", wrong: "an agent's commits are not flushed: a power cut takes the last ones", play: "lunch", seed: 2,
		edits: []edit{
			{
				"agent/disk/tx.go", "\tdone = true\n",
				"\tdone = true\n\tif ON {\n\t\tmutant.WriteBack(db.path)\n\t}\n",
			},
			{
				"agent/disk/disk.go", "\treturn errors.Join(append(errs, db.write.conn.Close(), db.pool.Close())...)\n",
				"\terrs = append(errs, db.write.conn.Close(), db.pool.Close())\n\tif ON {\n\t\tmutant.PowerCut(db.path)\n\t}\n" +
					"\treturn errors.Join(errs...)\n",
			},
		},
	},
	{
		name: "shown-before-commit", wrong: "what was to follow a commit is done although it failed", play: "lunch", seed: 2,
		edits: []edit{{
			"agent/desk/settle.go", "\tif err != nil {\n\t\tcore.Rollback()\n",
			"\tif err != nil && !ON {\n\t\tcore.Rollback()\n",
		}},
	},
	{
		name: "ack-before-commit", wrong: "the server acknowledges events whose commit failed", play: "lunch", seed: 2,
		edits: []edit{{
			"server/store/ingest.go", "\tif err != nil {\n\t\treturn 0, fmt.Errorf(\"ingest: %w\", err)\n",
			"\tif err != nil && ON {\n\t\treturn records[len(records)-1].Seq, nil\n\t}\n\tif err != nil {\n\t\treturn 0, fmt.Errorf(\"ingest: %w\", err)\n",
		}},
	},
	{
		name: "upload-skips", wrong: "events whose upload failed are not sent again", play: "lunch", seed: 6,
		edits: []edit{{
			"cmd/internal/sim/till.go", "\t\treturn nil // it comes again\n",
			"\t\tif ON {\n\t\t\treturn k.journal.Ack(records[len(records)-1].Seq)\n\t\t}\n\t\treturn nil // it comes again\n",
		}},
	},
	{
		name: "dedup-by-text", wrong: "a charge is told from another by its code, not by the id of its event", play: "lunch", seed: 2,
		edits: []edit{{
			"server/charges/post.go", "\tif err := b.pay(t, r, till, \"charge/\"+r.id()); err != nil {\n",
			"\tid := \"charge/\" + r.id()\n\tif ON {\n\t\tid = mutant.Text(\"charge/\", rec.proof.Phone, rec.proof.Counter)\n\t}\n" +
				"\tif err := b.pay(t, r, till, id); err != nil {\n",
		}},
	},
	{
		name: "chain-unchecked", wrong: "the server takes a record whose hash does not follow", play: "lunch", seed: 7,
		edits: []edit{
			{
				"server/store/ingest.go", "wire.Chain(records[i-1].Hash, records[i].Body) != records[i].Hash {",
				"wire.Chain(records[i-1].Hash, records[i].Body) != records[i].Hash && !ON {",
			},
			{
				"server/store/ingest.go", "wire.Chain(head, first.Body) != first.Hash {",
				"wire.Chain(head, first.Body) != first.Hash && !ON {",
			},
		},
	},
	{
		name: "counter-not-kept", wrong: "a till does not keep the counter of a phone's proof", play: "lunch", seed: 2,
		edits: []edit{{
			"agent/journal/till.go", "\treturn t.Counter(e.Pass, k.Proof.Phone, k.Proof.Counter, e.At)\n",
			"\tif ON {\n\t\treturn nil\n\t}\n\treturn t.Counter(e.Pass, k.Proof.Phone, k.Proof.Counter, e.At)\n",
		}},
	},
	{
		name: "nonce-forgotten", wrong: "a till that starts knows nothing of the payment codes it took before", play: "lunch", seed: 2,
		edits: []edit{{
			"agent/journal/journal.go", "\t\treturn j.head.load(tx)\n",
			"\t\tif ON {\n\t\t\tif err := tx.Exec(\"DELETE FROM counters\"); err != nil {\n\t\t\t\treturn err\n\t\t\t}\n\t\t}\n\t\treturn j.head.load(tx)\n",
		}},
	},
	{
		name: "offline-cap-not-counted", wrong: "what an account paid without the server is not counted against the limit", play: "lunch", seed: 7,
		edits: []edit{{
			"agent/till/book.go", "\tc.OfflineFen, c.OfflineTx = s.Spent.OfflineFen, s.Spent.OfflineTx\n",
			"\tif !ON {\n\t\tc.OfflineFen, c.OfflineTx = s.Spent.OfflineFen, s.Spent.OfflineTx\n\t}\n",
		}},
	},
	{
		name: "second-use-paid", wrong: "a code that was used at two tills is taken from the card twice", play: "lunch", seed: 2,
		edits: []edit{{
			"server/charges/post.go", "\t\t} else {\n\t\t\tr.duplicate = true\n", "\t\t} else {\n\t\t\tr.duplicate = !ON\n",
		}},
	},
	{
		name: "void-twice", wrong: "a charge is voided as often as somebody asks", play: "lunch", seed: 2,
		edits: []edit{{
			"agent/till/batch.go", "\tif was.Annulled || !b.Open ||", "\tif was.Annulled && !ON || !b.Open ||",
		}},
	},
	{
		name: "running-number-not-kept", wrong: "a till's charges have no running numbers", play: "lunch", seed: 2,
		edits: []edit{{
			"agent/till/decide.go", "\tb.Flow++\n", "\tif !ON {\n\t\tb.Flow++\n\t}\n",
		}},
	},
	{
		name: "lost-card-pays", wrong: "the server lets a card pay that was reported lost", play: "lunch", seed: 6,
		edits: []edit{{
			"server/charges/authorise.go", "\tcase card.State == wire.CardLost:\n", "\tcase card.State == wire.CardLost && !ON:\n",
		}},
	},
	{
		name: "overdraft", wrong: "the server promises a till money that is not on the card", play: "lunch", seed: 2,
		edits: []edit{{
			"server/ledger/hold.go", "\tfree = b.Free()\n", "\tif free = b.Free(); ON {\n\t\tfree += 100_000\n\t}\n",
		}},
	},
	{
		name: "subsidy-twice", wrong: "a subsidy is granted again whenever the batch is looked at", play: "lunch", seed: 2,
		edits: []edit{
			{
				"server/cards/grant.go", "\t\t\tID: \"subsidy/\" + batch + \"/\" + accountText(account), Kind:",
				"\t\t\tID: \"subsidy/\" + batch + \"/\" + accountText(account) + mutant.Pick(ON, mutant.Text(t.Now()), \"\"), Kind:",
			},
			{
				"server/cards/grant.go", "\treturn t.Exec(\"UPDATE subsidy_grants SET granted_at =",
				"\tif ON {\n\t\treturn nil\n\t}\n\treturn t.Exec(\"UPDATE subsidy_grants SET granted_at =",
			},
			{
				"server/cards/grant.go", "\t\t\treturn t.Exec(\"UPDATE subsidy_batches SET done_at =",
				"\t\t\tif ON {\n\t\t\t\treturn nil\n\t\t\t}\n\t\t\treturn t.Exec(\"UPDATE subsidy_batches SET done_at =",
			},
		},
	},
}
