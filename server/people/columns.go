package people

import (
	"fmt"
	"strings"

	"campusgate/server/people/sheet"
)

// ImportKind is what a file tells of.
type ImportKind string

// The kinds. On an empty campus they are imported in the order places, units,
// people, units again with their heads, households, posts.
const (
	ImportPlaces     ImportKind = "places"
	ImportUnits      ImportKind = "units"
	ImportPeople     ImportKind = "people"
	ImportHouseholds ImportKind = "households"
	ImportPosts      ImportKind = "posts"
)

// column is one that a file of a kind may have. Headings are the field or one
// of the names, compared as names of places are.
type column struct {
	field    string
	names    []string // the first is shown
	required bool     // a file without it is no file of this kind
	note     string
}

func (c column) label() string { return c.names[0] + " " + c.field }

var importColumns = map[ImportKind][]column{
	ImportPlaces: {
		{"campus", []string{"校区编号"}, true, "如 A"},
		{"campus_name", []string{"校区", "校区名称"}, false, "新校区必填"},
		{"police", []string{"派出所"}, false, "办理暂住凭证的派出所"},
		{"compound", []string{"小区名称", "小区"}, false, "如 松林坡"},
		{"on_campus", []string{"校内地址"}, false, "是 或 否,留空为是"},
		{"building", []string{"楼栋号", "楼栋"}, false, ""},
		{"room", []string{"门牌号", "门牌"}, false, ""},
	},
	ImportUnits: {
		{"id", []string{"单位编号", "单位代码"}, true, ""},
		{"name", []string{"单位名称", "单位"}, true, "留空不修改"},
		{"parent", []string{"上级单位编号", "上级单位"}, false, ""},
		{"kind", []string{"单位类型"}, false, "如 学院、部门、科室、村居"},
		{"campus", []string{"校区编号", "校区"}, false, ""},
		{"head", []string{"主要负责人", "负责人编号"}, false, "人员编号;须先导入人员"},
	},
	ImportPeople: {
		{"number", []string{"编号", "学工号", "工号", "学号", "卡号"}, true, "居民和校外人员可留空"},
		{"name", []string{"姓名"}, true, ""},
		{"kind", []string{"人员类别", "类别"}, true, kindNames()},
		{"level", []string{"培养层次", "层次"}, false, "学生:" + levelNames()},
		{"unit", []string{"所在单位", "单位", "单位编号"}, false, "编号或名称;须先导入单位"},
		{"phone", []string{"手机号", "手机"}, false, "11 位"},
		{"id_number", []string{"身份证号", "证件号"}, false, "18 位,或护照、通行证号码"},
		{"mail", []string{"邮箱", "e-mail"}, false, ""},
		{"state", []string{"状态"}, false, "在校 或 离校,留空为在校"},
	},
	ImportHouseholds: {
		{"compound", []string{"小区名称", "小区"}, true, "须已有此小区"},
		{"building", []string{"楼栋号", "楼栋"}, true, ""},
		{"room", []string{"门牌号", "门牌"}, true, ""},
		{"head", []string{"户主姓名", "户主"}, true, "每个成员一行,户主相同的为一户"},
		{"name", []string{"姓名", "成员姓名"}, false, "留空为户主本人"},
		{"phone", []string{"手机号", "手机"}, false, "用于申请通行码;11 位"},
		{"id_number", []string{"身份证号", "证件号"}, false, ""},
		{"number", []string{"编号", "学工号", "工号"}, false, "教职工等已有编号的成员"},
		{"relation", []string{"与户主关系", "关系"}, false, "户主、配偶、子女等"},
		{"since", []string{"入住日期"}, false, "如 2026-05-01,留空为当天"},
		{"verified", []string{"已核实"}, false, "是 或 否,留空为是"},
	},
	ImportPosts: {
		{"role", []string{"岗位"}, true, "岗位名称或代码"},
		{"person", []string{"编号", "学工号", "工号", "人员编号"}, true, ""},
		{"name", []string{"姓名"}, false, "填写时须与编号一致"},
		{"unit", []string{"单位", "所在单位", "单位编号"}, false, "编号或名称,留空为全校"},
		{"gate", []string{"校门"}, false, "门卫所在校门的编号或名称"},
		{"from", []string{"开始日期"}, false, "如 2026-05-01,留空为当天"},
		{"to", []string{"结束日期"}, false, "含当天,留空为长期"},
	},
}

// ErrKind is wrapped when there is no such kind of file.
var ErrKind = fmt.Errorf("%w: no such kind of import", ErrInvalid)

// Template makes an empty file of a kind for people to fill in, as "csv" or
// "xlsx". The error wraps ErrKind, or is a Fault of field "format".
func Template(kind ImportKind, format string) ([]byte, error) {
	known, ok := importColumns[kind]
	if !ok {
		return nil, ErrKind
	}
	columns := make([]sheet.Column, len(known))
	for i, c := range known {
		columns[i] = sheet.Column{Name: c.names[0], Note: c.note}
		if c.required {
			columns[i].Note = strings.TrimSuffix("必有的列;"+c.note, ";")
		}
	}
	switch format {
	case "csv":
		return sheet.CSV(columns)
	case "xlsx":
		return sheet.Workbook(columns)
	}
	return nil, fault("format", "应为 csv 或 xlsx", "want csv or xlsx")
}

// headed finds the column of every heading; nil = unknown. What is wrong with
// the heading comes as faults of row 1; ready = false when rows cannot be read.
func headed(kind ImportKind, header []string) (columns []*column, faults []RowFault, ready bool) {
	known := importColumns[kind]
	ready = true
	seen := map[string]bool{}
	columns = make([]*column, len(header))
	for i, text := range header {
		c := columnNamed(known, text)
		switch {
		case c == nil:
			faults = append(faults, RowFault{Row: 1, Column: clip(text), Message: "没有这一列 there is no such column"})
		case seen[c.field]:
			faults = append(faults, RowFault{Row: 1, Column: c.label(), Message: "这一列出现了两次 the column comes twice"})
			ready = false
		default:
			seen[c.field], columns[i] = true, c
		}
	}
	for _, c := range known {
		if c.required && !seen[c.field] {
			faults = append(faults, RowFault{Row: 1, Column: c.label(), Message: "缺少这一列 the column is missing"})
			ready = false
		}
	}
	return columns, faults, ready
}

func columnNamed(known []column, text string) *column {
	text = fold(text)
	for i := range known {
		c := &known[i]
		if text == fold(c.field) {
			return c
		}
		for _, name := range c.names {
			if text == fold(name) {
				return c
			}
		}
	}
	return nil
}

// clip keeps what a file says short where it is repeated.
func clip(text string) string {
	if r := []rune(strings.ToValidUTF8(text, "�")); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}

func kindNames() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return strings.Join(names, "、")
}

func levelNames() string {
	names := make([]string, len(levels))
	for i, l := range levels {
		names[i] = l.name
	}
	return strings.Join(names, "、")
}
