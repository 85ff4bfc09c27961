package mutants

// atFirst are the mutations of first_seen. Those of leases are moments that whole
// gates hardly ever come to, so they have a simulation of their own.
var atFirst = []mutation{
	{
		name: "dark-not-named", wrong: "the server names no gate that may have admitted on its own", play: "first", seed: 8,
		edits: []edit{{
			"server/lease/lease.go", "\t\tif then[gate] == 0 || then[gate] != now[gate] {\n",
			"\t\tif ON {\n\t\t\tcontinue\n\t\t}\n\t\tif then[gate] == 0 || then[gate] != now[gate] {\n",
		}},
	},
	{
		name: "lease-from-pong", wrong: "a lease is counted from when the pong came, not from when the ping was sent", play: "leases",
		edits: []edit{{
			"server/lease/lease.go", "\tif until := sent.Add(life); until.After(at.until) {\n",
			"\tif ON {\n\t\tsent = now\n\t}\n\tif until := sent.Add(life); until.After(at.until) {\n",
		}},
	},
	{
		name: "lease-for-no-answer", wrong: "a gate is called current whose lease ends before the answer is used", play: "leases",
		edits: []edit{{
			"server/lease/lease.go", "\t\tif at.proven && before(now.Add(word), at.until) {\n",
			"\t\tif at.proven && (before(now.Add(word), at.until) || ON && before(now, at.until)) {\n",
		}},
	},
	{
		name: "lease-without-backlog", wrong: "a gate is called current that has not told all that it did", play: "leases",
		edits: []edit{{
			"server/lease/lease.go", "(was || m.Last <= acked)", "(was || ON || m.Last <= acked)",
		}},
	},
	{
		name: "lease-gap-forgotten", wrong: "a lease that ended and was proven again while the server decided passes for the same one", play: "leases",
		edits: []edit{{
			"server/lease/lease.go", "\t\tat.term = t.term\n", "\t\tif at.term = t.term; ON {\n\t\t\tat.term = 1\n\t\t}\n",
		}},
	},
	{
		name: "reservation-ignored", wrong: "a gate admits what it called free to another one just now", play: "first", seed: 8,
		edits: []edit{{
			"agent/lane/reserve.go", "\t\tif r.until > now.Mono {\n", "\t\tif !ON && r.until > now.Mono {\n",
		}},
	},
	{
		name: "lease-not-waited", wrong: "a gate acts on its own although it has just promised not to", play: "first", seed: 5,
		edits: []edit{{
			"agent/lane/quest.go", "\treturn max(c.started+wire.ReserveMS, c.lease+wire.LeaseGateMS) - now.Mono\n",
			"\tif ON {\n\t\treturn 0\n\t}\n\treturn max(c.started+wire.ReserveMS, c.lease+wire.LeaseGateMS) - now.Mono\n",
		}},
	},
	{
		name: "grant-not-given-back", wrong: "a gate that was granted a pass, and is told on asking again that it is used, keeps the grant", play: "first", seed: 5,
		edits: []edit{{
			"agent/lane/quest.go", "\tcase !q.again && (q.server == verdict.ClaimUsed || q.server == verdict.ClaimRefused):\n",
			"\tcase (ON || !q.again) && (q.server == verdict.ClaimUsed || q.server == verdict.ClaimRefused):\n",
		}},
	},
}
