package printing

import (
	"fmt"
	"strconv"
	"time"

	"campusgate/agent/desk"
	"campusgate/agent/till"
	"campusgate/devices"
	"campusgate/signing/wire"
)

// Slips say everything in both languages: who holds one in the hand did not
// choose the language of a page.

// receipt is the slip of a charge, or of its void.
func receipt(v *till.View, r *desk.Result, again bool, zone *time.Location) devices.Slip {
	c := r.Charge
	title, sign := "收款小票 Receipt", int64(1)
	if r.Annulled {
		title, sign = "撤销小票 Void", -1
	}
	s := head(v, title)
	if again {
		s = append(s, mark("** 补打 REPRINT **"))
	}
	s = append(s,
		pair("收款台 Till", name(v)), pair("时间 Time", stamp(r.At, zone)), pair("营业日 Business day", c.Day),
		pair("班次 Batch", strconv.FormatUint(uint64(c.Batch), 10)))
	if c.Flow > 0 {
		s = append(s, pair("流水号 Flow no.", strconv.FormatUint(c.Flow, 10)))
	}
	if c.Holder != "" {
		s = append(s, pair("持卡人 Holder", c.Holder))
	}
	s = append(s, devices.Row{Rule: true})
	for _, item := range c.Items {
		s = append(s, pair(item.Name, fmt.Sprintf("%d x %s", item.Quantity, yuan(item.PriceFen))))
	}
	s = append(s, devices.Row{Text: "合计 Total", Right: "￥" + yuan(sign*c.AmountFen), Size: 2, Bold: true})
	if c.BalanceFen != nil && !r.Annulled {
		s = append(s, pair("余额 Balance", "￥"+yuan(*c.BalanceFen)))
	}
	if c.Offline || r.Offline {
		s = append(s, mark("离线收款 Taken offline"))
	}
	if r.Annulled {
		s = append(s, mark("已撤销，款项退回原账户 Voided"))
	}
	return append(s, devices.Row{Text: "谢谢 Thank you", Align: devices.Center}, devices.Row{Cut: true})
}

// report is the slip of a batch.
func report(v *till.View, b *till.Batch, now time.Time, zone *time.Location) devices.Slip {
	s := head(v, "结班小票 Batch report")
	s = append(s, pair("收款台 Till", name(v)), pair("班次 Batch", strconv.FormatUint(uint64(b.Number), 10)),
		pair("开班 Opened", stamp(b.OpenedAt, zone)), pair("开班人 By", b.OpenedBy))
	if b.Open {
		s = append(s, pair("截至 As of", stamp(now.UnixMilli(), zone)), mark("尚未结班 Not closed yet"))
	} else {
		s = append(s, pair("结班 Closed", stamp(b.ClosedAt, zone)), pair("结班人 By", b.ClosedBy))
	}
	return append(s,
		devices.Row{Rule: true},
		pair("收款笔数 Charges", strconv.Itoa(b.Charges)), pair("撤销笔数 Voids", strconv.Itoa(b.Voids)),
		pair("末流水号 Last no.", strconv.FormatUint(b.Flow, 10)),
		devices.Row{Text: "合计 Total", Right: "￥" + yuan(b.TotalFen), Size: 2, Bold: true},
		devices.Row{Feed: 1}, pair("签字 Signature", "________________"), devices.Row{Cut: true})
}

// ordered is the slip of what the server asks for.
func ordered(m wire.Print) devices.Slip {
	s := make(devices.Slip, 0, len(m.Rows)+1)
	for _, r := range m.Rows {
		row := devices.Row{Text: r.Text, Right: r.Right, Bold: r.Bold, QR: r.QR, Rule: r.Rule}
		switch r.Align {
		case wire.PrintCenter:
			row.Align = devices.Center
		case wire.PrintRight:
			row.Align = devices.Right
		case wire.PrintLeft:
		}
		if r.Large {
			row.Size = 2
		}
		s = append(s, row)
	}
	return append(s, devices.Row{Cut: true})
}

func head(v *till.View, title string) devices.Slip {
	merchant := "-"
	if v.Till != nil {
		merchant = v.Till.Merchant
	}
	return devices.Slip{
		{Text: merchant, Align: devices.Center, Size: 2, Bold: true},
		{Text: title, Align: devices.Center},
		{Rule: true},
	}
}

func name(v *till.View) string {
	if v.Till == nil {
		return "-"
	}
	return v.Till.Name
}

func pair(label, value string) devices.Row { return devices.Row{Text: label, Right: value} }

func mark(text string) devices.Row {
	return devices.Row{Text: text, Align: devices.Center, Bold: true}
}

func stamp(ms int64, zone *time.Location) string {
	return time.UnixMilli(ms).In(zone).Format(time.DateTime)
}

// yuan writes fen as 12.50.
func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}
