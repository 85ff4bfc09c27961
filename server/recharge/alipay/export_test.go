package alipay

import "campusgate/server/recharge"

// ParseBill reads the archive of a day.
func (c *Channel) ParseBill(file []byte) ([]recharge.Row, error) { return c.parseBill(file) }

// SetMaxBill makes the largest bill another until restore.
func SetMaxBill(n int64) (restore func()) {
	old := maxBill
	maxBill = n
	return func() { maxBill = old }
}
