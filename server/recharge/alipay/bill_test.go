package alipay_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"campusgate/server/recharge/alipay"
)

const table = "#支付宝业务明细\n支付宝交易号,商户订单号,业务类型,完成时间,订单金额（元）\n2026,1,交易,2026-11-21 12:00:00,30.05\n"

// archived packs texts as the channel does.
func archived(t testing.TB, texts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, text := range texts {
		f, err := z.Create(fmt.Sprintf("%d.csv", i))
		ok(t, err)
		_, err = io.WriteString(f, text)
		ok(t, err)
	}
	ok(t, z.Close())
	return b.Bytes()
}

// An archive of very many files, or one that grows without end, is refused.
func TestAttack_ZipBomb_Bill(t *testing.T) {
	c, _ := pair(t)
	defer alipay.SetMaxBill(1 << 20)()
	for name, file := range map[string][]byte{
		"many files":   archived(t, strings.Split(strings.Repeat("a,b\n|", 1000), "|")...),
		"a large file": archived(t, table+strings.Repeat("#", 1<<20)),
	} {
		if rows, err := c.ParseBill(file); err == nil {
			t.Errorf("%s: %d rows", name, len(rows))
		}
	}
}

func FuzzBill(f *testing.F) {
	c, _ := pair(f)
	gbk, err := simplifiedchinese.GB18030.NewEncoder().String(table)
	ok(f, err)
	f.Add(archived(f, gbk))
	f.Add(archived(f, "", "\xff\xfe", strings.Repeat(",", 100)))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, file []byte) {
		if rows, err := c.ParseBill(file); err != nil && len(rows) > 0 {
			t.Errorf("%d rows of a file that is refused", len(rows))
		}
	})
}
