package wechat

import "campusgate/server/recharge"

// ParseBill reads the table of a day.
func (c *Channel) ParseBill(file []byte) ([]recharge.Row, error) { return c.parseBill(file) }
