package web_test

const phoneRow = `"flow":"cqu.work_pass","flow_name":"校区工作通行证","group":"通行","serial":"","starter":{"number":"T1001","name":"林晓岚","unit":"图书馆"},"created_at":{ago3},"submitted_at":{ago3}`

const phoneMatter = `"version":19,
 "form":[
  {"id":"no","name":"学工号","en":"Number","type":"text","required":false,"readonly":true,"value":"T1001","text":"T1001"},
  {"id":"person","name":"申请人","en":"Applicant","type":"text","required":false,"readonly":true,"value":"林晓岚","text":"林晓岚"},
  {"id":"unit","name":"所在单位","en":"Unit","type":"unit","required":false,"readonly":true,"value":"lib","text":"图书馆"},
  {"id":"start","name":"通行开始日期","en":"First day","type":"date","required":true,"value":"{today}","text":"{today}"},
  {"id":"end","name":"通行截止日期","en":"Last day","type":"date","required":true,"value":"{week}","text":"{week}"},
  {"id":"reason","name":"通行原因","en":"Reason","type":"textarea","required":false,"value":"到馆值班","text":"到馆值班,整理古籍库房。"}],
 "steps_forms":[],"copies":[],"ratings":[],"rate":["service","process"],
 "comments":[{"from":"周明远","to":"林晓岚","text":"请带好工作证。","at":{hour}}],
 "trail":[
  {"at":{ago3},"step_name":"","actor":{"number":"T1001","name":"林晓岚"},"verb":"submit","name":"","opinion":"","to":["周明远"],"attachments":null},
  {"at":{hour},"step_name":"部门领导审核","actor":{"number":"T1002","name":"周明远"},"verb":"agree","name":"同意","opinion":"同意,注意防护。","to":null,"attachments":[{"id":"f1","name":"值班表.pdf","size":48213,"type":"application/pdf"}]}],
 "chart":[
  {"id":"unit","name":"部门领导审核","kind":"approve","mode":"any","people":[{"name":"周明远","unit":"图书馆"}],"state":"done","by":["周明远"],"at":{hour}},
  {"id":"college","name":"学院管理人员审核","kind":"approve","mode":"any","people":[],"state":"skipped","by":[]}],"tasks":[]`

