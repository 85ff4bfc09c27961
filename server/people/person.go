package people

// Kind of a person.
type Kind string

// The kinds. Group puts those together that rules do not tell apart.
const (
	Staff    Kind = "staff"    // 在职教职员工
	Contract Kind = "contract" // 外聘员工
	Worker   Kind = "worker"   // 工勤
	Retired  Kind = "retired"  // 离退休
	Student  Kind = "student"
	Resident Kind = "resident"
	Outside  Kind = "outside" // 校外人员
)

// Group is the kind that flows speak of: contract employees and workers are
// staff.
func (k Kind) Group() Kind {
	if k == Contract || k == Worker {
		return Staff
	}
	return k
}

// Person is somebody. ID is the staff, student or card number, or "r" and a
// number of our own for a resident who has none.
type Person struct {
	ID       string
	Name     string
	Kind     Kind
	Level    string // of students: undergraduate, graduate, foreign
	Unit     string // id, "" = none
	UnitName string // read only
	Phone    string // plain; only where a caller asked for it
	IDNumber string // plain; only where a caller asked for it
	Mail     string
	State    string // Active or Left
}

// The states of a person. Who has left keeps the number and holds nothing.
const (
	Active = "active"
	Left   = "left"
)

// Post is something that a person is, in a unit or at a gate, from one day to
// another. Flows name posts of their own beside those below.
type Post struct {
	ID     int64
	Role   string // a role of a flow file, or one of the constants
	Person string
	Unit   string // "" = everywhere
	Gate   uint16 // of a guard, or the till of a cashier; 0 = none, or all
	From   string // first day
	To     string // last day, "" = open

	PersonName string // read only
	UnitName   string // read only
}

// The posts that the product itself knows. Every person may also apply, and
// approve what is put before them; that needs no post.
const (
	Admin   = "admin"   // 管理员
	Desk    = "desk"    // 窗口: paper passes, households and members of its unit's desk
	Guard   = "guard"   // 门卫: checks passes at a gate
	Reader  = "stats"   // 统计: all records and figures
	Auditor = "auditor" // 审计: the trail and the events

	CardOffice = "cards"      // 卡务: accounts, cards and the cash desk
	Finance    = "finance"    // 财务: settlement, refunds, exports
	Merchant   = "merchant"   // 商户: sees and keeps the tills of the merchants it manages
	Cashier    = "cashier"    // 收银: works at a till (its gate)
	Supervisor = "supervisor" // 领班: a cashier who may void and close
)

// Unit is a department, college, office or village.
type Unit struct {
	ID     string
	Name   string
	Parent string // "" = top
	Kind   string // free: department, college, office, village
	Campus string // "" = all
	Head   string // person id, "" = none
}

// Campus is a part of the site with gates of its own.
type Campus struct {
	ID   string // A, B …
	Name string
	Zone int // of its gates, 0 = none yet
	// Police is the station that issues temporary residence papers here.
	Police string
}

// Compound is a 小区.
type Compound struct {
	ID       int64
	Campus   string
	Name     string
	OnCampus bool // counts as a campus address on documents
}

// Building is a 楼栋.
type Building struct {
	ID       int64
	Compound int64
	Name     string // 楼栋号
}

// Room is a 门牌.
type Room struct {
	ID       int64
	Building int64
	Name     string // 门牌号
}

// Household is a room and the name of its head: a flat shared by tenants has
// several.
type Household struct {
	ID         int64
	Room       int64
	Head       string
	VerifiedBy string // actor, "" = not yet
	VerifiedAt int64  // ms
	Members    []Member

	Campus   string // read only: id
	Compound string // read only: name
	Building string // read only: name
	RoomName string // read only
	Address  string // read only: compound, building, room
}

// Member is somebody who lives in a household. Their phone shares its quota.
type Member struct {
	Household int64
	Person    string
	Name      string // read only
	Phone     string // read only, masked
	Relation  string // 户主, 配偶, 子女 …
	Since     string // date
}
