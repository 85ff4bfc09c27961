package agent

import (
	"campusgate/agent/desk"
	"campusgate/agent/disk"
	"campusgate/devices"
)

// kindDisk stands on the list of devices while it cannot be written.
const kindDisk = "disk"

// What a disk can be, besides well.
const (
	diskFull    = "full"    // there is no room
	diskFailing = "failing" // anything else
)

// watched is the store of a desk, and tells how the disk is by what comes of each
// transaction. Where it fails nobody is admitted, and somebody should know why.
type watched[B desk.Book] struct {
	store interface {
		Update(do func(B) error) error
	}
	health *device
}

// Update is the store's. After a failure each transaction writes something, since
// one that writes nothing says nothing of the disk: so the next tick finds out that
// there is room again.
func (w watched[B]) Update(do func(B) error) error {
	failing := w.health.now().State != devices.OK
	err := w.store.Update(func(book B) error {
		if failing {
			known, err := book.Clock()
			if err == nil {
				err = book.SetClock(known)
			}
			if err != nil {
				return err
			}
		}
		return do(book)
	})
	switch {
	case err == nil:
		w.health.report(devices.Health{State: devices.OK})
	case disk.IsFull(err):
		w.health.report(devices.Health{State: diskFull, Detail: err.Error()})
	default:
		w.health.report(devices.Health{State: diskFailing, Detail: err.Error()})
	}
	return err
}

// newDiskHealth is not on the list of devices: listed adds it when it has to.
func (a *Agent) newDiskHealth() *device {
	return &device{agent: a, kind: kindDisk, driver: "store", health: devices.Health{State: devices.OK, Since: a.now()}}
}

// listed are the devices that the pages and the server are told of.
func (a *Agent) listed() []*device {
	if a.disk.now().State == devices.OK {
		return a.devices
	}
	return append([]*device{a.disk}, a.devices...)
}