// phoneBodies are the answers by call.
var phoneBodies = map[string]string{
	"GET /login/ways":  `{"phone":true,"password":true,"oidc":[{"id":"sso","name":"统一身份认证"}],"cas":[],"demo":true,"site":"云岭大学"}`,
	"POST /login/code": `202 {"resend_after":60,"expires_in":300}`,
	"GET /me": `{"number":"T1001","name":"林晓岚","kind":"staff","level":"","unit":{"id":"lib","name":"图书馆"},"phone":"138****0001","mail":"lin.xl@example.edu",
		"posts":[{"role":"desk","name":"窗口","unit":"lib","gate":0}],"scopes":["self","desk"],"gate":0,"must_change":false,"unread":3,"demo":true}`,
	"POST /logout": `204 `,
	"GET /me/logins": `{"items":[{"at":{now},"way":"phone","ip":"192.0.2.14","device":"微信 · Android","result":"ok","current":true},
		{"at":{ago3},"way":"password","ip":"192.0.2.15","device":"Chrome · Windows","result":"bad_password"}],"total":2,"page":1,"size":20}`,
	"GET /me/sessions": `{"items":[{"id":"s1","created_at":{ago3},"seen_at":{now},"device":"微信 · Android","current":true},{"id":"s2","created_at":{ago3},"seen_at":{hour},"device":"Chrome · Windows","current":false}]}`,
	"GET /me/passes": `{"items":[
		{"id":"00000000000000a1","kind":"resident_single","name":"林晓岚","from":"{today}T00:00:00+08:00","until":"{tomorrow}T00:00:00+08:00","zones":[1],"uses":1,"used":0,"state":"issued","bound":false,
		 "code":"HTTPS://GATE.EXAMPLE.EDU/V/QRE2EAJHARCFE2A7X2QFQNVFAQNGVFXWQACRU2UVUUAAMGTKSWLPAB2IAEBAGBAFAYDQQOQAAEAABBQENHTJ5F7FWCH6NO5BMQZDANCYAECQGWCAGROG2YCWNX2OWYUIL5VRXM2H4SWYSIXBP2HUFMJX52LSCUBGUGAOGLAHSH4BGJ6CYEKZDWDZX2B6U5GX2CASW227XJ65W6FK4BVKKDI",
		 "url":"https://gate.example.edu/V/X","owner_gate":1,"owner_name":"东门","application":"m2","serial":"TX20260501003","warning":""},
		{"id":"00000000000000a2","kind":"work","name":"林晓岚","from":"{today}T00:00:00+08:00","until":"{week}T00:00:00+08:00","zones":[],"uses":0,"used":2,"state":"issued","bound":true,"code":"","url":"","owner_gate":0,"owner_name":"","application":"m1","serial":"","warning":"","phone":"PHONE-00000000000000a2"},
		{"id":"00000000000000a3","kind":"resident_multi","name":"林晓岚","from":"{tomorrow}T00:00:00+08:00","until":"{week}T00:00:00+08:00","zones":[1],"uses":0,"used":0,"state":"issued","bound":true,"code":"","url":"","owner_gate":1,"owner_name":"东门","application":"m1","serial":"","warning":"","phone":"PHONE-00000000000000a3"},
		{"id":"00000000000000a4","kind":"resident_single","name":"林晓岚","from":"{today}T00:00:00+08:00","until":"{tomorrow}T00:00:00+08:00","zones":[1],"uses":1,"used":1,"state":"used","bound":false,"code":"HTTPS://X/V/AA","url":"","owner_gate":1,"owner_name":"东门","application":"m2","serial":"","warning":""},
		{"id":"00000000000000a5","kind":"visitor","name":"陈一鸣","from":"{lastweek}T00:00:00+08:00","until":"{yesterday}T00:00:00+08:00","zones":[],"uses":1,"used":0,"state":"revoked","bound":false,"code":"HTTPS://X/V/AA","url":"","owner_gate":2,"owner_name":"西门","application":"","serial":"","warning":""}]}`,
	"GET /services": `{"items":[
		{"id":"cqu.resident_pass","name":"校区居民通行证","office":"社区办","version":3,"group":"通行"},{"id":"cqu.work_pass","name":"校区工作通行证","office":"校长办公室","version":19,"group":"通行"},
		{"id":"cqu.car_pass","name":"公务车通行申请","office":"保卫处","version":2,"group":"通行"},{"id":"hall.seal","name":"用印申请","office":"党政办","version":1,"group":"办公"},{"id":"hall.meeting","name":"会议室预约","office":"党政办","version":1,"group":"办公"}]}`,
	"GET /services/cqu.resident_pass": `{"id":"cqu.resident_pass","name":"校区居民通行证","version":3,"note":"","form":[
		{"id":"phone","name":"手机号","en":"Phone","type":"phone","required":false,"readonly":true,"value":"138****0001"},
		{"id":"type","name":"通行证类型","en":"Pass type","type":"select","required":true,"options":[{"value":"single","label":"单次通行证明","en":"Single use"},{"value":"multi","label":"多次通行","en":"Multiple entry"}]},
		{"id":"head","name":"户主姓名","en":"Head of household","type":"text","required":true},
		{"id":"compound","name":"小区名称","en":"Compound","type":"select","required":true,"options":[{"value":"松林坡","label":"松林坡"},{"value":"柏树林","label":"柏树林"}]},
		{"id":"building","name":"楼栋号","en":"Building","type":"select","required":true,"options":null},
		{"id":"room","name":"门牌号","en":"Room","type":"select","required":true,"options":null},
		{"id":"date","name":"通行日期","en":"Pass date","type":"date","required":true},
		{"id":"to","name":"截止日期","en":"Last day","type":"date","required":false,"required_if":false},
		{"id":"reason","name":"申请原因","en":"Reason","type":"textarea","required":false,"required_if":false,"max":1000},
		{"id":"created","name":"创建时间","en":"Created","type":"datetime","required":false,"readonly":true,"value":"{today} 08:00:00"}],
		"chart":[{"id":"review","name":"校区居民通审核","kind":"approve","mode":"any","people":[{"name":"社区办","unit":""}],"state":""}]}`,
	"GET /services/cqu.work_pass": `{"id":"cqu.work_pass","name":"校区工作通行证","version":19,"note":"","form":[
		{"id":"no","name":"学工号","en":"Number","type":"text","required":false,"readonly":true,"value":"T1001"},
		{"id":"person","name":"申请人","en":"Applicant","type":"text","required":false,"readonly":true,"value":"林晓岚"},
		{"id":"unit","name":"所在单位","en":"Unit","type":"unit","required":false,"readonly":true,"value":"lib"},
		{"id":"start","name":"通行开始日期","en":"First day","type":"date","required":true},{"id":"end","name":"通行截止日期","en":"Last day","type":"date","required":true},
		{"id":"reason","name":"通行原因","en":"Reason","type":"textarea","required":false,"max":1000},
		{"id":"amount","name":"预算","en":"Budget","type":"money","required":false},{"id":"leader","name":"分管领导","en":"Leader","type":"user","required":false},
		{"id":"files","name":"附件","en":"Attachments","type":"file","required":false,"many":true}],
		"chart":[{"id":"unit","name":"部门领导审核","kind":"approve","mode":"any","people":[{"name":"周明远","unit":"图书馆"}],"state":""},
		 {"id":"college","name":"学院管理人员审核","kind":"approve","mode":"all","people":[{"name":"何思齐","unit":"文学院"},{"name":"苏若水","unit":"文学院"}],"state":""}]}`,
	"POST /services/cqu.resident_pass/preview": `{"required":[],"steps":[{"id":"review","name":"校区居民通审核","people":[{"number":"T2001","name":"何思齐","unit":"社区办"}]}]}`,
	"GET /places/options":                      `{"items":["1栋","2栋","3栋"]}`,
	"POST /applications":                       `409 {"code":"HOUSEHOLD_QUOTA_2D","message":"按户每2天只能申请1个通行二维码 One code per household every 2 days.","details":{"next_date":"{day3}"},"request_id":"r2"}`,
	"GET /applications": `{"items":[
		{"id":"m1","title":"疫期通行证","state":"completed","state_name":"已完成","ended_at":{hour},"step":"","step_name":"","waiting":[],"task":null,"pass":{"id":"00000000000000a2","kind":"work","state":"issued","from":"{today}T00:00:00+08:00","until":"{week}T00:00:00+08:00"},"summary":[],` + phoneRow + `},
		{"id":"m3","title":"疫期通行证","state":"running","state_name":"审核中","ended_at":0,"step":"unit","step_name":"部门领导审核","waiting":["周明远"],"task":null,"pass":null,"summary":[{"name":"通行开始日期","value":"{day3}"},{"name":"通行截止日期","value":"{week}"}],` + phoneRow + `},
		{"id":"m4","title":"疫期通行证","state":"returned","state_name":"已退回","ended_at":0,"step":"","step_name":"","waiting":[],"task":null,"pass":null,"summary":[{"name":"通行原因","value":"参加学术会议,需要进出校区"}],` + phoneRow + `}],
		"total":3,"page":1,"size":20,"counts":{"todo":2,"drafts":1,"done":14,"started":3,"cc":0}}`,
	"GET /applications?box=todo&page=1&size=20": `{"items":[{"id":"m5","title":"疫期通行证","state":"running","state_name":"审核中","ended_at":0,"step":"college","step_name":"学院管理人员审核","waiting":["林晓岚"],"task":{"id":"t1","state":"pending","opened_at":{hour}},"pass":null,"summary":[{"name":"通行开始日期","value":"{tomorrow}"},{"name":"通行截止日期","value":"{week}"}],` + phoneRow + `}],
		"total":1,"page":1,"size":20,"counts":{"todo":1,"drafts":1,"done":14,"started":3,"cc":0}}`,
	"GET /applications/m1": `{"id":"m1","title":"疫期通行证","state":"completed","state_name":"已完成","ended_at":{hour},"step":"","step_name":"","waiting":[],"task":null,"summary":[],"mine":null,"actions":["rate","comment","terminate","print"],
		"pass":{"id":"00000000000000a2","kind":"work","state":"issued","from":"{today}T00:00:00+08:00","until":"{week}T00:00:00+08:00","bound":true,"mine":true},` + phoneRow + `,` + phoneMatter + `}`,
	"GET /applications/m5": `{"id":"m5","title":"疫期通行证","state":"running","state_name":"审核中","ended_at":0,"step":"college","step_name":"学院管理人员审核","waiting":["林晓岚"],"task":{"id":"t1","state":"pending","opened_at":{hour}},"summary":[],"pass":null,"actions":["comment","urge"],
		"mine":{"task":"t1","step_name":"学院管理人员审核","kind":"approve","opinion":"optional","outcomes":[{"id":"agree","name":"同意","to":"next","form":null},{"id":"reject","name":"不同意","to":"rejected","form":null},{"id":"return","name":"退回","to":"start","form":null}],"form":null,
		 "next":{"choose":[{"to":"xgb","name":"学工部同意","people":[{"number":"T3001","name":"苏若水","unit":"学工部"},{"number":"T3002","name":"何思齐","unit":"学工部"}]},{"to":"ygb","name":"研工部同意","people":[]}],"note":"本科生由学工部审核,研究生由研工部审核。","handler":"required"},
		 "actions":["transfer","add_sign","cc"]},` + phoneRow + `,` + phoneMatter + `}`,
	"POST /applications/m5/act": `409 {"code":"TASK_CLOSED","message":"该任务已处理 The task is closed.","details":{},"request_id":"r3"}`,
	"GET /messages": `{"items":[
		{"id":3,"kind":"assigned","subject":"疫期通行证","text":"您好,您收到了林晓岚发起的事项【疫期通行证】,请及时办理。","link":"/applications/m5","at":{hour},"read_at":0},
		{"id":2,"kind":"completed","subject":"疫期通行证","text":"您好,您的事项【疫期通行证】已办结。","link":"/applications/m1","at":{ago3},"read_at":0},
		{"id":1,"kind":"terminated","subject":"用印申请","text":"您好,周明远中止了事项【用印申请】,请知悉。","link":"/applications/m4","at":{ago3},"read_at":{ago3}}],"total":3,"page":1,"size":20}`,
	"GET /messages/count": `{"unread":2}`,
	"POST /messages/read": `204 `,
	"GET /people/search":  `{"items":[{"number":"T1002","name":"周明远","unit":"图书馆","posts":["部门领导"]},{"number":"T3001","name":"苏若水","unit":"学工部","posts":[]}],"total":2,"page":1,"size":50}`,
	"GET /units/tree":     `{"items":[{"id":"lib","name":"图书馆","parent":""}]}`,
}
