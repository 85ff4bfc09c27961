package mutants

// atFirst are the mutations that runs of gates with first_seen find.
var atFirst = []mutation{
	{
		name: "lease-from-pong", wrong: "a lease is counted from when the pong came, not from when the ping was sent", play: "first",
		edits: []edit{{
			"server/lease/lease.go", "\tif until := sent.Add(life); until.After(at.until) {\n",
			"\tif ON {\n\t\tsent = now\n\t}\n\tif until := sent.Add(life); until.After(at.until) {\n",
		}},
	},
	{
		name: "dark-not-named", wrong: "the server names no gate that may have admitted on its own", play: "first",
		edits: []edit{{
			"server/lease/lease.go", "\t\tif then[gate] == 0 || then[gate] != now[gate] {\n",
			"\t\tif !ON && (then[gate] == 0 || then[gate] != now[gate]) {\n",
		}},
	},
	{
		name: "reservation-ignored", wrong: "a gate admits what it called free to another one just now", play: "first",
		edits: []edit{{
			"agent/lane/reserve.go", "\t\tif r.until > now.Mono {\n", "\t\tif !ON && r.until > now.Mono {\n",
		}},
	},
	{
		name: "lease-not-waited", wrong: "a gate acts on its own although it has just promised not to", play: "first",
		edits: []edit{{
			"agent/lane/quest.go", "\treturn max(c.started+wire.ReserveMS, c.lease+wire.LeaseGateMS) - now.Mono\n",
			"\tif ON {\n\t\treturn 0\n\t}\n\treturn max(c.started+wire.ReserveMS, c.lease+wire.LeaseGateMS) - now.Mono\n",
		}},
	}, {
		name: "grant-not-given-back", wrong: "a gate that was granted a pass, and is told on asking again that it is used, keeps the grant", play: "first",
		edits: []edit{{
			"agent/lane/quest.go", "\tcase !q.again && (q.server == verdict.ClaimUsed || q.server == verdict.ClaimRefused):\n",
			"\tcase (ON || !q.again) && (q.server == verdict.ClaimUsed || q.server == verdict.ClaimRefused):\n",
		}},
	},
}
