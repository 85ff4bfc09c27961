package wechat_test

import "testing"

func FuzzBill(f *testing.F) {
	c, _ := pair(f)
	head := "\xef\xbb\xbf交易时间,公众账号ID,商户号,微信订单号,商户订单号,交易状态,订单金额,申请退款金额\n"
	f.Add([]byte(head + "`2026-11-21 12:00:00,`wx,`1,`42,`1,`SUCCESS,`30.05,`0.00\n总交易单数\n`1\n"))
	f.Add([]byte(head + "`\n"))
	f.Add([]byte("\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if rows, err := c.ParseBill(file); err != nil && len(rows) > 0 {
			t.Errorf("%d rows of a file that is refused", len(rows))
		}
	})
}
