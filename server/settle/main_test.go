package settle_test

import (
	"testing"

	"campusgate/server/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }
