package web_test

import (
	"fmt"
	"strings"
)

func passJSON(id, name, kind, state, more string) string {
	return fmt.Sprintf(`{"id":%q,"kind":%q,"name":%q,"doc4":"021X","from":"2026-05-01T00:00:00+08:00","until":"2026-05-08T00:00:00+08:00","uses":0,"zones":[1],"owner_gate":0,
		"bound":false,"key":"9f2c11ab","code":"HTTPS://GATE.EXAMPLE/V/AAAA","url":"","state":%q,"issued_at":%d,"issued_by":"person 2006020","used":3,"first_use":{"at":%d,"gate":1}%s}`,
		id, kind, name, state, at(8), at(9), more)
}

func personJSON(number, name, kind, posts string) string {
	return fmt.Sprintf(`{"number":%q,"name":%q,"kind":%q,"level":"","unit":{"id":"u5","name":"外国语学院"},"phone":"13*******21","id_number":"51**************1X","mail":"someone@yunling.example","state":"active","posts":[%s],"households":[7]}`,
		number, name, kind, posts)
}

const (
	guardPost = `{"id":4,"role":"guard","person":"2013044","person_name":"韩峰","unit":"","unit_name":"","gate":1,"from":"2026-01-01","to":""}`
	homeJSON  = `{"id":7,"campus":"A","compound":"青松苑","building":"3 栋","room":"2-402","head":"沈国华","verified_by":"","verified_at":0,"address":"A 校区青松苑 3 栋 2-402",
		"members":[{"person":"R000012","name":"沈国华","phone":"13*******08","relation":"户主","since":"2026-03-01"},{"person":"R000013","name":"许梅","phone":"13*******19","relation":"配偶","since":"2026-03-01"}]}`
	desksJSON = `{"items":[{"id":"community","name":"社区办","en":"Community office","unit":"","serves":[{"who":"residents"},{"who":"retired","campus":"B"}],"hours":[{"from":"09:00","to":"11:30"},{"from":"15:00","to":"17:30"}],"documents":["id_card","household_register"],"open":true},
		{"id":"retired_a","name":"A区离退休处","en":"Retirement office, campus A","unit":"u2","serves":[{"who":"retired","campus":"A"}],"hours":[],"documents":["id_card"],"open":false}],
		"documents":{"id_card":"身份证 Identity card","household_register":"户口簿 Household register","tenancy":"租房合同 Tenancy agreement"}}`
	placesJSON = `{"items":[{"id":"A","name":"A 校区","zone":1,"police":"松岭派出所","compounds":[{"id":1,"name":"青松苑","on_campus":true,"buildings":[{"id":1,"name":"3 栋","rooms":[{"id":1,"name":"2-401"},{"id":2,"name":"2-402"}]},{"id":2,"name":"4 栋","rooms":[]}]},{"id":2,"name":"明湖里","on_campus":false,"buildings":[]}]},
		{"id":"B","name":"B 校区","zone":2,"police":"","compounds":[]}]}`
)

func eventJSON(n int, reason, opinion string, offline bool) string {
	return fmt.Sprintf(`{"id":"2-1-%d","agent":2,"epoch":1,"seq":%d,"type":"scan","at":%d,"received_at":%d,"offline":%t,"gate":1,"lane":"进口","pass_id":"00000000000000a%d","reason":%q,"repeat":false,"opinion":%q,"hash":""}`,
		n, n, at(9)+int64(n)*7000, at(9)+int64(n)*7000+300, offline, n%10, reason, opinion)
}

func paperJSON(number, name, state string) string {
	return fmt.Sprintf(`{"number":%q,"desk":"community","household":7,"name":%q,"doc4":"021X","address":"A 校区青松苑 3 栋 2-402","documents":["id_card","household_register"],"note":"",
		"state":%q,"from":"2026-05-01","until":"2026-05-30","issued_by":"person 2006020","issued_at":%d,"pass":%s}`, number, name, state, at(9), passJSON("00000000000000b1", name, "resident_multi", "issued", ""))
}

func listed(total int, rows string) string {
	return fmt.Sprintf(`{"items":[%s],"total":%d,"page":1,"size":20}`, rows, total)
}

func recordJSON(id, person, state, name, en string) string {
	return fmt.Sprintf(`{"id":%q,"state":%q,"state_en":%q,"step_en":"College","applied_at":%d,"cells":{"number":"2019103","person":%q,"unit":"教务处","start":"2026-05-02","end":"2026-05-06","reason":"实验室设备检修,需要连续五天进入校区。","applied_at":"2026-05-01 08:00:00","state":%q,"step":"学院管理人员审核"}}`,
		id, state, en, at(8), person, name)
}

// adminAnswers are those of the administration's pages.
var adminAnswers = map[string]string{
	"GET /passes": listed(3, passJSON("00000000000000a1", "林晓岚", "work", "issued", "")+","+passJSON("00000000000000a2", "沈国华", "resident_single", "used", "")+","+
		passJSON("00000000000000a3", "陈一鸣", "visitor", "revoked", fmt.Sprintf(`,"revoked_at":%d,"revoke_reason":"来访取消"`, at(9)))),
	"GET /passes/00000000000000a1":         passJSON("00000000000000a1", "林晓岚", "work", "issued", ""),
	"POST /passes/00000000000000a1/revoke": passJSON("00000000000000a1", "林晓岚", "work", "revoked", fmt.Sprintf(`,"revoked_at":%d,"revoke_reason":"调离"`, at(10))),
	"GET /people":                          listed(2, personJSON("2013044", "韩峰", "worker", guardPost)+","+personJSON("2019103", "林晓岚", "staff", "")),
	"GET /people/2013044":                  personJSON("2013044", "韩峰", "worker", guardPost),
	"GET /posts":                           listed(1, guardPost),
	"GET /roles":                           `{"items":[{"role":"admin","name":"管理员"},{"role":"desk","name":"窗口工作人员"},{"role":"guard","name":"门卫"},{"role":"college_admin","name":"学院管理人员"}]}`,
	"POST /people/2013044/password":        `{"password":"kefu-3821-lomi"}`,
	"PUT /people/2013044/pin":              `null`,
	"GET /units":                           `{"items":[{"id":"u1","name":"云岭大学","parent":"","kind":"学校","campus":"","head":""},{"id":"u6","name":"英语系","parent":"u5","kind":"系","campus":"A","head":""},{"id":"u2","name":"教务处","parent":"u1","kind":"部门","campus":"A","head":"2008011"},{"id":"u5","name":"外国语学院","parent":"u1","kind":"学院","campus":"A","head":"2006020"}]}`,
	"GET /campuses":                        `{"items":[{"id":"A","name":"A 校区","zone":1,"police":"松岭派出所"},{"id":"B","name":"B 校区","zone":2,"police":""}]}`,
	"GET /places":                          placesJSON,
	"GET /households":                      listed(1, homeJSON),
	"GET /households/7":                    homeJSON,
	"POST /imports": fmt.Sprintf(`{"id":"i1","kind":"people","name":"people.xlsx","rows":120,"adds":97,"changes":12,"same":9,"faulty":2,"expires_at":%d,"columns":["学工号","姓名","单位"],
		"faults":[{"row":17,"column":"手机号","message":"不是手机号 not a mobile number"},{"row":44,"column":"单位","value":"外语学院","message":"没有这个单位 no such unit"}],
		"sample":[{"学工号":"2019103","姓名":"林晓岚","单位":"教务处"},{"学工号":"2019104","姓名":"=1+1","单位":"教务处"}]}`, at(10)),
	"POST /imports/i1/confirm": `{"added":97,"changed":12,"skipped":2}`,
	"GET /gates": fmt.Sprintf(`{"gates":[{"id":1,"name":"东门","zone":1,"policy":"owner","documents":"none","created_at":%d},
		{"id":2,"name":"西门","zone":1,"policy":"online","documents":"required","draining_since":%d,"created_at":%d},
		{"id":3,"name":"南门","zone":2,"policy":"first_seen","offline":{"max":30,"max_age_minutes":120,"confirm":"guard"},"documents":"none","created_at":%d}]}`, at(0), at(7), at(0), at(0)),
	"GET /zones": `{"zones":[{"id":1,"name":"A 校区"},{"id":2,"name":"B 校区"}]}`,
	"GET /agents": fmt.Sprintf(`{"agents":[{"id":1,"gate":1,"epoch":1,"hostname":"east-old","enrolled_at":%d,"revoked_at":%d,"acked":3},
		{"id":2,"gate":1,"epoch":2,"hostname":"east-pc","enrolled_at":%d,"acked":5120,"live":{"connected":true,"since":%d,"last_seen":%d,"remote":"192.0.2.11","software":"0.1.0","offset_ms":-12,"queue":0,"revision":88,"lanes":{"进口":"scanner ok, barrier ok"},"program":{"version":"1.2.0","os":"linux","arch":"amd64","offered":"1.3.0","state":"downloading","percent":40},"last_scan":%d}},
		{"id":3,"gate":2,"epoch":1,"hostname":"west-pc","enrolled_at":%d,"acked":812,"live":{"connected":false,"since":%d,"last_seen":%d,"remote":"192.0.2.12","software":"0.1.0","offset_ms":2300,"queue":41,"revision":80,"lanes":{"进口":"scanner lost, barrier ok"},"devices":[{"lane":"进口","kind":"scanner","driver":"serial","name":"2","state":"lost","since":%d,"detail":"serial port /dev/serial/by-id/usb-scanner-if00: unplugged"},{"lane":"进口","kind":"barrier","driver":"lcus","name":"","state":"ok","since":%d,"detail":""},{"lane":"","kind":"printer","driver":"escpos","name":"","state":"stuck","since":%d,"detail":""}],"program":{"version":"1.2.0","os":"linux","arch":"amd64","offered":"1.3.0","state":"taken_back","why":"it ended before it confirmed itself: program 1.3.0: exit status 3"},"up_fault":"journal: gap at 813"}}]}`,
		at(0), at(1), at(1), at(2), at(9), at(9), at(1), at(6), at(6), at(5), at(1), at(6)-30_000),
	"GET /releases": fmt.Sprintf(`{"releases":[
		{"sha256":"%[1]s01","version":"1.3.0","os":"linux","arch":"amd64","serial":8,"size":31457280,"added_at":%[2]d,"added_by":"person 2006020","reach":"chosen","gates":[1,2],"paused":false,"changed_at":%[2]d,"changed_by":"person 2006020"},
		{"sha256":"%[1]s02","version":"1.3.0","os":"windows","arch":"amd64","serial":8,"not_before":%[3]d,"size":32505856,"added_at":%[2]d,"added_by":"person 2006020","reach":"all","gates":[],"paused":true,"changed_at":%[2]d,"changed_by":"person 2006020"},
		{"sha256":"%[1]s03","version":"1.2.0","os":"linux","arch":"amd64","serial":7,"size":30408704,"missing":true,"added_at":%[4]d,"added_by":"token 1","reach":"nobody","gates":[],"paused":false,"changed_at":%[4]d,"changed_by":"token 1"}]}`,
		strings.Repeat("0", 62), at(9), at(20)/1000, at(3)),
	"GET /gates/1/policy": fmt.Sprintf(`{"gate":1,"area_name":"zone:1","area_gates":[1,2],"changed_at":%d,"changed_by":"person 2006020","lanes":[{"name":"车道","kinds":["vehicle"]}],
		"hours":[{"kinds":["visitor"],"week":[{"day":1,"from":390,"until":1380},{"day":6,"from":1320,"until":120}],"dates":[{"from":"2026-10-01","until":"2026-10-07"}]}],
		"exempt":["work"],"area":{"passback":"alert","limit":400,"day_end":240}}`, at(8)),
	"PUT /gates/1/policy": `{"gate":1,"area_name":"zone:1","area_gates":[1,2],"area":{"passback":"enforce"}}`,
	"GET /gates/1/calls":  `{"answered_by":[]}`,
	"PUT /gates/1/calls":  `{"answered_by":[2]}`,
	"GET /occupancy": fmt.Sprintf(`{"areas":[{"area":"zone:1","gates":[1,2],"inside":2,"rule":{"passback":"alert","limit":2}},{"area":"group:图书馆","gates":[2],"inside":0,"rule":{"passback":"none","watch":true}}],
		"inside":[{"pass_id":"00000000000000a1","kind":"work","name":"林晓岚","gate":1,"since":%d},{"pass_id":"00000000000000a9","kind":"visitor","name":"","gate":2,"since":%d}]}`, at(9), at(8)),
	"POST /occupancy/00000000000000a1/clear": `{"areas":["zone:1"]}`,
	"GET /emergency": fmt.Sprintf(`{"emergencies":[{"scope":"zone:1","state":"lockdown","reason":"演练","by":"person 2006020","since":%d,"until":%d,"source":"server"},
		{"scope":"gate:2","state":"open","reason":"","by":"","since":%d,"source":"input"}]}`, at(9), at(12), at(9)),
	"POST /emergency":          `{"emergencies":[]}`,
	"POST /gates/1/enrolments": fmt.Sprintf(`{"code":"K7QM-2F9D-XW4T-31HP","expires_at":%d}`, at(30)),
	"GET /events/search":       listed(4, eventJSON(1, "granted", "granted", false)+","+strings.Replace(eventJSON(7, "granted", "already_used", true), `"repeat"`, `"mark":"unconfirmed","repeat"`, 1)+","+eventJSON(2, "already_used", "granted", true)+","+eventJSON(3, "attention", "", false)),
	"GET /events/live":         "retry: 600000\n\nevent: event\nid: 1\ndata: " + eventJSON(4, "granted", "", false) + "\n\nevent: event\nid: 2\ndata: " + eventJSON(5, "revoked", "", false) + "\n\nevent: event\nid: 3\ndata: " + eventJSON(6, "attention", "", true) + "\n\n",
	"GET /registers": listed(2, fmt.Sprintf(`{"kind":"student","person":"唐果","number":"S26001","relation":"","staff":"","began":{"at":%d,"gate":1,"guard":"2013044","event":"2-1-5"},"collected":true},
		{"kind":"relative","person":"许梅","number":"","relation":"配偶","staff":"沈国华","began":{"at":%d,"gate":1,"guard":"2013044","event":"2-1-6"},"ended":{"at":%d,"gate":2,"guard":"2013044","event":"3-1-2"},"collected":false}`, at(8), at(8), at(9))),
	"GET /conflicts": fmt.Sprintf(`{"conflicts":[{"id":"00000000000000a2/3-1-4","pass_id":"00000000000000a2","allowed":1,"detected_at":%d,"admissions":[
		{"ref":"2-1-8","gate":1,"gate_name":"东门","at":%d,"event":"2-1-8","mode":"first_seen","offline":true,"guard":"2013044","guard_name":"许梅"},
		{"ref":"3-1-4","gate":2,"gate_name":"西门","at":%d,"event":"3-1-4","mode":"online","offline":false,"guard":"2006020"}]}]}`, at(9), at(8), at(8)+60_000),
	"POST /conflicts/00000000000000a2/seen": "",
	"GET /outages":                          `{"outages":[]}`,
	"GET /keeping":                          fmt.Sprintf(`{"backup":{"scheduled":false,"late":false,"last":{"file":"b.db","at":%d,"bytes":48234496,"took_ms":900,"attachments":3}},"unheard":[],"gaps":[]}`, at(3)),
	"GET /quarantine":                       fmt.Sprintf(`{"records":[{"id":1,"event":"3-1-813","problem":"hash does not follow","body":"","received_at":%d}],"next":1}`, at(9)),
	"GET /reports":                          `{"items":[{"id":"cqu.resident_pass","name":"校区居民通行证","export":true},{"id":"cqu.work_pass","name":"校区工作通行证","export":true}]}`,
	"GET /reports/cqu.work_pass": fmt.Sprintf(`{"items":[%s,%s,%s],"total":3,"page":1,"size":20,"columns":[{"id":"number","name":"学工号","en":"Number","shown":true},{"id":"person","name":"申请人","en":"Applicant","shown":true},{"id":"unit","name":"所在单位","en":"Unit","shown":true},
		{"id":"start","name":"通行开始日期","en":"First day","shown":true},{"id":"end","name":"通行截止日期","en":"Last day","shown":true},{"id":"reason","name":"通行原因","en":"Reason","shown":true},{"id":"form.unit","name":"受访单位","en":"","shown":false},
		{"id":"applied_at","name":"申请时间","en":"Applied at","shown":true},{"id":"state","name":"流程状态","en":"State","shown":true},{"id":"step","name":"当前环节","en":"Current step","shown":true}]}`,
		recordJSON("a1", "林晓岚", "running", "审核中", "Under review"), recordJSON("a2", "邵一鸣", "completed", "已完成", "Completed"), recordJSON("a3", "唐立", "rejected", "已驳回", "Rejected")),
	"GET /reports/charts": `{"by_day":[{"key":"2026-04-29","count":12,"admitted":640,"refused":9},{"key":"2026-04-30","count":17,"admitted":712,"refused":14},{"key":"2026-05-01","count":5,"admitted":221,"refused":3}],
		"by_gate":[{"key":"1","name":"东门","count":1020,"admitted":1003,"refused":17},{"key":"2","name":"西门","count":579,"admitted":570,"refused":9}],
		"by_reason":[{"key":"granted","name":"验证通过","en":"All in order","count":1573},{"key":"expired","name":"此码已过期","en":"Code has expired","count":16}],"by_unit":[{"key":"u2","name":"教务处","count":20},{"key":"u5","name":"外国语学院","count":14}]}`,
	"GET /keys": fmt.Sprintf(`{"serial":4,"root":"SHA256:4f1c 92aa 07be","keys":[{"kid":"9f2c11ab","purpose":"pass","kinds":["resident_single","resident_multi","work"],"state":"active","public_key":"","published_at":%d,"active_at":%d,"last_expiry":%d,"live_passes":412},
		{"kid":"03bb7e20","purpose":"pass","kinds":["resident_single","resident_multi","work"],"state":"next","public_key":"","published_at":%d,"planned_for":%d,"live_passes":0},
		{"kid":"c1d2e3f4","purpose":"pass","kinds":["work"],"state":"compromised","public_key":"","published_at":%d,"compromised_at":%d,"live_passes":0}]}`, at(0), at(1), at(90), at(2), at(96), at(0), at(3)),
	"GET /tokens": fmt.Sprintf(`{"tokens":[{"id":1,"name":"宿舍系统","scopes":["passes:read","events:read"],"created_at":%d,"created_by":"person 2006020","expires_at":4102444800000},{"id":2,"name":"旧大屏","scopes":["stats"],"created_at":%d,"created_by":"init","revoked_at":%d}]}`, at(0), at(0), at(2)),
	"GET /audit": fmt.Sprintf(`{"entries":[{"id":1,"at":%d,"actor":"init","action":"site.created","target":"云岭大学","details":null,"hash":""},
		{"id":2,"at":%d,"actor":"person 2006020","action":"gate.created","target":"1","details":{"name":"东门","zone":1},"hash":""}],"next":2}`, at(0), at(1)),
	"GET /settings":  `{"ahead_days":1,"quota_days":2,"quota_codes":1,"multi_days_max":30,"max_days":180,"auto_single":true,"visitor_pass":false,"vehicle_pass":true}`,
	"GET /desks":     desksJSON,
	"GET /documents": `{"yaml":"documents:\n  - id: work_permit\n    zh: 工作证\n    en: Work permit\nrules:\n  - id: staff\n    documents: [[work_permit]]\n"}`,
	"PUT /documents": `{"code":"invalid_config","message":"配置有误 the configuration is not valid","details":{"what":"invalid configuration: documents.yaml:7: rules[0].passes: missing"},"request_id":"r-0042"}`,
	"GET /papers":    listed(2, paperJSON("P20260501-0001", "沈国华", "issued")+","+paperJSON("P20260430-0007", "许梅", "returned")),

	"GET /printers":                     `{"items":[{"gate":1,"name":"东门"},{"gate":4,"name":"社区办"}]}`,
	"POST /papers/P20260501-0001/print": `{"state":"failed","reason":"paper_out","detail":"printer /dev/usb/lp0: out of paper"}`,

	"GET /papers/P20260501-0001": paperJSON("P20260501-0001", "沈国华", "issued"),
}
